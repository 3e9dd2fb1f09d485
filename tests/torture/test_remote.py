# SPDX-License-Identifier: Apache-2.0
"""Failures between a bucket and the rows."""
import pytest

from harness import oci
from harness.s3 import S3Server


@pytest.mark.expect_errors("500", "503", "STORAGE")
def test_what_was_published_is_not_stored_as_an_upload_again(make_registry, program_with_faults):
    """The row may be there although its commit's answer was lost: then nobody would ever remove that upload."""
    with S3Server() as s3:
        registry = make_registry(program=program_with_faults, environment={"BERTH_FAULT": "upload.published:1=errno:5"}, **s3.settings())
        repo = registry.client().repository("tests/published")
        data = oci.random_bytes(5000)
        repo.start_upload().put(oci.digest_of(data), data, expect=(500, 503))
        assert [key for key in s3.keys() if "/blobs/" in key or key.startswith("blobs/")]
        assert [key for key in s3.keys() if "uploads/" in key] == []
        repo.push_blob(data)
        assert repo.get_blob(oci.digest_of(data)).content == data
        assert registry.stop() == 0
        registry.assert_fsck_clean()
