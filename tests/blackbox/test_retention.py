# SPDX-License-Identifier: Apache-2.0
"""What stays and what goes by itself: Harbor's policies and runs, the reasons, and what is never deleted."""
import json

import pytest

from harness import oci
from harness.database import conninfo
from harness.jobs import progress
from harness.people import call, make_person
from harness.wait import wait_until
from harness.wire import unique

API = "/api/v2.0"
OWN = "/api/berth/v1"
DAY_US = 86400 * 10**6
OVER = {"Success", "Error", "Stopped"}
REPOSITORIES = {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}


def tags(pattern, decoration="matches", untagged=None):
    selector = {"kind": "doublestar", "decoration": decoration, "pattern": pattern}
    return [selector if untagged is None else {**selector, "extras": json.dumps({"untagged": untagged})}]


def rule(template="always", number=None, pattern="**", action="retain", untagged=None, **more):
    params = {} if number is None else {template: number}
    return {"action": action, "template": template, "params": params, "tag_selectors": tags(pattern, untagged=untagged),
            "scope_selectors": REPOSITORIES, **more}


class Retention:
    """The retention of a project of its own."""

    def __init__(self, registry, admin, client):
        self.registry, self.admin, self.client = registry, admin, client
        self.project = unique("kept")
        client.make_project(self.project)
        self.project_id = admin.get(f"{API}/projects/{self.project}", expect=200).json()["project_id"]
        self.own = f"{OWN}/projects/{self.project}/retention"
        self.policy_id = None

    def repo(self, name="app"):
        return self.client.repository(f"{self.project}/{name}")

    def push(self, tag, *, days=0, repo="app", content=None):
        """An image that was pushed so many days ago."""
        content = content or oci.image(f"{repo} {tag}")
        self.repo(repo).push(content, tag)
        self.registry.execute(f"UPDATE tag SET updated_at_us = updated_at_us - {days * DAY_US} WHERE name = '{tag}'")
        self.registry.execute(
            f"UPDATE artifact SET pushed_at_us = pushed_at_us - {days * DAY_US} WHERE manifest_id IN "
            f"(SELECT id FROM manifest WHERE digest = '{content.digest}')")
        return content

    def policy(self, *rules, cron="", **more):
        return {"algorithm": "or", "scope": {"level": "project", "ref": self.project_id}, "rules": list(rules),
                "trigger": {"kind": "Schedule", "references": {}, "settings": {"cron": cron}}, **more}

    def create(self, *rules, expect=201, **more):
        answer = call(self.admin, "POST", f"{API}/retentions", self.policy(*rules, **more), expect=expect)
        if expect == 201:
            self.policy_id = int(answer.headers["Location"].rsplit("/", 1)[1])
        return answer

    def path(self, rest=""):
        return f"{API}/retentions/{self.policy_id}{rest}"

    def wait(self, run):
        path = f"{self.own}/runs/{run}"
        return wait_until(lambda: (found := self.admin.get(path, expect=200).json())["status"] in OVER and found, what="the run's end")

    def fire(self, name):
        """What the clock asks for, now: a job that somebody asks for makes the engine look."""
        self.registry.execute(f"UPDATE job_schedule SET next_at_us = 1 WHERE name = '{name}'")
        call(self.admin, "POST", f"{self.own}/preview", self.policy(rule()), expect=201)

    def run(self, dry=False, expect="Success"):
        started = call(self.admin, "POST", self.path("/executions"), {"dry_run": dry}, expect=201)
        run = self.wait(started.headers["Location"].rsplit("/", 1)[1])
        assert run["status"] == expect, run
        return run

    def lines(self, run):
        found = []
        for task in run["tasks"]:
            for page in range(1, 100):
                lines = self.admin.get(f"{self.own}/runs/{run['id']}/tasks/{task['id']}?page={page}", expect=200).json()["lines"]
                found += lines
                if not lines:
                    break
        return found

    def decided(self, run):
        return {",".join(line["tags"]) or "-": line["action"] for line in self.lines(run)}


@pytest.fixture
def retention(registry, admin, client):
    return Retention(registry, admin, client)


class Meanwhile:
    """What a trigger does when a run notes that it begins with a repository: after the decision, and before anything is deleted."""

    def __init__(self, retention):
        self.registry, self.project, self.name = retention.registry, retention.project, retention.project.replace("-", "_")

    def do(self, statement, repository="app"):
        when = f"NEW.repository LIKE '{self.project}/{repository}' AND NEW.job_id > 0"
        if conninfo() is None:
            self.registry.execute(f"CREATE TRIGGER {self.name} AFTER INSERT ON retention_task WHEN {when} BEGIN {statement}; END")
            return
        self.registry.execute(f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NEW; END $$")
        self.registry.execute(f"CREATE TRIGGER {self.name} AFTER INSERT ON retention_task FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {self.name}()")

    def take_time(self):
        """Half a second or so, for each repository. SQLite has no pause, so it counts."""
        counts = "SELECT (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT COUNT(*) FROM n)"
        self.do(counts if conninfo() is None else "PERFORM pg_sleep(0.5)", "%")

    def end(self):
        self.registry.execute(f"DROP TRIGGER IF EXISTS {self.name}" if conninfo() is None else f"DROP FUNCTION IF EXISTS {self.name} CASCADE")


@pytest.fixture
def meanwhile(retention):
    meanwhile = Meanwhile(retention)
    yield meanwhile
    meanwhile.end()


class TestPolicies:
    def test_made_shown_changed_and_removed(self, retention):
        admin = retention.admin
        retention.create(rule("latestPushedK", 3, "{v*,latest}"), cron="0 0 0 * * *")
        shown = admin.get(retention.path(), expect=200).json()
        assert shown["id"] == retention.policy_id and shown["algorithm"] == "or"
        assert shown["scope"] == {"level": "project", "ref": retention.project_id}
        assert shown["trigger"] == {"kind": "Schedule", "references": {}, "settings": {"cron": "0 0 0 * * *"}}
        [only] = shown["rules"]
        assert (only["template"], only["params"], only["action"]) == ("latestPushedK", {"latestPushedK": 3}, "retain")
        assert only["tag_selectors"][0]["extras"] == '{"untagged":true}'
        project = admin.get(f"{API}/projects/{retention.project}", expect=200).json()
        assert project["metadata"]["retention_id"] == str(retention.policy_id)
        assert "RETENTION" in {row["vendor_type"] for row in admin.get(f"{API}/schedules?page_size=100", expect=200).json()}
        call(admin, "PUT", retention.path(), retention.policy(rule("nDaysSinceLastPull", 7)), expect=200)
        assert admin.get(retention.own, expect=200).json()["rules"][0]["template"] == "nDaysSinceLastPull"
        assert not retention.registry.query(f"SELECT id FROM job_schedule WHERE name = 'retention:{retention.project_id}'")
        admin.delete(retention.path(), expect=200)
        admin.get(retention.path(), expect=404)
        admin.get(retention.own, expect=404)
        assert "retention_id" not in admin.get(f"{API}/projects/{retention.project}", expect=200).json()["metadata"]
        records = admin.get(f"{API}/projects/{retention.project}/auditlog-exts?page_size=50", expect=200).json()
        assert {"create", "update", "delete"} <= {row["operation"] for row in records if row["resource_type"] == "retention"}

    def test_a_project_has_one(self, retention):
        retention.create(rule())
        assert "already has a retention policy" in retention.create(rule(), expect=400).text

    def test_our_own_makes_and_changes(self, retention):
        for number in (3, 5):
            made = call(retention.admin, "PUT", retention.own, retention.policy(rule("latestPushedK", number)), expect=200).json()
            assert made["rules"][0]["params"] == {"latestPushedK": number} and made["tried"] is False
        retention.admin.delete(retention.own, expect=200)
        retention.admin.delete(retention.own, expect=404)

    def test_what_there_can_be(self, admin):
        found = admin.get(f"{API}/retentions/metadatas", expect=200).json()
        assert {row["rule_template"] for row in found["templates"]} == {
            "always", "latestPushedK", "latestPulledN", "nDaysSinceLastPush", "nDaysSinceLastPull"}
        assert found["scope_selectors"][0]["decorations"] == ["repoMatches", "repoExcludes"]
        assert found["tag_selectors"][0]["decorations"] == ["matches", "excludes"]

    @pytest.mark.parametrize("change, said", [
        ({"rules": [rule(pattern="[a")]}, "rules[0].tag_selectors[0].pattern: "),
        ({"rules": [rule("latestPushedK", -1)]}, "rules[0].params.latestPushedK: 0 to 32766"),
        ({"rules": [rule("newest")]}, "rules[0].template: "),
        ({"rules": [rule("latestPushedK", n) for n in range(16)]}, "rules: at most 15 rules"),
        ({"trigger": {"kind": "Schedule", "settings": {"cron": "0 0 25 * * *"}}}, "trigger.settings.cron: "),
        ({"trigger": {"kind": "Event"}}, "trigger.kind: "),
        ({"trigger": 7}, "trigger: "),
        ({"scope": {"level": "system", "ref": 1}}, "scope.level: "),
        ({"scope": {"level": "project", "ref": 10**15}}, None),
        ({"scope": {"level": "project", "ref": 0}}, "scope.ref: "),
        ({"scope": None}, "scope: "),
        ({"algorithm": "and"}, "algorithm: "),
    ])
    def test_what_is_wrong_is_said_with_its_place(self, retention, change, said):
        answer = call(retention.admin, "POST", f"{API}/retentions", {**retention.policy(rule()), **change}, expect=(400, 403, 404))
        assert said is None or said in answer.text

    def test_the_same_rule_twice_is_409(self, retention):
        assert "rules[1]: the same as rules[0]" in retention.create(rule(), rule(), expect=409).text

    def test_bad_json_says_where(self, retention):
        answer = retention.admin.post(f"{API}/retentions", headers={"Content-Type": "application/json"}, body='{"rules": [', expect=400)
        assert "near byte" in answer.text

    def test_a_policy_of_another_project_is_not_taken_along(self, retention):
        retention.create(rule())
        other = {**retention.policy(rule()), "scope": {"level": "project", "ref": retention.project_id + 1}}
        assert "another project" in call(retention.admin, "PUT", retention.path(), other, expect=400).text

    def test_strangers_see_and_change_nothing(self, retention):
        retention.create(rule())
        stranger = make_person(retention.admin).client
        for method, path in (("GET", retention.path()), ("DELETE", retention.path()), ("GET", retention.path("/executions")),
                             ("GET", retention.own)):
            stranger.request(method, path, expect=(403, 404))
        call(stranger, "POST", f"{API}/retentions", retention.policy(rule()), expect=(403, 404))
        call(stranger, "POST", retention.path("/executions"), {"dry_run": True}, expect=403)

    def test_it_goes_with_its_project(self, registry, admin, client, retention):
        retention.create(rule(), cron="0 0 0 * * *")
        retention.admin.delete(f"{API}/projects/{retention.project}", expect=200)
        retention.admin.get(retention.path(), expect=404)
        name = f"retention:{retention.project_id}"
        Retention(registry, admin, client).fire(name)
        wait_until(lambda: not registry.query(f"SELECT id FROM job_schedule WHERE name = '{name}'"),
                   what="the end of its schedule")


class TestRuns:
    def test_what_is_not_retained_goes_with_all_its_tags(self, retention):
        old = retention.push("v1", days=3)
        retention.push("v2", days=2)
        retention.push("v3", days=1)
        retention.client.repository(f"{retention.project}/app").put_manifest(old, "also-v1")
        retention.registry.execute("UPDATE tag SET updated_at_us = 1 WHERE name = 'also-v1'")
        retention.create(rule("latestPushedK", 2))
        dry = retention.run(dry=True)
        assert dry["dry_run"] and retention.repo().tag_names() == ["also-v1", "v1", "v2", "v3"]
        assert retention.decided(dry) == {"v1,also-v1": "delete", "v2": "retain", "v3": "retain"}
        run = retention.run()
        assert [(task["repository"], task["total"], task["retained"]) for task in run["tasks"]] == [(f"{retention.project}/app", 3, 2)]
        assert retention.repo().tag_names() == ["v2", "v3"]
        retention.repo().get_manifest(old.digest, expect=404)

    @pytest.mark.parametrize("mode", [{}, {"mode": "tags"}])
    def test_an_immutable_tag_stays_and_it_is_said_why(self, retention, mode):
        for number in range(3):
            retention.push(f"v{number}", days=3 - number)
        call(retention.admin, "POST", f"{API}/projects/{retention.project}/immutabletagrules", {"tag_selectors": tags("v0")}, expect=201)
        retention.create(rule("latestPushedK", 1), **mode)
        run = retention.run()
        assert retention.decided(run) == {"v0": "retain", "v1": "delete", "v2": "retain"}
        assert any("a tag of it is immutable" in str(line) for line in retention.lines(run))
        assert retention.repo().tag_names() == ["v0", "v2"]
        history = call(retention.admin, "GET", f"{OWN}/projects/{retention.project}/repositories/app/tags/v1/history").json()["items"]
        assert (history[0]["how"], history[0]["actor_type"]) == ("retention", "system")

    def test_harbors_executions_tasks_and_logs(self, retention):
        retention.push("v1", days=3)
        retention.push("v2", days=1)
        retention.create(rule("latestPushedK", 1))
        dry, real = retention.run(dry=True), retention.run()
        listed = retention.admin.get(retention.path("/executions?page_size=10"), expect=200)
        assert listed.headers["X-Total-Count"] == "2"
        assert [(row["id"], row["dry_run"], row["status"], row["trigger"]) for row in listed.json()] == [
            (real["id"], False, "Success", "MANUAL"), (dry["id"], True, "Success", "MANUAL")]
        assert all(row["policy_id"] == retention.policy_id and row["start_time"] and row["end_time"] for row in listed.json())
        [second] = retention.admin.get(retention.path("/executions?page=2&page_size=1"), expect=200).json()
        assert second["id"] == dry["id"]
        [task] = retention.admin.get(retention.path(f"/executions/{real['id']}/tasks"), expect=200).json()
        assert (task["repository"], task["status"], task["total"], task["retained"]) == ("app", "Success", 2, 1)
        log = retention.admin.get(retention.path(f"/executions/{real['id']}/tasks/{task['id']}"), expect=200)
        assert log.headers["Content-Type"].startswith("text/plain")
        rows = [line for line in log.text.splitlines() if line.startswith("| sha256:")]
        assert sorted(("v1" in row, "| DEL |" in row, "| RETAIN |" in row) for row in rows) == [(False, False, True), (True, True, False)]
        for path in (f"/executions/{real['id']}/tasks/{task['id'] + 1000}", "/executions/1000000/tasks", f"/executions/{dry['id'] + 1000}/tasks"):
            retention.admin.get(retention.path(path), expect=404)

    def test_the_trail_names_retention(self, retention):
        retention.push("v1", days=3)
        retention.push("v2")
        retention.create(rule("latestPushedK", 1))
        retention.run()
        rows = retention.admin.get(f"{OWN}/audit/records?q=username=retention&page_size=20", expect=200).json()
        gone, = [row for row in rows["records"] if row["resource"].startswith(f"{retention.project}/app@")]
        assert gone["operation"] == "delete"
        kind, number = gone["request_id"].split("-")
        job, = retention.registry.query(f"SELECT kind FROM job WHERE id = {int(number)}")
        assert (kind, job) == ("job", "retention")

    def test_pulled_lately_stays(self, retention):
        kept, gone = retention.push("v1", days=90), retention.push("v2", days=90)
        digest = f"SELECT id FROM manifest WHERE digest = '{kept.digest}'"
        retention.registry.execute(f"UPDATE artifact SET pulled_at_us = pushed_at_us + {85 * DAY_US} WHERE manifest_id IN ({digest})")
        retention.create(rule("nDaysSinceLastPull", 7))
        retention.run()
        retention.repo().get_manifest(kept.digest)
        retention.repo().get_manifest(gone.digest, expect=404)

    def test_only_repositories_that_are_chosen(self, retention):
        retention.push("v1", repo="app")
        retention.push("v1", repo="other/deep")
        scope = {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "other/**"}]}
        retention.create({**rule("latestPushedK", 0), "scope_selectors": scope})
        run = retention.run()
        assert [task["repository"] for task in run["tasks"]] == [f"{retention.project}/other/deep"]
        assert retention.repo().tag_names() == ["v1"]
        assert retention.repo("other/deep").tag_names() == []

    def test_untagged_ones(self, retention):
        untagged = oci.image("untagged")
        retention.repo().push(untagged)
        retention.push("v1")
        retention.create(rule(untagged=False))
        retention.run()
        retention.repo().get_manifest(untagged.digest, expect=404)
        assert retention.repo().tag_names() == ["v1"]

    def test_an_index_keeps_its_children_and_accessories_go_along(self, retention):
        repo = retention.repo()
        child, other = oci.image("child"), oci.image("other child")
        whole = oci.index([child, other])
        repo.push(whole, "v1")
        repo.put_manifest(child, "child-tag")
        gone = oci.image("signed, and going")
        repo.push(gone, "old")
        signature = oci.artifact("application/vnd.example.signature", subject=gone.descriptor())
        repo.push(signature)
        retention.create(rule(pattern="v*", untagged=False))
        retention.run()
        assert repo.tag_names() == ["v1"]
        for content in (whole, child, other):
            repo.get_manifest(content.digest)
        for content in (gone, signature):
            repo.get_manifest(content.digest, expect=404)

    def test_nothing_without_rules(self, retention):
        retention.push("v1")
        retention.create()
        assert retention.run()["tasks"] == []
        assert retention.repo().tag_names() == ["v1"]

    def test_stopping(self, retention):
        retention.create(rule())
        run = retention.run()
        call(retention.admin, "PATCH", retention.path(f"/executions/{run['id']}"), {"action": "stop"}, expect=200)
        call(retention.admin, "PATCH", retention.path(f"/executions/{run['id']}"), {"action": "pause"}, expect=400)
        call(retention.admin, "PATCH", retention.path("/executions/1000000"), {"action": "stop"}, expect=404)
        retention.admin.delete(f"{retention.own}/runs/{run['id']}", expect=200)

    def test_stopping_while_it_runs(self, retention, meanwhile):
        """What was deleted stays so, no repository is left half done, and a later run does the rest."""
        names = [f"app-{letter}" for letter in "abcdefghijkl"]
        for name in names:
            retention.push("old", days=2, repo=name)
            retention.push("new", repo=name)
        retention.create(rule("latestPushedK", 1))
        meanwhile.take_time()
        started = call(retention.admin, "POST", retention.path("/executions"), {"dry_run": False}, expect=201)
        number = started.headers["Location"].rsplit("/", 1)[1]
        wait_until(lambda: retention.repo(names[0]).tag_names() == ["new"], what="the first repository")
        wait_until(lambda: any(said.endswith(f" of {len(names)}") for said in progress(retention.admin, "retention")), what="its progress")
        call(retention.admin, "PATCH", retention.path(f"/executions/{number}"), {"action": "stop"}, expect=200)
        stopped = retention.wait(number)
        assert stopped["status"] == "Stopped"
        [row] = [row for row in retention.admin.get(retention.path("/executions"), expect=200).json() if row["id"] == int(number)]
        assert row["status"] == "Stopped" and row["end_time"]
        found = [retention.repo(name).tag_names() for name in names]
        done = found.count(["new"])
        assert 0 < done < len(names) and found == [["new"]] * done + [["new", "old"]] * (len(names) - done)
        statuses = [task["status"] for task in retention.admin.get(retention.path(f"/executions/{number}/tasks"), expect=200).json()]
        assert len(statuses) in (done, done + 1) and set(statuses[:done - 1]) <= {"Success"}, "the one that it was at, alone, has no report"
        meanwhile.end()
        retention.run()
        assert [retention.repo(name).tag_names() for name in names] == [["new"]] * len(names)
        retention.registry.assert_fsck_clean()

    def test_the_clock_runs_it(self, retention):
        retention.push("v1", days=2)
        retention.push("v2")
        retention.create(rule("latestPushedK", 1), cron="0 0 0 1 1 *")
        retention.fire(f"retention:{retention.project_id}")
        wait_until(lambda: retention.repo().tag_names() == ["v2"], what="what the clock asked for")
        [run] = [run for run in retention.admin.get(f"{retention.own}/runs", expect=200).json() if not run["dry_run"]]
        assert run["trigger"] == "SCHEDULE" and retention.wait(run["id"])["status"] == "Success"


class TestWhatChangedMeanwhile:
    @pytest.mark.parametrize("change", [
        "UPDATE tag SET pulled_at_us = 1700000000000000 WHERE name = 'old' AND {here}",
        "UPDATE tag SET updated_at_us = updated_at_us + 1 WHERE name = 'old' AND {here}",
        "UPDATE artifact SET pulled_at_us = 1700000000000000 WHERE {here}",
        "INSERT INTO inventory (tenant_id, cluster, digest, reported_at_us, expires_at_us) "
        "SELECT 1, 'race', m.digest, 1, 4000000000000000 FROM manifest m WHERE {here} ON CONFLICT DO NOTHING",
    ], ids=["tag pulled", "tag set again", "pulled by digest", "reported"])
    @pytest.mark.parametrize("mode", ["artifacts", "tags"])
    def test_it_stays(self, retention, meanwhile, mode, change):
        retention.push("old", days=9)
        retention.push("new")
        retention.create(rule("latestPushedK", 1), mode=mode)
        meanwhile.do(change.format(here=f"repository_id IN (SELECT id FROM repository WHERE name = '{retention.project}/app')"))
        run = retention.run()
        retention.registry.execute("DELETE FROM inventory WHERE cluster = 'race'")
        assert retention.decided(run) == {"old": "skip", "new": "retain"}
        assert retention.repo().tag_names() == ["new", "old"]
        assert (run["tasks"][0]["total"], run["tasks"][0]["retained"]) == (2, 2)


class TestEverything:
    def test_needs_a_dry_run_of_the_same_rules(self, retention):
        retention.push("v1")
        retention.create(rule("latestPushedK", 0))
        refused = call(retention.admin, "POST", retention.path("/executions"), {"dry_run": False}, expect=412)
        assert "would delete everything" in refused.text
        assert retention.repo().tag_names() == ["v1"]
        retention.run(dry=True)
        assert retention.admin.get(retention.own, expect=200).json()["tried"] is True
        call(retention.admin, "PUT", retention.path(), retention.policy(rule("nDaysSinceLastPull", 0)), expect=200)
        call(retention.admin, "POST", retention.path("/executions"), {"dry_run": False}, expect=412)
        retention.run(dry=True)
        retention.run()
        assert retention.repo().tag_names() == []

    def test_or_force(self, retention):
        retention.push("v1")
        retention.create(rule("latestPushedK", 0))
        started = call(retention.admin, "POST", f"{retention.own}/runs", {"force": True}, expect=201)
        assert retention.wait(started.headers["Location"].rsplit("/", 1)[1])["status"] == "Success"
        assert retention.repo().tag_names() == []

    def test_the_clock_stops_before_it(self, retention):
        retention.push("v1")
        retention.create(rule("latestPushedK", 0), cron="0 0 0 1 1 *")
        retention.fire(f"retention:{retention.project_id}")
        runs = f"{retention.own}/runs"
        [run] = wait_until(lambda: [run for run in retention.admin.get(runs, expect=200).json() if not run["dry_run"]], what="the run")
        run = retention.wait(run["id"])
        assert run["status"] == "Error" and "would delete everything" in run["error"]
        assert retention.repo().tag_names() == ["v1"]

    def test_one_other_repository_is_enough(self, retention):
        retention.push("v1")
        retention.push("keep", repo="other")
        retention.create(rule("latestPushedK", 1, "keep", untagged=False))
        retention.run()
        assert retention.repo().tag_names() == [] and retention.repo("other").tag_names() == ["keep"]


class TestBeyondHarbor:
    def test_tags_of_their_own(self, retention):
        content = retention.push("v1", days=2)
        retention.repo().put_manifest(content, "dev-1")
        retention.push("dev-2")
        retention.create(rule(pattern="v*"), mode="tags")
        run = retention.run()
        assert retention.decided(run) == {"v1": "retain", "dev-1": "delete", "dev-2": "delete"}
        assert retention.repo().tag_names() == ["v1"]
        retention.repo().get_manifest(content.digest)
        assert len(retention.registry.query(
            f"SELECT m.id FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE r.name = '{retention.project}/app'")) == 1

    def test_rules_that_delete_in_their_order(self, retention):
        for tag in ("dev-1", "v1"):
            retention.push(tag)
        retention.create(rule(pattern="dev-*", action="delete", untagged=False), rule())
        run = retention.run()
        lines = {line["tags"][0]: line for line in retention.lines(run)}
        assert (lines["dev-1"]["action"], lines["dev-1"]["rule"]) == ("delete", 1)
        assert lines["dev-1"]["reason"] == "rule 1 (always) deletes it"
        assert (lines["v1"]["action"], lines["v1"]["rule"]) == ("retain", 2)
        assert retention.repo().tag_names() == ["v1"]

    def test_by_label_and_signature(self, retention):
        labelled, signed = retention.push("labelled"), retention.push("signed")
        retention.push("neither")
        label = call(retention.admin, "POST", f"{API}/labels", {"name": "keep", "scope": "p", "project_id": retention.project_id}, expect=201)
        artifact = f"{API}/projects/{retention.project}/repositories/app/artifacts/{labelled.digest}"
        call(retention.admin, "POST", f"{artifact}/labels", {"id": int(label.headers["Location"].rsplit("/", 1)[1])}, expect=200)
        signature = oci.image("signature")
        retention.repo().push(signature, signed.digest.replace(":", "-") + ".sig")
        retention.registry.execute(
            f"UPDATE artifact SET accessory = 'signature.cosign', subject = '{signed.digest}', listed = 0 WHERE manifest_id IN "
            f"(SELECT id FROM manifest WHERE digest = '{signature.digest}')")
        started = call(retention.admin, "POST", f"{retention.own}/preview", retention.policy(rule(label="keep"), rule(signed=True)), expect=201)
        run = retention.wait(started.headers["Location"].rsplit("/", 1)[1])
        assert retention.decided(run) == {"labelled": "retain", "signed": "retain", "neither": "delete"}
        assert [line["labels"] for line in retention.lines(run) if line["labels"]] == [["keep"]]
        retention.registry.execute(
            f"UPDATE artifact SET accessory = NULL, subject = NULL, listed = 1 WHERE manifest_id IN "
            f"(SELECT id FROM manifest WHERE digest = '{signature.digest}')")

    def test_a_preview_keeps_no_policy(self, retention):
        retention.push("v1")
        started = call(retention.admin, "POST", f"{retention.own}/preview", retention.policy(rule("latestPushedK", 0)), expect=201)
        run = retention.wait(started.headers["Location"].rsplit("/", 1)[1])
        assert retention.decided(run) == {"v1": "delete"} and retention.repo().tag_names() == ["v1"]
        retention.admin.get(retention.own, expect=404)
        call(retention.admin, "POST", f"{retention.own}/preview", retention.policy(rule(pattern="[a")), expect=400)
        retention.admin.get(f"{retention.own}/runs/{run['id']}/tasks/{run['tasks'][0]['id']}?page=7", expect=200)
        retention.admin.get(f"{retention.own}/runs/{run['id'] + 1000}", expect=404)


class TestInventory:
    @pytest.fixture
    def cluster(self, admin):
        name = unique("cluster")
        yield name
        admin.delete(f"{OWN}/inventory/{name}", expect=(200, 404))

    def report(self, retention, cluster, *digests, expect=200, **more):
        return call(retention.admin, "POST", f"{OWN}/inventory", {"cluster": cluster, "digests": list(digests), **more}, expect=expect)

    def test_what_runs_is_kept_with_the_index_that_leads_to_it(self, retention, cluster):
        child, plain, gone = oci.image("runs"), oci.image("plain"), oci.image("gone")
        whole = oci.index([child])
        for content, tag in ((whole, "whole"), (plain, "plain"), (gone, "gone")):
            retention.repo().push(content, tag)
        self.report(retention, cluster, child.digest, plain.digest)
        retention.create(rule("latestPushedK", 0))
        run = retention.run()
        reasons = {line["tags"][0]: line["reason"] for line in retention.lines(run)}
        assert reasons == {"whole": "a cluster reports that it runs", "plain": "a cluster reports that it runs",
                           "gone": "rule 1 (latestPushedK 0) retains it"} or reasons["gone"] == "no rule retains it"
        assert retention.repo().tag_names() == ["plain", "whole"]
        retention.repo().get_manifest(child.digest)

    def test_reports_are_listed_replaced_and_forgotten(self, retention, cluster):
        digests = [oci.digest_of(bytes([n])) for n in range(3)]

        def listed():
            rows = retention.admin.get(f"{OWN}/inventory", expect=200).json()
            return sorted(row["digest"] for row in rows if row["cluster"] == cluster)

        self.report(retention, cluster, digests[0], digests[1])
        self.report(retention, cluster, digests[1], digests[2], ttl_seconds=60)
        assert listed() == sorted(digests[1:])
        self.report(retention, cluster, digests[0], add=True)
        assert listed() == sorted(digests)
        page = retention.admin.get(f"{OWN}/inventory?cluster={cluster}&digest={sorted(digests)[1]}&page_size=1", expect=200).json()
        assert [row["digest"] for row in page] == sorted(digests)[2:]
        retention.admin.delete(f"{OWN}/inventory/{cluster}", expect=200)
        assert listed() == []
        retention.admin.delete(f"{OWN}/inventory/{cluster}", expect=404)

    def test_a_report_expires(self, retention, cluster):
        content = retention.push("v1")
        retention.push("v2")
        self.report(retention, cluster, content.digest, ttl_seconds=3600)
        retention.registry.execute(f"UPDATE inventory SET expires_at_us = 1 WHERE cluster = '{cluster}'")
        retention.create(rule(pattern="v2"))
        retention.run()
        assert retention.repo().tag_names() == ["v2"]
        retention.fire("expire_inventory")
        wait_until(lambda: not retention.registry.query(f"SELECT digest FROM inventory WHERE cluster = '{cluster}'"), what="the end of it")

    @pytest.mark.parametrize("body, said", [
        ({"digests": []}, "cluster: "), ({"cluster": "c"}, "digests: "), ({"cluster": "c", "digests": ["x"]}, "digests[0]: not a digest"),
        ({"cluster": "c", "digests": [], "ttl_seconds": 0}, "ttl_seconds: "), ({"cluster": "c" * 129, "digests": []}, "cluster"),
        ({"cluster": "c", "digests": {}}, "digests"),
    ])
    def test_what_is_wrong_is_said(self, admin, body, said):
        assert said in call(admin, "POST", f"{OWN}/inventory", body, expect=(400, 422)).text

    def test_people_may_not(self, admin):
        person = make_person(admin).client
        call(person, "POST", f"{OWN}/inventory", {"cluster": "c", "digests": []}, expect=403)
        person.get(f"{OWN}/inventory", expect=403)
