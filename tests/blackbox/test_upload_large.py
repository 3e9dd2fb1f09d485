# SPDX-License-Identifier: Apache-2.0
"""Uploads that are large enough to be hashed and stored by threads of their own while they arrive."""
import threading

import pytest

from harness import oci
from harness.client import STYLES
from harness.wait import wait_until
from harness.wire import Wire, request

MIB = 1 << 20
FROM = 16 * MIB  # UPLOAD_RING_BYTES
SIZE = FROM + 6 * MIB + 12345
DATA = oci.random_bytes(SIZE, "large")


def patch_head(repo, upload, length, first=0):
    headers = {"Content-Length": length, "Content-Range": f"{first}-{first + length - 1}"}
    authorization = repo.client.authorization((repo.scope,))
    if authorization:
        headers["Authorization"] = authorization
    return request("PATCH", upload.location, headers)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_stores_the_bytes(repo, style):
    digest = repo.push_blob(DATA, style=style)
    assert repo.get_blob(digest).content == DATA


def test_another_algorithm(repo):
    digest = repo.push_blob(DATA, "sha512")
    assert repo.get_blob(digest).content == DATA


def test_wrong_digest_is_400_and_stores_nothing(repo):
    upload = repo.start_upload()
    upload.put(oci.digest_of(b"other"), DATA, expect=400)
    repo.head_blob(oci.digest_of(b"other"), expect=404)
    repo.head_blob(oci.digest_of(DATA), expect=404)


@pytest.mark.parametrize("first", [1, 4096, MIB, FROM - 1])
def test_a_part_before_a_large_part(repo, first):
    """Wherever the large part begins, its blocks are not where a disk's blocks are."""
    upload = repo.start_upload()
    assert upload.patch(DATA[:first], 0).headers["Range"] == f"0-{first - 1}"
    assert upload.patch(DATA[first:], first).headers["Range"] == f"0-{SIZE - 1}"
    upload.put(oci.digest_of(DATA))
    assert repo.get_blob(oci.digest_of(DATA)).content == DATA


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("cut", [FROM - 1, FROM + 1, FROM + MIB, FROM + 3 * MIB + 7, SIZE - 1])
def test_aborted_patch_is_resumed(registry, repo, cut, end):
    upload = repo.start_upload()
    wire = Wire(registry)
    wire.send(patch_head(repo, upload, SIZE) + DATA[:cut])
    if end == "close":
        wire.close()
        wait_until(lambda: upload.size() == cut, what="all that was sent")
    else:
        wire.reset()
    wait_until(lambda: upload.patch(b"", headers={"Content-Length": "0"}, expect=(202, 416)).status_code == 202,
               what="the writer's place")
    have = upload.size()
    assert have <= cut
    upload.patch(DATA[have:], have)
    upload.put(oci.digest_of(DATA))
    assert repo.get_blob(oci.digest_of(DATA)).content == DATA


def test_status_while_it_arrives(registry, repo):
    """A part of a block waits in memory, but what is acknowledged in the end is all there."""
    upload = repo.start_upload()
    with Wire(registry) as wire:
        wire.send(patch_head(repo, upload, SIZE) + DATA[:FROM + 3 * MIB])
        wait_until(lambda: upload.size() > FROM, what="bytes behind the first")
        assert upload.size() <= FROM + 3 * MIB
        wire.send(DATA[FROM + 3 * MIB:])
        assert wire.answer().status == 202
    assert upload.size() == SIZE
    upload.put(oci.digest_of(DATA))


def test_more_clients_than_may_have_threads(repo):
    contents = [oci.random_bytes(FROM + (2 + number) * MIB + number, number) for number in range(6)]
    digests, errors = {}, []

    def push(number):
        try:
            digests[number] = repo.push_blob(contents[number])
        except Exception as error:  # the thread's own end would be silent
            errors.append(error)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(len(contents))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not errors, errors
    for number, content in enumerate(contents):
        assert repo.get_blob(digests[number]).content == content
