# SPDX-License-Identifier: Apache-2.0
"""One thing after the other is broken under load; after each, everything acknowledged is there, at every node, byte for byte, and
fsck finds nothing. docs/reliability.md has the figures of long runs of the same. BERTH_RELIABILITY are more arguments; those that choose
faults choose them here as well."""
import json
import os
import re
import subprocess

import pytest

from harness.registry import ROOT
from reliability.faults import FAULTS

ARGUMENTS = os.environ.get("BERTH_RELIABILITY", "")
CHOSEN = re.findall(r"--only (\w+)", ARGUMENTS) or [fault.__name__ for fault in FAULTS]


@pytest.fixture(scope="module")
def outcomes():
    """What tests/tools/reliability says, by fault."""
    if subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("namespaces of its own are root's")
    done = subprocess.run(
        [str(ROOT / "tests/tools/reliability"), *ARGUMENTS.split()],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    said = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            outcome = json.loads(line)
            said.setdefault(outcome.get("fault"), []).append(outcome)
    assert set(said) >= set(CHOSEN), done.stdout[-4000:]
    print(done.stdout)
    return said


@pytest.mark.timeout(0)
@pytest.mark.parametrize("fault", CHOSEN)
def test_nothing_acknowledged_is_lost(outcomes, fault):
    for outcome in outcomes[fault]:
        if "skipped" in outcome:
            pytest.skip(outcome["skipped"])
        assert outcome["broken"] == [], outcome
        assert outcome["pushes"] >= 8 and outcome["pulls"] >= 20, "that was no load"


def test_the_collector_had_work_meanwhile(outcomes):
    done = [outcome for of in outcomes.values() for outcome in of if "collected" in outcome]
    assert sum(outcome["deletions"] for outcome in done) >= len(done)
    assert len(done) < len(FAULTS) / 2 or done[-1]["collected"] > 0
