# SPDX-License-Identifier: Apache-2.0
"""Harbor's client for Go: goclient/main.go asks with it, and is ended by what the client takes for an error."""
import shutil
import subprocess

import pytest

from harness.registry import ADMIN_PASSWORD
from harness.wire import unique

STEPS = 41


def test_goclient(registry):
    program = shutil.which("goclient")
    if not program:
        pytest.skip("no goclient: ./dev deps test builds it")
    done = subprocess.run(
        [program, registry.url, "admin", ADMIN_PASSWORD, unique("go")], capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert len(done.stdout.splitlines()) == STEPS, done.stdout
