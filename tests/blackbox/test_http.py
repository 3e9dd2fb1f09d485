# SPDX-License-Identifier: Apache-2.0
"""The HTTP server as a client meets it: keep-alive, bodies of every framing, deadlines, rates, load."""
import socket
import time

import pytest

from harness import oci
from harness.wait import wait_until
from harness.wire import Closed, Wire, basic, request
from harness.registry import ADMIN_PASSWORD

ADMIN = {"Authorization": basic("admin", ADMIN_PASSWORD)}


@pytest.fixture
def blob(repo):
    data = oci.random_bytes(50_000, "http")
    repo.push_blob(data)
    return repo.blob_path(oci.digest_of(data)), data


# -- connections

def test_keep_alive(registry, blob):
    path, data = blob
    with Wire(registry) as wire:
        for _ in range(20):
            wire.send(request("GET", path, ADMIN))
            assert wire.answer().body == data
            wire.send(request("HEAD", path, ADMIN))
            assert wire.answer(head=True).header("content-length") == str(len(data))
            wire.send(request("GET", "/v2/"))
            assert wire.answer().status == 401


def test_connection_close_is_honoured(registry, blob):
    """skopeo and podman do this on every request."""
    path, data = blob
    with Wire(registry) as wire:
        wire.send(request("GET", path, {**ADMIN, "Connection": "close"}))
        answer = wire.answer()
        assert answer.body == data and answer.closes
        wire.assert_closed()


def test_http_1_0(registry, blob):
    path, data = blob
    with Wire(registry) as wire:
        wire.send(f"GET {path} HTTP/1.0\r\nAuthorization: {ADMIN['Authorization']}\r\n\r\n")
        answer = wire.answer()
        assert answer.status == 200 and answer.body == data
        wire.assert_closed()


def test_http_1_0_keep_alive(registry, blob):
    path, data = blob
    with Wire(registry) as wire:
        for _ in range(2):
            wire.send(f"GET {path} HTTP/1.0\r\nConnection: keep-alive\r\nAuthorization: {ADMIN['Authorization']}\r\n\r\n")
            answer = wire.answer()
            assert answer.body == data
            if (answer.header("connection") or "").lower() != "keep-alive":
                return


def test_pipelining(registry, blob):
    path, data = blob
    with Wire(registry) as wire:
        wire.send(b"".join(request("GET", path, {**ADMIN, "Range": f"bytes={n}-{n + 9}"}) for n in range(50)))
        for number in range(50):
            assert wire.answer().body == data[number:number + 10]


def test_pipelined_bodies(registry, repo):
    """The second request starts right behind the first one's body."""
    digests = [oci.digest_of(f"piped {n}".encode()) for n in range(10)]
    with Wire(registry) as wire:
        wire.send(b"".join(
            request("POST", f"{repo.base}/blobs/uploads/?digest={digest}", ADMIN, f"piped {n}".encode())
            for n, digest in enumerate(digests)
        ))
        for digest in digests:
            answer = wire.answer()
            assert answer.status == 201 and answer.header("docker-content-digest") == digest


def test_a_head_in_single_bytes(registry, blob):
    path, data = blob
    with Wire(registry) as wire:
        for byte in request("GET", path, {**ADMIN, "Range": "bytes=0-3"}):
            wire.send(bytes([byte]))
        assert wire.answer().body == data[:4]


def test_leading_blank_line_is_forgiven(registry):
    with Wire(registry) as wire:
        wire.send(b"\r\n" + request("GET", "/v2/"))
        assert wire.answer().status == 401


def test_half_closed_client_still_gets_its_answer(registry, blob):
    path, data = blob
    with Wire(registry) as wire:
        wire.send(request("GET", path, ADMIN))
        wire.end()
        assert wire.answer().body == data
        wire.assert_closed()


def test_absolute_form(registry, blob):
    """A proxy's form of the target: RFC 9112 wants it accepted."""
    path, data = blob
    with Wire(registry) as wire:
        wire.send(request("GET", f"http://registry.test{path}", ADMIN))
        assert wire.answer().body == data


def test_date_and_no_server_version_leak(registry):
    with Wire(registry) as wire:
        wire.send(request("GET", "/v2/"))
        answer = wire.answer()
        assert answer.header("date")
        assert len(answer.all("date")) == 1


# -- heads and headers

def test_64_kib_of_headers(registry, blob):
    path, data = blob
    with Wire(registry) as wire:
        fields = {f"X-Filler-{n}": "x" * 900 for n in range(60)}
        wire.send(request("GET", path, {**ADMIN, **fields}))
        assert wire.answer().body == data


def test_one_header_of_45_kib(registry, blob):
    path, data = blob
    ranges = ",".join(f"{n * 40:017d}-{n * 40 + 5:017d}" for n in range(1024))
    assert len(ranges) > 36_000
    with Wire(registry) as wire:
        wire.send(request("GET", path, {**ADMIN, "Range": "bytes=" + ranges}))
        assert wire.answer().status == 206


@pytest.mark.parametrize("how", ["one", "many", "endless"])
def test_too_many_headers_is_431(registry, how):
    with Wire(registry) as wire:
        if how == "one":
            wire.send(request("GET", "/v2/", {"X": "x" * 200_000}))
        elif how == "many":
            wire.send(request("GET", "/v2/", {f"X-{n}": "y" for n in range(40_000)}))
        else:
            wire.send(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n" + b"X-Endless: y\r\n" * 40_000)
        wire.error(431)
        wire.assert_closed()


def test_long_target_is_414(registry):
    with Wire(registry) as wire:
        wire.send(request("GET", "/v2/" + "a" * 200_000))
        wire.error(414, 431)
        wire.assert_closed()


def test_target_of_8_kib_is_fine(registry):
    with Wire(registry) as wire:
        wire.send(request("GET", "/v2/?x=" + "a" * 8000))
        assert wire.answer().status == 401


# -- bodies

@pytest.mark.parametrize("pieces", [1, 2, 7, 1000])
def test_chunked_body(registry, repo, pieces):
    data = oci.random_bytes(10_000, pieces)
    step = max(1, len(data) // pieces)
    body = b"".join(b"%x\r\n%s\r\n" % (len(data[p:p + step]), data[p:p + step]) for p in range(0, len(data), step)) + b"0\r\n\r\n"
    digest = oci.digest_of(data)
    with Wire(registry) as wire:
        wire.send(request("POST", f"{repo.base}/blobs/uploads/?digest={digest}", {**ADMIN, "Transfer-Encoding": "chunked"}) + body)
        assert wire.answer().status == 201
        wire.send(request("HEAD", repo.blob_path(digest), ADMIN))
        assert wire.answer(head=True).status == 200


def test_chunk_extensions_and_trailers(registry, repo):
    data = b"hello, trailers"
    digest = oci.digest_of(data)
    body = b"5;name=value\r\nhello\r\nA;x=\"quoted\"\r\n, trailers\r\n0\r\nX-Trailer: yes\r\nExpires: never\r\n\r\n"
    with Wire(registry) as wire:
        wire.send(request("POST", f"{repo.base}/blobs/uploads/?digest={digest}", {**ADMIN, "Transfer-Encoding": "chunked"}) + body)
        answer = wire.answer()
        assert answer.status in (201, 400), answer
        if answer.status == 201:
            wire.send(request("GET", repo.blob_path(digest), ADMIN))
            assert wire.answer().body == data


def test_chunked_in_single_bytes(registry, repo):
    data = b"slowly"
    digest = oci.digest_of(data)
    with Wire(registry) as wire:
        wire.send(request("POST", f"{repo.base}/blobs/uploads/?digest={digest}", {**ADMIN, "Transfer-Encoding": "chunked"}))
        for byte in b"3\r\nslo\r\n3\r\nwly\r\n0\r\n\r\n":
            wire.send(bytes([byte]))
        assert wire.answer().status == 201


def test_expect_100_continue(registry, repo):
    data = oci.random_bytes(200_000, "continue")
    path = f"{repo.base}/blobs/uploads/?digest={oci.digest_of(data)}"
    with Wire(registry) as wire:
        wire.send(request("POST", path, {**ADMIN, "Expect": "100-continue", "Content-Length": len(data)}))
        assert wire.answer().status == 100
        wire.send(data)
        assert wire.answer().status == 201


def test_expect_100_continue_gets_the_final_error_at_once(registry, repo):
    """The client has not sent the body: it must learn of the error without sending it."""
    with Wire(registry) as wire:
        path = f"{repo.base}/blobs/uploads/?digest={oci.digest_of(b'x')}"
        wire.send(request("POST", path, {"Expect": "100-continue", "Content-Length": 1 << 30}))
        assert wire.error(401).status == 401
    with Wire(registry) as wire:
        wire.send(request("PUT", repo.manifest_path("v1"), {**ADMIN, "Expect": "100-continue", "Content-Length": 1 << 30,
                                                            "Content-Type": oci.OCI_MANIFEST}))
        wire.error(413, 400)


def test_unknown_expectation_is_417(registry):
    with Wire(registry) as wire:
        wire.send(request("GET", "/v2/", {"Expect": "the-spanish-inquisition"}))
        wire.error(417)


def test_body_on_a_get_is_skipped(registry, blob):
    path, data = blob
    with Wire(registry) as wire:
        wire.send(request("GET", path, {**ADMIN, "Range": "bytes=0-9"}, b"unexpected body"))
        assert wire.answer().body == data[:10]
        wire.send(request("GET", path, {**ADMIN, "Range": "bytes=0-9"}))
        assert wire.answer().body == data[:10]


def test_error_answer_is_not_lost_behind_a_large_body(registry):
    """Answer first, then drain a bounded amount: the client must not see a reset instead of the 401."""
    for size in (10_000, 1 << 20, 32 << 20):
        with Wire(registry) as wire:
            wire.send(request("PATCH", "/v2/tests/x/blobs/uploads/00000000-0000-4000-8000-000000000000", {"Content-Length": size}))
            sent = 0
            wire.socket.settimeout(20)
            try:
                while sent < size:
                    sent += wire.socket.send(b"x" * min(65536, size - sent))
            except OSError:
                pass
            wire.socket.settimeout(30)
            assert wire.error(401).status == 401


# -- deadlines

@pytest.mark.own_server
@pytest.mark.settings(http_head_timeout="1s", http_body_timeout="1s", http_idle_timeout="1s")
class TestDeadlines:
    def test_slow_head_is_408(self, registry):
        with Wire(registry) as wire:
            wire.send(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n")
            try:
                answer = wire.answer()
                assert answer.status == 408
                wire.assert_closed()
            except Closed:
                raise AssertionError("closed without 408") from None

    def test_dripping_head_is_ended(self, registry):
        """A byte now and then does not extend the deadline of the head."""
        with Wire(registry) as wire:
            wire.send(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Drip: ")
            started = time.monotonic()
            while time.monotonic() - started < 30:
                wire.send(b"x")
                if wire.closed_within(0.2):
                    return
            raise AssertionError("still open after 30 s")

    def test_silent_connection_is_closed(self, registry):
        with Wire(registry) as wire:
            assert wire.closed_within(30)

    def test_idle_keep_alive_is_closed(self, registry):
        with Wire(registry) as wire:
            wire.send(request("GET", "/v2/"))
            assert wire.answer().status == 401
            assert wire.closed_within(30)

    def test_body_that_stops_is_408(self, registry, repo):
        upload = repo.start_upload()
        with Wire(registry) as wire:
            wire.send(request("PATCH", upload.location, {**ADMIN, "Content-Length": 1000, "Content-Range": "0-999"}) + b"x" * 500)
            try:
                assert wire.answer().status in (400, 408)
            except Closed:
                pass
            assert wire.closed_within(30)
        done = upload.size()
        assert done <= 500
        upload.cancel()

    def test_body_that_never_starts(self, registry, repo):
        with Wire(registry) as wire:
            wire.send(request("PUT", repo.manifest_path("v1"), {**ADMIN, "Content-Length": 1000, "Content-Type": oci.OCI_MANIFEST}))
            try:
                assert wire.answer().status in (400, 408)
            except Closed:
                pass
            assert wire.closed_within(30)

    def test_client_that_does_not_read_is_ended(self, registry, repo):
        data = oci.random_bytes(30 << 20, "unread")
        digest = repo.push_blob(data)
        registry.drop_connections()
        wire = Wire(registry)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.send(request("GET", repo.blob_path(digest), ADMIN))
        wait_until(lambda: registry.connections(), what="the connection")
        wait_until(lambda: not registry.connections(), timeout=90, step=0.1, what="the server giving up")
        wire.close()


@pytest.mark.own_server
@pytest.mark.slow
@pytest.mark.settings(http_rate_min="100000", http_body_timeout="1s")
def test_dripping_body_is_ended(registry, repo):
    """A body below the minimum rate does not hold its thread for ever."""
    upload = repo.start_upload()
    with Wire(registry) as wire:
        wire.send(request("PATCH", upload.location, {**ADMIN, "Content-Length": 1_000_000, "Content-Range": "0-999999"}))
        started = time.monotonic()
        while time.monotonic() - started < 100:
            wire.send(b"x")
            if wire.closed_within(0.3):
                break
        else:
            raise AssertionError("still open after 100 s")
    upload.cancel()


@pytest.mark.own_server
@pytest.mark.slow
@pytest.mark.settings(http_rate_min="0", http_body_timeout="1s")
def test_dripping_body_goes_on_without_a_minimum_rate(registry, repo):
    """http.rate_min=0 means none: only silence ends a body."""
    upload = repo.start_upload()
    with Wire(registry) as wire:
        wire.send(request("PATCH", upload.location, {**ADMIN, "Content-Length": 10, "Content-Range": "0-9"}))
        for _ in range(9):
            wire.send(b"x")
            assert not wire.closed_within(0.3)
        wire.send(b"x")
        assert wire.answer().status == 202
    upload.cancel()


# -- aborted connections

@pytest.mark.parametrize("end", ["close", "reset"])
def test_abort_at_every_step_of_a_push(registry, repo, end):
    """Cut the connection at every few bytes of a POST, PATCH and PUT: nothing half-visible, nothing leaked."""
    data = b"abcdefghijklmnopqrstuvwxyz"
    digest = oci.digest_of(data)
    messages = [request("POST", f"{repo.base}/blobs/uploads/?digest={digest}", ADMIN, data)]
    upload = repo.start_upload()
    messages.append(request("PATCH", upload.location, {**ADMIN, "Content-Range": "0-25"}, data))
    messages.append(request("PATCH", upload.location, {**ADMIN, "Transfer-Encoding": "chunked"}) + b"1a\r\n" + data + b"\r\n0\r\n\r\n")
    for message in messages:
        head = message.index(b"\r\n\r\n") + 4
        for cut in [*range(1, head, 31), *range(head, len(message))]:
            wire = Wire(registry)
            wire.send(message[:cut])
            wire.reset() if end == "reset" else wire.close()
            if cut >= head:
                repo.head_blob(digest, expect=404)
    wait_until(lambda: upload.request("DELETE").status_code == 204, what="its last writer's end")
    repo.push_blob(data)


def test_truncated_body_stores_nothing(registry, repo):
    data = oci.random_bytes(1000, "truncated")
    digest = oci.digest_of(data)
    for cut in (0, 1, 500, 999):
        with Wire(registry) as wire:
            wire.send(request("POST", f"{repo.base}/blobs/uploads/?digest={digest}", {**ADMIN, "Content-Length": 1000}) + data[:cut])
            wire.end()
            try:
                assert wire.answer().status == 400
            except Closed:
                pass
        repo.head_blob(digest, expect=404)
    short = oci.digest_of(data[:500])
    with Wire(registry) as wire:
        wire.send(request("POST", f"{repo.base}/blobs/uploads/?digest={short}", {**ADMIN, "Content-Length": 1000}) + data[:500])
        wire.end()
        wire.read_all()
    repo.head_blob(short, expect=404)


def test_truncated_manifest_stores_nothing(registry, repo):
    content = oci.image("truncated")
    repo.push(content)
    body = oci.encode({**content.document, "annotations": {"a": "b"}})
    for cut in (0, 1, len(body) // 2, len(body) - 1):
        with Wire(registry) as wire:
            wire.send(request("PUT", repo.manifest_path("v1"),
                              {**ADMIN, "Content-Length": len(body), "Content-Type": oci.OCI_MANIFEST}) + body[:cut])
            wire.end()
            wire.read_all()
        repo.head_manifest("v1", expect=404)


def test_client_that_leaves_while_it_downloads(registry, repo):
    digest = repo.push_blob(oci.random_bytes(8 << 20, "leaves"))
    for _ in range(10):
        wire = Wire(registry)
        wire.send(request("GET", repo.blob_path(digest), ADMIN))
        wire.read_exactly(1000)
        wire.reset()
    assert repo.get_blob(digest, stream=True).raw.read(10)


# -- load

def test_hundreds_of_idle_connections_hold_no_threads(registry, client):
    client.get("/v2/", expect=200)
    wires = []
    for _ in range(300):
        wire = Wire(registry)
        wire.send(request("GET", "/v2/"))
        wires.append(wire)
    for wire in wires:
        assert wire.answer().status == 401
    client.get("/v2/", expect=200)
    wait_until(lambda: registry.threads() < 100, timeout=60, what="threads being few")
    for wire in wires:
        wire.send(request("GET", "/v2/"))
    for wire in wires:
        assert wire.answer().status == 401
        wire.close()


def test_slow_uploads_do_not_block_short_requests(registry, repo):
    wires = []
    for _ in range(60):
        upload = repo.start_upload()
        wire = Wire(registry)
        wire.send(request("PATCH", upload.location, {**ADMIN, "Content-Length": 10_000, "Content-Range": "0-9999"}) + b"x" * 10)
        wires.append(wire)
    for _ in range(20):
        repo.client.get("/v2/", expect=200)
        repo.push_blob(b"short")
    for wire in wires:
        wire.close()


# -- addresses

@pytest.mark.parametrize("trusted, scheme", [("", "http"), ("unix", "https")])
def test_unix_socket(make_registry, tmp_path, trusted, scheme):
    path = tmp_path / "berth.sock"
    registry = make_registry(start=False, listen=f"unix:{path}", http_trusted_proxies=trusted)
    registry.spawn()
    wait_until(path.exists, what="the socket")

    def speak():
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            try:
                connection.connect(str(path))
            except ConnectionRefusedError:
                return b""
            connection.sendall(request("GET", "/v2/", {"Connection": "close", "X-Forwarded-Proto": "https"}))
            return connection.recv(4096)

    answer = wait_until(speak, what="an answer")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert f'realm="{scheme}://registry.test/'.encode() in answer
    registry.process.terminate()
    assert registry.wait_dead() == 0
