# SPDX-License-Identifier: Apache-2.0
"""Harbor's system configuration: every key is read and written, what cannot be is refused whole, and what means something acts."""
import json
import os
import shutil

import pytest

from harness import oci, swagger
from harness.client import codes
from harness.people import call, make_person
from harness.receivers import SyslogReceiver
from harness.wait import wait_until
from harness.wire import unique

PATH = "/api/v2.0/configurations"
READ_ONLY = "The system is in read only mode. Any modification is prohibited"

VALUES = {
    "primary_auth_mode": True,
    "project_creation_restriction": "adminonly",
    "self_registration": True,
    "token_expiration": 45,
    "session_timeout": 120,
    "robot_token_duration": 90,
    "robot_name_prefix": "machine@",
    "notification_enable": False,
    "quota_per_project_enable": False,
    "storage_per_project": 5368709120,
    "audit_log_forward_endpoint": "log.example.com:514",
    "skip_audit_log_database": True,
    "scanner_skip_update_pulltime": True,
    "disabled_audit_log_event_types": "create_artifact,pull_artifact",
    "banner_message": '{"message":"moving on friday","type":"warning","closable":true}',
    "ldap_url": "ldaps://ldap.example.com",
    "ldap_base_dn": "dc=example,dc=com",
    "ldap_search_dn": "cn=reader,dc=example,dc=com",
    "ldap_uid": "uid",
    "ldap_filter": "(objectClass=person)",
    "ldap_scope": 1,
    "ldap_timeout": 7,
    "ldap_verify_cert": False,
    "ldap_group_base_dn": "ou=groups,dc=example,dc=com",
    "ldap_group_admin_dn": "cn=admins,ou=groups,dc=example,dc=com",
    "ldap_group_attribute_name": "cn",
    "ldap_group_search_filter": "(objectClass=groupOfNames)",
    "ldap_group_search_scope": 1,
    "ldap_group_membership_attribute": "memberOf",
    "ldap_group_attach_parallel": True,
    "oidc_name": "corporate",
    "oidc_endpoint": "https://login.example.com",
    "oidc_client_id": "berth",
    "oidc_groups_claim": "groups",
    "oidc_admin_group": "admins",
    "oidc_group_filter": "^team-",
    "oidc_scope": "openid,email",
    "oidc_user_claim": "preferred_username",
    "oidc_verify_cert": False,
    "oidc_auto_onboard": True,
    "oidc_extra_redirect_parms": '{"prompt":"login"}',
    "oidc_logout": True,
}
SECRETS = {"ldap_search_password": "first-secret-words", "oidc_client_secret": "second-secret-words"}
# Ways to log in that this program does not have: only their defaults are taken.
REFUSED = {
    "uaa_client_secret": "third-secret-words",
    "uaa_client_id": "id",
    "uaa_endpoint": "uaa.example.com",
    "uaa_verify_cert": True,
    "http_authproxy_endpoint": "https://proxy.example.com",
    "http_authproxy_tokenreview_endpoint": "https://proxy.example.com/review",
    "http_authproxy_admin_groups": "admins",
    "http_authproxy_admin_usernames": "alice",
    "http_authproxy_verify_cert": False,
    "http_authproxy_skip_search": True,
    "http_authproxy_server_certificate": "-----BEGIN CERTIFICATE-----",
}
# Acting ones that would stand in the way of the other tests are tried one by one below.
REST = {"auth_mode": "db_auth", "read_only": False}


def read(admin):
    return {key: item["value"] for key, item in admin.get(PATH, expect=200).json().items()}


def write(admin, expect=200, **values):
    return admin.request("PUT", PATH, headers={"Content-Type": "application/json"}, body=json.dumps(values), expect=expect)


@pytest.fixture
def put(admin):
    """Changes settings, and puts them back when the test is over."""
    before = read(admin)

    def change(**values):
        return write(admin, **values)

    yield change
    write(admin, **before)


def test_every_key_of_harbors_description_is_there(admin):
    described = swagger.contract().document["definitions"]["ConfigurationsResponse"]["properties"]
    found = admin.get(PATH, expect=200).json()
    # Harbor's own answer has neither: a secret, and the scan policy, which is a schedule of its own.
    assert set(described) - set(found) == {"uaa_client_secret", "scan_all_policy"}
    assert all(item["editable"] is True for item in found.values())
    assert set(VALUES) | set(REST) | set(REFUSED) == set(described) - {"scan_all_policy"}


@pytest.mark.own_server
def test_every_key_is_written_read_back_and_kept(registry, admin):
    before = read(admin)
    with SyslogReceiver() as receiver:  # a new endpoint must be there
        values = {**VALUES, "audit_log_forward_endpoint": f"127.0.0.1:{receiver.port}"}
        assert all(before[key] != value for key, value in values.items())
        write(admin, **values, **SECRETS, **REST)
    changed = read(admin)
    assert {key: changed[key] for key in values} == values
    for secret in SECRETS.values():
        assert secret not in json.dumps(changed)
    registry.restart()
    assert read(admin) == changed


def test_a_banner_of_plain_words_was_refused_though_harbor_takes_it(admin, anonymous):
    write(admin, banner_message="moving on friday")
    assert anonymous.get("/api/v2.0/systeminfo").json()["banner_message"] == "moving on friday"
    write(admin, banner_message="")


@pytest.mark.own_server
def test_secrets_do_not_lie_in_the_database(registry, admin):
    write(admin, ldap_url="ldaps://here-it-is.example.com", oidc_endpoint="https://login.example.com", **SECRETS)
    if registry.database is None:
        registry.stop()
        content = b"".join(path.read_bytes() for path in registry.data.glob("berth.sqlite*"))
        assert b"here-it-is.example.com" in content and b"secret-words" not in content


def test_what_nobody_knows_and_what_is_null_is_ignored(admin):
    before = read(admin)
    write(admin, no_such_setting={"a": [1]}, read_only=None, scan_all_policy={}, ldap_url=None)
    write(admin)
    assert read(admin) == before


@pytest.mark.parametrize("wrong", [
    {"read_only": "true"}, {"read_only": 1}, {"project_creation_restriction": "nobody"}, {"token_expiration": 0},
    {"token_expiration": "30"}, {"session_timeout": -1}, {"robot_token_duration": 0}, {"storage_per_project": 0},
    {"storage_per_project": 1 << 51}, {"robot_name_prefix": ""}, {"robot_name_prefix": "a:b"}, {"audit_log_forward_endpoint": "nowhere"},
    {"skip_audit_log_database": True}, {"disabled_audit_log_event_types": "sing_song"}, {"banner_message": {"message": "no text"}},
    {"auth_mode": "uaa_auth"}, {"auth_mode": 3}, {"ldap_scope": 3}, {"ldap_scope": "2"}, {"ldap_verify_cert": "yes"},
    {"oidc_group_filter": "("}, {"oidc_extra_redirect_parms": "[]"}, {"auth_mode": "ldap_auth"}, {"auth_mode": "oidc_auth"},
], ids=lambda wrong: "-".join(f"{key}-{value}" for key, value in wrong.items()))
def test_what_cannot_be_is_refused_and_nothing_else_changes_either(admin, wrong):
    before = read(admin)
    write(admin, expect=400, self_registration=True, oidc_name="not kept", **wrong)
    assert read(admin) == before


@pytest.mark.parametrize("key", sorted(REFUSED))
def test_what_would_have_no_effect_is_refused_with_what_has(admin, key):
    before = read(admin)
    said = write(admin, expect=400, self_registration=True, **{key: REFUSED[key]}).json()["errors"][0]["detail"]
    assert said.startswith(f"{key} has no effect here; ") and "oidc_*" in said
    assert read(admin) == before


def test_whoever_sends_all_that_he_has_read_is_not_refused(admin):
    """As Harbor's clients do; a secret that he leaves empty is none."""
    before = read(admin)
    assert set(REFUSED) - {"uaa_client_secret"} < set(before)
    write(admin, uaa_client_secret="", **before)
    assert read(admin) == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"read_only":true,"read_only":false}'])
def test_bodies_that_are_no_object_are_refused(admin, body):
    admin.request("PUT", PATH, headers={"Content-Type": "application/json"}, body=body, expect=400)


def test_strangers_may_not_look(anonymous):
    anonymous.get(PATH, expect=401)
    anonymous.get("/api/v2.0/internalconfig", expect=401)
    write(anonymous, expect=401, read_only=True)


def test_neither_may_users(admin):
    user = make_person(admin).client
    user.get(PATH, expect=403)
    user.get("/api/v2.0/internalconfig", expect=403)
    write(user, expect=403, self_registration=True)
    assert read(admin)["self_registration"] is False


def changes(registry):
    """(before, after) of the changes of the configuration, as the audit trail has them."""
    details = registry.query("SELECT detail FROM audit_record WHERE resource = 'configuration' AND result = 0 ORDER BY id")
    return [(json.loads(text).get("before"), json.loads(text)["after"]) for text in details]


@pytest.mark.own_server
def test_a_change_is_recorded_with_what_was_there_before_and_without_secrets(registry, admin):
    write(admin, session_timeout=75, self_registration=False, no_such_setting=1, ldap_url="ldaps://ldap.example.com", ldap_search_password="hush-hush")
    before, after = changes(registry)[-1]
    assert before == {"session_timeout": 60, "ldap_url": ""}
    assert set(after) == {"session_timeout", "ldap_url", "ldap_search_password"}
    assert after["session_timeout"] == 75 and "hush-hush" not in json.dumps(after)
    write(admin, expect=400, session_timeout=0)
    assert len(changes(registry)) == 1


@pytest.mark.own_server
def test_events_that_are_switched_off_are_not_recorded(registry, admin):
    def projects():
        return registry.query("SELECT project FROM audit_record WHERE operation = 'create' AND resource_type = 'project' ORDER BY id")

    admin.make_project("seen")
    write(admin, disabled_audit_log_event_types="create_project, delete_project")
    admin.make_project("unseen")
    write(admin, disabled_audit_log_event_types="")
    admin.make_project("seen-again")
    assert projects()[-2:] == ["seen", "seen-again"]


def test_who_may_make_projects(admin, put):
    user = make_person(admin).client
    body = {"project_name": unique("mine")}
    put(project_creation_restriction="adminonly")
    call(user, "POST", "/api/v2.0/projects", body, expect=403)
    put(project_creation_restriction="everyone")
    call(user, "POST", "/api/v2.0/projects", body, expect=201)


def test_internal_configuration_knows_how_clients_reach_us(registry, admin):
    found = admin.get("/api/v2.0/internalconfig", expect=200).json()
    assert set(admin.get(PATH).json()) < set(found)
    assert found["ext_endpoint"] == {"value": registry.url, "editable": False}
    assert found["token_service_url"]["value"] == registry.url + "/service/token"


def test_read_only_forbids_all_changes_and_lets_pulls_go_on(admin, repo, put, client):
    content = oci.image("kept")
    repo.push(content, "v1")
    project = unique("read-only")
    put(read_only=True)
    answer = repo.put_manifest(oci.image("new"), "v2", expect=403)
    assert codes(answer) == ["DENIED"] and answer.json()["errors"][0]["message"] == READ_ONLY
    repo.start_upload(expect=403)
    repo.delete_manifest(content.digest, expect=403)
    assert client.fetch_token(f"repository:{repo.name}:pull,push")["token"]
    assert repo.get_manifest("v1").content
    answer = admin.request(
        "POST", "/api/v2.0/projects", headers={"Content-Type": "application/json"},
        body=json.dumps({"project_name": project}), expect=403,
    )
    assert codes(answer) == ["DENIED"] and answer.json()["errors"][0]["message"] == READ_ONLY
    put(read_only=False)
    repo.push(oci.image("new"), "v2")


def test_strangers_do_not_learn_that_it_is_read_only(anonymous, put):
    put(read_only=True)
    anonymous.request("POST", "/api/v2.0/projects", headers={"Content-Type": "application/json"}, body="{}", expect=401)


def test_tokens_live_as_long_as_the_setting_says(client, put):
    put(token_expiration=7)
    assert client.fetch_token("repository:tests/app:pull")["expires_in"] == 7 * 60
    put(token_expiration=90)
    assert client.fetch_token("repository:tests/app:pull")["expires_in"] == 90 * 60


@pytest.mark.settings(tokens_lifetime="5m")
def test_the_option_is_the_default_of_the_setting(admin, client):
    assert read(admin)["token_expiration"] == 5
    assert client.fetch_token("repository:tests/app:pull")["expires_in"] == 5 * 60


@pytest.mark.settings(settings_fixed='{"project_creation_restriction": "adminonly", "session_timeout": 15}')
def test_fixed_settings_cannot_be_changed(admin):
    found = admin.get(PATH).json()
    assert found["session_timeout"] == {"value": 15, "editable": False}
    assert found["project_creation_restriction"] == {"value": "adminonly", "editable": False}
    assert found["read_only"]["editable"] is True
    write(admin, expect=403, session_timeout=60, self_registration=True)
    assert read(admin) == {key: item["value"] for key, item in found.items()}
    write(admin, session_timeout=15)


@pytest.mark.own_server
@pytest.mark.skipif(os.environ.get("BERTH_TEST_ENGINE") == "sqlite", reason="one server to a SQLite file")
def test_another_node_hears_of_a_change(registry, make_registry, admin):
    if registry.database is None:
        pytest.skip("one server to a SQLite file")
    other = make_registry(start=False, environment={"BERTH_DATABASE_URL": registry.database.url})
    other.data.mkdir()
    shutil.copy(registry.data / "master.key", other.data / "master.key")
    other.start()
    there = other.client(auth="basic")
    assert read(there)["session_timeout"] == 60
    write(admin, session_timeout=61)
    wait_until(lambda: read(there)["session_timeout"] == 61, timeout=2.5, what="the other node's setting")
    other.stop()
