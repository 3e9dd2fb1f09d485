# SPDX-License-Identifier: Apache-2.0
"""Two nodes on one database that both collect, while clients of both push and delete the same content."""
import itertools
import threading

from harness import oci
from harness.people import call
from harness.wait import together, wait_until

GC = "/api/v2.0/system/gc"
ENOUGH = 12  # pushes that were acknowledged


def run(admin):
    """One run to its end, at whichever node takes it."""
    path = call(admin, "POST", f"{GC}/schedule", {"schedule": {"type": "Manual"}, "parameters": {"workers": 2}}, expect=201).headers["Location"]
    return wait_until(lambda: (lambda job: job["job_status"] not in ("Pending", "Running", "Scheduled") and job)(admin.get(path, expect=200).json()),
                      what="its end")


def attempts(node):
    """Collections that this node has ended, of both kinds."""
    text = node.client(auth="basic").get("/metrics", expect=200).text
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in text.splitlines()
               if line.startswith(("berth_jobs_attempts_total{kind=\"collect\",result=\"done\"}", "berth_jobs_attempts_total{kind=\"gc\",result=\"done\"}")))


def test_what_was_acknowledged_at_either_node_is_there_at_both(servers, database, node):
    nodes = [node(servers.url(database), garbage_window="0s", garbage_per_second_max="50") for _ in range(2)]
    contents = [oci.image(f"shared {i}", layers=2) for i in range(3)]
    over, acknowledged, runs = threading.Event(), [], []

    def collector():
        admin = nodes[0].client(auth="basic")
        while not over.is_set() or not all(attempts(each) for each in nodes):
            runs.append(run(admin)["job_status"])

    def look(content, here, there, tag):
        for blob in content.blobs:
            for repo in (here, there):
                answer = repo.get_blob(oci.digest_of(blob), expect=(200, 404))
                if answer.status_code == 200:
                    assert answer.content == blob
                else:  # nobody else sets this tag, so it cannot have come back meanwhile
                    here.get_manifest(tag, expect=404)

    def pusher(number):
        here, there = (each.client().repository("tests/both") for each in (nodes[number % 2], nodes[(number + 1) % 2]))
        for turn in itertools.count():
            if len(acknowledged) >= ENOUGH:
                return
            content, tag, seen = contents[(number + turn) % len(contents)], f"t{number}", len(runs)
            for blob in content.blobs:
                here.push_blob(blob)
            if here.put_manifest(content, tag, expect=(201, 404)).status_code == 404:
                continue  # there is no window: its blobs were collected before it came
            acknowledged.append(tag)
            while len(runs) < seen + 2:  # a whole run of a collector
                look(content, here, there, tag)
            here.delete_manifest(content.digest if turn % 2 else tag, expect=(202, 404))

    background = threading.Thread(target=collector)
    background.start()
    try:
        together(3, pusher)
    finally:
        over.set()
        background.join(60)
    assert set(runs) == {"Success"}
    named = ", ".join(f"'{oci.digest_of(blob)}'" for content in contents for blob in content.blobs)
    repo = nodes[0].client().repository("tests/both")
    for content in contents:
        repo.delete_manifest(content.digest, expect=(202, 404))
    wait_until(lambda: not servers.primary.query(f"SELECT id FROM blob WHERE digest IN ({named})", database), what="all of it being collected in the end")
    assert not any(digest.split(":")[1] in str(path) for path in nodes[0].stored_files() for digest in map(oci.digest_of, contents[0].blobs))
