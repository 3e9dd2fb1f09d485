# SPDX-License-Identifier: Apache-2.0
"""Garbage collection: what was deleted, and not what is there, is what it costs."""
import http.client
import json
import time

from harness import tools
from harness.servers import Berth, BerthPostgres
from harness.table import OURS, Goal, Measure
from rows.push import pushes_per_second
from rows.scale import EMPTY, FLAT, REPOSITORY, artifact

PARTS = 2  # blobs of an artifact, each its own
LEAST = 1_000  # artifacts a second
GC = "/api/v2.0/system/gc"

# An artifact's number is n, its blobs' n * 2 and n * 2 + 1; of all of them the first {kept} are there, and the rest was deleted.
BLOBS = """
INSERT INTO blob (id, storage_id, digest, size_bytes, created_at_us)
SELECT n, 1, 'sha256:' || {digest}, 1, 1 FROM ({series}) AS numbers
"""
LINKS = """
INSERT INTO repository_blob (repository_id, blob_id, created_at_us, project_id)
SELECT r.id, n, 1, r.project_id FROM ({series}) AS numbers, repository r WHERE r.name = '%s'
""" % REPOSITORY
MANIFESTS = """
INSERT INTO manifest (id, repository_id, digest, media_type, size_bytes, created_at_us, content)
SELECT n, r.id, 'sha256:' || {digest}, 'application/vnd.oci.image.manifest.v1+json', 2, 1, '{{}}'
FROM ({series}) AS numbers, repository r WHERE r.name = '%s'
""" % REPOSITORY
REFERENCES = """
INSERT INTO manifest_reference (manifest_id, digest, role, project_id)
SELECT n / %d, 'sha256:' || {digest}, 1, r.project_id FROM ({series}) AS numbers, repository r WHERE r.name = '%s'
""" % (PARTS, REPOSITORY)
GARBAGE = """
INSERT INTO garbage (blob_id, repository_id, due_at_us)
SELECT n, r.id, 1 FROM ({series}) AS numbers, repository r WHERE r.name = '%s'
""" % REPOSITORY
BASE = 1_000_000  # below are the blobs of the server's own
STEP = 1_000_000


def digest_of(n):
    return f"{n * 2654435761 % 2**32:08x}{n:056x}"


def write(database, statement, first, last):
    """In pieces, which the database's memory holds."""
    digest = f"{database.hex('n * 2654435761 % 4294967296', 8)} || {database.hex('n', 56)}"
    for start in range(first, last + 1, STEP):
        database.execute(statement.format(digest=digest, series=database.series.format(first=start, last=min(start + STEP - 1, last))))


def keep(server, count):
    """That many artifacts with their blobs' rows; nobody reads their bytes."""
    database = server.filling()
    first = BASE * PARTS
    write(database, BLOBS, first, first + count * PARTS - 1)
    write(database, LINKS, first, first + count * PARTS - 1)
    write(database, MANIFESTS, BASE, BASE + count - 1)
    write(database, REFERENCES, first, first + count * PARTS - 1)
    database.close()


def delete(server, kept, count):
    """As many that were deleted: links to blobs that are files, of which nothing refers to."""
    database = server.filling()
    first = (BASE + kept) * PARTS
    last = first + count * PARTS - 1
    for statement in (BLOBS, LINKS, GARBAGE):
        write(database, statement, first, last)
    database.close()
    blobs = server.directory / "data" / "blobs" / "sha256"
    for n in range(first, last + 1):
        name = digest_of(n)
        folder = blobs / name[:2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def ask(server, method, path, body=None, expect=(200, 201)):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(method, path, body=body, headers={"Content-Type": "application/json", **server.basic()})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status not in expect:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]}")
    return answer, text


def collect(server, count):
    """Artifacts a second, of a run from its beginning to its end."""
    body = json.dumps({"schedule": {"type": "Manual"}, "parameters": {"workers": 2, "per_second_max": 0}})
    begin = time.perf_counter()
    answer, _ = ask(server, "POST", f"{GC}/schedule", body)
    path = answer.getheader("Location")
    while True:
        job = json.loads(ask(server, "GET", path)[1])
        if job["job_status"] not in ("Pending", "Running", "Scheduled"):
            break
        time.sleep(0.05)
    elapsed = time.perf_counter() - begin
    log = ask(server, "GET", f"{path}/log")[1].decode()
    if job["job_status"] != "Success" or f"{count * PARTS} blobs" not in log:
        raise RuntimeError(f"not all was collected: {log}")
    return count / elapsed


class Kept:
    """A server that holds so much, and is given something to collect each round."""

    def __init__(self, server, kept, deleted):
        self.server, self.kept, self.deleted = server, kept, deleted
        server.put_blob(REPOSITORY, EMPTY)
        pause(server)
        server.stop()
        keep(server, kept)
        self.upto = kept

    def measure(self):
        delete(self.server, self.upto, self.deleted)
        self.upto += self.deleted
        self.server.start()
        rate = collect(self.server, self.deleted)
        self.server.stop()
        return rate


def pause(server):
    """What is collected by itself is not to be there before the clock starts."""
    ask(server, "PUT", "/api/v2.0/jobservice/queues/collect", json.dumps({"action": "pause"}))


def collections(bench, kind, where):
    many, deleted = bench.size(1_000_000, 100_000), bench.size(100_000, 10_000)
    few = many // 10
    few_name = f"Berth with {few:,}"
    with bench.up(kind, kind) as (large, small):
        sides = {OURS: Kept(large, many, deleted), few_name: Kept(small, few, deleted)}
        samples = bench.alternate(sides, lambda side: sides[side].measure())
    work = f"garbage collection{where}: {deleted:,} deleted artifacts beside {many:,}"
    return [Measure(work, "artifacts/s", samples, [Goal(">=", LEAST), Goal(">=", 1 / FLAT, few_name)])]


KEPT_RATE = 0.9  # of what is pushed and pulled when nothing is collected
IDLE = "nothing to collect"
LONGEST_MS = 100


def begin_collecting(server):
    """The path of a run that takes what the default allows."""
    answer, _ = ask(server, "POST", f"{GC}/schedule", json.dumps({"schedule": {"type": "Manual"}}))
    path = answer.getheader("Location")
    while json.loads(ask(server, "GET", path)[1])["job_status"] != "Running":
        time.sleep(0.05)
    return path


def end_collecting(server, path):
    """It must have had something to do all the time."""
    status = json.loads(ask(server, "GET", path)[1])["job_status"]
    if status != "Running":
        raise RuntimeError(f"it was {status} before the clock stopped")
    ask(server, "PUT", path)
    while json.loads(ask(server, "GET", path)[1])["job_status"] == "Running":
        time.sleep(0.05)


def beside(bench, kind, where):
    """What is pushed and pulled while blobs are collected as fast as the default allows, and while none are."""
    deleted, count = bench.size(100_000, 40_000), bench.size(400, 200)
    uploads = iter(range(10**6))
    results = {"pushes": {OURS: [], IDLE: []}, "pulls": {OURS: [], IDLE: []}, "slowest": {OURS: [], IDLE: []}}
    with bench.up(kind) as (server,):
        server.put_blob(REPOSITORY, EMPTY)
        server.put_manifest(REPOSITORY, "one", artifact("one").encode())
        pause(server)
        server.stop()
        delete(server, 0, deleted)
        server.start()
        headers = {"Authorization": f"Bearer {server.token(REPOSITORY)}"}
        path = f"/v2/{REPOSITORY}/manifests/one"

        def measure(name):
            job = begin_collecting(server) if name == OURS else None
            run = next(uploads)
            repositories = [f"bench/beside-{run}-{i}" for i in range(count)]
            results["pushes"][name].append(pushes_per_second(bench, server, repositories, 8, count, 100_000, f"g{run}"))
            results["pulls"][name].append(tools.wrk(server.address, path, 3, headers=headers))
            results["slowest"][name].append(slowest_ms(server, path, headers))
            if job:
                end_collecting(server, job)

        for _ in range(bench.rounds):
            for name in (IDLE, OURS):
                measure(name)
    work = f"{{}}{where} while blobs are collected at the default rate"
    return [
        Measure(work.format("100 KB image pushes, 8 clients,"), "pushes/s", results["pushes"], [Goal(">=", KEPT_RATE, IDLE)]),
        Measure(work.format("manifest GET, 64 clients,"), "requests/s", results["pulls"], [Goal(">=", KEPT_RATE, IDLE)]),
        Measure(work.format("slowest of 3,000 GETs on one connection"), "ms", results["slowest"], [Goal("<=", LONGEST_MS)]),
    ]


def slowest_ms(server, path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    slowest = 0
    for _ in range(3_000):
        begin = time.perf_counter()
        connection.request("GET", path, headers=headers)
        connection.getresponse().read()
        slowest = max(slowest, (time.perf_counter() - begin) * 1e3)
    connection.close()
    return slowest


def garbage_beside(bench):
    return beside(bench, Berth, "")


def garbage_beside_postgres(bench):
    return beside(bench, BerthPostgres, " on PostgreSQL")


def garbage(bench):
    return collections(bench, Berth, "")


def garbage_postgres(bench):
    return collections(bench, BerthPostgres, " on PostgreSQL")
