# SPDX-License-Identifier: Apache-2.0
"""The build with fault points: BERTH_BINARY_FAULTS, or BERTH_BINARY when that one has them."""
import os
import subprocess
from pathlib import Path

import pytest

from harness.registry import binary


def has_faults(program):
    """Such a build says so."""
    done = subprocess.run([str(program), "version"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return "fault points" in done.stdout


@pytest.fixture(scope="session")
def program_with_faults():
    program = Path(os.environ.get("BERTH_BINARY_FAULTS") or binary())
    if not has_faults(program):
        pytest.fail(f"{program} was built without fault points (meson -Dfaults=true; BERTH_BINARY_FAULTS names it)")
    return program
