# SPDX-License-Identifier: Apache-2.0
"""Searching the audit trail: what a page costs must not grow with the records."""
import http.client
import time
import urllib.parse
from statistics import median

from harness.servers import Berth, BerthPostgres
from harness.table import OURS, Goal, Measure
from rows.scale import FLAT

FEW = 10_000
REQUESTS = 30
MOST_MS = 50
STEP = 1_000_000

# A year of pulls and less else by two thousand robots in a hundred projects, made up by the database itself.
FILL = """
INSERT INTO audit_record (time_us, tenant_id, project_id, project, actor_type, actor_id, actor, operation, resource_type, resource,
    digest, address, request_id, result, detail)
SELECT 1760000000000000 + n * 3000000, 1, project, 'project-' || project, 'robot', who, 'robot$ci-' || who,
    CASE WHEN kind < 800 THEN 'pull' WHEN kind < 900 THEN 'create' WHEN kind < 970 THEN 'deny' WHEN kind < 985 THEN 'delete' ELSE 'update' END,
    CASE WHEN kind < 900 THEN 'artifact' WHEN kind < 970 THEN 'access' WHEN kind < 985 THEN 'artifact' ELSE 'project' END,
    'project-' || project || '/app-' || (h % 97) || ':v' || (g % 20),
    'sha256:' || {digest}, '10.' || (g % 4) || '.' || (h % 8) || '.' || (g % 16),
    {request}, CASE WHEN kind BETWEEN 900 AND 969 THEN 1 ELSE 0 END,
    '{{"status":200,"issuer":"local","user_agent":"containerd/1.7.' || (g % 30) || '"}}'
FROM (SELECT n, h, g, h % 1000 AS kind, g * g % 199 + 1 AS project, CASE WHEN g % 3 = 0 THEN g % 1999 ELSE g % 53 END AS who
    FROM (SELECT n, n * 2654435761 % 1000003 AS h, n * 40503 % 999983 AS g FROM ({series}) AS numbers) AS mixed) AS made
"""

HARBOR = "/api/v2.0/auditlog-exts?page_size=15"
OWN = "/api/berth/v1/audit/records?page_size=50"

# (name, path, q, whether the smaller trail has a page of it and as much to count)
SEARCHES = [
    ("newest page", HARBOR, "", True),
    ("page 60", f"{HARBOR}&page=60", "", True),
    ("pulls", HARBOR, "operation=pull", True),
    ("what was done, the older list", "/api/v2.0/audit-logs?page_size=15", "", True),
    ("deletions", HARBOR, "operation=delete", False),
    ("of an actor", HARBOR, "username=robot$ci-7", False),
    ("deletions of an actor", HARBOR, "username=robot$ci-7,operation=delete", False),
    ("of an actor in a project", HARBOR, "username=robot$ci-7,project_id=1", False),
    ("creations in a project", HARBOR, "operation=create,project_id=1", False),
    ("actors by part of a name", HARBOR, "username=~ci-77", False),
    ("refused", HARBOR, "operation_result=false", False),
    ("our own page, newest", OWN, "", True),
    ("our own page, part of a resource", OWN, "resource=~app-5:", True),
    ("our own page, nothing to find", OWN, "resource=~no-such-thing", False),
]


def fill(server, count):
    """Writes records straight into the database of a stopped server, its indexes after them."""
    database = server.filling()
    indexes = database.indexes("audit_record")
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    digest = database.hex("(h % 97 * 20 + g % 20) * 1000003 + project", 64)
    request = database.hex("n * 2654435761", 16)
    for first in range(1, count + 1, STEP):
        series = database.series.format(first=first, last=min(first + STEP - 1, count))
        database.execute(FILL.format(series=series, digest=digest, request=request))
    for _, sql in indexes:
        database.execute(sql)
    # They have no places in the chain: nobody verifies this trail, and sealing it is another work.
    database.execute("UPDATE audit_chain SET record_id = (SELECT MAX(id) FROM audit_record)")
    database.close()


def time_gets(server, target, requests=REQUESTS, before=None):
    """Median milliseconds of a request on one connection; `before` is done before each, out of the clock."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    times = []
    for number in range(requests):
        if before:
            before(number)
        begin = time.perf_counter()
        connection.request("GET", target, headers=server.basic())
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - begin) * 1e3)
        if answer.status != 200:
            raise RuntimeError(f"{target}: {answer.status}")
    connection.close()
    return median(times)


def time_search(server, path, q):
    return time_gets(server, f"{path}&q={urllib.parse.quote(q)}" if q else path)


def searches(bench, kind, where):
    many = bench.size(10_000_000, 1_000_000)
    few_name = f"Berth with {FEW:,}"
    with bench.up(kind, kind) as (large, small):
        servers = {OURS: large, few_name: small}
        for server, count in ((large, many), (small, FEW)):
            server.stop()
            fill(server, count)
            server.start()
        measures = []
        for name, path, q, alike in SEARCHES:
            samples = bench.alternate(servers, lambda side, path=path, q=q: time_search(servers[side], path, q))
            goals = [Goal("<=", FLAT, few_name)] if alike else []
            work = f"{many:,} audit records{where}: {name}"
            measures.append(Measure(work, "ms", samples, [*goals, Goal("<=", MOST_MS)]))
    return measures


def audit(bench):
    return searches(bench, Berth, "")


def audit_postgres(bench):
    return searches(bench, BerthPostgres, " on PostgreSQL")
