# SPDX-License-Identifier: Apache-2.0
"""What was pulled runs: a container of the image prints the file that only this image has.

An engine that cannot run containers on this kernel at all, not even of an image that it took from a file, is
skipped with what it said.
"""
import images
import pytest
from engines import ENGINES, RUNTIMES, Unavailable

from harness.wire import unique

SHOW = ["/bin/busybox", "cat", "/etc/release"]


@pytest.mark.skipif(not images.BUSYBOX.exists(), reason="no static shell: the package busybox-static is not installed")
@pytest.mark.parametrize("name_of_engine", RUNTIMES)
def test_image_runs_after_the_pull(registry, reference, folder, name_of_engine):
    try:
        pusher, engine = ENGINES["skopeo"](folder / "s"), ENGINES[name_of_engine](folder / "e")
    except Unavailable as reason:
        pytest.skip(str(reason))
    try:
        probe = images.Image("probe")
        taken = engine.take(probe)
        try:
            assert engine.execute(taken, *SHOW) == probe.files["etc/release"]
        except AssertionError as reason:
            said = " ".join(str(reason).split())
            pytest.skip(f"{name_of_engine} cannot run containers here: {said[-300:]}")
        image = images.Image(unique("runs"))
        pusher.login(registry)
        engine.login(registry)
        pusher.push(image, reference)
        engine.fetch(reference)
        assert engine.execute(reference, *SHOW) == image.files["etc/release"]
    finally:
        engine.stop()
