# SPDX-License-Identifier: Apache-2.0
"""Pages of Harbor's lists, filtered and sorted, shallow and deep: as they are asked for again, and the first time after a push."""
import sqlite3

from harness.servers import MANIFEST_TYPE, Berth
from harness.table import OURS, Goal, Measure
from rows.scale import EMPTY, artifact
from rows.trail import time_gets

REQUESTS = 15
MOST_MS = 50
AGAIN_MS = 5
PROJECT, REPOSITORY = "lists", "lists/app"
SERIES = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
CHART = "application/vnd.cncf.helm.config.v1+json"

# One in a hundred is a chart, one in ten has no tag, one in fifty wears label 1; sizes and pulls are in no order.
ARTIFACTS = [
    "INSERT INTO manifest (id, repository_id, digest, media_type, size_bytes, created_at_us, content) " + SERIES +
    "SELECT 1000 + i, {repository}, 'sha256:' || printf('%064x', i), '" + MANIFEST_TYPE + "', 2, 1700000000000000 + i * 1000, CAST('{{}}' AS BLOB) FROM n",
    "INSERT INTO artifact (manifest_id, repository_id, project_id, type, media_type, size_bytes, tag_count, parent_count, listed, described,"
    " pushed_at_us, pulled_at_us) " + SERIES + "SELECT 1000 + i, {repository}, {project}, CASE WHEN i % 100 = 0 THEN 'CHART' ELSE 'IMAGE' END,"
    " CASE WHEN i % 100 = 0 THEN '" + CHART + "' ELSE 'application/vnd.oci.image.config.v1+json' END, i * 7919 % 1000003, i % 10 <> 0, 0, 1, 1,"
    " 1700000000000000 + i * 1000, CASE WHEN i % 3 = 0 THEN 1700000000000000 + i * 104729 % 1000003 ELSE 0 END FROM n",
    "INSERT INTO tag (repository_id, name, manifest_id, updated_at_us) SELECT repository_id, 'v' || manifest_id, manifest_id, pushed_at_us"
    " FROM artifact WHERE repository_id = {repository} AND tag_count = 1 AND manifest_id > 1000",
    "INSERT INTO label (id, tenant_id, name, description, color, created_at_us, updated_at_us) VALUES (1, 1, 'one', '', '', 0, 0)",
    "INSERT INTO artifact_label (manifest_id, label_id) SELECT manifest_id, 1 FROM artifact WHERE manifest_id > 1000 AND manifest_id % 50 = 0",
    "UPDATE repository SET artifact_count = artifact_count + {count} WHERE id = {repository}",
]
REPOSITORIES = [
    "INSERT INTO repository (id, tenant_id, project_id, name, created_at_us, updated_at_us, pull_count, artifact_count) " + SERIES +
    "SELECT 1000 + i, 1, {project}, '" + PROJECT + "/r' || substr('00000' || i * 7919 % 1000003, -6), 1700000000000000 + i * 1000,"
    " 1700000000000000 + i * 104729 % 1000003, i * 31 % 1009, i % 7 FROM n",
    "UPDATE quota_stripe SET used_repositories = used_repositories + {count} WHERE (scope, holder_id) IN ((1, 1), (2, {project}))",
]
PROJECTS = [
    "INSERT INTO project (id, tenant_id, name, is_public, owner_name, created_at_us, updated_at_us) " + SERIES +
    "SELECT 1000 + i, 1, 'p' || substr('00000' || i * 7919 % 1000003, -6), i % 3 = 0, 'admin', 1700000000000000 + i * 1000,"
    " 1700000000000000 + i * 104729 % 1000003 FROM n",
    "UPDATE quota_stripe SET used_projects = used_projects + {count} WHERE scope = 1 AND holder_id = 1",
]
# What a schema before these columns does without.
LABELLED = "UPDATE artifact_label SET (repository_id, pushed_at_us) = (SELECT repository_id, pushed_at_us FROM artifact a WHERE a.manifest_id = artifact_label.manifest_id)"

OF_REPOSITORY = f"/api/v2.0/projects/{PROJECT}/repositories/app/artifacts?page_size=10"
OF_PROJECT = f"/api/v2.0/projects/{PROJECT}/repositories?page_size=10"
OF_TENANT = "/api/v2.0/repositories?page_size=10"
OF_ALL = "/api/v2.0/projects?page_size=10&with_detail=false"


def fill(server, artifacts, repositories, projects):
    """Writes rows straight into the database of a stopped server."""
    database = sqlite3.connect(server.database_file())
    database.execute("PRAGMA synchronous = OFF")
    repository, project = database.execute("SELECT id, project_id FROM repository WHERE name = ?", (REPOSITORY,)).fetchone()
    for statements, count in ((ARTIFACTS, artifacts), (REPOSITORIES, repositories), (PROJECTS, projects)):
        for statement in statements:
            database.execute(statement.format(count=count, repository=repository, project=project))
    if any(column[1] == "repository_id" for column in database.execute("PRAGMA table_info(artifact_label)")):
        database.execute(LABELLED)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def pages(count):
    return {"first": 1, "middle": count // 20, "last": count // 10}


def requests(artifacts, repositories, projects):
    """{name: path}"""
    found = {}
    for name, query in (
        ("by push", ""), ("by pull", "&sort=-pull_time"), ("by size", "&sort=size"), ("of the commonest type", "&q=type=IMAGE"),
        ("of all there are", "&q=base=*"), ("tags like most", "&q=tags=~v1"),
    ):
        total = artifacts // 9 if "like" in name else artifacts * 99 // 100
        for page, number in pages(total).items():
            found[f"artifacts {name}, {page} page"] = f"{OF_REPOSITORY}{query}&page={number}"
    for name, query in (
        ("of a rare type", "type=CHART"), ("of a rare media type", f"media_type={CHART.replace('+', '%252B')}"), ("without a tag", "tags=nil"), ("with a label", "labels=(1)"),
        ("tags like few", "tags=~v7777"), ("of a rare type by size", f"type=CHART&sort=size"), ("with tags", "tags=*"), ("of two days", "push_time=[2023-11-14~2023-11-16]"),
    ):
        found[f"artifacts {name}"] = f"{OF_REPOSITORY}&q={query}"
    for name, path in (
        ("of a project by name", OF_PROJECT), ("of a project by update", f"{OF_PROJECT}&sort=-update_time"), ("of a project by pulls", f"{OF_PROJECT}&sort=-pull_count"),
        ("of the tenant by name", OF_TENANT),
    ):
        for page, number in pages(repositories).items():
            found[f"repositories {name}, {page} page"] = f"{path}&page={number}"
    found["repositories of a project, part of the name"] = f"{OF_PROJECT}&q=name=~777"
    found["repositories of the tenant, part of the name"] = f"{OF_TENANT}&q=name=~777"
    found["repositories of the tenant by update"] = f"{OF_TENANT}&sort=-update_time"
    for page, number in pages(projects).items():
        found[f"projects by name, {page} page"] = f"{OF_ALL}&page={number}"
    found["projects by update"] = f"{OF_ALL}&sort=-update_time"
    found["projects, part of the name"] = f"{OF_ALL}&q=name=~777"
    found["search"] = "/api/v2.0/search?q=r7777"
    return found


def lists(bench):
    artifacts, repositories, projects = (bench.size(many, many // 10) for many in (100_000, 100_000, 10_000))
    with bench.up(Berth) as (server,):
        server.put_blob(REPOSITORY, EMPTY)
        server.put_manifest(REPOSITORY, "one", artifact("one").encode())
        server.stop()
        fill(server, artifacts, repositories, projects)
        server.start()
        pushed = iter(range(1_000_000))

        def push(_):
            server.put_manifest(REPOSITORY, "moved", artifact(f"pushed {next(pushed)}").encode())

        measures = []
        for name, path in requests(artifacts, repositories, projects).items():
            work = f"{artifacts:,}/{repositories:,}/{projects:,}: {name}"
            samples = bench.alternate([OURS], lambda _, path=path: time_gets(server, path, REQUESTS))
            measures.append(Measure(work, "ms", samples, [Goal("<=", AGAIN_MS)]))
            if name.startswith("artifacts"):
                samples = bench.alternate([OURS], lambda _, path=path: time_gets(server, path, REQUESTS, push))
                measures.append(Measure(f"{work}, each after a push", "ms", samples, [Goal("<=", MOST_MS)]))
    return measures
