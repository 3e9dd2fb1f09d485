# SPDX-License-Identifier: Apache-2.0
"""The conformance suites of the OCI distribution specification, every category of them, on a fresh server."""
import pytest

from conformance import suite


@pytest.mark.own_server
@pytest.mark.parametrize("mode", suite.MODES)
def test_conformance(make_registry, tmp_path, mode):
    if not suite.program(mode):
        pytest.skip("this conformance suite is not built: the Go module proxy had it not")
    result = suite.run(make_registry(**suite.MODES[mode][1]), mode, tmp_path / "results")
    print(f"conformance {mode}: {result}")
    assert result.passed, f"{result}\n" + "\n".join(result.named("failure", "failed", "error", "skipped")) + result.said[-2000:]
