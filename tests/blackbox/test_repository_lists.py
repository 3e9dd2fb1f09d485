# SPDX-License-Identifier: Apache-2.0
"""Long lists of repositories, page by page and in every order, against a model; and again after what changes them, because how
long a list is and where its pages begin is remembered."""
import urllib.parse

import pytest

from harness import oci
from harness.members import add_member
from harness.people import API, call, make_person
from harness.wire import unique

BERTH = "/api/berth/v1"
COUNT = 240
PAGE = 20


class Model:
    def __init__(self, admin, client):
        self.admin, self.client = admin, client
        self.project = unique("many")
        client.make_project(self.project)
        # An upload that is begun makes a repository. Named so that the order by name is another than that of making.
        self.names = [f"app-{number * 7 % COUNT:03}" for number in range(COUNT)]
        for name in self.names:
            client.repository(f"{self.project}/{name}").start_upload()

    def add(self, name):
        self.client.repository(f"{self.project}/{name}").push(oci.image("one of many"), "v1")
        self.names.append(name)

    def pages(self, path, query, expected, looker=None):
        for page in (1, 2, *range(len(expected) // PAGE - 1, len(expected) // PAGE + 2), 2, 1):
            answer = (looker or self.admin).get(f"{path}?page_size={PAGE}&page={page}&{query}", expect=200)
            names = [row["name"].removeprefix(f"{self.project}/") for row in answer.json()]
            assert names == expected[PAGE * (page - 1):PAGE * page], (query, page)
            assert answer.headers["X-Total-Count"] == str(len(expected))

    def check(self, looker=None):
        own = f"{API}/projects/{self.project}/repositories"
        orders = {"name": sorted(self.names), "creation_time": self.names}
        for sort, names in orders.items():
            for direction, expected in (("", names), ("-", names[::-1])):
                self.pages(own, f"sort={direction}{sort}", expected, looker)
                self.pages(own, f"sort={direction}{sort}&q=name=~app-1", [name for name in expected if "app-1" in name], looker)
        self.pages(f"{API}/repositories", f"sort=-name&q=name=~{self.project}/", sorted(self.names)[::-1], looker)


@pytest.fixture
def model(admin, client):
    return Model(admin, client)


def test_long_lists_follow_every_change(model, admin):
    model.check()
    model.add("app-100-new")
    model.check()
    call(admin, "DELETE", f"{API}/projects/{model.project}/repositories/app-100-new")
    model.names.pop()
    model.add("app-150-new")  # as many as before
    model.check()
    path = urllib.parse.quote("app-150-new", safe="")
    call(admin, "POST", f"{BERTH}/projects/{model.project}/repositories/{path}/rename", {"name": f"{model.project}/app-000-first"})
    model.names[-1] = "app-000-first"
    model.check()
    name = unique("called")
    call(admin, "POST", f"{BERTH}/projects/{model.project}/rename", {"name": name})
    model.project = name
    model.check()


def test_who_sees_a_part_sees_the_same_pages_of_it(model, admin):
    person = make_person(admin)
    add_member(admin, model.project, "guest", user_id=person.id)
    model.check(person.client)


@pytest.mark.parametrize("sort", ["update_time", "pull_count", "artifact_count"])
def test_other_orders(model, admin, sort):
    """By what changes with every push or pull; in the order of their ids where that is the same."""
    model.add("app-pushed")
    own = f"{API}/projects/{model.project}/repositories?page_size=100"
    found = [[row["name"].partition("/")[2] for row in admin.get(f"{own}&page={page}&sort={sort}", expect=200).json()] for page in (1, 2, 3)]
    assert sum(found, []) == model.names
    newest = admin.get(f"{own}&sort=-{sort}", expect=200).json()
    assert [row["name"].partition("/")[2] for row in newest] == model.names[:-101:-1]


def test_one_by_its_name(model, admin, anonymous):
    own = f"{API}/projects/{model.project}/repositories"
    for path, query in ((own, "name=app-007"), (own, f"name={model.project}/app-007"), (f"{API}/repositories", f"name={model.project}/app-007")):
        answer = admin.get(f"{path}?q={query}", expect=200)
        assert [row["name"] for row in answer.json()] == [f"{model.project}/app-007"] and answer.headers["X-Total-Count"] == "1"
        assert admin.get(f"{path}?q={query}&page=2", expect=200).json() == []
    hidden = anonymous.get(f"{API}/repositories?q=name={model.project}/app-007", expect=200)
    assert hidden.json() == [] and hidden.headers["X-Total-Count"] == "0"
