# SPDX-License-Identifier: Apache-2.0
"""A run of a project's retention over one repository with very many tags: dry, and one that deletes a twentieth of them."""
import json
import time

from harness.servers import MANIFEST_TYPE, Berth, BerthPostgres
from harness.table import OURS, Goal, Measure
from rows.pull import image

MOST_S = 10
FIRST = 10**6
NINETEEN_OF_20 = "v*{[1-9],[13579]0}"  # but what ends in an even digit and a zero
JSON = {"Content-Type": "application/json"}


def fill(server, count):
    """Artifacts with a tag each, the later the newer, in the repository that image() made; as rows of a stopped server."""
    filling = server.filling()
    ((repository, project),) = filling.execute("SELECT id, project_id FROM repository ORDER BY id LIMIT 1")
    numbers = filling.series.format(first=FIRST, last=FIRST + count - 1)
    when = "1700000000000000 + n"
    filling.execute(
        "INSERT INTO manifest (id, repository_id, digest, media_type, size_bytes, created_at_us, content) "
        f"SELECT n, {repository}, 'sha256:' || {filling.hex('n', 64)}, '{MANIFEST_TYPE}', 2, {when}, CAST('{{}}' AS {filling.blob}) FROM ({numbers}) t")
    filling.execute(
        "INSERT INTO artifact (manifest_id, repository_id, project_id, type, media_type, size_bytes, tag_count, parent_count, listed, described,"
        f" pushed_at_us) SELECT n, {repository}, {project}, 'IMAGE', '', 2, 1, 0, 1, 1, {when} FROM ({numbers}) t")
    filling.execute(
        f"INSERT INTO tag (repository_id, name, manifest_id, updated_at_us) SELECT {repository}, 'v' || n, n, {when} FROM ({numbers}) t")
    filling.execute(f"UPDATE repository SET artifact_count = artifact_count + {count} WHERE id = {repository}")
    filling.execute(f"UPDATE quota_stripe SET used_tags = used_tags + {count}, used_artifacts = used_artifacts + {count} WHERE stripe = 0")
    filling.close()
    return project


def run(server, path, dry):
    """Seconds from asking to the end."""
    begun = time.monotonic()
    headers, _ = server.expect(201, "POST", f"{path}/runs", body=json.dumps({"dry_run": dry}), headers={**JSON, **server.basic()})
    where = dict((name.lower(), value) for name, value in headers.items())["location"]
    while True:
        _, body = server.expect(200, "GET", where, headers=server.basic())
        found = json.loads(body)
        if found["status"] in ("Success", "Error", "Stopped"):
            assert found["status"] == "Success", found
            return time.monotonic() - begun, found["tasks"][0]
        time.sleep(0.01)


def measure(bench, kind, name):
    count = bench.size(100_000, 5_000)
    rules = [
        {"action": "retain", "template": "latestPushedK", "params": {"latestPushedK": 10}},
        {"action": "retain", "template": "always", "tag_selectors": [{"decoration": "matches", "pattern": NINETEEN_OF_20}]},
    ]
    samples = {"dry": [], "deletes": []}
    for _ in range(bench.rounds):
        with bench.up(kind) as (server,):
            image(server)
            server.stop()
            project = fill(server, count)
            server.start()
            path = f"/api/berth/v1/projects/{project}/retention"
            server.expect(200, "PUT", path, body=json.dumps({"rules": rules}), headers={**JSON, **server.basic()})
            samples["dry"].append(run(server, path, True)[0])
            took, task = run(server, path, False)
            samples["deletes"].append(took)
            gone = task["total"] - task["retained"]
    return [
        Measure(f"{name}retention over {count:,} tags, dry", "s", {OURS: samples["dry"]}, [Goal("<=", MOST_S)]),
        Measure(f"{name}retention over {count:,} tags, of which {gone:,} go with their artifacts", "s", {OURS: samples["deletes"]}, [Goal("<=", MOST_S)]),
    ]


def retention(bench):
    return measure(bench, Berth, "")


def retention_postgres(bench):
    return measure(bench, BerthPostgres, "on PostgreSQL: ")
