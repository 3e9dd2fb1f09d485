# SPDX-License-Identifier: Apache-2.0
"""After a run of everything: no operation that is served was left out, and what is said to come later is not there yet."""
import os
from pathlib import Path

import pytest

from harness import openapi, swagger

# The parts of ./dev test that ask through the harness. Only when all of them ran can one say that something never was asked.
PARTS = ("blackbox", "identities")


@pytest.fixture(scope="module")
def seen():
    """Names of the operations that a part of this run got a success from."""
    here = os.environ.get("BERTH_OPERATIONS_SEEN")
    folders = [Path(here).parent / part for part in PARTS] if here else []
    if not folders or not all(folder.exists() for folder in folders):
        pytest.skip(f"only after all of {', '.join(PARTS)}: ./dev test")
    return {entry.name for folder in folders for entry in folder.iterdir()}


def test_every_operation_of_harbor_that_is_served_was_answered_with_success(seen):
    missing = sorted(o.name for o in swagger.contract().operations if o.served() and o.name not in seen)
    assert not missing, "never answered with success: " + " ".join(missing)


def test_every_operation_of_our_own_was_answered_with_success(seen):
    missing = sorted(o.name for o in openapi.contract().operations if f"berth:{o.name}" not in seen)
    assert not missing, "never answered with success: " + " ".join(missing)


def test_what_is_said_to_come_later_is_not_there(seen):
    there = sorted(swagger.LATER & seen)
    assert not there, f"take them off {swagger.LATER_FILE.name}: " + " ".join(there)


def test_later_names_operations_of_groups_that_are_served():
    known = {o.name for o in swagger.contract().operations if o.tag in swagger.SERVED}
    assert not swagger.LATER - known, sorted(swagger.LATER - known)
