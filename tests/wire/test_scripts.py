# SPDX-License-Identifier: Apache-2.0
"""Every script of scripts/, on a server that must be unharmed afterwards."""
from pathlib import Path

import pytest

from harness import oci
from harness.registry import ADMIN_PASSWORD
from harness.wire import basic
from wire.runner import Script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.wire"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(registry, repo, path):
    data = b"0123456789"
    upload = repo.start_upload()
    blob = repo.push_blob(data)
    variables = {
        "AUTH": "Authorization: " + basic("admin", ADMIN_PASSWORD),
        "REPO": repo.name,
        "BLOB": blob,
        "UPLOAD": upload.location,
        "HOST": registry.address,
    }
    Script(path, variables).run(registry)
    assert repo.get_blob(oci.digest_of(data)).content == data, "the server is harmed"
    upload.request("DELETE", expect=(204, 404))


def test_there_are_scripts():
    assert len(SCRIPTS) > 40
