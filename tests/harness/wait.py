# SPDX-License-Identifier: Apache-2.0
"""Waiting for something to become true; the tests never sleep for a fixed time."""
import time


def wait_until(condition, *, timeout=20.0, step=0.01, what="the condition"):
    """Calls `condition` until it answers something true, and returns that."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {timeout} s")
        time.sleep(step)
