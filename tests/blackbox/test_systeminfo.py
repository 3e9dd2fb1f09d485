# SPDX-License-Identifier: Apache-2.0
"""What the server says of itself to Harbor's clients, and the system's list of vulnerabilities that do not count."""
import datetime
import json
import os
import re

import pytest

from harness.client import codes
from harness.people import make_person

INFO = "/api/v2.0/systeminfo"
ALLOWLIST = "/api/v2.0/system/CVEAllowlist"
OPEN = {"auth_mode", "primary_auth_mode", "self_registration", "banner_message"}


def put(admin, path, body, expect=200):
    return admin.request("PUT", path, headers={"Content-Type": "application/json"}, body=json.dumps(body), expect=expect)


def test_version_of_the_api(anonymous):
    assert anonymous.get("/api/version", expect=200).json() == {"version": "v2.0"}


def test_ping(anonymous):
    assert anonymous.get("/api/v2.0/ping", expect=200).text == "Pong"


def test_strangers_learn_only_how_to_log_in(anonymous):
    found = anonymous.get(INFO, expect=200).json()
    assert set(found) == OPEN
    assert found["auth_mode"] == "db_auth" and found["self_registration"] is False


def test_who_is_known_learns_more(registry, admin):
    found = admin.get(INFO, expect=200).json()
    assert set(found) > OPEN
    assert re.fullmatch(r"v2\.\d+\.\d+-.*", found["harbor_version"])
    assert found["external_url"] == registry.url and found["registry_url"] == registry.address
    assert found["read_only"] is False and found["has_ca_root"] is False
    assert found["project_creation_restriction"] == "everyone" and found["notification_enable"] is True
    assert found["registry_storage_provider_name"] == "filesystem"
    now = datetime.datetime.fromisoformat(found["current_time"].replace("Z", "+00:00"))
    assert abs((now - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) < 60


@pytest.mark.settings(external_url="https://registry.example.com:8443")
def test_the_external_url_is_what_the_option_says(admin):
    found = admin.get(INFO, expect=200).json()
    assert found["external_url"] == "https://registry.example.com:8443" and found["registry_url"] == "registry.example.com:8443"


@pytest.mark.own_server
def test_it_follows_the_configuration(admin, anonymous):
    banner = '{"message":"hello"}'
    put(admin, "/api/v2.0/configurations", {
        "auth_mode": "oidc_auth", "oidc_name": "corporate", "oidc_endpoint": "https://login.example.com", "oidc_client_id": "x",
        "self_registration": True, "banner_message": banner, "read_only": True, "project_creation_restriction": "adminonly",
        "primary_auth_mode": True,
    })
    assert anonymous.get(INFO).json() == {
        "auth_mode": "oidc_auth", "oidc_provider_name": "corporate", "primary_auth_mode": True, "self_registration": True,
        "banner_message": banner,
    }
    found = admin.get(INFO).json()
    assert found["read_only"] is True and found["project_creation_restriction"] == "adminonly"


def test_room_of_the_disk(registry, admin, anonymous):
    disk = os.statvfs(registry.data)
    found = admin.get(f"{INFO}/volumes", expect=200).json()["storage"]
    assert len(found) == 1 and found[0]["total"] == disk.f_blocks * disk.f_frsize
    assert 0 < found[0]["free"] <= found[0]["total"]
    anonymous.get(f"{INFO}/volumes", expect=401)


def test_there_is_no_certificate_to_download(anonymous):
    anonymous.get(f"{INFO}/getcert", expect=404)


@pytest.mark.own_server
def test_the_certificate_to_download(make_registry, authority):
    registry = make_registry(tls_ca_certificate=authority.certificate)
    answer = registry.anonymous().get(f"{INFO}/getcert", expect=200)
    assert answer.content == authority.certificate.read_bytes()
    assert answer.headers["Content-Disposition"] == "attachment; filename=ca.crt"
    assert registry.client(auth="basic").get(INFO).json()["has_ca_root"] is True


@pytest.mark.own_server
def test_a_certificate_that_is_not_there_stops_the_start(make_registry, tmp_path):
    registry = make_registry(start=False, tls_ca_certificate=tmp_path / "nowhere.pem")
    registry.spawn()
    assert registry.wait_dead() == 1
    assert "tls.ca_certificate" in registry.log_text()


# -- the allowlist


def test_allowlist_is_empty_at_first_and_kept(admin, anonymous):
    first = admin.get(ALLOWLIST, expect=200).json()
    assert first["items"] == [] and first["project_id"] == 0 and "expires_at" not in first
    wanted = {"items": [{"cve_id": "CVE-2019-10164"}, {"cve_id": "GHSA-xxxx-yyyy"}], "expires_at": 1893456000}
    put(admin, ALLOWLIST, wanted)
    found = admin.get(ALLOWLIST, expect=200).json()
    assert found["items"] == wanted["items"] and found["expires_at"] == wanted["expires_at"]
    assert found["id"] > 0 and found["creation_time"] <= found["update_time"]
    anonymous.get(ALLOWLIST, expect=401)
    put(anonymous, ALLOWLIST, wanted, expect=401)
    put(admin, ALLOWLIST, {"items": [], "expires_at": None})
    again = admin.get(ALLOWLIST).json()
    assert again["items"] == [] and "expires_at" not in again and again["creation_time"] == found["creation_time"]


def test_users_read_the_allowlist_and_do_not_change_it(admin):
    user = make_person(admin).client
    assert user.get(ALLOWLIST, expect=200).json()["project_id"] == 0
    put(user, ALLOWLIST, {"items": []}, expect=403)
    user.get(f"{INFO}/volumes", expect=403)


@pytest.mark.parametrize("items, expires", [
    ([{"cve_id": ""}], None), ([{"cve_id": "a b"}], None), ([{"cve_id": "a\nb"}], None), ([{"cve_id": "ü"}], None),
    ([{"cve_id": "x" * 129}], None), ([{"cve_id": "twice"}, {"cve_id": "twice"}], None), ([{}], None), (["CVE-1"], None),
    ([{"cve_id": 1}], None), ("CVE-1", None), ([], -1), ([], "soon"), ([{"cve_id": f"CVE-{n}"} for n in range(2001)], None),
], ids=str)
def test_allowlists_that_cannot_be(admin, items, expires):
    before = admin.get(ALLOWLIST).json()
    answer = put(admin, ALLOWLIST, {"items": items, "expires_at": expires}, expect=(400, 422))
    assert codes(answer)[0] in ("BAD_REQUEST", "UNPROCESSABLE_ENTITY")
    assert admin.get(ALLOWLIST).json() == before


def test_a_long_allowlist(admin):
    items = [{"cve_id": f"CVE-2024-{n:05}"} for n in range(2000)]
    put(admin, ALLOWLIST, {"items": items})
    assert admin.get(ALLOWLIST).json()["items"] == items
    put(admin, ALLOWLIST, {"items": []})
