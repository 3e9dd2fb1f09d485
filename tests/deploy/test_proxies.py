# SPDX-License-Identifier: Apache-2.0
"""HAProxy and nginx with the shipped files in front of three nodes: what clients get, and that they do not notice when a node goes."""
import hashlib
import os
import re
import signal
import subprocess

import pytest

from harness import oci
from harness.load import Load, pull
from harness.registry import ADMIN_PASSWORD
from harness.wait import wait_until

MIB = 1 << 20
LARGE = 200 * MIB
AHEAD = 48 * MIB  # what may be between a client and a node: sockets and buffers
STRANGE = "127.0.0.2"  # the address of a client that is neither a node nor the proxy


def curl(front, *arguments, feed=None, **options):
    """Runs it; returns its output. `feed` are pieces of its standard input."""
    command = ["curl", "-sS", "--fail-with-body", "--cacert", str(front.authority.certificate), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options) as process:
        for piece in feed or ():
            process.stdin.write(piece)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output[:2000]
        return output


def credentials(repository):
    return "Authorization: " + repository.client.authorization((repository.scope,))


def pieces_of(size):
    """Something of that size that is not the same all over."""
    for number in range(size // MIB):
        yield hashlib.sha256(str(number).encode()).digest() * (MIB // 32)


@pytest.fixture
def repo(front):
    return front.client().repository("load/by-hand")


def received(site):
    """Bytes that the nodes have written of uploads under way."""
    return sum(path.stat().st_size for path in site.nodes[0].stored_files("uploads") if path.exists())


def uploaded(site, repository, version):
    """The digest of 200 MB that were uploaded by curl, and waited in the middle until a node had what was sent."""
    summed = hashlib.sha256()
    before = received(site)

    def paced():
        for number, piece in enumerate(pieces_of(LARGE)):
            summed.update(piece)
            yield piece
            if number == 150:
                wait_until(lambda: received(site) - before > 150 * MIB - AHEAD, what="a node having what was sent")

    upload = repository.start_upload()
    headers = curl(
        site.front, version, "-X", "PATCH", "-T", "-", "-H", credentials(repository), "-H", "Content-Type: application/octet-stream",
        "-D", "-", site.front.url + upload.location, feed=paced()).decode()
    upload.location = next(line.split(": ", 1)[1] for line in headers.splitlines() if line.lower().startswith("location: "))
    digest = f"sha256:{summed.hexdigest()}"
    upload.put(digest)
    return digest


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_large_upload_is_not_kept_by_the_proxy_on_its_way(site, repo, version):
    memory, written = site.front.memory(), site.front.written()
    digest = uploaded(site, repo, version)
    body = curl(site.front, version, "-H", credentials(repo), site.front.url + repo.blob_path(digest))
    assert oci.digest_of(body) == digest and len(body) == LARGE
    assert site.front.memory() - memory < AHEAD
    assert site.front.written() - written < 4 * MIB, "it wrote files"
    repo.delete_blob(digest)


def patches(node):
    """How many of them the node has answered."""
    text = node.client(auth="basic").get("/metrics", expect=200).text
    return sum(int(count) for count in re.findall(r'^berth_http_requests_total\{route="upload",method="PATCH",status="2xx"\} (\d+)$', text, re.M))


def test_a_node_had_to_read_back_what_another_one_received_of_an_upload(site, repo):
    """Each upload has a node of its own; of several, not all have the same."""
    used = set()
    for number in range(12):
        before = [patches(node) for node in site.nodes]
        upload, data = repo.start_upload(), oci.random_bytes(4_000, f"stays {number}")
        for at in range(0, 4_000, 1_000):
            upload.patch(data[at:at + 1_000], at)
        more = [patches(node) - count for node, count in zip(site.nodes, before)]
        assert sorted(more) == [0, 0, 4]
        upload.put(oci.digest_of(data))
        used.add(more.index(4))
    assert len(used) > 1


def test_pulls_by_http2(site, repo):
    image = oci.image("http2")
    repo.push(image, "latest")
    for path, body in [(repo.manifest_path("latest"), image.body), (repo.blob_path(oci.digest_of(image.blobs[1])), image.blobs[1])]:
        got = curl(site.front, "--http2", "-H", "Accept-Encoding: gzip", "-H", credentials(repo), "-w", "%{http_version}",
                   site.front.url + path)
        assert got == body + b"2"


def test_ranges_of_a_lazy_pull_pass(site, repo):
    data = oci.random_bytes(100_000)
    digest = repo.push_blob(data)
    ranges = ",".join(f"{at}-{at + 9}" for at in range(10_000, 40_480, 30))
    got = repo.get_blob(digest, headers={"Range": f"bytes={ranges}"}, expect=206)
    assert got.content.count(b"Content-Range:") == 1016


def test_old_tls_is_refused(site):
    with pytest.raises(AssertionError, match="alert|protocol|version"):
        curl(site.front, "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", site.front.url + "/v2/")


def test_a_client_is_who_connected_and_not_what_it_says(site, front):
    spoofed = ["-H", "X-Forwarded-For: 192.0.2.66", "-H", "X-Forwarded-Host: evil.example", "-H", "X-Forwarded-Proto: http",
               "-H", "Forwarded: for=192.0.2.66;host=evil.example"]
    name = f"stranger-{site.front.name}"
    for version in ("--http1.1", "--http2"):
        with pytest.raises(AssertionError, match="UNAUTHORIZED"):
            curl(front, version, "--interface", STRANGE, *spoofed, "-u", f"{name}:wrong", f"{front.url}/service/token?service=harbor-registry")
    admin = front.client(auth="basic")
    records = wait_until(
        lambda: [one for one in admin.get("/api/berth/v1/audit/records", params={"q": f"resource={name}"}, expect=200).json()["records"]],
        what="the records")
    assert {record["address"] for record in records} == {STRANGE}
    head = subprocess.run(
        ["curl", "-sS", "-D", "-", "-o", "/dev/null", "--cacert", str(front.authority.certificate), *spoofed, front.url + "/v2/"],
        capture_output=True, text=True, check=True, timeout=60).stdout.lower()
    assert f'realm="{front.url}/service/token"' in head, head


def test_nodes_are_restarted_one_by_one_and_no_request_fails(site, front):
    """Each is told to stop under load, with clients that never try again."""
    with Load(front, site.book, tries=1) as load:
        for node in site.nodes:
            load.more(pushes=3, pulls=10)
            os.kill(node.process.pid, signal.SIGTERM)
            assert node.wait_dead() == 0
            load.more(pushes=3, pulls=10)
            node.start()
            wait_until(lambda: site.serving(node), what="the proxy using it again")
    assert not load.failed_pulls and not load.failed_pushes


def test_a_killed_node_fails_no_pull_of_a_client_that_tries_twice(site, front):
    with Load(front, site.book, tries=2, pullers=3) as load:
        for node in site.nodes:
            load.more(pushes=3, pulls=20)
            node.kill9()
            load.more(pushes=3, pulls=20)
            node.start()
            wait_until(lambda: site.serving(node), what="the proxy using it again")
    assert not load.failed_pulls
    assert not site.book.lost(front.client())


def test_while_no_node_is_ready_pulls_from_memory_go_on(site, front):
    client = front.client()
    push = site.book.any()
    repository = client.repository(push.name)
    pull(repository, push)
    for node in site.nodes:  # each has the image, and knows the token
        there = node.client()
        there.tokens = client.tokens
        pull(repository.as_client(there), push)
    seen = [node.log_size() for node in site.nodes]
    site.way.open = False
    site.way.cut()
    try:
        for node, since in zip(site.nodes, seen):
            wait_until(lambda: "what is in memory is served" in node.log_text(since), what="the node knowing it")
        for _ in range(100):  # while the proxy finds out, and when it knows
            pull(repository, push)
        wait_until(site.front.knows_none, what="the proxy knowing it")
        for _ in range(20):
            pull(repository, push)
        answer = repository.start_upload(expect=503).answer  # by a node, not by the proxy
        assert answer.headers["Retry-After"]
    finally:
        site.way.open = True
    wait_until(lambda: repository.start_upload(expect=(202, 502, 503)).answer.status_code == 202, what="pushes being taken again")


def test_the_administrators_password_is_not_in_the_proxys_log(site, front):
    assert ADMIN_PASSWORD not in front.log.read_text()
