# SPDX-License-Identifier: Apache-2.0
"""Garbage collection when a test wants it."""
from harness.people import call
from harness.wait import wait_until

API = "/api/v2.0/system/gc"


def start(admin, **parameters):
    """One run; its path."""
    made = call(admin, "POST", f"{API}/schedule", {"schedule": {"type": "Manual"}, "parameters": parameters}, expect=201)
    return made.headers["Location"]


def end(admin, path):
    """Its job, when it is over."""
    return wait_until(lambda: (lambda job: job["job_status"] not in ("Pending", "Running", "Scheduled") and job)(admin.get(path, expect=200).json()),
                      what="its end")


def run(admin, **parameters):
    """One run to its end; its job."""
    return end(admin, start(admin, **parameters))
