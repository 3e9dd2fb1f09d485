# SPDX-License-Identifier: Apache-2.0
"""Clients of some networks are sent to the bucket for blobs, with a presigned URL; all others, and all else, is served here. Who asks
is said by a trusted proxy, so that one registry meets clients of every network."""
import urllib.parse

import pytest
import requests

from harness import oci
from harness.exposition import scrape
from harness.remote import blob_key, registry_on
from harness.s3 import ACCESS_KEY, BUCKET, SECRET_KEY, MetadataServer, S3Server
from harness.wait import wait_until

pytestmark = pytest.mark.slow  # a server in Python beside each

LARGE = oci.random_bytes(300_000, "redirected")
SMALL = oci.random_bytes(131_072, "kept in memory")
INSIDE = ["192.0.2.7", "2001:db8:5::9"]
OUTSIDE = ["198.51.100.7", "192.0.3.0", "2001:db8:6::9", "::1"]
NETWORKS = "192.0.2.0/24, 2001:db8:5::/48"


def of(address, **more):
    return {"X-Forwarded-For": address, **more}


@pytest.fixture(scope="module")
def s3():
    with S3Server() as server:
        server.prefix = lambda prefix: {
            "STORAGE_S3_PREFIX": prefix, "STORAGE_S3_REDIRECT_NETWORKS": NETWORKS, "STORAGE_S3_REDIRECT_EXPIRY": "90s",
            "HTTP_TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "debug",
        }
        yield server


@pytest.fixture(scope="module")
def shared(s3, theirs, tmp_path_factory):
    with registry_on(s3, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def theirs():
    with S3Server(secret="the-tenants-own") as server:
        yield server


@pytest.fixture
def repo(shared, name):
    return shared.client().repository(name)


def sent_to(repo, digest, address=INSIDE[0], **fields):
    """The URL that a client of this network gets."""
    answer = repo.get_blob(digest, expect=307, headers=of(address, **fields))
    assert answer.content == b"" and answer.headers["Content-Length"] == "0"
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.headers["Location"]


@pytest.mark.own_server
def test_who_is_sent_is_told_of_his_limits(s3, make_registry, name):
    registry = make_registry(rate_limits_user="pull=1000/h", **s3.settings(**s3.prefix("limited")))
    repo = registry.client().repository(name)
    answer = repo.get_blob(repo.push_blob(LARGE), expect=307, headers=of(INSIDE[0]))
    assert answer.headers["RateLimit-Policy"] == '"user-pull";q=1000;w=3600' and answer.headers["Docker-Content-Digest"]


def fetch(url, expect, **options):
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, timeout=60, **options)
    assert answer.status_code == expect, answer.text[:300]
    return answer


# -- who is sent, and what for

@pytest.mark.parametrize("address", INSIDE)
def test_a_client_of_the_network_reads_the_blob_in_the_bucket(repo, s3, address):
    digest = repo.push_blob(LARGE)
    before = len(s3.requests)
    url = sent_to(repo, digest, address)
    assert len(s3.requests) == before, "nobody asks the bucket first"
    assert url.startswith(f"{s3.url}/{BUCKET}/{blob_key(digest)}?") and "X-Amz-Expires=90&" in url
    answer = fetch(url, 200)
    assert answer.content == LARGE
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize("address", OUTSIDE)
def test_others_get_the_bytes_here(repo, address):
    digest = repo.push_blob(LARGE)
    assert repo.get_blob(digest, headers=of(address)).content == LARGE


@pytest.mark.parametrize("fields", [
    {},  # the proxy itself, or somebody it does not name
    {"X-Forwarded-For": "junk"}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-For": f"{INSIDE[0]}, {OUTSIDE[0]}"},
])
def test_a_client_behind_a_proxy_that_does_not_name_him_gets_them_here(repo, fields):
    digest = repo.push_blob(LARGE)
    assert repo.get_blob(digest, headers=fields).content == LARGE


def test_one_range_is_read_there_and_many_here(repo):
    digest = repo.push_blob(LARGE)
    wanted = {"Range": "bytes=5-99"}
    assert fetch(sent_to(repo, digest, **wanted), 206, headers=wanted).content == LARGE[5:100]
    assert fetch(sent_to(repo, digest, Range="bytes=299990-"), 206, headers={"Range": "bytes=299990-"}).content == LARGE[-10:]
    answer = repo.get_blob(digest, expect=206, headers=of(INSIDE[0], Range="bytes=0-4,10-14"))
    assert answer.headers["Content-Type"].startswith("multipart/byteranges")
    repo.get_blob(digest, expect=416, headers=of(INSIDE[0], Range="bytes=300000-"))


def test_what_only_this_server_knows_is_answered_here(repo):
    digest = repo.push_blob(LARGE)
    etag = repo.head_blob(digest, headers=of(INSIDE[0])).headers["ETag"]
    assert repo.head_blob(digest, headers=of(INSIDE[0])).headers["Content-Length"] == str(len(LARGE))
    repo.get_blob(digest, expect=304, headers=of(INSIDE[0], **{"If-None-Match": etag}))
    repo.get_blob(digest, expect=206, headers=of(INSIDE[0], Range="bytes=0-4", **{"If-Range": etag}))
    assert repo.get_blob(digest, headers=of(INSIDE[0], **{"If-Match": etag})).content == LARGE


def test_what_is_in_memory_is_faster_here(repo):
    digest = repo.push_blob(SMALL)
    assert repo.get_blob(digest, headers=of(INSIDE[0])).content == SMALL
    assert repo.get_blob(digest, headers=of(INSIDE[0])).content == SMALL


# -- what the URL is good for

@pytest.mark.parametrize("change, code", [
    (lambda url: url.replace("sha256/", "sha256/x"), "SignatureDoesNotMatch"),
    (lambda url: url.replace("X-Amz-Expires=90", "X-Amz-Expires=9000"), "SignatureDoesNotMatch"),
    (lambda url: url.replace("octet-stream", "html"), "SignatureDoesNotMatch"),
    (lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"), "SignatureDoesNotMatch"),
    (lambda url: url.replace(ACCESS_KEY + "%2F", "other%2F"), "InvalidAccessKeyId"),
])
def test_a_url_is_good_for_one_blob_only(repo, change, code):
    url = sent_to(repo, repo.push_blob(LARGE))
    assert code in fetch(change(url), 403).text
    assert SECRET_KEY not in url


def test_a_url_is_good_for_a_while_only(repo, s3):
    url = sent_to(repo, repo.push_blob(LARGE))
    try:
        s3.ahead_s = 85
        fetch(url, 200)
        s3.ahead_s = 91
        assert "expired" in fetch(url, 403).text
    finally:
        s3.ahead_s = 0


def test_who_may_not_pull_is_not_sent(shared, repo):
    digest = repo.push_blob(LARGE)
    answer = repo.as_client(shared.anonymous()).get_blob(digest, expect=401, headers=of(INSIDE[0]))
    assert "Location" not in answer.headers
    stranger = shared.client().repository("tests/another")
    stranger.push_blob(b"so that it is there")
    assert "Location" not in stranger.get_blob(digest, expect=404, headers=of(INSIDE[0])).headers


def test_redirects_are_counted_and_logged(shared, repo):
    admin = shared.client(auth="basic")
    digest = repo.push_blob(LARGE)
    before, since = scrape(admin).sum("berth_blob_redirects_total"), shared.log_size()
    sent_to(repo, digest)
    repo.get_blob(digest, headers=of(OUTSIDE[0]))
    assert wait_until(lambda: scrape(admin).sum("berth_blob_redirects_total") - before, what="the count") == 1
    statuses = [line["status"] for line in shared.log_lines(since) if line.get("path", "").endswith(digest)]
    assert statuses == [307, 200]
    assert "X-Amz" not in shared.log_text(since), "who reads the log could read the blob"


# -- other storages

def test_an_encrypted_storage_sends_nobody(shared, name):
    tenant = shared.tenant("sealed", storage={"location": "sealed", "encrypted": True})
    repo = tenant.client().repository(name)
    digest = repo.push_blob(LARGE)
    assert repo.get_blob(digest, headers=of(INSIDE[0])).content == LARGE


def test_a_tenants_part_of_the_bucket_is_as_the_server(shared, name):
    repo = shared.tenant("part", storage={"location": "part"}).client().repository(name)
    digest = repo.push_blob(LARGE)
    url = sent_to(repo, digest)
    assert "shared/storages/part/blobs/" in url
    assert fetch(url, 200).content == LARGE


def test_a_tenants_own_bucket_has_its_own_networks(shared, theirs, name):
    public = theirs.url.replace("127.0.0.1", "localhost")
    repo = shared.tenant("own", storage={
        "driver": "s3", "location": "own",
        "settings": {"endpoint": theirs.url, "bucket": BUCKET, "redirect_networks": "198.51.100.7", "redirect_expiry_s": "70",
                     "redirect_endpoint": public},
        "secrets": {"access_key": ACCESS_KEY, "secret_key": "the-tenants-own"},
    }).client().repository(name)
    digest = repo.push_blob(LARGE)
    assert repo.get_blob(digest, headers=of(INSIDE[0])).content == LARGE
    url = sent_to(repo, digest, "198.51.100.7")
    assert url.startswith(f"{public}/{BUCKET}/own/blobs/") and "X-Amz-Expires=70&" in url
    assert fetch(url, 200).content == LARGE


@pytest.mark.parametrize("settings, words", [
    ({"redirect_networks": "10.0.0.0/33"}, "redirect_networks"),
    ({"redirect_expiry_s": "0"}, "redirect_expiry_s"),
    ({"redirect_expiry_s": "604801"}, "redirect_expiry_s"),
    ({"redirect_endpoint": "s3.example.com"}, "redirect_endpoint"),
])
def test_a_tenants_redirect_that_makes_no_sense_is_refused(shared, settings, words):
    answer = shared.client(auth="basic").post(
        "/api/berth/v1/tenants", expect=400, headers={"Content-Type": "application/json"},
        json={"name": "nonsense", "hosts": ["nonsense.example"], "storage": {
            "driver": "s3", "settings": {"bucket": "theirs", **settings}, "secrets": {"access_key": "a", "secret_key": "b"}}},
    )
    assert words in answer.text


# -- options

@pytest.mark.parametrize("option, value", [
    ("STORAGE_S3_REDIRECT_NETWORKS", "10.0.0.0/8, 10.0.0.0/33"), ("STORAGE_S3_REDIRECT_NETWORKS", "unix"),
    ("STORAGE_S3_REDIRECT_NETWORKS", "fd00::/129"), ("STORAGE_S3_REDIRECT_EXPIRY", "8d"),
    ("STORAGE_S3_REDIRECT_ENDPOINT", "s3.example.com"),
])
def test_a_wrong_option_is_one_line_that_names_it(make_registry, option, value):
    registry = make_registry(start=False, **{option: value})
    registry.spawn()
    assert registry.wait_dead() != 0
    lines = registry.log_text().splitlines()
    assert len(lines) == 1 and option.lower().replace("storage_s3_", "storage.s3.") in lines[0], lines


@pytest.mark.own_server
def test_a_bucket_in_the_hosts_name_and_a_key_that_expires(make_registry, name):
    """The server reaches the bucket by one name and its clients by another, as the first label of the host."""
    with S3Server(session_token="a-token") as s3, MetadataServer() as metadata:
        port = urllib.parse.urlsplit(s3.url).port
        registry = make_registry(**s3.settings(
            STORAGE_S3_ACCESS_KEY="", STORAGE_S3_SECRET_KEY="", STORAGE_S3_METADATA_ENDPOINT=metadata.url,
            STORAGE_S3_ADDRESSING="virtual", STORAGE_S3_ENDPOINT=f"http://localhost:{port}",
            STORAGE_S3_REDIRECT_NETWORKS="127.0.0.0/8", STORAGE_S3_REDIRECT_ENDPOINT=f"http://public.localhost:{port}",
        ))
        repo = registry.client().repository(name)
        digest = repo.push_blob(LARGE)
        url = repo.get_blob(digest, expect=307).headers["Location"]
        assert url.startswith(f"http://{BUCKET}.public.localhost:{port}/blobs/") and "&X-Amz-Security-Token=a-token&" in url
        here = url.replace(f"{BUCKET}.public.localhost", "127.0.0.1")
        assert fetch(here, 200, headers={"Host": f"{BUCKET}.public.localhost:{port}"}).content == LARGE
        status, output = registry.berth("storage", "check")
        assert status == 0 and "clients can be sent to the bucket" in output and " 0 quirks" in output, output
        s3.misbehave("GET", "response-content-type", "forbidden", times=-1)
        status, output = registry.berth("storage", "check")
        assert status == 0 and "the bucket refuses who is sent there" in output, output
        s3.behave()
        registry.assert_fsck_clean()
        assert registry.stop() == 0
