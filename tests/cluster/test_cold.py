# SPDX-License-Identifier: Apache-2.0
"""A manifest that nobody asked this node for takes one query, as PostgreSQL's own log counts them, whether or not its repository is known."""
import re

import pytest

from harness import oci
from harness.people import call
from harness.wait import wait_until

STATEMENT = re.compile(r"LOG:  (?:execute \S+|statement): (.*)")
BACKGROUND = re.compile(r"^SELECT CAST\(EXTRACT|pg_is_in_recovery|job|audit|quota|upload|pg_notify")  # what a node asks for itself, whenever it comes to it
WEBHOOKS = 1  # whether a project wants to be told of pulls is asked at its first one
# By the names under which they were pushed; the last four were renamed since, and keep these as aliases.
REPOSITORIES = ("cold/a", "cold/b", "other/a", "was/a", "was/c", "had/a", "both/a")
RENAMED = (
    ("projects/was/repositories/a", "was/b"), ("projects/was/repositories/c", "was/d"), ("projects/had", "has"),
    ("projects/both/repositories/a", "both/b"), ("projects/both", "twice"),
)


class Cold:
    """A node that has seen who asks, and nothing of what is asked for."""

    def __init__(self, server, database, node):
        self.server = server
        self.registry = node(server.url(database), jobs_workers=0)
        warm = self.registry.client()
        self.images = {(name, tag): oci.image(f"{name}:{tag}") for name in REPOSITORIES for tag in ("v1", "v2")}
        for (name, tag), image in self.images.items():
            warm.repository(name).push(image, tag)
        warm.repository("seen/app").push(oci.image("seen"), "v1")
        admin = self.registry.client(auth="basic")
        for what, name in RENAMED:
            call(admin, "POST", f"/api/berth/v1/{what}/rename", {"name": name, "alias": True})
        server.query(f"ALTER DATABASE {database} SET log_statement = 'all'")
        # Who gives a token out has looked at its repositories: this one is of the time before.
        token = warm.token(*(f"repository:{name}:pull" for name in (*REPOSITORIES, "seen/app")))
        self.registry.restart()
        self.client = self.registry.client()
        self.headers = {"Authorization": f"Bearer {token}", "Accept": "*/*"}
        wait_until(lambda: not self.queries("seen/app", "v1")[1], what="the node hearing notifications, and remembering what it sees")

    def get(self, name, reference, method="GET", expect=200):
        return self.client.request(method, f"/v2/{name}/manifests/{reference}", headers=self.headers, expect=expect)

    def queries(self, name, reference, **options):
        """What the server was asked for while this was answered: (answer, statements)."""
        at = self.server.log.stat().st_size
        answer = self.get(name, reference, **options)
        with open(self.server.log, encoding="utf-8") as log:
            log.seek(at)
            asked = [found[1] for found in map(STATEMENT.search, log) if found]
        return answer, [one for one in asked if one.startswith("SELECT") and not BACKGROUND.search(one)]


@pytest.fixture
def cold(servers, database, node):
    return Cold(servers.primary, database, node)


def test_queries_of_a_cold_manifest(cold):
    image = cold.images.__getitem__
    for name, reference, method, count in (
        ("cold/a", "v1", "GET", 1 + WEBHOOKS),
        ("cold/b", image(("cold/b", "v1")).digest, "GET", 1),
        ("other/a", "v1", "HEAD", 1),  # nobody is told of it
        ("cold/a", "v2", "GET", 1),
        ("cold/b", image(("cold/b", "v2")).digest, "GET", 1),
        ("cold/a", "v1", "GET", 0),
        ("cold/a", image(("cold/a", "v2")).digest, "GET", 0),
        ("other/a", "v1", "GET", WEBHOOKS),
        ("other/a", "v1", "GET", 0),
    ):
        answer, asked = cold.queries(name, reference, method=method)
        assert len(asked) == count, (name, reference, asked)
        wanted = next(one for (other, tag), one in cold.images.items() if other == name and reference in (tag, one.digest))
        assert answer.headers["Docker-Content-Digest"] == wanted.digest
        assert method == "HEAD" or answer.content == wanted.body


def test_a_cold_manifest_is_a_lookup_by_key(cold):
    """Neither project nor aliases, which made PostgreSQL work twice as long for it."""
    for reference in ("v1", cold.images["cold/a", "v2"].digest):
        _, asked = cold.queries("cold/a", reference)
        (query,) = [one for one in asked if "content" in one]
        assert not re.search(r"project p|alias|COALESCE", query), query


def test_queries_of_a_cold_manifest_by_a_name_that_was(cold):
    """Of the repository, of its project, or of both: one more, for who has had that name."""
    for name, reference, count in (
        ("was/a", "v1", 2 + WEBHOOKS),
        ("was/c", cold.images["was/c", "v2"].digest, 2),
        ("had/a", "v1", 2 + WEBHOOKS),
        ("both/a", "v1", 2 + WEBHOOKS),
        ("was/a", "v2", 1),
        ("was/a", "v1", 0),
        ("both/a", "v1", 0),
    ):
        answer, asked = cold.queries(name, reference)
        assert len(asked) == count, (name, reference, asked)
        assert answer.content == next(one.body for (other, tag), one in cold.images.items() if other == name and reference in (tag, one.digest))


def test_who_may_not_see_it_makes_nobody_fetch_it(cold):
    """The time that it took would tell whether there is such a tag."""
    for headers in ({}, {"Authorization": "Bearer " + cold.registry.client().token("repository:seen/app:pull")}):
        cold.headers = headers
        for name, reference in (("cold/a", "v1"), ("cold/b", cold.images["cold/b", "v1"].digest), ("was/a", "v1")):
            _, asked = cold.queries(name, reference, expect=401)
            assert not [one for one in asked if "content" in one], asked


def test_queries_for_what_is_not_there(cold):
    for name, reference, count in (("cold/a", "none", 2), ("cold/a", "none", 1), ("cold/a", "sha256:" + "0" * 64, 1)):
        _, asked = cold.queries(name, reference, expect=404)
        assert len(asked) == count, (name, reference, asked)
