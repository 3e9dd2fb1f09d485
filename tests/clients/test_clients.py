# SPDX-License-Identifier: Apache-2.0
"""What people really push and pull with: every engine pulls what every other engine pushed."""
import images
import pytest
from engines import ENGINES, assert_files


def stored_digest(client, reference):
    path, _, tag = reference.partition("/")[2].rpartition(":")
    return client.repository(path).get_manifest(tag).headers["Docker-Content-Digest"]


@pytest.mark.parametrize("puller", ENGINES)
@pytest.mark.parametrize("pusher", ENGINES)
def test_pull_what_another_pushed(fleet, registry, client, engine, pusher, puller):
    pulling = engine(puller)
    reference, image = fleet.pushed_by(pusher, registry)
    digest, files = pulling.pull(reference)
    assert digest == stored_digest(client, reference)
    assert_files(files, image)


@pytest.mark.parametrize("pusher", ["skopeo", "crane", "oras", "regctl", "containerd"])
def test_push_keeps_the_digest(fleet, registry, client, engine, pusher):
    engine(pusher)
    reference, image = fleet.pushed_by(pusher, registry)
    assert stored_digest(client, reference) == image.digest


@pytest.mark.parametrize("name_of_engine", ENGINES)
def test_push_again_after_a_pull(engine, client, reference, name_of_engine):
    """The second push finds all blobs there."""
    one = engine(name_of_engine)
    image = images.Image(f"again-{name_of_engine}")
    one.push(image, reference)
    first = stored_digest(client, reference)
    one.push(image, reference)
    assert stored_digest(client, reference) == first
    assert_files(one.pull(reference)[1], image)
