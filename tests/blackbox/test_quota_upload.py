# SPDX-License-Identifier: Apache-2.0
"""Quota while bytes arrive: reserved as they come, refused in the middle, free again however an upload ends."""
import pytest

from harness import oci
from harness.client import codes
from harness.quota import Project
from harness.registry import ADMIN_PASSWORD
from harness.wait import wait_until
from harness.wire import Wire, basic, request, unique

ADMIN = {"Authorization": basic("admin", ADMIN_PASSWORD)}
MIB = 1 << 20
BLOCK = b"b" * 65536


@pytest.fixture
def limited(client, admin):
    return Project(client, admin, unique("reserved"), 40 * MIB)


def reserved(project):
    return project.all()["reserved_bytes"]


def chunked(wire, method, path):
    wire.send(request(method, path, {**ADMIN, "Transfer-Encoding": "chunked", "Content-Type": "application/octet-stream"}))


def send_chunks(wire, size):
    for _ in range(size // len(BLOCK)):
        wire.send(b"%x\r\n" % len(BLOCK) + BLOCK + b"\r\n")


def test_a_stream_is_refused_in_its_middle(registry, limited):
    """It would go on for ever; the answer comes as soon as the limit is passed, and the session is over."""
    limited.limit(storage=MIB)
    upload = limited.repository().start_upload()
    path = upload.location
    with Wire(registry) as wire:
        chunked(wire, "PATCH", path)
        send_chunks(wire, 3 * MIB)
        answer = wire.answer()
    assert answer.status == 403 and b"DENIED" in answer.body and answer.closes
    upload.get(expect=404)
    assert reserved(limited) == 0 and limited.used == 0
    assert registry.stored_files("uploads") == []


def test_what_is_announced_is_refused_before_the_first_byte(registry, limited):
    limited.repository().push_blob(b"so that it exists")
    path = f"{limited.repository().base}/blobs/uploads/?digest={oci.digest_of(b'x')}"
    for method, target in (("POST", path), ("PATCH", None), ("PUT", None)):
        if target is None:
            target = limited.repository().start_upload().location
            if method == "PUT":
                target += ("&" if "?" in target else "?") + f"digest={oci.digest_of(b'x')}"
        with Wire(registry) as wire:
            wire.send(request(method, target, {**ADMIN, "Expect": "100-continue", "Content-Length": 41 * MIB}))
            answer = wire.answer()
        assert answer.status == 403 and b"DENIED" in answer.body, method
    assert reserved(limited) == 0


@pytest.mark.parametrize("length", [2**63 - 1, 2**62])
def test_lengths_beyond_all_counting(registry, limited, length):
    limited.repository().push_blob(b"so that it exists")
    path = f"{limited.repository().base}/blobs/uploads/?digest={oci.digest_of(b'x')}"
    with Wire(registry) as wire:
        wire.send(request("POST", path, {**ADMIN, "Expect": "100-continue", "Content-Length": length}))
        assert wire.answer().status in (403, 413)
    assert reserved(limited) == 0


def test_what_the_project_has_may_be_announced(registry, limited):
    data = oci.random_bytes(30 * MIB, "twice")
    limited.repository().push_blob(data)
    path = f"{limited.repository('b').base}/blobs/uploads/?digest={oci.digest_of(data)}"
    with Wire(registry) as wire:
        wire.send(request("POST", path, {**ADMIN, "Expect": "100-continue", "Content-Length": len(data)}))
        assert wire.answer().status == 100
        wire.send(data)
        assert wire.answer().status == 201
    assert limited.used == len(data) and reserved(limited) == 0


def test_reserved_while_it_runs(registry, limited):
    """Two that do not fit together: the second is refused though nothing of the first is linked yet."""
    first = limited.repository().start_upload()
    first.patch(b"a" * (20 * MIB))
    assert reserved(limited) == 20 * MIB and limited.used == 0
    second = limited.repository("b").start_upload()
    answer = second.patch(b"b" * (21 * MIB), expect=403)
    assert codes(answer) == ["DENIED"] and "current usage of 20.0 MiB" in answer.json()["errors"][0]["detail"]
    limited.repository("c").push_blob(b"c" * (20 * MIB))
    first.put(oci.digest_of(b"a" * (20 * MIB)))
    assert limited.used == 40 * MIB and reserved(limited) == 0


def test_reserved_in_steps_and_exactly_at_the_end(registry, limited):
    upload = limited.repository().start_upload()
    size = 0
    while size + 5 * MIB <= 40 * MIB:
        upload.patch(b"s" * (5 * MIB), size)
        size += 5 * MIB
        assert reserved(limited) in (0, size)
    answer = upload.patch(b"s", size, expect=403)
    assert codes(answer) == ["DENIED"]
    assert reserved(limited) == 0


@pytest.mark.parametrize("end", ["cancel", "wrong digest", "delete the repository"])
def test_free_again_however_it_ends(limited, end):
    upload = limited.repository().start_upload()
    upload.patch(b"x" * (20 * MIB))
    assert reserved(limited) == 20 * MIB
    if end == "cancel":
        upload.cancel()
    elif end == "wrong digest":
        upload.put(oci.digest_of(b"other"), expect=400)
    else:
        limited.admin.delete(f"/api/v2.0/projects/{limited.name}/repositories/app", expect=200)
    assert reserved(limited) == 0
    limited.repository("b").push_blob(b"y" * (40 * MIB))


def test_a_refused_blob_leaves_nothing(registry, limited):
    """The limit is lowered while it arrives: what cannot be linked is not published either."""
    upload = limited.repository().start_upload()
    data = oci.random_bytes(100_000, "refused")
    upload.patch(data)
    limited.limit(storage=99_999)
    assert codes(upload.put(oci.digest_of(data), expect=403)) == ["DENIED"]
    assert oci.digest_of(data).split(":")[1] not in str(registry.stored_files())
    upload.get(expect=404)


@pytest.mark.slow
@pytest.mark.own_server
@pytest.mark.settings(uploads_expiry="1s")
def test_free_when_it_expires(registry, client, admin):
    project = Project(client, admin, "expires", 40 * MIB)
    project.repository().start_upload().patch(b"x" * (20 * MIB))
    assert reserved(project) == 20 * MIB
    wait_until(lambda: reserved(project) == 0, timeout=120, step=0.2)


@pytest.mark.own_server
def test_a_restart_keeps_what_is_reserved(registry, client, admin):
    project = Project(client, admin, "restarts", 40 * MIB)
    upload = project.repository().start_upload()
    upload.patch(b"x" * (20 * MIB))
    registry.kill9()
    registry.start()
    assert reserved(project) == 20 * MIB
    project.repository("b").start_upload().patch(b"y" * (21 * MIB), expect=403)
    again = project.repository().start_upload()
    again.location = upload.location
    again.put(oci.digest_of(b"x" * (21 * MIB)), b"x" * MIB, 20 * MIB)
    assert project.used == 21 * MIB and reserved(project) == 0
