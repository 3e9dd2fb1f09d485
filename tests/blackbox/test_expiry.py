# SPDX-License-Identifier: Apache-2.0
"""Abandoned uploads end by themselves. In a file of its own: it waits for the server's sweeper."""
import pytest

from harness.wait import wait_until


@pytest.mark.slow
@pytest.mark.own_server
@pytest.mark.settings(uploads_expiry="1s")
def test_abandoned_session_expires(repo, registry):
    upload = repo.start_upload()
    upload.patch(b"x" * 1000, 0)
    wait_until(lambda: upload.request("GET").status_code == 404, timeout=120, step=0.2, what="the session's end")
    wait_until(lambda: not registry.stored_files("uploads"), timeout=60, step=0.2, what="its bytes being removed")
