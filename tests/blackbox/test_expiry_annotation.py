# SPDX-License-Identifier: Apache-2.0
"""Images that say themselves how long they want to be there: by a label as for Quay, or by an annotation."""
import json

import pytest

from harness import oci
from harness.people import call
from harness.wait import wait_until
from harness.wire import unique

API = "/api/v2.0"
OWN = "/api/berth/v1"
HOUR_US = 3600 * 10**6


def labelled(seed, **labels):
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {name.replace("_", "."): text for name, text in labels.items()}},
              "rootfs": {"type": "layers", "diff_ids": []}, "seed": str(seed)}
    config["config"]["Labels"] = {key.replace("expires.", "expires-"): value for key, value in config["config"]["Labels"].items()}
    return oci.image(seed, config=json.dumps(config).encode())


def annotated(seed, text, name="berth.expires-after"):
    return oci.image(seed, annotations={name: text})


class Place:
    def __init__(self, registry, admin, client):
        self.registry, self.admin = registry, admin
        self.project = unique("passing")
        client.make_project(self.project)
        self.repo = client.repository(f"{self.project}/app")

    def age(self, *tags, hours):
        """These tags were set so long ago, and their artifacts pushed; whoever looks for what is due looks at all."""
        names = ",".join(f"'{tag}'" for tag in tags)
        self.registry.execute(f"UPDATE tag SET updated_at_us = updated_at_us - {hours * HOUR_US} WHERE name IN ({names}) AND repository_id IN "
                              f"(SELECT id FROM repository WHERE name = '{self.project}/app')")

    def expire(self):
        """Everything that is due now is gone, or was put off."""
        self.registry.execute("UPDATE expiry SET due_at_us = 1")
        self.registry.execute("UPDATE job_schedule SET next_at_us = 1 WHERE name = 'expire_tags'")
        body = {"algorithm": "or", "rules": []}
        call(self.admin, "POST", f"{OWN}/projects/{self.project}/retention/preview", body, expect=201)
        wait_until(lambda: not self.registry.query("SELECT manifest_id FROM expiry WHERE due_at_us = 1"), what="the look at what is due")
        wait_until(lambda: not self.registry.query("SELECT id FROM job WHERE kind = 'expire_tags' AND state IN (1, 2)"), what="its end")

    def expiring(self, query=""):
        return self.admin.get(f"{OWN}/projects/{self.project}/expiring{query}", expect=200).json()


@pytest.fixture
def place(registry, admin, client):
    return Place(registry, admin, client)


@pytest.mark.parametrize("content", [labelled(1, quay_expires_after="2h"), annotated(2, "2h"), annotated(3, "120m", "quay.expires-after"),
                                     labelled(4, berth_expires_after="2h")])
def test_a_tag_goes_when_its_time_is_over(place, content):
    place.repo.push(content, "short")
    place.repo.push(oci.image("stays"), "long")
    [row] = place.expiring()
    assert row["digest"] == content.digest and [tag["name"] for tag in row["tags"]] == ["short"]
    place.age("short", hours=1)
    place.expire()
    assert place.repo.tag_names() == ["long", "short"], "not yet"
    place.age("short", hours=2)
    place.expire()
    assert place.repo.tag_names() == ["long"]
    place.repo.get_manifest(content.digest, expect=404)
    assert place.expiring() == []


def test_a_time_that_is_named(place):
    place.repo.push(annotated(1, "2020-01-01T00:00:00Z", "berth.expires-at"), "past")
    place.repo.push(annotated(2, "2999-01-01", "berth.expires-at"), "future")
    assert sorted(tag["expires_at"][:10] for row in place.expiring() for tag in row["tags"]) == ["2020-01-01", "2999-01-01"]
    place.expire()
    assert place.repo.tag_names() == ["future"]


def test_tagging_again_renews_and_each_tag_has_its_own_time(place):
    content = annotated(1, "2h")
    for tag in ("first", "second", "third"):
        place.repo.push(content, tag)
    place.age("first", "second", hours=3)
    place.repo.put_manifest(content, "second")
    place.expire()
    assert place.repo.tag_names() == ["second", "third"]
    place.repo.get_manifest(content.digest)
    place.age("second", "third", hours=3)
    place.expire()
    assert place.repo.tag_names() == []
    place.repo.get_manifest(content.digest, expect=404)


def test_a_child_of_an_index_loses_its_tag_and_stays(place):
    child = annotated(1, "1h")
    whole = oci.index([child])
    place.repo.push(whole, "whole")
    place.repo.put_manifest(child, "child")
    place.age("child", "whole", hours=2)
    place.expire()
    assert place.repo.tag_names() == ["whole"]
    place.repo.get_manifest(child.digest)


def test_what_runs_stays(place, admin):
    content = annotated(1, "1h")
    place.repo.push(content, "runs")
    cluster = unique("cluster")
    call(admin, "POST", f"{OWN}/inventory", {"cluster": cluster, "digests": [content.digest]})
    place.age("runs", hours=2)
    place.expire()
    assert place.repo.tag_names() == ["runs"]
    [job] = place.registry.query("SELECT max(id) FROM job WHERE kind = 'expire_tags'")
    assert "a cluster reports that it runs" in admin.get(f"{API}/jobservice/jobs/{job}/log", expect=200).text
    admin.delete(f"{OWN}/inventory/{cluster}", expect=200)
    place.expire()
    assert place.repo.tag_names() == []


def test_the_trail_names_expiry(place, admin):
    place.repo.push(annotated(1, "1h"), "gone")
    place.age("gone", hours=2)
    place.expire()
    rows = admin.get(f"{OWN}/audit/records?q=username=expiry&page_size=50", expect=200).json()["records"]
    assert [row["operation"] for row in rows if row["resource"].startswith(f"{place.project}/app@")] == ["delete"]


@pytest.mark.parametrize("text", ["", "soon", "0h", "1y", "-1h", "99999999999999999999d"])
def test_what_is_no_time_is_no_reason_to_refuse_a_push(place, text):
    place.repo.push(annotated(1, text), "odd")
    assert place.expiring() == []
    place.repo.get_manifest("odd")


def test_pages(place):
    for n in range(3):
        place.repo.push(annotated(n, f"{n + 1}h"), f"t{n}")
    rows = place.expiring()
    assert [row["tags"][0]["name"] for row in rows] == ["t0", "t1", "t2"]
    assert place.expiring(f"?page_size=1&cursor={rows[0]['cursor']}") == rows[1:2]
    place.admin.get(f"{OWN}/projects/{place.project}/expiring?cursor=7", expect=422)
