# SPDX-License-Identifier: Apache-2.0
"""A kernel, or a container, that cannot confine: the server says so and serves all the same."""
import pytest

from torture.workload import Workload

pytestmark = pytest.mark.settings(confine="on")

NOT_IMPLEMENTED = 38
POINTS = {"confine.privileges": "privileges", "confine.files": "files", "confine.calls": "calls"}


@pytest.mark.parametrize("point", POINTS)
def test_goes_on_without(make_registry, program_with_faults, point):
    fault = {"BERTH_FAULT": f"{point}:*=errno:{NOT_IMPLEMENTED}"}
    registry = make_registry(program=program_with_faults, environment=fault)
    line = next(line for line in registry.log_lines() if line["message"] == "confined in part only")
    assert line["level"] == "warn"
    assert line[POINTS[point]].startswith("off: "), line
    assert "Function not implemented" in line[POINTS[point]]
    workload = Workload(point)
    workload.run(registry.client())
    workload.verify(registry.client())
