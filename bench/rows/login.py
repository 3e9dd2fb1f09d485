# SPDX-License-Identifier: Apache-2.0
"""Logging in: what a fleet of machines asks before each pull."""
import base64
import json
import urllib.parse

from harness import tools
from harness.servers import PASSWORD, Berth
from harness.table import OURS, Goal, Measure
from rows.pull import REPOSITORY, WARM_S, image

TOKENS_MIN = 5000  # a second, on two cores


def make_robot(server):
    """The Authorization header of a robot that may pull from the project."""

    def basic(user, password):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    project = REPOSITORY.split("/")[0]
    robot = {
        "name": "bench", "level": "project", "duration": -1,
        "permissions": [
            {"kind": "project", "namespace": project, "access": [{"resource": "repository", "action": "pull"}]}
        ],
    }
    headers = {"Authorization": basic("admin", PASSWORD), "Content-Type": "application/json"}
    _, body = server.expect(201, "POST", "/api/v2.0/robots", body=json.dumps(robot).encode(), headers=headers)
    made = json.loads(body)
    return basic(made["name"], made["secret"])


def token_issue(bench):
    """The secret is remembered, so what is measured is the decision, the signature and the answer."""
    path = f"/service/token?service=harbor-registry&scope={urllib.parse.quote(f'repository:{REPOSITORY}:pull')}"
    with bench.up(Berth) as (server,):
        image(server)
        headers = {"Authorization": make_robot(server)}

        def measure(name, seconds=bench.size(4, 1)):
            return tools.wrk(server.address, path, seconds, headers=headers)

        measure(OURS, WARM_S)
        samples = bench.alternate([OURS], measure)
    work = "token issue for a robot, 64 connections"
    return [Measure(work, "requests/s", samples, [Goal(">=", TOKENS_MIN)])]
