# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged is there after a restart, after SIGTERM in the middle, and after kill -9."""
import threading

import pytest

from harness import oci
from harness.wait import wait_until
from harness.wire import Wire, request

pytestmark = pytest.mark.own_server

STOPS = ["term", "kill"]


def bounce(registry, how):
    if how == "kill":
        registry.kill9()
        registry.start()
    else:
        registry.restart()


@pytest.mark.parametrize("how", STOPS)
def test_everything_is_there_afterwards(registry, repo, how):
    multi = oci.index([oci.image("r1"), oci.image("r2")])
    repo.push(multi, "multi")
    signature = oci.artifact("application/vnd.example.sig", multi.descriptor())
    repo.push(signature)
    big = oci.random_bytes(3 << 20, "r")
    digests = [repo.push_blob(big), repo.push_blob(big, "sha512")]
    bounce(registry, how)
    assert repo.get_manifest("multi").content == multi.body
    for child in multi.children:
        assert repo.get_manifest(child.digest).content == child.body
        for blob in child.blobs:
            assert repo.get_blob(oci.digest_of(blob)).content == blob
    assert repo.referrer_digests(multi.digest) == [signature.digest]
    assert [repo.get_blob(digest).content == big for digest in digests] == [True, True]
    assert repo.tag_names() == ["multi"]


@pytest.mark.parametrize("how", STOPS)
def test_deleted_things_stay_deleted(registry, repo, how):
    content = oci.image("deleted")
    repo.push(content, "v1")
    digest = repo.push_blob(b"deleted")
    repo.delete_manifest(content.digest)
    repo.delete_blob(digest)
    bounce(registry, how)
    repo.get_manifest("v1", expect=404)
    repo.get_manifest(content.digest, expect=404)
    repo.head_blob(digest, expect=404)


@pytest.mark.parametrize("how", STOPS)
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_upload_goes_on(registry, repo, how, algorithm):
    """The state of the hash is rebuilt from the file."""
    data = oci.random_bytes(500_000, "goes on")
    upload = repo.start_upload()
    upload.patch(data[:100_000], 0)
    upload.patch(iter([data[100_000:150_000], data[150_000:200_000]]))
    bounce(registry, how)
    assert upload.get().headers["Range"] == "0-199999"
    upload.patch(data[:10], 0, expect=416)
    upload.patch(data[200_000:300_000], 200_000)
    bounce(registry, how)
    upload.put(oci.digest_of(data, algorithm), data[300_000:], 300_000)
    assert repo.get_blob(oci.digest_of(data, algorithm)).content == data


@pytest.mark.parametrize("how", STOPS)
def test_fresh_session_goes_on(registry, repo, how):
    upload = repo.start_upload()
    bounce(registry, how)
    assert upload.get().headers["Range"] == "0-0"
    upload.put(oci.digest_of(b"late"), b"late")


def half_a_patch(registry, repo, upload, announced, sent):
    """A connection in the middle of a PATCH body."""
    wire = Wire(registry)
    headers = {"Content-Length": announced, "Content-Range": f"0-{announced - 1}"}
    authorization = repo.client.authorization((repo.scope,))
    if authorization:
        headers["Authorization"] = authorization
    wire.send(request("PATCH", upload.location, headers) + sent)
    return wire


def test_kill_in_the_middle_of_a_patch(registry, repo):
    data = oci.random_bytes(400_000, "middle")
    upload = repo.start_upload()
    wire = half_a_patch(registry, repo, upload, len(data), data[:200_000])
    wait_until(lambda: sum(path.stat().st_size for path in registry.stored_files("uploads")), what="bytes arriving")
    registry.kill9()
    wire.close()
    registry.start()
    have = upload.get().headers["Range"]
    done = int(have.split("-")[1]) + 1
    if done == 1:
        done = 0
    assert done <= 200_000
    upload.patch(data[done:], done)
    upload.put(oci.digest_of(data))
    assert repo.get_blob(oci.digest_of(data)).content == data


def test_sigterm_lets_running_requests_finish(registry, repo):
    """Drain: an upload under way is answered, the port is closed, the exit status is 0."""
    data = oci.random_bytes(100_000, "drain")
    upload = repo.start_upload()
    with half_a_patch(registry, repo, upload, len(data), data[:50_000]) as wire:
        wait_until(lambda: registry.connections(), what="the connection")
        registry.process.terminate()
        wait_until(lambda: refused(registry), what="the port being closed")
        assert registry.running()
        wire.send(data[50_000:])
        answer = wire.answer()
        assert answer.status in (202, 503)
        if answer.status == 202:
            assert answer.closes
    assert registry.wait_dead() == 0
    registry.start()
    if answer.status == 202:
        upload.put(oci.digest_of(data))


def refused(registry):
    try:
        registry.connect(1).close()
        return False
    except OSError:
        return True


def test_sigterm_closes_idle_connections(registry, client):
    client.get("/v2/", expect=200)
    with Wire(registry) as idle:
        idle.send(request("GET", "/v2/"))
        assert idle.answer().status == 401
        registry.process.terminate()
        idle.assert_closed()
        assert registry.wait_dead() == 0


def test_sigint_ends_it_too(registry, client):
    import signal

    client.get("/v2/", expect=200)
    registry.signal(signal.SIGINT)
    assert registry.wait_dead() in (0, -signal.SIGINT, 130)


def test_second_server_on_the_same_port_says_so(registry, make_registry):
    second = make_registry(start=False)
    second.port = registry.port
    second.spawn()
    assert second.wait_dead() not in (0, -11, -6)
    assert str(registry.port) in second.log_text()


@pytest.mark.parametrize(
    "name, value, word",
    [("listen", "nonsense", "listen"), ("log_level", "loudest", "log"), ("tls_certificate", "/nonexistent/x.crt", "tls"),
     ("manifests_size_max", "much", "size"), ("http_head_timeout", "soon", "timeout"), ("projects_auto_create", "perhaps", "auto"),
     ("database_url", "mysql://x/y", "database"), ("http_proxy_protocol", "true", "http.trusted_proxies")],
)
def test_wrong_option_is_one_line_that_names_it(make_registry, name, value, word):
    registry = make_registry(start=False)
    registry.settings[name.upper()] = value
    registry.spawn()
    assert registry.wait_dead() not in (0, -11, -6)
    text = registry.log_text().strip()
    assert word in text.lower(), text
    assert len(text.splitlines()) == 1, text


def test_restart_while_clients_push(registry, client):
    """Three pushers meet a restart: each acknowledged push is there afterwards."""
    acknowledged, lock, stop = [], threading.Lock(), threading.Event()

    def push(number):
        own = registry.client()
        round_ = 0
        while not stop.is_set():
            round_ += 1
            content = oci.image(f"{number}/{round_}", layer_size=2000)
            try:
                own.repository(f"tests/pusher{number}").push(content, f"t{round_}")
            except Exception:
                continue
            with lock:
                acknowledged.append((number, round_, content))

    threads = [threading.Thread(target=push, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for how in ("term", "kill", "term"):
        before = len(acknowledged)
        wait_until(lambda: len(acknowledged) >= before + 5, timeout=120, what="pushes")
        bounce(registry, how)
    stop.set()
    for thread in threads:
        thread.join()
    for number, round_, content in acknowledged:
        repository = client.repository(f"tests/pusher{number}")
        assert repository.get_manifest(f"t{round_}").content == content.body
        for blob in content.blobs:
            assert repository.get_blob(oci.digest_of(blob)).content == blob
