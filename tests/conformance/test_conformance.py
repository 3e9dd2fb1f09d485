# SPDX-License-Identifier: Apache-2.0
"""The conformance suite of the OCI distribution specification, every category of it, on a fresh server."""
import pytest

from conformance import suite


@pytest.mark.own_server
@pytest.mark.parametrize("mode", suite.MODES)
def test_conformance(make_registry, tmp_path, mode):
    if not suite.program():
        pytest.skip("the conformance suite is not built")
    result = suite.run(make_registry(**suite.MODES[mode][1]), mode, tmp_path / "results")
    print(f"conformance {mode}: {result}")
    assert result.passed, f"{result}\n" + "\n".join(result.named("failure", "error", "skipped")) + result.said[-2000:]
