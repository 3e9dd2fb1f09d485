# SPDX-License-Identifier: Apache-2.0
"""Garbage collection when a test wants it."""
from harness.people import call
from harness.wait import wait_until

API = "/api/v2.0/system/gc"


def run(admin, **parameters):
    """One run to its end; its job."""
    made = call(admin, "POST", f"{API}/schedule", {"schedule": {"type": "Manual"}, "parameters": parameters}, expect=201)
    path = made.headers["Location"]
    return wait_until(lambda: (lambda job: job["job_status"] not in ("Pending", "Running", "Scheduled") and job)(admin.get(path, expect=200).json()),
                      what="its end")
