# SPDX-License-Identifier: Apache-2.0
"""Each engine follows the registry to the bucket for large layers, and takes no credentials along."""
import images
import pytest
from engines import ENGINES, assert_files

from harness.remote import registry_on
from harness.s3 import S3Server


@pytest.fixture(scope="module")
def s3():
    with S3Server() as server:
        public = server.url.replace("127.0.0.1", "localhost")  # some take the credentials along to another port of the same host
        server.prefix = lambda prefix: {
            "STORAGE_S3_PREFIX": prefix, "STORAGE_S3_REDIRECT_NETWORKS": "127.0.0.0/8", "STORAGE_S3_REDIRECT_ENDPOINT": public,
        }
        yield server


@pytest.fixture(scope="module")
def redirecting(s3, tmp_path_factory):
    with registry_on(s3, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.mark.parametrize("name_of_engine", ENGINES)
def test_a_pull_goes_on_in_the_bucket(fleet, redirecting, s3, name_of_engine):
    reference, image = fleet.pushed_by("crane", redirecting)
    engine = fleet.get(name_of_engine, redirecting)
    before = len(s3.requests)
    digest, files = engine.pull(reference)
    assert digest == image.digest
    assert_files(files, image)
    redirected = [target for method, target in s3.requests[before:] if "X-Amz-Signature" in target]
    assert len(redirected) == len([layer for layer in image.layers if len(layer) > 131_072]) == 2, s3.requests[before:]
