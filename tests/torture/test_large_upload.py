# SPDX-License-Identifier: Apache-2.0
"""kill -9 and failing system calls while an upload is hashed and stored by threads of its own."""
import pytest

from harness import oci
from torture.test_faults import IO_ERROR, NO_SPACE, ended, verify_after_restart
from torture.workload import NETWORK, Refused, Workload

MIB = 1 << 20
# The threads come behind 16 MiB; a receive of the request's own thread brings at most 128 KiB.
SIZE = 24 * MIB + 12345
APPENDS = 16 * MIB // (128 << 10)


class LargeWorkload(Workload):
    """One large blob, by POST, PATCH and PUT. What a 202 promised must be there after the next."""

    def __init__(self, seed):
        super().__init__(seed)
        self.data = oci.random_bytes(SIZE, seed)
        self.digest = oci.digest_of(self.data)
        self.location = None

    def start(self, client):
        self.location = self.request(client, "POST", f"/v2/{self.name}/blobs/uploads/").headers["Location"]

    def size(self, client):
        last = int(self.request(client, "GET", self.location).headers["Range"].split("-")[1])
        return last + 1 if last else 0

    def send_rest(self, client):
        have = self.size(client)
        answer = self.request(client, "PATCH", self.location, data=self.data[have:],
                              headers={"Content-Range": f"{have}-{SIZE - 1}"})
        assert answer.headers["Range"] == f"0-{SIZE - 1}"
        assert self.size(client) == SIZE

    def finish(self, client):
        self.request(client, "PUT", f"{self.location}?digest={self.digest}")
        self.blobs[self.digest] = self.data

    def run(self, client):
        self.start(client)
        self.send_rest(client)
        self.finish(client)


def server(make_registry, program, fault):
    return make_registry(program=program, environment={"BERTH_FAULT": fault})


@pytest.mark.parametrize("point, hits", [
    ("store.append", (APPENDS, APPENDS + 2, APPENDS + 5)),
    ("ring.map", (1,)),
    ("store.sync", (1,)),
    ("upload.published", (1,)),
])
def test_kill(make_registry, program_with_faults, point, hits):
    for hit in hits:
        registry = server(make_registry, program_with_faults, f"{point}:{hit}=kill")
        workload = LargeWorkload("one")
        with pytest.raises(NETWORK):
            workload.run(registry.client())
        assert ended(registry)
        verify_after_restart(registry, [])
        registry.stop()


@pytest.mark.expect_errors("500", "507", "STORAGE", "STORAGE_FULL")
@pytest.mark.parametrize("error", [NO_SPACE, IO_ERROR])
@pytest.mark.parametrize("hit", [APPENDS, APPENDS + 1, APPENDS + 4])
def test_a_failing_disk_is_told_and_the_upload_goes_on(make_registry, program_with_faults, hit, error):
    """The request ends in an error although its bytes were received, and the session knows how far they came."""
    registry = server(make_registry, program_with_faults, f"store.append:{hit}=errno:{error}")
    client = registry.client()
    workload = LargeWorkload("one")
    workload.start(client)
    with pytest.raises((Refused, *NETWORK)):
        workload.send_rest(client)
    assert registry.running()
    assert 0 < workload.size(client) < SIZE
    workload.send_rest(client)
    workload.finish(client)
    workload.verify(client)
    verify_after_restart(registry, [workload])


def test_without_threads_it_only_takes_longer(make_registry, program_with_faults):
    registry = server(make_registry, program_with_faults, "ring.map:*=errno:12")
    client = registry.client()
    workload = LargeWorkload("one")
    workload.run(client)
    workload.verify(client)
    verify_after_restart(registry, [workload])
