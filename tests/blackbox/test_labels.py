# SPDX-License-Identifier: Apache-2.0
"""Labels: of everybody or of a project, on artifacts and off again, and who may touch them."""
import json

import pytest

from harness import oci
from harness.wire import unique

API = "/api/v2.0"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def project(client):
    name = unique("labels")
    client.make_project(name)
    return name


@pytest.fixture
def project_id(admin, project):
    return admin.get(f"{API}/projects/{project}", expect=200).json()["project_id"]


def send(client, method, path, body, expect):
    return client.request(method, path, headers=JSON, body=json.dumps(body), expect=expect)


def create(client, expect=201, **label):
    answer = send(client, "POST", f"{API}/labels", {"name": unique("label"), "scope": "g", **label}, expect)
    return int(answer.headers["Location"].rsplit("/", 1)[1]) if answer.status_code == 201 else None


@pytest.fixture
def robot(registry, admin, project):
    body = {
        "name": unique("bot"), "level": "project", "duration": -1,
        "permissions": [{"kind": "project", "namespace": project, "access": [
            {"resource": "label", "action": action} for action in ("create", "read", "update", "delete", "list")
        ]}],
    }
    made = send(admin, "POST", f"{API}/robots", body, 201).json()
    return registry.client(made["name"], made["secret"], auth="basic")


def test_life_of_a_label(admin):
    name = unique("life")
    label_id = create(admin, name=name, description="d", color="#fff")
    label = admin.get(f"{API}/labels/{label_id}", expect=200).json()
    assert {**label, "creation_time": 0, "update_time": 0} == {
        "id": label_id, "name": name, "description": "d", "color": "#fff", "scope": "g", "project_id": 0,
        "creation_time": 0, "update_time": 0,
    }
    send(admin, "PUT", f"{API}/labels/{label_id}", {"name": name + "2", "color": "#000"}, 200)
    changed = admin.get(f"{API}/labels/{label_id}", expect=200).json()
    assert (changed["name"], changed["description"], changed["color"]) == (name + "2", "", "#000")
    assert changed["update_time"] > label["update_time"]
    admin.delete(f"{API}/labels/{label_id}", expect=200)
    admin.get(f"{API}/labels/{label_id}", expect=404)
    admin.delete(f"{API}/labels/{label_id}", expect=404)
    send(admin, "PUT", f"{API}/labels/{label_id}", {"name": "x"}, 404)


def test_names_are_one_of_their_kind(admin, project_id):
    name = unique("same")
    label_id = create(admin, name=name)
    create(admin, name=name, expect=409)
    in_project = create(admin, name=name, scope="p", project_id=project_id)
    create(admin, name=name, scope="p", project_id=project_id, expect=409)
    other = create(admin, name=name + "-other")
    send(admin, "PUT", f"{API}/labels/{other}", {"name": name}, 409)
    send(admin, "PUT", f"{API}/labels/{label_id}", {"name": name, "color": "#1"}, 200)
    assert admin.get(f"{API}/labels/{in_project}", expect=200).json()["project_id"] == project_id


@pytest.mark.parametrize("label, status", [
    ({"name": ""}, 400), ({"name": "x" * 129}, 400), ({"name": None}, 400), ({"name": 7}, 422), ({"scope": "x"}, 400),
    ({"scope": "p"}, 400), ({"scope": "p", "project_id": 0}, 400), ({"scope": "p", "project_id": -5}, 400),
    ({"color": "#" * 100}, 422), ({"description": "x" * 5000}, 422), ({"scope": None}, 400),
])
def test_bad_labels(admin, label, status):
    create(admin, expect=status, **label)


def test_of_a_project_that_is_not_there(admin):
    create(admin, scope="p", project_id=999999, expect=404)


def test_lists(admin, project_id):
    mine = [create(admin, name=f"{word}-{unique('p')}", scope="p", project_id=project_id) for word in ("b_b", "a", "c")]
    everybodys = create(admin, name=f"zz-{unique('g')}")

    def ids(query):
        answer = admin.get(f"{API}/labels?{query}", expect=200)
        return [label["id"] for label in answer.json()], int(answer.headers["X-Total-Count"])

    assert ids(f"scope=p&project_id={project_id}") == (mine, 3)
    assert ids(f"scope=p&project_id={project_id}&sort=name") == ([mine[1], mine[0], mine[2]], 3)
    assert ids(f"scope=p&project_id={project_id}&sort=-name&page_size=1&page=2") == ([mine[0]], 3)
    assert ids(f"scope=p&project_id={project_id}&name=b_") == ([mine[0]], 1)
    assert ids(f"scope=p&project_id={project_id}&name=%25") == ([], 0)
    assert ids(f"scope=p&project_id={project_id}&q=name=~c-") == ([mine[2]], 1)
    assert everybodys in ids("scope=g&page_size=100")[0]
    assert not set(mine) & set(ids("scope=g&page_size=100")[0])
    for bad in ("", "scope=p", "scope=x", "scope=p&project_id=x"):
        admin.get(f"{API}/labels?{bad}", expect=(400, 422))


class TestPermissions:
    def test_everybodys_labels_are_the_administrators(self, admin, robot, anonymous):
        label_id = create(admin)
        create(robot, expect=403)
        robot.delete(f"{API}/labels/{label_id}", expect=403)
        send(robot, "PUT", f"{API}/labels/{label_id}", {"name": "x"}, 403)
        create(anonymous, expect=401)
        anonymous.get(f"{API}/labels/{label_id}", expect=401)
        anonymous.get(f"{API}/labels?scope=g", expect=401)

    def test_a_projects_labels_are_its_members(self, admin, client, robot, project_id):
        label_id = create(robot, scope="p", project_id=project_id)
        robot.get(f"{API}/labels/{label_id}", expect=200)
        assert len(robot.get(f"{API}/labels?scope=p&project_id={project_id}", expect=200).json()) == 1
        send(robot, "PUT", f"{API}/labels/{label_id}", {"name": "renamed"}, 200)
        robot.delete(f"{API}/labels/{label_id}", expect=200)

    def test_another_projects_labels_are_not(self, admin, client, robot):
        other = unique("labels-other")
        client.make_project(other)
        other_id = admin.get(f"{API}/projects/{other}", expect=200).json()["project_id"]
        label_id = create(admin, scope="p", project_id=other_id)
        create(robot, scope="p", project_id=other_id, expect=403)
        robot.get(f"{API}/labels/{label_id}", expect=403)
        robot.get(f"{API}/labels?scope=p&project_id={other_id}", expect=403)
        robot.delete(f"{API}/labels/{label_id}", expect=403)


class TestOnArtifacts:
    @pytest.fixture
    def repo(self, client, project):
        repo = client.repository(f"{project}/app")
        repo.push(oci.image("worn"), "v1")
        return repo

    @pytest.fixture
    def base(self, repo, project):
        return f"{API}/projects/{project}/repositories/app/artifacts"

    def worn(self, admin, base, reference="v1"):
        return [label["id"] for label in admin.get(f"{base}/{reference}?with_label=true", expect=200).json()["labels"]]

    def test_on_and_off(self, admin, base, project_id):
        mine = create(admin, name="a", scope="p", project_id=project_id)
        everybodys = create(admin)
        for label_id in (mine, everybodys):
            send(admin, "POST", f"{base}/v1/labels", {"id": label_id}, 200)
        assert self.worn(admin, base) == [mine, everybodys]
        assert "labels" not in admin.get(f"{base}/v1", expect=200).json()
        send(admin, "POST", f"{base}/v1/labels", {"id": mine}, 409)
        admin.delete(f"{base}/v1/labels/{mine}", expect=200)
        admin.delete(f"{base}/v1/labels/{mine}", expect=404)
        assert self.worn(admin, base) == [everybodys]
        admin.delete(f"{API}/labels/{everybodys}", expect=200)
        assert self.worn(admin, base) == []

    def test_find_artifacts(self, admin, repo, base):
        repo.push(oci.image("other"), "v2")
        both, one = create(admin), create(admin)
        for reference, label_id in (("v1", both), ("v2", both), ("v2", one)):
            send(admin, "POST", f"{base}/{reference}/labels", {"id": label_id}, 200)

        def tags(query):
            return sorted(entry["tags"][0]["name"] for entry in admin.get(f"{base}?q=labels={query}", expect=200).json())

        assert tags(f"({both})") == ["v1", "v2"]
        assert tags(f"({both} {one})") == ["v2"]
        assert tags(f"{one}") == ["v2"]
        assert tags(f"({one} 999999)") == []

    def test_go_with_the_artifact(self, admin, repo, base):
        label_id = create(admin)
        send(admin, "POST", f"{base}/v1/labels", {"id": label_id}, 200)
        admin.delete(f"{base}/v1", expect=200)
        repo.push(oci.image("worn"), "v1")
        assert self.worn(admin, base) == []

    def test_not_of_another_project(self, admin, client, base):
        other = unique("labels-other")
        client.make_project(other)
        other_id = admin.get(f"{API}/projects/{other}", expect=200).json()["project_id"]
        label_id = create(admin, scope="p", project_id=other_id)
        send(admin, "POST", f"{base}/v1/labels", {"id": label_id}, 404)
        send(admin, "POST", f"{base}/v1/labels", {"id": 999999}, 404)
        send(admin, "POST", f"{base}/none/labels", {"id": create(admin)}, 404)
        send(admin, "POST", f"{base}/v1/labels", {"id": "x"}, 422)
        send(admin, "POST", f"{base}/v1/labels", {}, 404)

    def test_want_permissions(self, admin, robot, base):
        label_id = create(admin)
        send(robot, "POST", f"{base}/v1/labels", {"id": label_id}, 403)
        robot.delete(f"{base}/v1/labels/{label_id}", expect=403)
