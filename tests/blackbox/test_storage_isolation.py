# SPDX-License-Identifier: Apache-2.0
"""Each tenant's bytes in a storage of its own: nothing crosses it, and an encrypted one shows nothing on the disk and ends with its key."""
import re
import threading
import time

import pytest

from harness import oci
from harness.client import codes
from harness.wait import wait_until

CHUNK = 65536
HEADER, EXTRA, END = 48, 28, 36


@pytest.fixture
def acme(registry):
    """The tenant whose storage is encrypted."""
    return registry.tenant("acme", storage={"encrypted": True, "location": "acme"})


@pytest.fixture
def globex(registry):
    return registry.tenant("globex", storage={"location": "globex"})


@pytest.fixture
def sealed(acme, name):
    return acme.client().repository(name)


@pytest.fixture
def plain(globex, name):
    return globex.client().repository(name)


def files_of(registry, place):
    return sorted(path for path in (registry.data / "storages" / place).rglob("*") if path.is_file())


def file_of(registry, place, digest):
    algorithm, value = digest.split(":")
    return registry.data / "storages" / place / "blobs" / algorithm / value[:2] / value


def erase(registry, tenant):
    registry.client(auth="basic").post(
        f"{tenant.path}/storage/erasure", expect=(200, 204), headers={"Content-Type": "application/json"}, body=f'{{"name": "{tenant.name}"}}')


# -- nothing crosses


def test_a_blob_of_another_tenant_is_not_there(sealed, plain, repo):
    digest = sealed.push_blob(b"of acme alone")
    for other in (plain, repo):
        other.push_blob(b"something, so that the repository is there")
        other.head_blob(digest, expect=404)
        assert codes(other.get_blob(digest, expect=404)) == ["BLOB_UNKNOWN"]
        other.delete_blob(digest, expect=404)
    assert sealed.get_blob(digest).content == b"of acme alone"


@pytest.mark.parametrize("pushed, asked", [("sealed", "plain"), ("plain", "sealed"), ("repo", "sealed"), ("sealed", "repo")])
def test_no_mount_crosses(request, pushed, asked):
    """With the source's name, which here names the same repository of the other tenant, with its tenant before it, and without any."""
    source, target = request.getfixturevalue(pushed), request.getfixturevalue(asked)
    digest = source.push_blob(f"borrowed by {asked}".encode())
    target.push_blob(b"something, so that the repository is there")
    for name in (None, source.name, "library/nothing"):
        answer = target.mount(digest, name, expect=202)
        assert "/blobs/uploads/" in answer.headers["Location"]
    target.head_blob(digest, expect=404)


def test_a_mount_within_the_tenant_still_works(acme, sealed, name):
    digest = sealed.push_blob(b"shared within acme" * 10000)
    other = acme.client().repository(name + "-other")
    other.mount(digest, sealed.name)
    assert other.get_blob(digest).content == b"shared within acme" * 10000


def test_a_manifest_cannot_name_a_blob_that_only_another_tenant_has(sealed, plain):
    content = oci.image("isolated")
    sealed.push(content, "v1")
    plain.push_blob(b"something, so that the repository is there")
    assert set(codes(plain.put_manifest(content, "v1", expect=404))) == {"MANIFEST_BLOB_UNKNOWN"}
    plain.head_manifest("v1", expect=404)


def test_an_upload_of_another_tenant_is_not_there(sealed, plain):
    upload = sealed.start_upload()
    upload.patch(b"on its way", 0)
    plain.push_blob(b"something, so that the repository is there")
    stolen = plain.start_upload()
    place = upload.location.replace(sealed.base, plain.base)
    stolen.get(location=place, expect=404)
    stolen.patch(b"more", 10, location=place, expect=404)
    stolen.put(oci.digest_of(b"on its way"), location=place, expect=404)
    assert upload.size() == 10


def test_the_same_blob_is_stored_once_in_each(registry, acme, globex, sealed, plain, repo):
    data = oci.random_bytes(3 * CHUNK + 77, "thrice")
    digest = {repository.push_blob(data) for repository in (sealed, plain, repo)}.pop()
    value = digest.split(":")[1]
    assert sorted(len(path.read_bytes()) for path in registry.stored_files() if path.name == value) == [
        len(data), len(data), HEADER + len(data) + 4 * EXTRA + END]
    assert file_of(registry, "globex", digest).read_bytes() == data
    sealed.delete_blob(digest)
    for other in (plain, repo):
        assert other.get_blob(digest).content == data
    rows = registry.query(f"SELECT count(*) FROM blob WHERE digest = '{digest}'")
    assert rows == ["3"]


# -- encrypted


def test_nothing_plain_is_in_the_files(registry, acme, sealed):
    word = b"a sentence that nobody may find on the disk. "
    data = word * (3 * CHUNK // len(word))
    digest = sealed.push_blob(data)
    upload = sealed.start_upload()
    upload.patch(data[:CHUNK + 1000], 0)
    files = files_of(registry, "acme")
    assert file_of(registry, "acme", digest) in files and len(files) >= 3
    for path in files:
        assert word[:12] not in path.read_bytes(), path
    upload.cancel()
    key = registry.query("SELECT data_key FROM storage WHERE location = 'acme'")[0]
    assert key.startswith("v1.") and len(key) > 80, "sealed"


SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 5 * CHUNK + 12345]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("style", ["post-put", "single-post", "chunks", "stream"])
def test_every_size_in_every_style(sealed, size, style):
    data = oci.random_bytes(size, f"{style}-{size}")
    digest = sealed.push_blob(data, style=style)
    answer = sealed.get_blob(digest)
    assert answer.content == data and answer.headers["Content-Length"] == str(size)
    assert sealed.head_blob(digest).headers["Content-Length"] == str(size)


SIZE = 5 * CHUNK + 12345
DATA = oci.random_bytes(SIZE, "sealed ranges")
EDGES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 3 * CHUNK, 5 * CHUNK - 1, 5 * CHUNK, SIZE - 2, SIZE - 1]


@pytest.fixture
def ranged(acme):
    repo = acme.client().repository("tests/ranges")
    digest = oci.digest_of(DATA)
    if not repo.has_blob(digest):
        repo.push_blob(DATA)

    def get(header, expect=206):
        return repo.get_blob(digest, expect=expect, headers={"Range": header})

    return get


@pytest.mark.parametrize("first", EDGES)
def test_ranges_at_the_ends_of_chunks(ranged, first):
    for last in (edge for edge in EDGES if edge >= first):
        answer = ranged(f"bytes={first}-{last}")
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
        assert answer.content == DATA[first:last + 1]
    assert ranged(f"bytes=-{SIZE - first}").content == DATA[first:]
    ranged(f"bytes={SIZE}-", expect=416)


def test_many_ranges_in_one_answer(ranged):
    wanted = [(edge, min(edge + step, SIZE - 1)) for edge in EDGES for step in (0, 2, CHUNK)]
    answer = ranged("bytes=" + ",".join(f"{first}-{last}" for first, last in wanted))
    boundary = re.search(r"boundary=(\S+)", answer.headers["Content-Type"])[1].encode()
    parts = answer.content.split(b"\r\n--" + boundary)[1:-1]
    assert len(parts) == len(wanted)
    for (first, last), part in zip(wanted, parts):
        head, _, body = part.partition(b"\r\n\r\n")
        assert f"bytes {first}-{last}/{SIZE}".encode() in head
        assert body == DATA[first:last + 1]


def test_an_upload_by_pieces_of_every_size(sealed):
    for piece in (1000, CHUNK - 1, CHUNK, CHUNK + 1, 100_000):
        data = oci.random_bytes(2 * CHUNK + 5000, f"pieces of {piece}")
        upload = sealed.start_upload()
        for start in range(0, len(data), piece):
            upload.patch(data[start:start + piece], start)
            assert upload.size() == min(start + piece, len(data))
        upload.put(oci.digest_of(data))
        assert sealed.get_blob(oci.digest_of(data)).content == data


def test_a_wrong_digest_leaves_nothing(registry, acme, sealed):
    upload = sealed.start_upload()
    upload.patch(b"x" * (CHUNK + 5), 0)
    upload.put(oci.digest_of(b"something else"), expect=400)
    assert not [path for path in files_of(registry, "acme") if upload.uuid in path.name]


@pytest.mark.own_server
@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_an_upload_goes_on_after_a_restart(registry, acme, sealed, end):
    data = oci.random_bytes(4 * CHUNK, "restarted")
    upload, sent = sealed.start_upload(), 0
    for size in (10, CHUNK, 5, 2 * CHUNK, 40_000):
        upload.patch(data[sent:sent + size], sent)
        sent += size
        getattr(registry, end)()
        registry.start()
        assert upload.size() == sent
    upload.put(oci.digest_of(data), data[sent:], sent)
    assert sealed.get_blob(oci.digest_of(data)).content == data


@pytest.mark.own_server
def test_large_uploads_at_once(acme, globex, name):
    """By the ring of three threads, as a plain one."""
    data = oci.random_bytes(40 << 20, "large")
    digest = oci.digest_of(data)
    problems = []

    def push(tenant, number):
        repository = tenant.client().repository(f"{name}-{number}")
        try:
            if number % 2:
                repository.push_blob(data)
            else:
                upload = repository.start_upload()
                upload.patch(data[:20 << 20], 0)
                upload.patch(data[20 << 20:], 20 << 20)
                upload.put(digest)
            assert repository.get_blob(digest).content == data
        except AssertionError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=push, args=((acme, globex)[number // 2], number)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


# -- damage


@pytest.mark.own_server
@pytest.mark.expect_errors(500, "CORRUPT")
@pytest.mark.parametrize("damage", ["flip", "cut", "longer", "swap"])
def test_a_damaged_file_is_an_error_and_no_wrong_byte(registry, acme, sealed, damage):
    data, other = oci.random_bytes(5 * CHUNK, "damaged"), oci.random_bytes(5 * CHUNK, "other")
    digest, second = sealed.push_blob(data), sealed.push_blob(other)
    path = file_of(registry, "acme", digest)
    good = path.read_bytes()
    bad = {
        "flip": good[:-1000] + bytes([good[-1000] ^ 1]) + good[-999:],
        "cut": good[:-1],
        "longer": good + b"x",
        "swap": file_of(registry, "acme", second).read_bytes(),
    }[damage]
    path.write_bytes(bad)
    if damage == "flip":
        last = {"Range": f"bytes={4 * CHUNK}-"}
        assert sealed.get_blob(digest, expect=206, headers={"Range": "bytes=0-70000"}).content == data[:70001]
        with pytest.raises(Exception):  # the head has gone out before the chunk is read
            sealed.get_blob(digest, expect=206, headers=last)
    else:
        sealed.get_blob(digest, expect=500)
        sealed.head_blob(digest, expect=500)
    status, output = registry.fsck()
    assert status == 1 and digest in output and "does not match its digest" in output, output
    assert "(storage acme" in output and "1 differences" in output, output
    path.write_bytes(good)
    assert sealed.get_blob(digest).content == data


@pytest.mark.own_server
@pytest.mark.expect_errors(500, "STORAGE", "CONFIG")
def test_another_master_key_is_said_and_opens_nothing(registry, acme, sealed, plain):
    digest, kept = sealed.push_blob(b"x" * 200_000), plain.push_blob(b"y" * 200_000)
    registry.stop()
    key = registry.data / "master.key"
    good = key.read_bytes()
    key.write_bytes(bytes(32))
    status, output = registry.fsck()
    assert status == 2 and "the master key does not open the key of storage acme" in output, output
    key.unlink()
    status, output = registry.fsck()
    assert status == 2 and "there is no master key to open storage acme" in output, output
    key.write_bytes(good)
    registry.start()
    assert sealed.get_blob(digest).content == b"x" * 200_000
    assert plain.get_blob(kept).content == b"y" * 200_000


# -- erased


@pytest.mark.own_server
def test_what_is_erased_is_gone_and_the_others_stay(registry, acme, globex, sealed, plain, repo):
    small, large = b"small, and in the cache", oci.random_bytes(3 * CHUNK, "erased")
    content = oci.image("erased")
    for repository in (sealed, plain, repo):
        repository.push(content, "v1")
        for data in (small, large):
            assert repository.get_blob(repository.push_blob(data)).content == data
    upload = sealed.start_upload()
    upload.patch(b"on its way", 0)
    running = sealed.start_upload()
    erase(registry, acme)

    assert registry.query("SELECT count(*) FROM storage WHERE location = 'acme' AND data_key IS NULL AND erased_at_us > 0") == ["1"]
    for data in (small, large, content.blobs[0]):
        for _ in range(2):
            assert codes(sealed.get_blob(oci.digest_of(data), expect=410)) == ["DENIED"]
            sealed.head_blob(oci.digest_of(data), expect=410)
    upload.patch(b"more", 10, expect=410)
    sealed.request("POST", f"{sealed.base}/blobs/uploads/", expect=410)
    running.put(oci.digest_of(b"new"), b"new", expect=410)
    sealed.request("POST", f"{sealed.base}/blobs/uploads/", params={"digest": oci.digest_of(b"new")}, body=b"new", expect=410)
    sealed.client.repository(sealed.name + "-other").mount(oci.digest_of(small), sealed.name, expect=410)
    for repository in (plain, repo):
        for data in (small, large):
            assert repository.get_blob(oci.digest_of(data)).content == data
    status, output = registry.fsck()
    assert status == 0 and re.search("storage acme\\S* is erased", output), output
    registry.restart()
    sealed.get_blob(oci.digest_of(large), expect=410)
    erase(registry, acme)


@pytest.mark.own_server
def test_a_download_that_runs_ends_with_the_key(registry, acme, sealed):
    data = oci.random_bytes(30 << 20, "under way")
    digest = sealed.push_blob(data)
    answer = sealed.get_blob(digest, stream=True)
    got = answer.raw.read(100_000)
    erase(registry, acme)
    with pytest.raises(Exception):
        while more := answer.raw.read(1 << 20):
            got += more
        assert len(got) == len(data), "it ended early, and says so"
    assert data.startswith(got) and len(got) < len(data)
    answer.close()


@pytest.mark.own_server
def test_another_server_notices_within_seconds(registry, make_registry, acme, name):
    if registry.database is None:
        pytest.skip("an embedded database has one server")
    place = registry.data / "storages"
    other = make_registry(start=False, environment={"BERTH_DATABASE_URL": registry.database.url, "BERTH_STORAGE_ROOT": str(place)})
    other.data.mkdir(parents=True)
    (other.data / "master.key").write_bytes((registry.data / "master.key").read_bytes())
    other.start()
    other.host = acme.host
    here, there = acme.client().repository(name), other.client("default/admin").repository(name)
    small, large = b"small, and in the cache", oci.random_bytes(3 * CHUNK, "two servers")
    for data in (small, large):
        digest = here.push_blob(data)
        assert there.get_blob(digest).content == data
    erase(registry, acme)
    began = time.monotonic()
    for data in (small, large):
        wait_until(lambda: there.get_blob(oci.digest_of(data), expect=(200, 410)).status_code == 410, timeout=15, what="the other server noticing")
    assert time.monotonic() - began < 8


@pytest.mark.own_server
@pytest.mark.settings(uploads_expiry="1s")
@pytest.mark.slow
def test_uploads_into_an_erased_storage_expire(registry, acme, sealed):
    sealed.start_upload().patch(b"on its way", 0)
    erase(registry, acme)
    registry.execute("UPDATE upload SET touched_at_us = 1")
    registry.restart()
    wait_until(lambda: registry.query("SELECT count(*) FROM upload") == ["0"], timeout=60, what="the session being ended")


# -- where storages lie


@pytest.mark.own_server
def test_a_root_of_storages_elsewhere(make_registry, tmp_path):
    registry = make_registry(storage_root=tmp_path / "elsewhere")
    repository = registry.tenant("acme", storage={"encrypted": True, "location": "customers/acme"}).client().repository("tests/elsewhere")
    digest = repository.push_blob(b"bytes")
    assert repository.get_blob(digest).content == b"bytes"
    found = [path for path in (tmp_path / "elsewhere" / "customers" / "acme").rglob("*") if path.is_file()]
    assert [path.name for path in found] == [digest.split(":")[1]]


@pytest.mark.parametrize("root", ["data", ".", "data/blobs", "data/blobs/sha256", "data/uploads"])
def test_a_root_among_what_is_there_is_refused(make_registry, root):
    registry = make_registry(start=False)
    registry.settings["STORAGE_ROOT"] = str(registry.root / root)
    registry.spawn()
    assert registry.wait_dead() == 1
    assert "storage.root" in registry.log_text()
