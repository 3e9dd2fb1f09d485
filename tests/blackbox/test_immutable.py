# SPDX-License-Identifier: Apache-2.0
"""Immutable tags: Harbor's rules and what ours say beyond, for every way in which a tag can move or go."""
import pytest

from harness import oci
from harness.members import add_member
from harness.people import API, PASSWORD, call, make_person
from harness.wait import together
from harness.wire import unique


def rule(tags="**", repositories="**", excludes=False, not_in=False, disabled=None, **ours):
    """As Harbor's clients send it."""
    body = {
        "action": "immutable", "template": "immutable_template",
        "tag_selectors": [{"kind": "doublestar", "decoration": "excludes" if excludes else "matches", "pattern": tags}],
        "scope_selectors": {"repository": [
            {"kind": "doublestar", "decoration": "repoExcludes" if not_in else "repoMatches", "pattern": repositories}]},
    }
    if disabled is not None:
        body["disabled"] = disabled
    if ours:
        body["params"] = {"berth": ours}
    return body


class Project:
    def __init__(self, client, admin):
        self.name = unique("fixed")
        self.client, self.admin = client, admin
        client.make_project(self.name)
        self.rules = f"{API}/projects/{self.name}/immutabletagrules"
        self.repo = client.repository(f"{self.name}/app")
        self.artifacts = f"{API}/projects/{self.name}/repositories/app/artifacts"

    def make(self, expect=201, **members):
        answer = call(self.admin, "POST", self.rules, rule(**members), expect=expect)
        return answer.headers["Location"] if expect == 201 else answer

    def push(self, seed, tag="v1", repo=None, expect=201):
        content = oci.image(seed)
        repo = repo or self.repo
        for blob in content.blobs:
            repo.push_blob(blob)
        answer = repo.put_manifest(content, tag, expect=expect)
        return content if expect == 201 else answer


@pytest.fixture
def project(client, admin):
    return Project(client, admin)


def error_of(answer):
    return answer.json()["errors"][0]


class TestRules:
    def test_made_read_changed_and_deleted(self, project, admin):
        path = project.make(tags="v*", repositories="team/**", after_hours=24, except_tags="*-dev")
        (found,) = admin.get(project.rules, expect=200).json()
        assert path == f"{project.rules}/{found['id']}"
        wanted = rule(tags="v*", repositories="team/**", disabled=False)
        assert {key: found[key] for key in wanted} == wanted
        assert found["params"]["berth"] == {"after_hours": 24, "allow_same": False, "signatures": False, "except_tags": "*-dev",
                                            "except_repositories": "", "except_identities": ""}
        call(admin, "PUT", path, {**wanted, "id": found["id"], "disabled": True})
        (changed,) = admin.get(project.rules, expect=200).json()
        assert changed == {**found, "disabled": True}, "who knows nothing of ours takes nothing away"
        call(admin, "DELETE", path)
        answer = admin.get(project.rules, expect=200)
        assert answer.json() == [] and answer.headers["X-Total-Count"] == "0"
        call(admin, "DELETE", path, expect=404)
        call(admin, "PUT", path, wanted, expect=404)

    def test_fifteen_of_them_and_none_twice(self, project, admin):
        project.make(tags="v0")
        project.make(tags="v0", expect=409)
        for number in range(1, 15):
            project.make(tags=f"v{number}")
        assert "at most 15" in error_of(project.make(tags="one-more", expect=400))["detail"]
        assert len(admin.get(f"{project.rules}?page_size=10&page=2", expect=200).json()) == 5

    @pytest.mark.parametrize("body, said", [
        (rule(tags="v[0-9"), "tag_selectors[0].pattern: '[' without ']'"),
        (rule(repositories="{a,b"), "scope_selectors.repository[0].pattern: '{' without '}', or one within another"),
        (rule(tags="x" * 600), "tag_selectors[0].pattern: pattern is too long"),
        (rule(except_tags="\\"), "params.berth.except_tags: '\\' at the end"),
        (rule(except_identities="["), "params.berth.except_identities: '[' without ']'"),
        (rule(after_hours=-1), "params.berth.after_hours: it is from 0 to 876000"),
        (rule(after_hour=1), 'params.berth has no member "after_hour"'),
        ({**rule(), "params": {"berth": {"after_hours": "1"}}}, "after_hours"),
        ({**rule(), "tag_selectors": []}, "tag_selectors: a rule has one, and there are 0"),
        ({**rule(), "tag_selectors": [{"decoration": "near", "pattern": "x"}]}, "tag_selectors[0].decoration: it is matches or excludes"),
        ({**rule(), "tag_selectors": [{"kind": "regex", "decoration": "matches"}]}, "tag_selectors[0].kind: it is doublestar"),
        ({**rule(), "scope_selectors": {"repository": 1}}, "scope_selectors.repository is no array"),
        ({**rule(), "action": "retain"}, "action: it is immutable"),
        ({**rule(), "template": "always"}, "template: it is immutable_template"),
        ({"scope_selectors": {}}, "tag_selectors: a rule has one"),
    ])
    def test_bad_input_is_told_what_is_wrong_and_where(self, project, admin, body, said):
        assert said in error_of(call(admin, "POST", project.rules, body, expect=(400, 422)))["detail"]
        assert admin.get(project.rules, expect=200).json() == []

    def test_a_rule_of_another_project_is_unknown(self, project, client, admin):
        path = project.make()
        other = Project(client, admin)
        elsewhere = f"{other.rules}/{path.rsplit('/', 1)[1]}"
        call(admin, "PUT", elsewhere, rule(disabled=True), expect=404)
        call(admin, "DELETE", elsewhere, expect=404)

    def test_rules_go_with_their_project(self, registry, project, admin):
        project.make()
        number = admin.get(f"{API}/projects/{project.name}", expect=200).json()["project_id"]
        call(admin, "DELETE", f"{API}/projects/{project.name}")
        assert registry.query(f"SELECT count(*) FROM immutable_rule WHERE project_id = {number}") == ["0"]

    def test_changes_are_recorded(self, registry, project, admin):
        path = project.make(tags="v*")
        call(admin, "PUT", path, rule(tags="w*"))
        call(admin, "DELETE", path)
        records = call(admin, "GET", f"{API}/projects/{project.name}/auditlog-exts?q=resource_type=immutable_tag").json()
        assert sorted(record["operation"] for record in records) == ["create", "delete", "update"]


class TestWays:
    """The tag v1 may not move, by any way; another may."""

    @pytest.fixture
    def pushed(self, project):
        content = project.push("first")
        project.push("first", "free")
        project.make(tags="v*")
        return content

    @pytest.fixture(autouse=True)
    def stays(self, project, pushed):
        yield
        assert project.repo.get_manifest("v1").content == pushed.body

    def test_push(self, project):
        answer = project.push("second", expect=412)
        assert "'app:v1' configured as immutable" in error_of(answer)["message"]
        project.push("second", "free")
        project.push("second", "v2")

    def test_push_by_digest_with_the_tag(self, project):
        content = project.push("second", "free")
        path = f"{project.repo.manifest_path(content.digest)}?tag=v1"
        project.repo.request("PUT", path, scopes=("pull", "push"), headers={"Content-Type": content.media_type}, body=content.body, expect=412)

    def test_same_digest(self, project):
        project.push("first", expect=412)

    def test_copy(self, project, client, admin):
        source = client.repository(f"{project.name}/source")
        signed = project.push("second", "v1", source)
        call(admin, "POST", f"{project.artifacts}?from={project.name}/source:v1", expect=412)
        project.repo.get_manifest(signed.digest, expect=404)

    def test_delete_of_the_tag(self, project, admin, pushed):
        answer = call(admin, "DELETE", f"{project.artifacts}/{pushed.digest}/tags/v1", expect=412)
        assert error_of(answer)["code"] == "PRECONDITION" and "the tag v1 configured as immutable" in error_of(answer)["message"]
        project.repo.delete_manifest("v1", expect=412)
        call(admin, "DELETE", f"{project.artifacts}/{pushed.digest}/tags/free")

    def test_delete_of_the_artifact(self, project, admin, pushed):
        call(admin, "DELETE", f"{project.artifacts}/{pushed.digest}", expect=412)
        project.repo.delete_manifest(pushed.digest, expect=412)
        assert project.repo.tag_names() == ["free", "v1"], "nothing of it went"

    def test_delete_of_the_repository(self, project, admin):
        call(admin, "DELETE", f"{API}/projects/{project.name}/repositories/app", expect=412)
        call(admin, "DELETE", f"{API}/projects/{project.name}", expect=412)

    def test_a_new_tag_by_the_api(self, project, admin, pushed):
        call(admin, "POST", f"{project.artifacts}/{pushed.digest}/tags", {"name": "v3"}, expect=201)
        call(admin, "POST", f"{project.artifacts}/{pushed.digest}/tags", {"name": "v3"}, expect=409)

    def test_lists_show_it(self, project, admin, pushed):
        shown = f"{project.artifacts}/{pushed.digest}?with_immutable_status=true"
        assert {tag["name"]: tag["immutable"] for tag in admin.get(shown, expect=200).json()["tags"]} == {"v1": True, "free": False}
        tags = admin.get(f"{project.artifacts}/{pushed.digest}/tags?with_immutable_status=true", expect=200).json()
        assert {tag["name"]: tag["immutable"] for tag in tags} == {"v1": True, "free": False}


class TestChoice:
    def test_what_a_rule_does_not_mean_moves(self, project, client):
        path = project.make(tags="{release,stable}-*", excludes=False, repositories="prod/**")
        prod = client.repository(f"{project.name}/prod/app")
        for repo, tag, status in ((prod, "release-1", 412), (prod, "stable-1", 412), (prod, "nightly", 201), (project.repo, "release-1", 201)):
            project.push("first", tag, repo)
            project.push("second", tag, repo, expect=status)
        call(project.admin, "PUT", path, rule(tags="{release,stable}-*", repositories="prod/**", disabled=True))
        project.push("second", "release-1", prod)

    def test_what_does_not_fit(self, project):
        project.make(tags="dev*", excludes=True, repositories="lab/**", not_in=True)
        project.push("first", "dev-1")
        project.push("first", "v1")
        project.push("second", "dev-1")
        project.push("second", "v1", expect=412)

    def test_exceptions(self, project, client, registry):
        person = make_person(project.admin)
        add_member(project.admin, project.name, "maintainer", username=person.name)
        project.make(except_tags="*-dev", except_repositories="lab", except_identities=f"{person.name}*")
        lab = client.repository(f"{project.name}/lab")
        for repo, tag in ((project.repo, "v1"), (project.repo, "v1-dev"), (lab, "v1")):
            project.push("first", tag, repo)
        project.push("second", "v1-dev")
        project.push("second", "v1", lab)
        project.push("second", "v1", expect=412)
        project.push("second", "v1", registry.client(person.name, PASSWORD).repository(project.repo.name))

    def test_the_same_digest_is_let_pass_and_does_nothing(self, project, admin):
        project.make(allow_same=True, after_hours=0)
        content = project.push("first")
        before = admin.get(f"{project.artifacts}/v1/tags", expect=200).json()
        project.push("first")
        assert admin.get(f"{project.artifacts}/v1/tags", expect=200).json() == before
        project.push("second", expect=412)
        assert project.repo.get_manifest("v1").content == content.body

    def test_after_hours(self, project, registry):
        project.make(after_hours=2)
        project.push("first")
        project.push("second")
        registry.execute("UPDATE tag SET updated_at_us = updated_at_us - 7200000000 WHERE name = 'v1' AND repository_id ="
                         f" (SELECT id FROM repository WHERE name = '{project.repo.name}')")
        project.push("first", expect=412)

    def test_signatures_are_written_anew_unless_the_rule_means_them(self, project):
        digest = project.push("first").digest.replace(":", "-")
        path = project.make()
        for tag in (digest, f"{digest}.sig", f"{digest}.att", f"{digest}.sbom"):
            project.push("one", tag)
            project.push("other", tag)
        project.push("one", f"{digest}.signal")
        project.push("other", f"{digest}.signal", expect=412)
        call(project.admin, "PUT", path, rule(signatures=True))
        project.push("one", f"{digest}.sig", expect=412)

    def test_referrers_come_and_go(self, project):
        subject = project.push("first")
        project.make()
        referrer = oci.artifact("signature", subject=subject.descriptor())
        project.repo.push(referrer)
        assert project.repo.referrer_digests(subject.digest) == [referrer.digest]
        project.repo.delete_manifest(referrer.digest)


def test_a_rule_made_while_pushes_run_holds_for_all_that_begin_after(project):
    """Who has the answer that a rule is made sees no tag move any more."""
    contents = [oci.image(f"racing-{number}") for number in range(8)]
    for content in contents:
        for blob in content.blobs:
            project.repo.push_blob(blob)
    project.repo.put_manifest(contents[0], "v1")

    def work(number):
        if number == len(contents):
            project.make()
            return []
        return [project.repo.put_manifest(contents[number], "v1", expect=(201, 412)).status_code for _ in range(5)]

    told = together(len(contents) + 1, work)
    fixed = project.repo.get_manifest("v1").content
    for answers in told:
        assert sorted(answers) == answers, "after the first refusal nothing is let through"
    for content in contents:
        project.repo.put_manifest(content, "v1", expect=412)
    assert project.repo.get_manifest("v1").content == fixed


@pytest.mark.parametrize("role, may_read, may_write", [("maintainer", True, True), ("developer", False, False)])
def test_who_may(project, role, may_read, may_write):
    person = make_person(project.admin)
    add_member(project.admin, project.name, role, username=person.name)
    call(person.client, "GET", project.rules, expect=200 if may_read else 403)
    call(person.client, "POST", project.rules, rule(), expect=201 if may_write else 403)
