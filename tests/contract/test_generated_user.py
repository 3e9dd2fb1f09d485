# SPDX-License-Identifier: Apache-2.0
"""Everything that schemathesis makes of the descriptions, sent by user."""
import pytest

from contract import generated


@pytest.mark.own_server
@pytest.mark.parametrize("name", ["harbor", "berth"])
def test_answers_fit_and_nobody_does_what_he_may_not(registry, name):
    world = generated.World(registry)
    sender = generated.Sender(world, name, registry.client("somebody", generated.PASSWORD, auth="basic"), "user")
    before = generated.rows(registry)
    for operation, case in generated.cases(name):
        sender.send(operation, case)
    assert sender.count > 100
    assert not sender.problems, f"{len(sender.problems)} of {sender.count}:\n" + "\n".join(sender.problems[:40])
