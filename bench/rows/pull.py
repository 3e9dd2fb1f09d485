# SPDX-License-Identifier: Apache-2.0
"""Pulls: manifests and blobs, against the peers and against nginx with the same bytes as files."""
import json
import random

from harness import tools
from harness.servers import MANIFEST_TYPE, PEERS, Berth, BerthPostgres, DockerRegistry, Nginx, sha256
from harness.table import OURS, Goal, Measure

KIB, GIB = 2**10, 2**30
REPOSITORY = "bench/image"
LAYERS = 12
WARM_S = 1


def image(server, repository=REPOSITORY, tag="latest"):
    """An image of small layers whose manifest has about 2 KiB; the manifest's path."""

    def descriptor(data, media_type):
        server.put_blob(repository, data)
        return {"mediaType": media_type, "digest": sha256(data), "size": len(data)}

    config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [
            descriptor(f"layer {i}".encode(), "application/vnd.oci.image.layer.v1.tar+gzip") for i in range(LAYERS)
        ],
    }
    return server.put_manifest(repository, tag, json.dumps(manifest).encode())


def client_headers(server, close):
    headers = {"Accept": MANIFEST_TYPE}
    if close:
        headers["Connection"] = "close"
    token = server.token(REPOSITORY)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def requests_per_second(bench, work, seed, goals, close=False):
    """wrk with 64 connections at the path that `seed(server)` made, on all servers in turn."""
    with bench.up(Berth, Nginx, *PEERS) as servers:
        paths = {server: seed(server) for server in servers}
        by_name = {server.name: server for server in servers}

        def measure(name, seconds=bench.size(4, 1)):
            server = by_name[name]
            return tools.wrk(server.address, paths[server], seconds, headers=client_headers(server, close))

        for name in by_name:
            measure(name, WARM_S)
        samples = bench.alternate(by_name, measure)
    beat = [Goal(">=", 1, peer.name) for peer in PEERS]
    goals = goals + [goal for goal in beat if goal.against not in [named.against for named in goals]]
    return [Measure(work, "requests/s", samples, [goal for goal in goals if goal.against in samples])]


def manifest_get(bench):
    goals = [Goal(">=", 0.8, Nginx.name), Goal(">=", 25, DockerRegistry.name)]
    return requests_per_second(bench, "manifest GET by tag, bearer token, 64 connections", image, goals)


def manifest_get_close(bench):
    goals = [Goal(">=", 0.8, Nginx.name)]
    return requests_per_second(bench, "the same, `Connection: close`", image, goals, close=True)


def manifest_get_postgres(bench):
    """Warm: out of memory on either engine."""
    with bench.up(Berth, BerthPostgres) as servers:
        by_name = dict(zip([f"{OURS} on SQLite", OURS], servers))
        paths = {server: image(server) for server in servers}

        def measure(name, seconds=bench.size(4, 1)):
            server = by_name[name]
            return tools.wrk(server.address, paths[server], seconds, headers=client_headers(server, False))

        for name in by_name:
            measure(name, WARM_S)
        samples = bench.alternate(by_name, measure)
    return [Measure("warm manifest GET on PostgreSQL", "requests/s", samples, [Goal(">=", 0.95, f"{OURS} on SQLite")])]


COLD_BASE = 1_000
COLD_REPOSITORIES = [f"bench/r{number}" for number in range(32)]  # as many as a token names
WARM_QUERIES = 200
BARE_QUERY = "one query by libpq"


def fill_cold(server, count):
    """Manifests of 2 KiB in a few repositories, which nobody has asked for: [(number, repository's number)]."""
    filling = server.filling()
    ((project,),) = filling.execute("SELECT id FROM project WHERE name = 'bench'")
    among = len(COLD_REPOSITORIES)
    repositories = filling.series.format(first=0, last=among - 1)
    numbers = filling.series.format(first=COLD_BASE, last=COLD_BASE + count - 1)
    content = "convert_to('{\"schemaVersion\":2,\"n\":' || n || ',\"pad\":\"' || repeat('x', 2000) || '\"}', 'UTF8')"
    filling.execute(
        f"INSERT INTO repository (id, tenant_id, project_id, name, created_at_us) SELECT {COLD_BASE} + n, 1, {project}, 'bench/r' || n, 0 FROM ({repositories}) t"
    )
    filling.execute(
        "INSERT INTO manifest (id, repository_id, digest, media_type, size_bytes, created_at_us, content)"
        f" SELECT n, {COLD_BASE} + n % {among}, 'sha256:' || encode(sha256(c), 'hex'), '{MANIFEST_TYPE}', length(c), 0, c FROM (SELECT n, {content} AS c FROM ({numbers}) t) u"
    )
    filling.execute(f"INSERT INTO tag (repository_id, name, manifest_id, updated_at_us) SELECT repository_id, 't' || id, id, 0 FROM manifest WHERE id >= {COLD_BASE}")
    rows = filling.execute(f"SELECT id, repository_id FROM manifest WHERE id >= {COLD_BASE}")
    filling.close()
    return rows


def manifest_get_cold(bench):
    """On one connection, what nobody asked for yet, every time."""
    once = bench.size(2_000, 300)
    rounds = 3 * bench.rounds  # a fifth of a second each: where the audit trail is written meanwhile, they are slower
    with bench.up(BerthPostgres) as (server,):
        image(server)
        rows = fill_cold(server, (once + WARM_QUERIES) * (2 * rounds + 1))
        token = server.token(*COLD_REPOSITORIES)
        random.Random(1).shuffle(rows)
        path = bench.data / "requests"

        def measure(name):
            taken = [rows.pop() for _ in range(once + WARM_QUERIES)]
            if name == OURS:
                lines = (f"GET\t/v2/bench/r{int(repository) - COLD_BASE}/manifests/t{number}\t200\n" for number, repository in taken[WARM_QUERIES:])
                path.write_text("".join(lines))
                return tools.load("replay", server.address, file=path, token=token)["p99_ms"]
            path.write_text("".join(f"{repository}\tt{number}\n" for number, repository in taken))
            return tools.bare_query(server.database.url, path, WARM_QUERIES)["p99_ms"]

        measure(OURS)  # statements are prepared, the node hears notifications
        samples = bench.alternate([OURS, BARE_QUERY], measure, rounds=rounds)
    return [Measure("manifest GET by tag on PostgreSQL, never asked before: 99th percentile", "ms", samples, [Goal("<=", 3, BARE_QUERY)])]


def blob_get(bench, work, size):
    data = random.Random(size).randbytes(size)
    goals = [Goal(">=", 0.8, Nginx.name)]
    return requests_per_second(bench, work, lambda server: server.put_blob(REPOSITORY, data), goals)


def blob_get_4k(bench):
    return blob_get(bench, "blob 4 KiB GET, 64 connections", 4 * KIB)


def blob_get_100k(bench):
    return blob_get(bench, "blob 100 KiB GET, 64 connections", 100 * KIB)


def large_get(bench, work, kinds, tls):
    size = bench.size(GIB, GIB // 4)
    file = bench.random_file(size)
    with bench.up(*kinds, **({"tls": True} if tls else {})) as servers:
        paths = {server: server.put_large_blob(REPOSITORY, file) for server in servers}
        by_name = {server.name: server for server in servers}

        def measure(name):
            server = by_name[name]
            address = server.tls_address if tls else server.address
            done = tools.load("get", address, path=paths[server], token=server.token(REPOSITORY), tls=tls)
            return done["bytes"] / done["seconds"] / 1e6

        for name in by_name:
            measure(name)
        samples = bench.alternate(by_name, measure, rounds=3 * bench.rounds)  # half a second each: much noise
    # The client copies as fast as it can and is most of the time, so equal servers differ by chance.
    goals = [Goal(">=", 0.95, kind.name) for kind in (Nginx, *PEERS)]
    return [Measure(work, "MB/s", samples, [goal for goal in goals if goal.against in samples])]


def blob_get_1g(bench):
    return large_get(bench, "blob 1 GiB GET, plain", [Berth, Nginx, *PEERS], tls=False)


def blob_get_1g_tls(bench):
    return large_get(bench, "blob 1 GiB GET, TLS 1.3", [Berth, Nginx], tls=True)
