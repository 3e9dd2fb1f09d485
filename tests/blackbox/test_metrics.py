# SPDX-License-Identifier: Apache-2.0
"""Metrics: what they count, in which formats, who may read them, and that a real prometheus agrees."""
import json
import re

import pytest
import requests

from harness import oci, swagger
from harness.exposition import OPENMETRICS, TEXT, Metrics, Prometheus, promtool, scrape
from harness.port import free_port
from harness.members import make_project
from harness.people import call, make_person
from harness.registry import ROOT
from harness.wait import wait_until

DEPLOY = ROOT / "deploy"
STRANGER = {"Authorization": None}


def difference(admin, work, name, **labels):
    """What `work` adds. A request is counted when its answer has been sent, so who has the answer may be a moment early."""
    before = scrape(admin).sum(name, **labels)
    work()
    return wait_until(lambda: scrape(admin).sum(name, **labels) - before, what=f"{name} rising")


class TestNumbers:
    def test_requests_by_route_method_and_status(self, admin, repo):
        manifest = oci.image("metrics")
        repo.push(manifest, "v1")
        for work, route, method, status in (
            (lambda: repo.get_manifest("v1"), "manifest", "GET", "2xx"),
            (lambda: admin.get("/v2/tests/none/manifests/none", expect=404), "manifest", "GET", "4xx"),
            (lambda: admin.head("/api/v2.0/projects?project_name=tests", expect=(200, 404)), "harbor", "HEAD", None),
            (lambda: admin.get("/api/berth/v1/tenants", expect=200), "berth", "GET", "2xx"),
            (lambda: admin.get("/nowhere", expect=404), "none", "GET", "4xx"),
            (lambda: admin.get("/livez", expect=200), "sight", "GET", "2xx"),
        ):
            labels = {"route": route, "method": method} | ({"status": status} if status else {})
            own = 1 if route == "sight" else 0  # the scrape before, which is counted when it is answered
            assert difference(admin, work, "berth_http_requests_total", **labels) == 1 + own, route

    def test_bytes_and_durations(self, admin, repo):
        blob = b"x" * 100_000
        received = difference(admin, lambda: repo.push_blob(blob), "berth_http_received_bytes_total", route="upload")
        assert received == len(blob)
        digest = repo.push_blob(blob)
        sent = difference(admin, lambda: repo.get_blob(digest), "berth_http_sent_bytes_total", route="blob")
        assert sent == len(blob)
        assert difference(admin, lambda: repo.get_blob(digest), "berth_http_request_seconds_count", route="blob") == 1

    def test_database_storage_and_caches(self, admin, repo):
        before = scrape(admin)
        repo.push(oci.image("counted"), "v1")
        repo.get_manifest("v1")
        after = scrape(admin)
        for name, labels in (
            ("berth_sql_transaction_seconds_count", {"mode": "write"}),
            ("berth_sql_commit_seconds_count", {"mode": "write"}),
            ("berth_sql_statement_seconds_count", {}),
            ("berth_sql_commits_total", {}),
            ("berth_storage_seconds_count", {"operation": "publish"}),
            ("berth_storage_seconds_count", {"operation": "upload_append"}),
            ("berth_cache_hits_total", {"cache": "registry"}),
            ("process_cpu_seconds_total", {}),
        ):
            assert after.of(name, **labels) > before.of(name, **labels), name
        assert after.of("berth_sql_connections_used", pool="read") is not None or after.of("berth_sql_connections_used", pool="all") is not None

    def test_what_the_process_is(self, admin):
        found = scrape(admin)
        assert found.of("process_open_fds") > 3 and found.of("process_threads") >= 3
        assert 1e6 < found.of("process_resident_memory_bytes") < found.of("process_virtual_memory_bytes")
        assert found.of("process_start_time_seconds") > 1.6e9
        assert found.of("berth_ready") == found.of("harbor_health") == found.of("harbor_up", component="database") == 1
        assert found.of("berth_http_connections") >= 1

    @pytest.mark.settings(rate_limits_anonymous="read=1/m")
    def test_what_a_rate_limit_refuses(self, admin, anonymous):
        def ask():
            for _ in range(3):
                anonymous.get("/api/v2.0/systeminfo", headers=STRANGER, expect=(200, 429))

        assert difference(admin, ask, "berth_rate_limited_requests_total", who="anonymous", **{"class": "read"}) >= 1

    def test_no_name_of_a_clients_makes_a_series(self, admin):
        before = set(scrape(admin).samples)
        for i in range(20):
            admin.request("PROPFIND", f"/somewhere/{i}", expect=(404, 405, 501))
            admin.get(f"/v2/tests/name-{i}/tags/list", expect=404)
        new = {labels for _, labels in set(scrape(admin).samples) - before}
        assert not re.search(r"name-|somewhere|PROPFIND", repr(new))

    def test_an_answer_cut_off_is_none(self, admin, registry, repo):
        digest = repo.push_blob(b"y" * 30_000_000)

        def hang_up():
            headers = {"Authorization": admin.authorization(())}
            with registry.connect() as connection:
                request = f"GET /v2/{repo.name}/blobs/{digest} HTTP/1.1\r\nHost: x\r\nAuthorization: {headers['Authorization']}\r\n\r\n"
                connection.sendall(request.encode())
                connection.recv(1000)

        before = scrape(admin).sum("berth_http_requests_total", route="blob", status="cut")
        hang_up()
        wait_until(lambda: scrape(admin).sum("berth_http_requests_total", route="blob", status="cut") == before + 1, what="the answer being counted")


def as_harbor_says(operation_id):
    return operation_id[0].upper() + operation_id[1:]


class TestHarborsNames:
    """What Harbor's own core and exporter would say of the same work."""

    def test_requests_by_operation_method_and_code(self, admin, repo):
        digest = repo.push(oci.image("harbors"), "v1")
        for work, operation, method, code, expected in (
            (lambda: repo.get_manifest("v1"), "v2_manifest", "GET", "200", 1),
            (lambda: admin.head(f"/v2/{repo.name}/manifests/{digest}", expect=200), "v2_manifest", "HEAD", "200", 1),
            (lambda: admin.get("/v2/tests/none/manifests/none", expect=404), "v2_manifest", "GET", "404", 1),
            (lambda: repo.push_blob(b"counted"), "v2_blob_upload", None, "201", 1),
            (lambda: admin.get(f"/v2/{repo.name}/tags/list", expect=200), "v2_tags", "GET", "200", 1),
            (lambda: admin.get(f"/v2/{repo.name}/referrers/{digest}", expect=200), "v2_referrers", "GET", "200", 1),
            (lambda: admin.get("/v2/_catalog", expect=200), "v2_catalog", "GET", "200", 1),
            (lambda: admin.get("/v2/", expect=200), "v2_others", "GET", "200", 1),
            (lambda: admin.get("/api/v2.0/projects", expect=200), "ListProjects", "GET", "200", 1),
            (lambda: admin.get("/api/v2.0/health", expect=200), "GetHealth", "GET", "200", 1),
            (lambda: admin.get("/api/v2.0/scanners", expect=501), "ListScanners", "GET", "501", 1),
            (lambda: admin.get("/api/berth/v1/tenants", expect=200), "unknown", "GET", "200", 1),
            (lambda: admin.request("PROPFIND", "/nowhere", expect=404), "unknown", "OTHER", "404", 1),
        ):
            labels = {"operation": operation, "code": code} | ({"method": method} if method else {})
            assert difference(admin, work, "harbor_core_http_request_total", **labels) == expected, operation

    def test_durations_are_a_sum_and_a_number(self, admin):
        before, work = scrape(admin), {"method": "GET", "operation": "GetStatistic"}
        for _ in range(3):
            admin.get("/api/v2.0/statistics", expect=200)
        name = "harbor_core_http_request_duration_seconds"
        wait_until(lambda: scrape(admin).sum(f"{name}_count", **work) == before.sum(f"{name}_count", **work) + 3, what="three being counted")
        assert scrape(admin).of(f"{name}_sum", **work) > before.sum(f"{name}_sum", **work)

    def test_metrics_and_probes_are_counted_elsewhere(self, admin):
        before = scrape(admin).sum("harbor_core_http_request_total")
        for _ in range(5):
            admin.get("/livez", expect=200)
        assert scrape(admin).sum("harbor_core_http_request_total") == before

    @pytest.mark.skipif(not swagger.FILE.exists(), reason="Harbor's description is not there")
    def test_operations_are_those_of_harbors_description(self, admin):
        """Whatever is asked, under its name there: each operation once, with ids that lead nowhere."""
        operations = [o for o in swagger.contract().operations if o.method.upper() in ("GET", "HEAD")]
        for operation in operations:
            admin.request(operation.method.upper(), swagger.PREFIX + re.sub(r"\{[^}]*\}", "1", operation.path), expect=tuple(range(200, 600)))
        wanted = {as_harbor_says(operation.name) for operation in operations}
        found = wait_until(lambda: wanted <= names(admin) and names(admin), what="all being counted")
        known = {as_harbor_says(operation.name) for operation in swagger.contract().operations}
        assert not [name for name in found - known if name != "unknown" and not name.startswith("v2_")]

    def test_jobs(self, admin):
        found = scrape(admin)
        kinds = {dict(labels)["kind"] for name, labels in found.samples if name == "berth_jobs_waiting_seconds"}
        assert kinds
        for kind in kinds:
            assert found.of("harbor_task_queue_size", type=kind) == found.of("berth_jobs", kind=kind, state="ready")
            assert found.of("harbor_task_queue_latency", type=kind) >= 0
            assert found.of("harbor_jobservice_task_total", type=kind, status="success") == found.of("berth_jobs_attempts_total", kind=kind, result="done")

    @pytest.mark.settings(garbage_window="2h")
    def test_what_garbage_collection_removed(self, registry, admin, repo):
        before = scrape(admin)
        content = oci.image("collected", layers=2)
        repo.push(content, "v1")
        repo.delete_manifest(content.digest)

        def collect(**parameters):
            call(admin, "POST", "/api/v2.0/system/gc/schedule", {"schedule": {"type": "Manual"}, "parameters": parameters}, expect=201)
        registry.execute("UPDATE garbage SET due_at_us = 1")
        collect()

        def freed(kind):
            return scrape(admin).of("berth_gc_freed_items_total", kind=kind) - before.of("berth_gc_freed_items_total", kind=kind)
        wait_until(lambda: freed("blob") == len(content.blobs), what="its blobs being counted")
        assert freed("link") == len(content.blobs) and freed("artifact") == 0
        wait_until(lambda: scrape(admin).of("berth_gc_last_end_seconds") > before.of("process_start_time_seconds"), what="the end of it")
        after = scrape(admin)
        assert after.of("berth_gc_freed_bytes_total") - before.of("berth_gc_freed_bytes_total") == sum(map(len, content.blobs))
        assert after.of("berth_gc_failed_removals_total") == 0 and after.of("berth_gc_put_off_items_total") >= 0
        assert after.of("berth_gc_due_items") == 0 and after.of("berth_gc_late_seconds") == 0
        repo.push(oci.image("untagged"))
        registry.execute("UPDATE artifact SET pushed_at_us = 1")
        collect(delete_untagged=True)
        wait_until(lambda: freed("artifact") == 1, what="an artifact without a tag being counted")

    @pytest.mark.settings(garbage_window="1h")
    def test_what_is_due_and_since_when(self, registry, admin, repo):
        digest = repo.push_blob(oci.random_bytes(200, "due"))
        assert scrape(admin).of("berth_gc_due_items") == 0
        registry.execute("UPDATE garbage SET due_at_us = due_at_us - 3700000000")
        found = scrape(admin)
        assert found.of("berth_gc_due_items") == 1 and 99 < found.of("berth_gc_late_seconds") < 3600, digest

    def test_what_is_absent_is_said(self, admin):
        manual = (ROOT / "docs" / "metrics.md").read_text()
        absent = manual.split("absent on purpose")[1]
        for name in set(re.findall(r"\b(?:harbor|registry)_[a-z_]+", absent)) - {"harbor_core_http_request_duration_seconds"}:
            assert name not in scrape(admin).types, name


def names(admin):
    return {dict(labels)["operation"] for name, labels in scrape(admin).samples if name == "harbor_core_http_request_total"}


class TestFormats:
    @pytest.mark.parametrize("accept, expected", [
        (None, TEXT),
        ("text/plain", TEXT),
        ("*/*", TEXT),
        ("application/json", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", OPENMETRICS),
        ("text/plain;q=0.9, application/openmetrics-text;q=0.8", TEXT),
        ("application/openmetrics-text;q=0, */*", TEXT),
        ("application/*, text/plain;q=0.1", OPENMETRICS),
        ("application/openmetrics-text;q=x", TEXT),
    ])
    def test_who_asks_chooses(self, admin, accept, expected):
        answer = admin.get("/metrics", expect=200, headers={"Accept": accept} if accept else {})
        assert answer.headers["Content-Type"] == expected
        Metrics(answer.text, expected == OPENMETRICS)

    def test_both_say_the_same(self, admin):
        texts, open_ = scrape(admin, "text/plain"), scrape(admin, "application/openmetrics-text")
        assert set(texts.samples) <= set(open_.samples)
        assert {name.removesuffix("_total") for name in texts.types} == {name.removesuffix("_total") for name in open_.types}

    def test_every_metric_is_in_the_manual(self, admin):
        manual = (ROOT / "docs" / "metrics.md").read_text()
        for name in scrape(admin).types:
            assert f"| `{name}` |" in manual, name

    def test_promtool_finds_nothing_to_say(self, admin):
        status, said = promtool("check", "metrics", text=admin.get("/metrics", expect=200).text)
        ours = [line for line in said.splitlines() if not line.startswith("harbor_")]
        assert ours == [] and status in (0, 3), said


class TestWhoMayRead:
    def test_administrators_and_whom_they_let(self, registry, admin, anonymous):
        admin.get("/metrics", expect=200)
        anonymous.get("/metrics", headers=STRANGER, expect=401)
        person = make_person(admin)
        person.client.get("/metrics", expect=403)
        robot = json.loads(admin.post("/api/v2.0/robots", expect=201, headers={"Content-Type": "application/json"}, body=json.dumps({
            "name": "scraper", "level": "system", "duration": -1,
            "permissions": [{"kind": "system", "namespace": "/", "access": [{"resource": "metrics", "action": "read"}]}],
        })).text)
        scrape(registry.client(robot["name"], robot["secret"], auth="basic"))

    @pytest.mark.settings(metrics_networks="127.0.0.0/8")
    def test_a_network_reads_without_an_account(self, anonymous):
        scrape(anonymous)
        anonymous.get("/api/v2.0/users", headers=STRANGER, expect=401)

    @pytest.mark.settings(metrics_networks="10.0.0.0/8,unix")
    def test_another_network_does_not(self, anonymous):
        anonymous.get("/metrics", headers=STRANGER, expect=401)

    def test_an_address_of_its_own_serves_nothing_else(self, make_registry):
        port = free_port()
        make_registry(metrics_listen=f"127.0.0.1:{port}")
        url = f"http://127.0.0.1:{port}"
        Metrics(requests.get(url + "/metrics", timeout=30).text, False)
        assert requests.get(url + "/readyz", timeout=30).text == "ok\n"
        for path in ("/v2/", "/api/v2.0/health", "/"):
            assert requests.get(url + path, timeout=30).status_code == 404

    def test_a_socket_serves_when_confined(self, make_registry, tmp_path):
        registry = make_registry(metrics_listen=f"unix:{tmp_path}/metrics.sock")
        assert (tmp_path / "metrics.sock").is_socket() and registry.running()

    @pytest.mark.parametrize("listen, reason", [("127.0.0.1:1,127.0.0.1:2", "one address"), ("here", "one address"), ("https:127.0.0.1:1", "tls.certificate")])
    def test_addresses_that_are_none(self, make_registry, listen, reason):
        registry = make_registry(start=False, metrics_listen=listen)
        registry.spawn()
        assert registry.wait_dead() == 1
        assert reason in registry.log_text()


@pytest.mark.settings(metrics_tenants="true", metrics_projects="true")
class TestUsage:
    def test_of_tenants_and_projects(self, admin, registry, client):
        name = "metered"
        make_project(admin, name)
        client.repository(f"{name}/app").push_blob(b"z" * 1000)
        found = scrape(admin)
        assert found.of("harbor_project_quota_usage_byte", project_name=name, tenant="default") == 1000
        assert found.of("harbor_project_quota_byte", project_name=name, tenant="default") == -1
        assert found.of("harbor_project_repo_total", project_name=name, public="false", tenant="default") == 1
        assert found.of("harbor_project_member_total", project_name=name, tenant="default") == 1
        assert found.of("harbor_artifact_pulled", project_name=name, tenant="default") == 0
        assert found.of("berth_tenant_used_bytes", tenant="default") >= 1000
        registry.tenant("acme")
        assert scrape(admin).of("berth_tenant_projects", tenant="acme") == 0


@pytest.mark.settings(metrics_projects="true")
class TestProjectsAsHarborCountsThem:
    def test_each_and_all(self, admin, client):
        before = scrape(admin)
        for name, public in (("open", "true"), ("closed", "false")):
            make_project(admin, name, metadata={"public": public})
            for repository in ("a", "b"):
                client.repository(f"{name}/{repository}").push(oci.image(name + repository), "v1")
        for _ in range(3):
            client.repository("open/a").get_manifest("v1")
        found = scrape(admin)
        assert found.of("harbor_project_repo_total", project_name="open", public="true", tenant="default") == 2
        assert found.of("harbor_project_member_total", project_name="closed", tenant="default") == 1
        for rose, by in (
            ("harbor_statistics_total_project_amount", 2),
            ("harbor_statistics_public_project_amount", 1),
            ("harbor_statistics_private_project_amount", 1),
            ("harbor_statistics_total_repo_amount", 4),
            ("harbor_statistics_public_repo_amount", 2),
            ("harbor_statistics_private_repo_amount", 2),
            ("harbor_project_total", 2),
        ):
            assert found.sum(rose) - before.sum(rose) == by, rose
        assert found.of("harbor_project_total", public="true") == found.of("harbor_statistics_public_project_amount")
        wait_until(lambda: scrape(admin).of("harbor_artifact_pulled", project_name="open", tenant="default") == 3, what="the pulls being written down")


def test_usage_is_off_by_default(admin):
    assert not [name for name in scrape(admin).types if "tenant" in name or "project" in name or "statistics" in name]


class TestPrometheus:
    def test_scrapes_and_judges(self, make_registry, tmp_path):
        port = free_port()
        registry = make_registry(metrics_listen=f"127.0.0.1:{port}")
        rules = sorted((DEPLOY / "prometheus").glob("*.rules.yaml"))
        prometheus = Prometheus(tmp_path / "prometheus", f"127.0.0.1:{port}", rules)
        try:
            registry.client().repository("tests/scraped").push(oci.image("scraped"), "v1")
            wait_until(lambda: prometheus.value("up") == 1, what="a scrape")
            wait_until(lambda: (prometheus.value('sum(berth_http_requests_total{route="manifest"})') or 0) >= 1, what="the push being seen")
            for panel in panels():
                for target in panel.get("targets", ()):
                    prometheus.ask("query", query=re.sub(r"\$\w+", "5m", target["expr"]))
            groups = prometheus.ask("rules")["groups"]
            assert groups
            wait_until(lambda: all(rule["health"] == "ok" for group in prometheus.ask("rules")["groups"] for rule in group["rules"]),
                       what="every rule having been judged")
            assert not [rule for group in groups for rule in group["rules"] if rule.get("state") == "firing"]
        finally:
            prometheus.close()


def panels():
    found = []
    for path in sorted((DEPLOY / "grafana").glob("*.json")):
        found += json.loads(path.read_text())["panels"]
    return found


class TestDeploy:
    def test_rules_are_rules(self):
        files = sorted((DEPLOY / "prometheus").glob("*.yaml"))
        assert files
        for path in files:
            if path.name.endswith(".rules.yaml"):
                status, said = promtool("check", "rules", path)
                assert status == 0, said

    def test_alerts_fire_when_they_should(self):
        for path in sorted((DEPLOY / "prometheus").glob("*.test.yaml")):
            status, said = promtool("test", "rules", path)
            assert status == 0, said

    @pytest.mark.parametrize("path", sorted(DEPLOY.glob("prometheus/*.rules.yaml")) + sorted(DEPLOY.glob("grafana/*.json")), ids=lambda path: path.name)
    def test_they_speak_of_metrics_that_exist(self, path):
        known = set(re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs" / "metrics.md").read_text(), re.M))
        used = set(re.findall(r"\b(?:berth|harbor|process)_[a-z_]+", path.read_text()))
        for name in used:
            base = re.sub(r"_(bucket|sum|count)\Z", "", name)
            assert name in known or base in known, name

    def test_the_dashboard_has_what_grafana_needs(self):
        for panel in panels():
            assert panel["title"] and panel["gridPos"]["w"] > 0 and panel["type"]
        titles = [panel["title"] for panel in panels()]
        assert len(titles) == len(set(titles))
