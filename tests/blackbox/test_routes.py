# SPDX-License-Identifier: Apache-2.0
"""Routes × roles, against the matrix that was agreed on: whoever adds or opens a route changes routes.golden too."""
import subprocess
from pathlib import Path

from harness.registry import binary

GOLDEN = Path(__file__).with_name("routes.golden")


def test_matrix_is_the_agreed_one():
    printed = subprocess.run([str(binary()), "routes"], check=True, capture_output=True, text=True, timeout=60)
    assert printed.stdout.splitlines() == GOLDEN.read_text().splitlines()
