# SPDX-License-Identifier: Apache-2.0
"""The build with fault points: BERTH_BINARY_FAULTS, or BERTH_BINARY when that one has them."""
import os
import subprocess
from pathlib import Path

import pytest

from harness.registry import binary


def has_faults(program, directory):
    """Such a build refuses a specification that does not parse; others do not look at it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
    done = subprocess.run(
        [str(program), "fsck"], env={**kept, "BERTH_FAULT": "!", "BERTH_DATA_DIR": str(directory)},
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )
    return "fault" in (done.stdout + done.stderr).lower()


@pytest.fixture(scope="session")
def program_with_faults(tmp_path_factory):
    program = Path(os.environ.get("BERTH_BINARY_FAULTS") or binary())
    if not has_faults(program, tmp_path_factory.mktemp("probe")):
        pytest.skip(f"{program} was built without fault points (meson -Dfaults=true; BERTH_BINARY_FAULTS names it)")
    return program
