# SPDX-License-Identifier: Apache-2.0
"""Waiting for something to become true (the tests never sleep for a fixed time), and starting things together."""
import threading
import time
from concurrent.futures import ThreadPoolExecutor


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


def together(count, work):
    """Runs work(number) in `count` threads that start at the same moment."""
    gate = threading.Barrier(count)

    def run(number):
        gate.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [future.result(120) for future in [pool.submit(run, number) for number in range(count)]]
