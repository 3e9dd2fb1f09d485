# SPDX-License-Identifier: Apache-2.0
"""What runs in the background, as Harbor's job service shows it."""
JOBS = "/api/v2.0/jobservice"


def progress(admin, kind):
    """How far the jobs of a kind are that are at work, of those that say so."""
    workers = admin.get(f"{JOBS}/pools/all/workers", expect=200).json()
    return [worker["check_in"] for worker in workers if worker.get("job_name") == kind and "check_in" in worker]
