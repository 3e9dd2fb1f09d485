# SPDX-License-Identifier: Apache-2.0
"""What was deleted comes back as it was, until its window is over; nothing else knows of it, and nothing of it is lost meanwhile."""
import threading

import pytest

from harness import oci
from harness.members import add_member, make_project
from harness.people import API, call, make_person
from harness.quota import OWN, Project
from harness.wait import together, wait_until
from harness.wire import unique

pytestmark = pytest.mark.settings(trash_window="1h")
LABEL = {"name": "kept", "scope": "p", "color": "#000000"}


@pytest.fixture
def project(client, admin):
    return Project(client, admin, unique("trash"))


def entries(project, expect=200, **query):
    return project.admin.get(f"{OWN}/projects/{project.name}/trash", params={"page_size": 0, **query}, expect=expect).json()


def only(project, **query):
    found = entries(project, **query)
    assert len(found) == 1, found
    return found[0]


def restore(project, entry, expect=200, who=None, **body):
    return call(who or project.admin, "POST", f"{OWN}/projects/{project.name}/trash/{entry['id']}/restore", body, expect=expect).json()


def artifacts(project, rest="app"):
    path = f"{API}/projects/{project.name}/repositories/{rest}/artifacts?with_tag=true&with_label=true&with_accessory=true"
    return project.admin.get(path, expect=200).json()


def delete_repository(project, rest="app", expect=200):
    return project.admin.delete(f"{API}/projects/{project.name}/repositories/{rest}", expect=expect)


def seen(project, rest="app"):
    """All that lists show of artifacts, but for ids, which are new ones."""
    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in sorted(value.items()) if k not in ("id", "artifact_id", "repository_id", "subject_artifact_id", "parent_id", "child_id", "addition_links")}
        return [plain(v) for v in value] if isinstance(value, list) else value
    return plain(artifacts(project, rest))


# -- artifacts

def test_an_artifact_comes_back_with_tags_labels_times_accessories_and_children(project):
    repository = project.repository()
    children = [oci.image("one"), oci.image("two")]
    whole = oci.index(children)
    repository.push(whole, "v1")
    repository.put_manifest(whole, "v2")
    signature = oci.artifact("application/vnd.example.signature", subject=whole.descriptor())
    repository.push(signature)
    label = call(project.admin, "POST", f"{API}/labels", {**LABEL, "project_id": project.id}, expect=201)
    label_id = int(label.headers["Location"].rsplit("/", 1)[1])
    call(project.admin, "POST", f"{API}/projects/{project.name}/repositories/app/artifacts/v1/labels", {"id": label_id})
    before, quota = seen(project), project.all()
    assert quota["trash_storage"] == 0
    repository.delete_manifest(whole.digest)
    entry = only(project)
    assert (entry["kind"], entry["name"], entry["digest"]) == ("artifact", f"{project.name}/app", whole.digest)
    assert (entry["artifact_count"], entry["tag_count"], entry["deleted_by"]) == (4, 2, "admin")
    assert entry["deleted_at"] < entry["ends_at"]
    empty = project.all()
    assert empty["used"]["storage"] == 0 and empty["trash_storage"] == quota["used"]["storage"] == entry["size_bytes"]
    for content in (whole, signature, *children):
        repository.get_manifest(content.digest, expect=404)
    assert not artifacts(project) and not repository.tag_names() and not repository.referrer_digests(whole.digest)
    back = restore(project, entry)
    assert (back["kind"], back["name"], back["artifact_count"], back["tag_count"], back["tags_elsewhere"]) == (
        "artifact", f"{project.name}/app", 4, 2, [])
    assert seen(project) == before
    assert {**project.all(), "updated_at": 0} == {**quota, "updated_at": 0}
    assert repository.get_manifest("v2").content == whole.body
    assert repository.referrer_digests(whole.digest) == [signature.digest]
    for child in children:
        for blob in child.blobs:
            assert repository.get_blob(oci.digest_of(blob)).content == blob
    assert not entries(project)
    restore(project, entry, expect=404)


def test_what_was_pushed_meanwhile_stays_what_it_is(project):
    repository = project.repository()
    child, old, new = oci.image("child"), oci.image("old"), oci.image("new")
    whole = oci.index([child])
    repository.push(whole, "multi")
    repository.push(old, "latest")
    repository.put_manifest(old, "old")
    repository.delete_manifest(whole.digest)
    repository.delete_manifest(old.digest)
    repository.push(new, "latest")
    repository.push(child)
    entry_of = {entry["digest"]: entry for entry in entries(project)}
    restore(project, entry_of[whole.digest])
    assert repository.get_manifest("multi").content == whole.body
    assert [a["digest"] for a in artifacts(project)].count(child.digest) == 0, "the index has it as a child again"
    back = restore(project, entry_of[old.digest])
    assert back["tags_elsewhere"] == ["latest"] and back["tag_count"] == 1
    assert repository.get_manifest("latest").content == new.body
    assert repository.get_manifest("old").content == old.body


def test_a_tag_that_leads_elsewhere_is_taken_back_by_force(project):
    repository = project.repository()
    old, new = oci.image("old"), oci.image("new")
    repository.push(old, "latest")
    repository.delete_manifest(old.digest)
    repository.push(new, "latest")
    repository.get_manifest("latest")
    back = restore(project, only(project), force=True)
    assert back["tags_elsewhere"] == [] and back["tag_count"] == 1
    assert repository.get_manifest("latest").content == old.body
    assert {a["digest"]: [t["name"] for t in a["tags"] or []] for a in artifacts(project)} == {old.digest: ["latest"], new.digest: []}


def test_an_artifact_whose_repository_is_gone_or_renamed_finds_its_place(project):
    repository = project.repository()
    one, two = oci.image("one"), oci.image("two")
    repository.push(one, "one")
    repository.push(two, "two")
    repository.delete_manifest(one.digest)
    call(project.admin, "POST", f"{OWN}/projects/{project.name}/repositories/app/rename", {"name": f"{project.name}/other", "alias": False})
    entry = only(project, repository="app")
    assert restore(project, entry)["name"] == f"{project.name}/other"
    assert sorted(project.repository("other").tag_names()) == ["one", "two"]
    project.repository("other").delete_manifest(one.digest)
    delete_repository(project, "other")
    assert restore(project, only(project, kind="artifact"))["name"] == f"{project.name}/other"
    assert project.repository("other").tag_names() == ["one"]
    project.repository("other").delete_manifest(one.digest)
    assert restore(project, only(project, kind="artifact"), **{"as": "a/third"})["name"] == f"{project.name}/a/third"
    assert project.repository("a/third").get_manifest("one").content == one.body
    project.repository("a/third").delete_manifest("one")
    restore(project, only(project, kind="tag"), expect=400, **{"as": "UPPER:"})
    project.repository("a/third").delete_manifest(one.digest)
    restore(project, only(project, kind="artifact"), expect=400, **{"as": "UPPER"})


# -- tags

def test_a_tag_comes_back_to_its_artifact(project):
    repository = project.repository()
    content, other = oci.image("tagged"), oci.image("other")
    repository.push(content, "v1")
    before = seen(project)
    repository.delete_manifest("v1")
    entry = only(project)
    assert (entry["kind"], entry["tag"], entry["digest"], entry["size_bytes"]) == ("tag", "v1", content.digest, 0)
    assert project.all()["used"]["tags"] == 0
    assert restore(project, entry)["tag_count"] == 1
    assert [a["digest"] for a in seen(project)] == [a["digest"] for a in before] and project.all()["used"]["tags"] == 1
    repository.delete_manifest("v1")
    repository.push(other, "v1")
    assert repository.get_manifest("v1").content == other.body
    answer = restore(project, only(project), expect=409)
    assert "force" in answer["errors"][0]["message"]
    restore(project, only(project), **{"as": "v0"})
    assert repository.get_manifest("v0").content == content.body
    repository.delete_manifest("v0")
    restore(project, only(project), force=True, **{"as": "v1"})
    assert repository.get_manifest("v1").content == content.body
    repository.delete_manifest("v1")
    repository.delete_manifest(content.digest)
    tag, = entries(project, kind="tag")
    answer = restore(project, tag, expect=412)
    assert "restored first" in answer["errors"][0]["message"]
    restore(project, only(project, kind="artifact"))
    restore(project, tag)
    assert repository.get_manifest("v1").content == content.body


# -- repositories

def test_a_repository_comes_back_whole(project):
    repository = project.repository()
    contents = [oci.image(f"content {i}", layers=2) for i in range(3)]
    for i, content in enumerate(contents):
        repository.push(content, f"v{i}")
    repository.push(oci.artifact("application/vnd.example.sbom", subject=contents[0].descriptor()))
    call(project.admin, "PUT", f"{API}/projects/{project.name}/repositories/app", {"description": "what it is"})
    path = f"{API}/projects/{project.name}/repositories/app"
    before, about, quota = seen(project), project.admin.get(path, expect=200).json(), project.all()
    delete_repository(project)
    project.admin.get(path, expect=404)
    assert not project.admin.get(f"{API}/projects/{project.name}/repositories", expect=200).json()
    assert project.client.catalog().json()["repositories"].count(f"{project.name}/app") == 0
    entry = only(project)
    assert (entry["kind"], entry["artifact_count"], entry["tag_count"]) == ("repository", 4, 3)
    assert project.all()["trash_storage"] == quota["used"]["storage"] and project.all()["used"]["repositories"] == 0
    repository.push(oci.image("another"), "v0")
    answer = restore(project, entry, expect=409)
    assert "restored" in answer["errors"][0]["message"]
    delete_repository(project)
    restore(project, entry)
    again = project.admin.get(path, expect=200).json()
    for key in ("description", "artifact_count", "creation_time"):
        assert again[key] == about[key]
    assert seen(project) == before
    delete_repository(project)
    project.repository("x/y").push(contents[0], "v0")
    newest = entries(project)[0]
    assert restore(project, newest, **{"as": "deep/app"})["name"] == f"{project.name}/deep/app"
    assert project.repository("deep/app").get_manifest("v2").content == contents[2].body


def test_without_room_in_the_quota_nothing_comes_back(project):
    project.limit(storage=100_000)
    repository = project.repository()
    repository.push(oci.image("large", layer_size=60_000), "v1")
    delete_repository(project)
    repository.push(oci.image("larger", layer_size=80_000), "v1")
    used = project.used
    answer = restore(project, only(project), expect=403, **{"as": "back"})
    assert "quota" in answer["errors"][0]["message"]
    assert project.used == used and project.all()["trash_storage"] > 0 and only(project)
    project.admin.get(f"{API}/projects/{project.name}/repositories/back", expect=404)
    delete_repository(project)
    restore(project, entries(project)[1])


# -- projects

def delete_project(project, expect=200):
    return project.admin.delete(f"{API}/projects/{project.name}", expect=expect)


def all_entries(admin, **query):
    return admin.get(f"{OWN}/trash", params={"page_size": 0, **query}, expect=200).json()


def test_a_project_comes_back_with_settings_members_and_limits_and_then_its_repositories(client, admin):
    name = unique("trash")
    person = make_person(admin)
    project = Project(client, admin, name, 50_000)
    add_member(admin, name, "maintainer", username=person.name)
    call(admin, "PUT", f"{API}/projects/{name}", {"metadata": {"public": "true", "auto_scan": "true"}, "cve_allowlist": {
        "items": [{"cve_id": "CVE-2026-0001"}]}})
    about = admin.get(f"{API}/projects/{name}", expect=200).json()
    content = oci.image("of a project")
    project.repository().push(content, "v1")
    delete_repository(project)
    delete_project(project)
    admin.get(f"{OWN}/projects/{name}/trash", expect=(403, 404))
    whole, = [entry for entry in all_entries(admin, kind="project") if entry["name"] == name]
    inside, = [entry for entry in all_entries(admin, kind="repository") if entry["project_id"] == project.id]
    call(admin, "POST", f"{OWN}/trash/{inside['id']}/restore", {}, expect=412)
    call(person.client, "POST", f"{OWN}/trash/{whole['id']}/restore", {}, expect=403)
    again = Project(client, admin, name)
    call(admin, "POST", f"{OWN}/trash/{whole['id']}/restore", {}, expect=409)
    call(admin, "POST", f"{OWN}/trash/{whole['id']}/restore", {"as": "No Name"}, expect=400)
    delete_project(again)
    assert call(admin, "POST", f"{OWN}/trash/{whole['id']}/restore", {}).json()["name"] == name
    back = admin.get(f"{API}/projects/{name}", expect=200).json()
    assert back["project_id"] == about["project_id"] and back["metadata"] == about["metadata"]
    assert back["cve_allowlist"]["items"] == [{"cve_id": "CVE-2026-0001"}] and back["owner_name"] == about["owner_name"]
    assert project.quota()["hard"] == {"storage": 50_000}
    members = admin.get(f"{API}/projects/{name}/members", expect=200).json()
    assert {m["entity_name"]: m["role_name"] for m in members} == {"admin": "projectAdmin", person.name: "maintainer"}
    assert restore(project, inside, who=person.client)["artifact_count"] == 1
    assert project.repository(client=client.registry.client()).get_manifest("v1").content == content.body


# -- who may, and where

def test_who_may_delete_may_list_restore_and_delete_for_good(project, admin):
    people = {role: make_person(admin) for role in ("maintainer", "developer", "guest")}
    for role, person in people.items():
        add_member(admin, project.name, role, username=person.name)
    project.repository().push(oci.image("mine"), "v1")
    delete_repository(project)
    entry = only(project)
    path = f"{OWN}/projects/{project.name}/trash"
    for role, person in people.items():
        allowed = role == "maintainer"
        person.client.get(path, expect=200 if allowed else 403)
        if not allowed:
            restore(project, entry, who=person.client, expect=403)
            person.client.delete(f"{path}/{entry['id']}", expect=403)
        person.client.get(f"{OWN}/trash", expect=403)
        call(person.client, "PUT", f"{OWN}/projects/{project.name}/trash-window", {"window_seconds": 9}, expect=403)
    restore(project, entry, who=people["maintainer"].client)
    recorded = admin.get(f"{API}/projects/{project.name}/logs?q=operation=restore", expect=200).json()
    assert [record["username"] for record in recorded] == [people["maintainer"].name]


def test_an_entry_is_found_in_its_project_and_tenant_only(project, client, admin, registry):
    project.repository().push(oci.image("here"), "v1")
    delete_repository(project)
    entry, other = only(project), Project(client, admin, unique("trash"))
    restore(other, entry, expect=404)
    admin.delete(f"{OWN}/projects/{other.name}/trash/{entry['id']}", expect=404)
    acme = registry.tenant().admin
    assert not all_entries(acme)
    call(acme, "POST", f"{OWN}/trash/{entry['id']}/restore", {}, expect=404)
    acme.delete(f"{OWN}/trash/{entry['id']}", expect=404)
    assert only(project)


# -- lists

def test_lists_are_paged_newest_first_and_filtered(project):
    for i in range(3):
        project.repository(f"app-{i}").push(oci.image(f"{i}"), "v1")
        project.repository(f"app-{i}").delete_manifest("v1")
    delete_repository(project, "app-1")
    path = f"{OWN}/projects/{project.name}/trash"
    first = project.admin.get(f"{path}?page_size=3", expect=200)
    assert first.headers["X-Total-Count"] == "4" and 'rel="next"' in first.headers["Link"]
    assert [e["kind"] for e in first.json()] == ["repository", "tag", "tag"]
    assert [e["name"] for e in project.admin.get(f"{path}?page_size=3&page=2", expect=200).json()] == [f"{project.name}/app-0"]
    assert len(entries(project, kind="tag")) == 3 and len(entries(project, repository="app-1")) == 2
    assert len(entries(project, repository="app-1", kind="repository")) == 1 and not entries(project, repository="app-9")
    entries(project, kind="nonsense", expect=400)
    project.admin.get(f"{OWN}/trash?repository=app", expect=400)


# -- the end

def test_deleted_for_good_is_gone_and_its_rows_too(project, registry):
    project.repository().push(oci.image("for good"), "v1")
    delete_repository(project)
    entry = only(project)
    project.admin.delete(f"{OWN}/projects/{project.name}/trash/{entry['id']}", expect=200)
    project.admin.delete(f"{OWN}/projects/{project.name}/trash/{entry['id']}", expect=404)
    restore(project, entry, expect=404)
    assert not entries(project) and project.all()["trash_storage"] == 0
    for table in ("trash_manifest", "trash_blob"):
        assert registry.query(f"SELECT COUNT(*) FROM {table} WHERE entry_id = {entry['id']}") == ["0"]


def test_windows_of_tenants_and_projects_count_before_the_option(project, client, admin):
    path = f"{OWN}/projects/{project.name}/trash-window"
    assert admin.get(path, expect=200).json() == {"window_seconds": 3600, "own": False}
    call(admin, "PUT", f"{OWN}/trash-window", {"window_seconds": 7200})
    try:
        assert admin.get(path, expect=200).json() == {"window_seconds": 7200, "own": False}
        call(admin, "PUT", path, {"window_seconds": 0})
        assert admin.get(path, expect=200).json() == {"window_seconds": 0, "own": True}
        project.repository().push(oci.image("at once"), "v1")
        project.repository().delete_manifest("v1")
        delete_repository(project)
        assert not entries(project)
        call(admin, "PUT", path, {"window_seconds": -1})
        assert admin.get(path, expect=200).json()["window_seconds"] == 7200
    finally:
        call(admin, "PUT", f"{OWN}/trash-window", {"window_seconds": -1})
    for wrong in (-2, 315360001):
        assert "window_seconds" in call(admin, "PUT", path, {"window_seconds": wrong}, expect=400).text
    call(admin, "PUT", path, {"window_seconds": "long"}, expect=422)
    call(admin, "PUT", path, {}, expect=400)


def test_when_the_window_is_over_nothing_comes_back(project, registry):
    project.repository().push(oci.image("late"), "v1")
    delete_repository(project)
    entry = only(project)
    registry.execute(f"UPDATE trash_entry SET ends_at_us = 1 WHERE id = {entry['id']}")
    restore(project, entry, expect=404)
    assert not entries(project) and project.all()["trash_storage"] == 0


# -- at once

def test_of_two_who_restore_one_does_and_a_push_of_the_same_meets_neither(project):
    repository = project.repository()
    for i in range(4):
        content = oci.image(f"race {i}")
        repository.push(content, f"v{i}")
        repository.delete_manifest(content.digest)
        entry = only(project)
        path = f"{OWN}/projects/{project.name}/trash/{entry['id']}/restore"
        admins = [project.admin.registry.client(auth="basic") for _ in range(2)]

        def act(number):
            if number == 2:
                return repository.push(content, f"v{i}")
            return call(admins[number], "POST", path, {}, expect=(200, 404)).status_code

        assert sorted(together(3, act)[:2]) == [200, 404]
        assert repository.get_manifest(f"v{i}").content == content.body
    assert len(artifacts(project)) == 4


# -- tenants

def test_a_deleted_tenant_leaves_nothing_to_restore(registry, admin):
    tenant = registry.tenant(unique("gone"))
    owner = tenant.admin
    make_project(owner, "apps")
    tenant.client().repository("apps/app").push(oci.image("of a tenant"), "v1")
    owner.delete(f"{API}/projects/apps/repositories/app", expect=200)
    owner.delete(f"{API}/projects/apps", expect=200)
    assert sorted(entry["kind"] for entry in all_entries(owner)) == ["project", "repository"]
    admin.delete(f"{OWN}/tenants/{tenant.id}", expect=200)
    assert registry.query(f"SELECT COUNT(*) FROM trash_entry WHERE tenant_id = {tenant.id}") == ["0"]


# -- garbage collection

@pytest.mark.settings(garbage_window="0s")
def test_collecting_removes_no_byte_before_the_end_and_all_of_them_after(project, registry):
    content = oci.image("held", layers=2)
    digests = [oci.digest_of(blob) for blob in content.blobs]
    named = ", ".join(f"'{digest}'" for digest in digests)
    repository = project.repository()

    def collect(**parameters):
        body = {"schedule": {"type": "Manual"}, "parameters": {"delete_untagged": True, **parameters}}
        path = call(project.admin, "POST", f"{API}/system/gc/schedule", body, expect=201).headers["Location"]
        wait_until(lambda: project.admin.get(path, expect=200).json()["job_status"] == "Success")

    def rows():
        return len(registry.query(f"SELECT id FROM blob WHERE digest IN ({named})"))

    repository.insist(content, "v1")
    repository.delete_manifest("v1")
    collect()
    wait_until(lambda: {entry["kind"] for entry in entries(project)} == {"tag", "artifact"})
    collect()
    collect(dry_run=True)
    assert rows() == len(digests)
    assert not repository.has_blob(digests[0])
    artifact, tag = entries(project)
    assert artifact["deleted_by"] == ""
    restore(project, artifact)
    restore(project, tag)
    for digest, blob in zip(digests, content.blobs):
        assert repository.get_blob(digest).content == blob
    delete_repository(project)
    collect()
    assert rows() == len(digests)
    entry, = entries(project, kind="repository")
    project.admin.delete(f"{OWN}/projects/{project.name}/trash/{entry['id']}", expect=200)
    wait_until(lambda: rows() == 0)
    registry.assert_fsck_clean()


# -- proof

@pytest.mark.own_server
def test_fsck_finds_what_cannot_be_restored(registry, client, admin):
    project = Project(client, admin, unique("trash"))
    project.repository().push(oci.image("proof"), "v1")
    delete_repository(project)
    registry.assert_fsck_clean()
    registry.execute("UPDATE trash_manifest SET content = '{}'")
    status, output = registry.fsck()
    assert status != 0 and "cannot be restored" in output
    registry.execute("DELETE FROM trash_manifest")
    status, output = registry.fsck()
    assert status != 0 and "cannot be restored" in output
    registry.execute("DELETE FROM trash_entry")
    registry.assert_fsck_clean()


@pytest.mark.own_server
def test_a_kill_loses_no_deletion_and_no_entry(registry, client, admin):
    project = Project(client, admin, unique("trash"))
    contents = [oci.image(f"kill {i}") for i in range(6)]
    for i, content in enumerate(contents):
        project.repository(f"app-{i}").push(content, "v1")
    stopped = threading.Event()

    def delete_and_restore():
        i = 0
        while not stopped.is_set():
            try:
                delete_repository(project, f"app-{i % 6}", expect=(200, 404))
                for entry in entries(project):
                    restore(project, entry, expect=(200, 404, 409))
            except Exception:  # the server is killed under it
                return
            i += 1

    thread = threading.Thread(target=delete_and_restore)
    thread.start()
    wait_until(lambda: int(registry.query("SELECT COALESCE(MAX(id), 0) FROM trash_entry")[0]) > 8)
    registry.kill9()
    stopped.set()
    thread.join()
    registry.start()
    registry.assert_fsck_clean()
    for entry in entries(project):
        restore(project, entry)
    for i, content in enumerate(contents):
        assert project.repository(f"app-{i}").get_manifest("v1").content == content.body


def test_what_retention_deletes_comes_back_and_the_history_says_so(project):
    repository = project.repository()
    goes, stays = oci.image("goes"), oci.image("stays")
    repository.push(goes, "old")
    repository.push(stays, "new")
    scope = {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}
    keep = {"action": "retain", "template": "always", "params": {}, "scope_selectors": scope,
            "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "new"}]}
    own = f"{OWN}/projects/{project.name}/retention"
    call(project.admin, "PUT", own, {"algorithm": "or", "mode": "artifacts", "rules": [keep], "trigger": {"kind": "", "settings": {"cron": ""}}})
    run = call(project.admin, "POST", f"{own}/runs", {"dry_run": False}, expect=201).headers["Location"]
    wait_until(lambda: project.admin.get(run, expect=200).json()["status"] == "Success", what="its end")
    repository.get_manifest(goes.digest, expect=404)
    restore(project, only(project))
    assert repository.get_manifest("old").content == goes.body
    history = project.admin.get(f"{OWN}/projects/{project.name}/repositories/app/tags/old/history", expect=200).json()
    assert [change["how"] for change in history["items"]] == ["restore", "retention", "push"]


def test_a_tenants_administrator_ends_any_of_its_entries(project, admin):
    repository = project.repository()
    goes = oci.image("ended")
    repository.push(goes, "v1")
    repository.delete_manifest(goes.digest)
    entry = only(project)
    admin.delete(f"{OWN}/trash/{entry['id']}", expect=200)
    admin.delete(f"{OWN}/trash/{entry['id']}", expect=404)
    assert entries(project) == []
