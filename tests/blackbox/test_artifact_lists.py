# SPDX-License-Identifier: Apache-2.0
"""Lists of a repository's artifacts that are filtered or sorted: each against a model, and again after everything that changes
them, because how long a list is and where its pages begin is remembered."""
import json

import pytest

from harness import oci
from harness.wait import wait_until
from harness.wire import unique

API = "/api/v2.0"
CHART = "application/vnd.cncf.helm.config.v1+json"
PAGE = 5


class Model:
    """What was pushed, oldest first."""

    def __init__(self, admin, client, project):
        self.admin, self.rows = admin, []
        self.repo = client.repository(f"{project}/app")
        self.base = f"{API}/projects/{project}/repositories/app/artifacts"
        self.labels = [self.make_label(), self.make_label()]

    def make_label(self):
        body = json.dumps({"name": unique("list"), "scope": "g"})
        made = self.admin.post(f"{API}/labels", body=body, headers={"Content-Type": "application/json"}, expect=201)
        return int(made.headers["Location"].rsplit("/", 1)[1])

    def push(self, number, kind="IMAGE", tag=None, **more):
        chart = {"config_type": CHART, "config": oci.encode({"name": str(number)})} if kind == "CHART" else {}
        content = oci.image(f"list {number}", layer_size=100 + number * 37 % 50 * 10, **chart, **more)
        self.repo.push(content, tag)
        self.add(content, kind, tag, chart.get("config_type", oci.OCI_CONFIG))
        return self.rows[-1]

    def add(self, content, kind, tag, media_type, size=0):
        self.rows.append({
            "content": content, "digest": content.digest, "type": kind, "media_type": media_type, "tags": {tag} - {None}, "labels": set(),
            "listed": not content.document.get("subject"), "size": size + len(content.body) + sum(len(blob) for blob in content.blobs),
        })

    def label(self, row, number, method="POST"):
        path = f"{self.base}/{row['digest']}/labels"
        if method == "POST":
            body, headers = json.dumps({"id": self.labels[number]}), {"Content-Type": "application/json"}
            self.admin.post(path, body=body, headers=headers, expect=200)
            row["labels"].add(number)
        else:
            self.admin.delete(f"{path}/{self.labels[number]}", expect=200)
            row["labels"].discard(number)

    def walk(self, query, sort, count):
        """All pages in turn, and one again; with the total that each page gave."""
        pages, totals = [], set()
        for page in [*range(1, count // PAGE + 2), 2, 1]:
            answer = self.admin.get(f"{self.base}?page_size={PAGE}&page={page}&sort={sort}&q={query}", expect=200)
            totals.add(int(answer.headers["X-Total-Count"]))
            pages.append([row["digest"] for row in answer.json()])
        assert pages[-1] == pages[0] and pages[-2] == (pages + [[]])[1]
        return sum(pages[:-2], []), totals

    def check(self):
        first, second = self.labels
        lists = {
            "": lambda row: True,
            "type=IMAGE": lambda row: row["type"] == "IMAGE",
            "type=CHART": lambda row: row["type"] == "CHART",
            "type=NONE": lambda row: False,
            f"media_type={CHART.replace('+', '%252B')}": lambda row: row["media_type"] == CHART,
            "tags=nil": lambda row: not row["tags"],
            "tags=*": lambda row: row["tags"],
            "tags=~v1": lambda row: any("v1" in tag for tag in row["tags"]),
            "tags=~v": lambda row: any("v" in tag for tag in row["tags"]),
            f"labels=({first})": lambda row: 0 in row["labels"],
            f"labels={second}": lambda row: 1 in row["labels"],
            f"labels=({first}%20{second})": lambda row: row["labels"] == {0, 1},
            "type=CHART,tags=nil": lambda row: row["type"] == "CHART" and not row["tags"],
        }
        for query, fits in lists.items():
            rows = [row for row in self.rows if row["listed"] and fits(row)]
            self.expect(query, rows)
        self.expect("base=*", self.rows)
        self.expect("base=*,type=IMAGE", [row for row in self.rows if row["type"] == "IMAGE"])

    def expect(self, query, rows):
        orders = {"push_time": rows}
        if query in ("", "type=IMAGE"):
            orders["size"] = sorted(rows, key=lambda row: row["size"])
        for order, expected in orders.items():
            digests = [row["digest"] for row in expected]
            for sort, wanted in ((order, digests), (f"-{order}", digests[::-1])):
                found, totals = self.walk(query, sort, len(digests))
                if order == "size":
                    assert sorted(found) == sorted(wanted)
                    sizes = {row["digest"]: row["size"] for row in rows}
                    found, wanted = [sizes[digest] for digest in found], [sizes[digest] for digest in wanted]
                assert (found, totals) == (wanted, {len(wanted)}), f"{query} by {sort}"


@pytest.fixture
def model(admin, client):
    project = unique("lists")
    client.make_project(project)
    model = Model(admin, client, project)
    for number in range(18):
        model.push(number, "CHART" if number % 3 == 0 else "IMAGE", f"v{number}" if number % 4 else None)
    for number in range(0, 18, 2):
        model.label(model.rows[number], 0)
    model.label(model.rows[4], 1)
    model.check()
    return model


class TestListsFollowEveryChange:
    def test_of_tags(self, model):
        moved = model.rows[5]
        model.repo.put_manifest(model.rows[7]["content"], "v5")
        moved["tags"].clear()
        model.rows[7]["tags"].add("v5")
        model.check()
        model.repo.delete_manifest("v7")
        model.rows[7]["tags"].discard("v7")
        model.check()
        model.repo.put_manifest(model.rows[0]["content"], "v1-late")
        model.rows[0]["tags"].add("v1-late")
        model.check()

    def test_of_labels(self, model):
        model.label(model.rows[6], 1)
        model.check()
        model.label(model.rows[4], 0, "DELETE")
        model.check()
        model.admin.delete(f"{API}/labels/{model.labels[1]}", expect=200)
        for row in model.rows:
            row["labels"].discard(1)
        model.check()

    def test_of_what_is_there(self, model):
        model.push(18, "CHART", "v18")
        model.check()
        model.repo.delete_manifest(model.rows.pop(3)["digest"])
        model.check()
        # As many as before.
        model.repo.delete_manifest(model.rows.pop(1)["digest"])
        model.push(19, "IMAGE", "v19")
        model.check()

    def test_of_what_is_no_artifact_of_its_own(self, model):
        signature = oci.image("list 20", subject=model.rows[0]["content"].descriptor(), layer_size=70)
        model.repo.push(signature)
        model.add(signature, "IMAGE", None, oci.OCI_CONFIG)
        model.check()
        child = next(row for row in model.rows if not row["tags"] and row["type"] == "IMAGE")
        index = oci.index([child["content"]])
        model.repo.put_manifest(index)
        model.add(index, "IMAGE", None, oci.OCI_INDEX, child["size"])
        child["listed"] = False
        model.check()


@pytest.mark.settings(pulls_write_interval="100ms")
def test_pull_times_change_the_order_and_nothing_else(model):
    """A list by pull time is another list after a pull."""
    pulled = model.rows[8]

    def newest():
        answer = model.admin.get(f"{model.base}?sort=-pull_time&page_size={PAGE}", expect=200)
        assert answer.headers["X-Total-Count"] == "18"
        return answer.json()[0]["digest"]

    assert newest() == model.rows[-1]["digest"]  # none was pulled: by their ids
    model.repo.get_manifest(pulled["digest"])
    wait_until(lambda: newest() == pulled["digest"], what="the pulled one before those that never were")
