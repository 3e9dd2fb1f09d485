# SPDX-License-Identifier: Apache-2.0
"""Costs that must not grow: with tags, with referrers, with everything that is stored."""
import hashlib
import json
import os
import random
import sqlite3
import time
from statistics import median

from harness import tools
from harness.servers import MANIFEST_TYPE, Berth, sha256
from harness.table import OURS, Goal, Measure

EMPTY = b"{}"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
REPOSITORY = "bench/scale"
FEW = 100
OPERATIONS = 100
PASSES = 15
FLAT = 1.3


def artifact(name, artifact_type="application/x.bench", subject=None):
    """A small manifest that differs by its name."""
    empty = {"mediaType": EMPTY_TYPE, "digest": sha256(EMPTY), "size": len(EMPTY)}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "artifactType": artifact_type}
    manifest |= {"config": empty, "layers": [empty], "annotations": {"org.example.name": name}}
    if subject:
        manifest["subject"] = subject
    return json.dumps(manifest)


def replay(bench, server, lines, **options):
    """Runs request lines; see load/replay.c. With the repository's token, unless told otherwise."""
    path = bench.data / "requests"
    path.write_text("".join(line + "\n" for line in lines))
    return tools.load("replay", server.address, file=path, **{"token": server.token(REPOSITORY), **options})


def put_line(reference, manifest):
    return f"PUT\t/v2/{REPOSITORY}/manifests/{reference}\t201\t{MANIFEST_TYPE}\t{manifest}"


def tag_name(i):
    return f"t{i:07d}"


def fill_tags(bench, server, count):
    server.put_blob(REPOSITORY, EMPTY)
    lines = [put_line(tag_name(i), artifact(tag_name(i))) for i in range(count)]
    return replay(bench, server, lines, clients=8, windows=min(count // 10, 100))


def tag_operations(server, count, turn):
    """The request lines of each operation at `count` tags, in this order; they leave as many tags as they found."""
    picks = random.Random(turn).sample(range(count), OPERATIONS)
    fresh = [artifact(f"round {turn} number {i}") for i in range(OPERATIONS)]
    pages = f"/v2/{REPOSITORY}/tags/list?n=50"
    heads = [f"HEAD\t/v2/{REPOSITORY}/manifests/{tag_name(i)}\t200" for i in picks]
    return {
        "HEAD by tag, never asked before": heads,
        "HEAD by tag": heads,
        "page of 50 tags, first": [f"GET\t{pages}\t200"] * OPERATIONS,
        "page of 50 tags, middle": [f"GET\t{pages}&last={tag_name(count // 2 - 1)}\t200"] * OPERATIONS,
        "PUT of a new tag": [put_line(f"x{turn}-{i}", manifest) for i, manifest in enumerate(fresh)],
        "DELETE by digest": [
            f"DELETE\t/v2/{REPOSITORY}/manifests/{sha256(manifest.encode())}\t202" for manifest in fresh
        ],
    }


# What cannot be asked again without being another work.
ONCE = ("HEAD by tag, never asked before", "PUT of a new tag", "DELETE by digest")


def operate(bench, sides, operations, turn, **options):
    """{operation: {side: milliseconds}}: the sides alternate within each operation, for a fair share of the noise.

    The servers are started anew, so that nothing is in their memory at first, at either size.
    """
    lines = {}
    for side, (server, count) in sides.items():
        server.stop()
        server.start()
        lines[side] = operations(server, count, turn)
    results = {}
    for operation in lines[OURS]:
        times = {side: [] for side in sides}
        for _ in range(1 if operation in ONCE else PASSES):
            for side, (server, _) in sides.items():
                times[side].append(replay(bench, server, lines[side][operation], **options)["p50_ms"])
        results[operation] = {side: median(values) for side, values in times.items()}
    return results


def compare_sizes(bench, work, many, fill, operations, **options):
    """Two servers, one with few things and one with many; all operations on both in turn."""
    few_name = f"Berth with {FEW}"
    with bench.up(Berth, Berth) as (large, small):
        filled = fill(bench, large, many)
        fill(bench, small, FEW)
        sides = {OURS: (large, many), few_name: (small, FEW)}
        os.sync()
        operate(bench, sides, operations, bench.rounds, **options)
        turns = []
        for turn in range(bench.rounds):
            sides = dict(reversed(sides.items()))
            turns.append(operate(bench, sides, operations, turn, **options))
    measures = []
    for operation in turns[0]:
        samples = {name: [turn[operation][name] for turn in turns] for name in (OURS, few_name)}
        measures.append(Measure(f"{work}: {operation}", "ms", samples, [Goal("<=", FLAT, few_name)]))
    return measures, filled


def tags(bench):
    many = bench.size(100_000, 10_000)
    measures, filled = compare_sizes(bench, f"{many:,} tags in one repository", many, fill_tags, tag_operations)
    rates = filled["window_rates"]
    tenth = max(len(rates) // 10, 1)
    first, last = rates[:tenth], rates[-tenth:]
    samples = {OURS: last, "first tenth": first}
    work = f"{many:,} tags, PUTs of 8 clients: last tenth of them"
    measures.append(Measure(work, "PUTs/s", samples, [Goal(">=", 1 / FLAT, "first tenth")]))
    return measures


PAGE = 10


def fill_artifacts(bench, server, count):
    filled = fill_tags(bench, server, count)
    server.publish(REPOSITORY.partition("/")[0])
    return filled


def artifact_operations(server, count, turn):
    """Pages of Harbor's list, by number; anybody may read them."""
    project, _, rest = REPOSITORY.partition("/")
    path = f"/api/v2.0/projects/{project}/repositories/{rest}/artifacts"
    everything = "&with_tag=true&with_label=true&with_accessory=true"
    pages = count // PAGE
    picks = random.Random(turn).sample(range(count), OPERATIONS)

    def page(number, more=""):
        return [f"GET\t{path}?page={number}&page_size={PAGE}{more}\t200"] * OPERATIONS

    middle = (count - OPERATIONS) // 2
    return {
        f"page of {PAGE}, newest": page(1),
        f"page of {PAGE}, newest, all that belongs to it": page(1, everything),
        f"page of {PAGE}, oldest first": page(1, "&sort=push_time"),
        f"page of {PAGE}, middle": page(pages // 2),
        f"page of {PAGE}, last": page(pages),
        "pages of 1 in a row, from the middle on": [
            f"GET\t{path}?page={middle + i + 1}&page_size=1\t200" for i in range(OPERATIONS)
        ],
        "the one with a tag": [f"GET\t{path}?q=tags={tag_name(i)}\t200" for i in picks],
    }


def artifacts(bench):
    many = bench.size(100_000, 10_000)
    work = f"{many:,} artifacts in one repository, by Harbor's API"
    return compare_sizes(bench, work, many, fill_artifacts, artifact_operations, token=None)[0]


RARE = 50


def fill_referrers(bench, server, count):
    """`count` referrers on one subject, RARE of them of a type of their own."""
    server.put_blob(REPOSITORY, EMPTY)
    data = artifact("subject").encode()
    server.put_manifest(REPOSITORY, "subject", data)
    subject = {"mediaType": MANIFEST_TYPE, "digest": sha256(data), "size": len(data)}
    step = count // RARE
    lines = []
    for i in range(count):
        kind = "rare" if i % step == 0 else "common"
        manifest = artifact(f"referrer {i}", f"application/x.{kind}", subject)
        lines.append(put_line(sha256(manifest.encode()), manifest))
    return replay(bench, server, lines, clients=8)


def referrer_operations(server, count, turn):
    subject = sha256(artifact("subject").encode())
    path = f"/v2/{REPOSITORY}/referrers/{subject}"
    _, body = server.expect(200, "GET", f"{path}?artifactType=application/x.rare", token=server.token(REPOSITORY))
    found = len(json.loads(body)["manifests"])
    if found != RARE:
        raise RuntimeError(f"{found} referrers of the type instead of {RARE}")
    return {
        f"page filtered to {RARE}": [f"GET\t{path}?artifactType=application/x.rare\t200"] * OPERATIONS,
        f"page of {RARE}, no filter": [f"GET\t{path}?n={RARE}\t200"] * OPERATIONS,
    }


def referrers(bench):
    many = bench.size(10_000, 1_000)
    work = f"{many:,} referrers on one subject"
    return compare_sizes(bench, work, many, fill_referrers, referrer_operations)[0]


PER_REPOSITORY = 1000


def repository_rows(repository_id, first_id, now_us):
    """Rows of a repository's manifests, their references and tags."""
    name = f"bench/r{repository_id}"
    config, layer = sha256(f"{name} config".encode()), sha256(f"{name} layer".encode())
    manifests, references, names = [], [], []
    for i in range(PER_REPOSITORY):
        descriptor = {"mediaType": EMPTY_TYPE, "digest": config, "size": 2}
        layers = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 2}]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": descriptor, "layers": layers}
        manifest["annotations"] = {"org.example.number": str(i)}
        data = json.dumps(manifest).encode()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        manifests.append((first_id + i, repository_id, digest, MANIFEST_TYPE, EMPTY_TYPE, len(data), now_us, data))
        references += [(first_id + i, config, 0), (first_id + i, layer, 1)]
        names.append((repository_id, tag_name(i), first_id + i, now_us))
    return manifests, references, names


def fill_database(path, count):
    """Writes `count` manifests with tags and references straight into the database of a stopped server."""
    now_us = int(time.time() * 1e6)
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous = OFF")
    (project,) = database.execute("SELECT id FROM project WHERE name = 'bench'").fetchone()
    (role,) = database.execute("SELECT min(role) FROM manifest_reference").fetchone()
    first = 1_000
    for repository in range(first, first + count // PER_REPOSITORY):
        database.execute(
            "INSERT INTO repository (id, tenant_id, project_id, name, created_at_us) VALUES (?, 1, ?, ?, ?)",
            (repository, project, f"bench/r{repository}", now_us),
        )
        manifests, references, names = repository_rows(repository, repository * PER_REPOSITORY, now_us)
        database.executemany(
            "INSERT INTO manifest"
            " (id, repository_id, digest, media_type, artifact_type, size_bytes, created_at_us, content)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            manifests,
        )
        rows = [(manifest, digest, role + kind) for manifest, digest, kind in references]
        database.executemany("INSERT INTO manifest_reference (manifest_id, digest, role) VALUES (?, ?, ?)", rows)
        database.executemany("INSERT INTO tag (repository_id, name, manifest_id, updated_at_us) VALUES (?, ?, ?, ?)", names)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return f"bench/r{first + count // PER_REPOSITORY // 2}"


def time_to_first_answer(server, path, token):
    """Milliseconds from exec to the first manifest, asked for every millisecond."""
    start = time.monotonic()
    server.launch()
    while True:
        try:
            server.expect(200, "GET", path, token=token)
            return (time.monotonic() - start) * 1e3
        except ConnectionError:
            if server.process.poll() is not None or time.monotonic() - start > 60:
                raise
            time.sleep(0.001)


def start(bench):
    count = bench.size(1_000_000, 100_000)
    with bench.up(Berth) as (server,):
        server.put_blob(REPOSITORY, EMPTY)
        server.put_manifest(REPOSITORY, "one", artifact("one").encode())
        token = server.token(f"bench/r{1_000 + count // PER_REPOSITORY // 2}")
        server.stop()
        repository = fill_database(server.database_file(), count)
        path = f"/v2/{repository}/manifests/{tag_name(PER_REPOSITORY // 2)}"

        def measure(_):
            elapsed = time_to_first_answer(server, path, token)
            server.stop()
            return elapsed

        measure(OURS)
        samples = bench.alternate([OURS], measure)
    return [Measure(f"start with {count:,} manifests until the first answer", "ms", samples, [Goal("<=", 100)])]
