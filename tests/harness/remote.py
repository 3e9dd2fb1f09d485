# SPDX-License-Identifier: Apache-2.0
"""What the tests of bytes at another server share: content, a registry on such a server, and what a log says of it."""
from contextlib import contextmanager

from harness import oci
from harness.registry import Registry
from harness.wait import wait_until

MIB = 1 << 20
LARGE = oci.random_bytes(17 * MIB + 12345, "large")
SMALL = oci.random_bytes(70_000, "small")


def blob_key(digest, prefix="shared"):
    algorithm, digits = digest.split(":")
    return f"{prefix}/blobs/{algorithm}/{digits[:2]}/{digits}"


@contextmanager
def registry_on(server, folder, prefix="shared"):
    """One registry for the tests of a module that do not change it."""
    registry = Registry(folder, settings=server.settings(**server.prefix(prefix))).start()
    try:
        yield registry
        server.behave()
        assert registry.stop() == 0, registry.log_text()[-4000:]
        registry.assert_fsck_clean()
    finally:
        registry.destroy()


def assert_says(registry, words, since=0):
    """A request's line may come a moment behind its answer."""
    wait_until(lambda: words in registry.log_text(since), what=f"the log saying {words}")


def assert_nothing_left(server, prefix="shared"):
    """Of uploads, but for those before this test, which failed and may go on."""
    assert server.left_of_uploads(prefix) - (server.left_before if prefix == "shared" else set()) == set()
    assert server.nobodys(prefix) == set()
