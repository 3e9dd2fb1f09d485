# SPDX-License-Identifier: Apache-2.0
"""The official OCI conformance suite, all categories, nothing failed."""
import re

import pytest

from conformance import suite


@pytest.mark.own_server
@pytest.mark.parametrize("mode", ["strict", "sparse"])
def test_suite(make_registry, tmp_path, mode, record_property):
    if suite.program() is None:
        pytest.skip("the suite's program is not installed (./dev installs it where the Go client reaches it)")
    registry = make_registry(**(suite.SPARSE if mode == "sparse" else {}))
    results = tmp_path / "results"
    results.mkdir()
    counts, said = suite.run(registry, mode, results)
    for name, number in counts.items():
        record_property(name, number)
    failed = "\n".join(line for line in said.splitlines() if re.search(r": (Fail|Error)|^ +- ", line))
    assert suite.passed(counts), f"{counts}\n{failed[-6000:]}"
