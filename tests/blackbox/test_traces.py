# SPDX-License-Identifier: Apache-2.0
"""One id and one trace for a request: in its answer, in the log, in the audit trail, and at a collector of OTLP."""
import json
import re
import threading

import pytest

from harness import oci
from harness.exposition import scrape
from harness.hooks import hook, push
from harness.people import API, call
from harness.port import free_port
from harness.receivers import HttpReceiver
from harness.wait import wait_until

PARENT = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
TRACEPARENT = f"00-{PARENT}-{SPAN}-01"
HEX16, HEX32 = re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-f]{32}")
ALL = {"traces_per_million": "1000000"}
NONE = {"traces_per_million": "0"}  # but what comes with a traceparent


class Collector(HttpReceiver):
    """Takes OTLP as JSON, strictly. `hang`: answers when it is closed, or `held` is set."""

    def __init__(self, *statuses, hang=False, says=()):
        self.spans, self.problems, self.held = [], [], threading.Event()
        if not hang:
            self.held.set()
        super().__init__(answers=statuses or [200] * len(says), says=says)
        self.url = f"http://127.0.0.1:{self.port}/v1/traces"

    def take(self, path, headers, body):
        self.held.wait(60)
        status, more = super().take(path, headers, body)
        if status < 300 and path == "/v1/traces":
            try:
                self.read(headers, json.loads(body))
            except Exception as problem:
                self.problems.append(repr(problem))
        return status, more

    def read(self, headers, document):
        assert headers["Content-Type"] == "application/json"
        for resource in document["resourceSpans"]:
            about = attributes(resource["resource"])
            assert about["service.name"] == "berth" and about["service.version"] and about["service.instance.id"]
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    self.check(span)
                    self.spans.append(span)

    @staticmethod
    def check(span):
        assert HEX32.fullmatch(span["traceId"]) and HEX16.fullmatch(span["spanId"])
        assert "parentSpanId" not in span or HEX16.fullmatch(span["parentSpanId"])
        assert span["kind"] in (1, 2, 3, 5) and span["name"]
        assert 0 < int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        assert span["status"] in ({}, {"code": 2})

    def of(self, trace):
        return [span for span in self.spans if span["traceId"] == trace]

    def close(self):
        self.held.set()
        super().close()
        assert self.problems == []


def attributes(thing):
    return {pair["key"]: pair["value"].get("stringValue") or int(pair["value"]["intValue"]) for pair in thing["attributes"]}


@pytest.fixture
def make_collector():
    made = []

    def make(*statuses, **options):
        made.append(Collector(*statuses, **options))
        return made[-1]

    yield make
    for collector in made:
        collector.close()


@pytest.fixture
def collector(make_collector):
    return make_collector()


def traced(make_registry, collector, **settings):
    return make_registry(traces_endpoint=collector.url, **settings)


def requests(collector):
    return [span for span in collector.spans if span["kind"] == 2]


def runs(collector, kind):
    """The spans of runs of jobs of a kind."""
    return [span for span in collector.spans if span["kind"] == 5 and span["name"] == f"job {kind}"]


def served(collector, trace):
    """The span of the request, once it has come."""
    wait_until(lambda: any(span["kind"] == 2 for span in collector.of(trace)), what="the span of the request")
    return next(span for span in collector.of(trace) if span["kind"] == 2)


class TestRequestId:
    def test_the_clients_own_is_everywhere(self, registry, admin):
        project = "named-request"
        answer = admin.post("/api/v2.0/projects", expect=201, body=json.dumps({"project_name": project}),
                            headers={"Content-Type": "application/json", "X-Request-Id": "mine-1"})
        assert answer.headers["X-Request-Id"] == "mine-1"
        found = admin.get("/api/berth/v1/audit/records?operation=create", expect=200).text
        assert '"mine-1"' in found
        since = registry.log_size()
        answer = admin.get("/api/v2.0/projects/none-of-these", expect=(403, 404), headers={"X-Request-Id": "mine-2"})
        assert answer.headers["X-Request-Id"] == "mine-2"
        # The line may be written after the answer was read.
        lines = wait_until(
            lambda: [line for line in registry.log_lines(since) if line.get("msg", line.get("message")) == "request failed"],
            what="the line about the request")
        assert [line["request"] for line in lines] == ["mine-2"]

    @pytest.mark.parametrize("path", ["/v2/", "/livez", "/metrics", "/nowhere", "/service/token", "/api/v2.0/health"])
    def test_every_answer_has_one_of_its_own(self, anonymous, path):
        ids = [anonymous.get(path, headers={"Authorization": None}).headers["X-Request-Id"] for _ in range(3)]
        assert len(set(ids)) == 3 and all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in ids)

    def test_pulls_have_one_too(self, repo):
        repo.push(oci.image("named"), "v1")
        assert repo.get_manifest("v1").headers["X-Request-Id"]

    def test_a_head_that_is_none_gets_one(self, registry):
        with registry.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nbroken field\r\n\r\n")
            answer = connection.recv(4000)
        assert answer.startswith(b"HTTP/1.1 400 ") and b"\r\nX-Request-Id: " in answer

    def test_what_a_request_logs_on_its_way_names_it(self, make_registry):
        registry = make_registry()
        uploads = registry.data / "uploads"
        away = uploads.with_name("uploads-away")
        uploads.rename(away)  # the server holds it open: without it under any name nothing can be made in it
        uploads.mkdir()
        away.rmdir()
        probe = {"X-Request-Id": "probe-1"}
        wait_until(lambda: registry.anonymous().get("/api/v2.0/health", headers=probe).json()["status"] == "unhealthy", what="the missing folder showing")
        assert {line["request"] for line in said(registry, "unhealthy")} == {"probe-1"}


class TestSpans:
    def test_a_push_and_what_it_waited_for(self, make_registry, collector):
        registry = traced(make_registry, collector)
        client = registry.client()
        repo = client.repository("tests/traced")
        digest = repo.push_blob(b"again")
        repo.request("POST", f"/v2/{repo.name}/blobs/uploads/?digest={digest}", body=b"again", expect=201,
                     headers={"traceparent": TRACEPARENT, "X-Request-Id": "traced-1"})
        span = served(collector, PARENT)
        about = attributes(span)
        assert span["parentSpanId"] == SPAN and span["name"] == "POST /v2/{name}/blobs/uploads/"
        assert about["http.request.method"] == "POST" and about["http.response.status_code"] == 201
        assert about["berth.request_id"] == "traced-1" and about["url.path"] == f"/v2/{repo.name}/blobs/uploads/"
        by_id = {one["spanId"]: one for one in collector.of(PARENT)}
        names = {one["name"] for one in by_id.values()}
        assert {"storage publish", "sql transaction write", "sql commit", "sql wait write"} <= names
        for one in by_id.values():
            assert one is span or by_id[one["parentSpanId"]]["name"].startswith(("sql transaction", "POST ")), one
        statements = [one for one in by_id.values() if one["name"].startswith("sql statement ")]
        assert statements and all(by_id[one["parentSpanId"]]["name"].startswith("sql transaction") for one in statements)

    def test_a_failure_is_marked_and_its_log_line_names_the_trace(self, make_registry, collector):
        registry = traced(make_registry, collector, traces_per_million="0")
        registry.client(auth="basic").get("/v2/tests/none/manifests/none", expect=404, headers={"traceparent": TRACEPARENT})
        assert attributes(served(collector, PARENT))["http.response.status_code"] == 404
        assert [line["trace"] for line in registry.log_lines() if line.get("trace")] == [PARENT]

    def test_who_is_not_recorded_elsewhere_is_not_here(self, make_registry, collector):
        registry = traced(make_registry, collector, traces_per_million="0")
        client = registry.client()
        client.get("/v2/", headers={"traceparent": TRACEPARENT[:-1] + "0"})
        client.get("/v2/")
        client.get("/v2/", headers={"traceparent": TRACEPARENT})
        served(collector, PARENT)
        assert len([span for span in collector.spans if span["kind"] == 2]) == 1

    def test_clients_may_be_kept_from_deciding(self, make_registry, collector):
        registry = traced(make_registry, collector, traces_follow="false", **ALL)
        client = registry.client()
        client.get("/livez", headers={"traceparent": TRACEPARENT})
        client.get("/readyz")
        wait_until(lambda: any(span["name"] == "GET /readyz" for span in collector.spans), what="a trace of our own")
        assert not collector.of(PARENT)

    def test_what_is_no_traceparent_begins_a_trace(self, make_registry, collector):
        client = traced(make_registry, collector, **ALL).anonymous()
        wrong = ["00-" + "0" * 32 + f"-{SPAN}-01", f"00-{PARENT}-" + "0" * 16 + "-01", f"ff-{PARENT}-{SPAN}-01", f"00-{PARENT.upper()}-{SPAN}-01",
                 f"00-{PARENT}-{SPAN}", f"00-{PARENT}-{SPAN}-01-more", "", "x" * 55]
        for header in wrong:
            client.get("/livez", headers={"traceparent": header, "Authorization": None})
        wait_until(lambda: len(requests(collector)) >= len(wrong), what="the spans")
        assert len({span["traceId"] for span in requests(collector)} - {PARENT}) == len(wrong)
        assert not any("parentSpanId" in span for span in requests(collector))

    def test_the_trace_goes_on_to_servers_that_are_asked(self, make_registry, collector):
        registry = traced(make_registry, collector)
        admin = registry.client(auth="basic")
        body = {"url": f"http://127.0.0.1:{collector.port}/provider", "verify_cert": False}
        admin.post("/api/v2.0/system/oidc/ping", body=json.dumps(body), expect=(400, 502),
                   headers={"Content-Type": "application/json", "traceparent": TRACEPARENT, "tracestate": "a=1", "X-Request-Id": "asked-1"})
        span = served(collector, PARENT)
        wait_until(lambda: any(one["name"] == "upstream identity" for one in collector.of(PARENT)), what="the span of the request to the provider")
        asked = next(one for one in collector.of(PARENT) if one["name"] == "upstream identity")
        assert asked["parentSpanId"] == span["spanId"] and asked["kind"] == 3
        headers = next(request["headers"] for request in collector.requests if request["path"].startswith("/provider"))
        assert headers["traceparent"] == f"00-{PARENT}-{asked['spanId']}-01" and headers["tracestate"] == "a=1"
        assert headers["X-Request-Id"] == "asked-1"


def said(registry, message):
    return [line for line in registry.log_lines() if line.get("message") == message]


class TestJobs:
    """A run of a job is a trace of its own."""

    def test_a_run_and_what_it_waited_for(self, make_registry, collector):
        traced(make_registry, collector, uploads_expiry="1s", **ALL)
        wait_until(lambda: runs(collector, "expire_uploads"), what="a job")
        run = runs(collector, "expire_uploads")[0]
        about = attributes(run)
        assert "parentSpanId" not in run and run["status"] == {}
        assert about["berth.job.id"] > 0 and about["berth.job.attempt"] == 1 and about["berth.job.result"] == "done"
        by_id = {span["spanId"]: span for span in collector.of(run["traceId"])}
        children = [span for span in by_id.values() if span is not run]
        assert "sql transaction write" in {span["name"] for span in children if span["parentSpanId"] == run["spanId"]}
        assert "sql statement job_end" in {span["name"] for span in children}, "the end of its row belongs to it"
        assert all(span["parentSpanId"] in by_id for span in children)

    def test_what_nobody_took_is_no_trace(self, make_registry, collector):
        registry = traced(make_registry, collector, uploads_expiry="1s", **ALL)
        wait_until(lambda: len(runs(collector, "expire_uploads")) >= 3, what="turns that found something, and turns that did not")
        assert registry.stop() == 0
        roots = {span["traceId"] for span in collector.spans if span["kind"] in (2, 5) and "parentSpanId" not in span}
        assert {span["traceId"] for span in collector.spans} == roots

    def test_they_are_sampled_as_requests_are(self, make_registry, collector):
        registry = traced(make_registry, collector, uploads_expiry="1s", **NONE)
        wait_until(lambda: registry.query("SELECT id FROM job WHERE kind = 'expire_uploads' AND state = 3"), what="a job")
        assert registry.stop() == 0
        assert not collector.spans

    def test_a_failed_run_is_marked_and_its_log_lines_name_job_and_trace(self, make_registry, collector):
        registry = traced(make_registry, collector, webhooks_allow="127.0.0.0/8", **ALL)
        admin = registry.client(auth="basic")
        call(admin, "POST", f"{API}/projects", {"project_name": "failing"}, expect=201)
        hook(admin, "failing", {"type": "http", "address": f"http://127.0.0.1:{free_port()}/"})
        push(admin, "failing")
        wait_until(lambda: runs(collector, "webhook"), what="the job's span")
        run = runs(collector, "webhook")[0]
        about = attributes(run)
        assert run["status"] == {"code": 2} and about["berth.job.result"] == "retried" and about["error.type"] == "UPSTREAM_UNREACHABLE"
        line = said(registry, "a job failed, later again")[0]
        assert (line["job"], line["trace"]) == (about["berth.job.id"], run["traceId"])


class TestWhatPushesAsk:
    """What was asked for in a request can be found from it, and it from that."""

    @pytest.fixture
    def receiver(self):
        with HttpReceiver() as receiver:
            yield receiver

    @staticmethod
    def hooked(make_registry, collector, receiver, **settings):
        registry = traced(make_registry, collector, webhooks_allow="127.0.0.0/8", **settings)
        admin = registry.client(auth="basic")
        call(admin, "POST", f"{API}/projects", {"project_name": "hooked"}, expect=201)
        image = push(admin, "hooked")
        hook(admin, "hooked", {"type": "http", "address": f"http://127.0.0.1:{receiver.port}/"}, events=["PUSH_ARTIFACT"])
        return registry, admin, image

    @staticmethod
    def tag(admin, image, tag, **headers):
        return admin.request("PUT", f"/v2/hooked/app/manifests/{tag}", body=image.body, expect=201,
                             headers={"Content-Type": image.media_type, **{name.replace("_", "-"): value for name, value in headers.items()}})

    @staticmethod
    def turn(admin, action):
        call(admin, "PUT", f"{API}/jobservice/queues/WEBHOOK", {"action": action}, expect=200)

    def test_the_trace_of_a_push_goes_on_to_who_is_told_of_it(self, make_registry, collector, receiver):
        _, admin, image = self.hooked(make_registry, collector, receiver, **NONE)
        self.tag(admin, image, "v2", traceparent=TRACEPARENT, tracestate="a=1", X_Request_Id="push-1")
        pushed = served(collector, PARENT)
        run = wait_until(lambda: runs(collector, "webhook"), what="the job's span")[0]
        told = wait_until(lambda: [span for span in collector.of(PARENT) if span["name"] == "upstream webhook"], what="the delivery's span")[0]
        headers = receiver.taken[0]["headers"]
        assert headers["traceparent"] == f"00-{PARENT}-{told['spanId']}-01" and headers["tracestate"] == "a=1"
        assert headers["X-Request-Id"] == "push-1"
        assert told["parentSpanId"] == pushed["spanId"]
        assert run["traceId"] != PARENT and "parentSpanId" not in run and attributes(run)["berth.request_id"] == "push-1"
        assert run["links"] == [{"traceId": PARENT, "spanId": pushed["spanId"]}]
        assert told["links"] == [{"traceId": run["traceId"], "spanId": run["spanId"]}]

    def test_each_of_those_that_one_job_tells_has_its_own(self, make_registry, collector, receiver):
        _, admin, image = self.hooked(make_registry, collector, receiver, **NONE)
        self.turn(admin, "pause")
        other = "a" * 32
        self.tag(admin, image, "v2", traceparent=TRACEPARENT, X_Request_Id="push-1")
        self.tag(admin, image, "v3", traceparent=f"00-{other}-{SPAN}-01", X_Request_Id="push-2")
        third = self.tag(admin, image, "v4").headers["X-Request-Id"]
        self.turn(admin, "resume")
        wait_until(lambda: len(receiver.taken) == 3, what="all three")
        told = [request["headers"] for request in receiver.taken]
        assert [headers["X-Request-Id"] for headers in told] == ["push-1", "push-2", third]
        traces = [headers["traceparent"].split("-") for headers in told]
        assert [trace[1] for trace in traces][:2] == [PARENT, other] and [trace[3] for trace in traces] == ["01", "01", "00"]
        assert traces[2][1] not in (PARENT, other)
        assert len({attributes(run)["berth.job.id"] for run in wait_until(lambda: runs(collector, "webhook"), what="the job's span")}) == 1

    def test_what_the_version_before_asked_for_has_a_trace_of_its_own(self, make_registry, collector, receiver):
        registry, admin, image = self.hooked(make_registry, collector, receiver, **ALL)
        self.turn(admin, "pause")
        self.tag(admin, image, "v2", traceparent=TRACEPARENT)
        extra = json.dumps({"id": "x", "request_id": "", "host": "h", "media_types": [image.media_type]})
        registry.execute("UPDATE job SET asked_request = NULL, asked_trace = NULL WHERE kind = 'webhook'",
                         f"UPDATE webhook_delivery SET extra = '{extra}'")
        self.turn(admin, "resume")
        run = wait_until(lambda: runs(collector, "webhook"), what="the job's span")[0]
        headers = receiver.taken[0]["headers"]
        assert "links" not in run and "berth.request_id" not in attributes(run)
        assert headers["traceparent"].split("-")[1] == run["traceId"]
        assert headers["X-Request-Id"] == f"job-{attributes(run)['berth.job.id']}"

    def test_log_lines_of_the_job_name_the_request(self, make_registry, collector, receiver):
        registry, admin, image = self.hooked(make_registry, collector, receiver, **NONE)
        receiver.close()
        self.tag(admin, image, "v2", traceparent=TRACEPARENT, X_Request_Id="push-1")
        line = wait_until(lambda: said(registry, "a job failed, later again"), what="the line")[0]
        run = wait_until(lambda: runs(collector, "webhook"), what="the job's span")[0]
        assert (line["request"], line["trace"], line["job"]) == ("push-1", run["traceId"], attributes(run)["berth.job.id"])
        text = admin.get(f"{API}/jobservice/jobs/{line['job']}/log", expect=200).text
        assert " of request push-1: " in text


class TestCollectors:
    def test_what_it_wants_is_sent_along(self, make_registry, collector):
        registry = traced(make_registry, collector, traces_authorization="Bearer secret-1", **ALL)
        registry.client().get("/livez")
        wait_until(lambda: collector.requests, what="a batch")
        assert collector.requests[0]["headers"]["Authorization"] == "Bearer secret-1"
        assert "traceparent" not in collector.requests[0]["headers"]

    def test_who_is_busy_is_asked_again(self, make_registry, make_collector):
        collector = make_collector(503, 429)
        registry = traced(make_registry, collector, **ALL)
        registry.client().get("/livez")
        wait_until(lambda: collector.spans, what="the spans, in the end")
        assert [request["status"] for request in collector.requests][:3] == [503, 429, 204]

    def test_who_refuses_is_not_asked_again_and_it_is_counted(self, make_registry, make_collector):
        collector = make_collector(400)
        registry = traced(make_registry, collector, **ALL)
        admin = registry.client(auth="basic")
        admin.get("/livez")
        wait_until(lambda: scrape(admin).of("berth_trace_spans_dropped_total", reason="refused") >= 1, what="the loss being counted")
        assert "the collector answers 400" in registry.log_text()

    def test_what_it_rejects_of_a_batch_is_lost_and_said_once(self, make_registry, make_collector):
        some = b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too \\"old\\""}}'
        collector = make_collector(says=[some, b"{}", b'{"partialSuccess": {}}', some])
        registry = traced(make_registry, collector, **NONE)
        admin = registry.client(auth="basic")
        for sent in range(1, 6):
            admin.get("/livez", headers={"traceparent": TRACEPARENT})
            wait_until(lambda: len(collector.requests) == sent, what="a batch with the one span")
        wait_until(lambda: scrape(admin).of("berth_trace_spans_total") == 3, what="the spans that were taken")
        assert scrape(admin).of("berth_trace_spans_dropped_total", reason="rejected") == 2
        assert scrape(admin).of("berth_trace_spans_dropped_total", reason="refused") == 0
        lines = [line for line in registry.log_lines() if line.get("msg", line.get("message")) == "the collector rejected spans"]
        assert [(line["detail"], line["rejected"], line["sent"]) for line in lines] == [('too "old"', 1, 1)]

    def test_more_rejected_than_was_sent_is_all(self, make_registry, make_collector):
        collector = make_collector(says=[b'{"partialSuccess":{"rejectedSpans":"9223372036854775807"}}'])
        admin = traced(make_registry, collector, **NONE).client(auth="basic")
        admin.get("/livez", headers={"traceparent": TRACEPARENT})
        wait_until(lambda: scrape(admin).of("berth_trace_spans_dropped_total", reason="rejected") == 1, what="the loss being counted")
        assert scrape(admin).of("berth_trace_spans_total") == 0

    @pytest.mark.parametrize("says, line", [
        (b'{"partialSuccess":{"errorMessage":"slow down"}}', "the collector of traces warns"),
        (b"<html>thanks</html>", "the collector of traces gave an answer that is none of OTLP"),
        (b'{"partialSuccess":{"rejectedSpans":-1}}', "the collector of traces gave an answer that is none of OTLP"),
    ])
    def test_what_else_it_says_costs_no_span(self, make_registry, make_collector, says, line):
        registry = traced(make_registry, make_collector(says=[says]), **NONE)
        admin = registry.client(auth="basic")
        admin.get("/livez", headers={"traceparent": TRACEPARENT})
        wait_until(lambda: scrape(admin).of("berth_trace_spans_total") == 1, what="the span being counted")
        assert line in registry.log_text()
        assert scrape(admin).of("berth_trace_spans_dropped_total", reason="rejected") == 0

    def test_one_that_is_not_there_is_tried_and_the_loss_counted(self, make_registry):
        admin = make_registry(traces_endpoint=f"http://127.0.0.1:{free_port()}/", **ALL).client(auth="basic")
        admin.get("/livez")
        wait_until(lambda: scrape(admin).of("berth_trace_spans_dropped_total", reason="unreachable") >= 1, what="the loss being counted")

    def test_nobody_waits_for_one_that_hangs(self, make_registry, make_collector):
        collector = make_collector(hang=True)
        registry = traced(make_registry, collector, **ALL)
        admin = registry.client(auth="basic")
        repo = registry.client().repository("tests/flood")
        repo.push(oci.image("flood"), "v1")
        for _ in range(50):
            repo.get_manifest("v1")
        assert scrape(admin).of("berth_trace_queued_spans") is not None
        collector.held.set()

    def test_what_waits_at_the_end_is_sent(self, make_registry, collector):
        registry = traced(make_registry, collector)
        registry.client().get("/livez", headers={"traceparent": TRACEPARENT})
        assert registry.stop() == 0
        assert collector.of(PARENT)

    def test_endpoints_that_are_none(self, make_registry):
        for endpoint in ("here", "ftp://x/", "http://user@host/v1/traces"):
            registry = make_registry(start=False, traces_endpoint=endpoint)
            registry.spawn()
            assert registry.wait_dead() == 1 and "traces.endpoint" in registry.log_text()


def test_off_by_default(registry, anonymous):
    anonymous.get("/v2/tests/none/manifests/none", expect=401, headers={"Authorization": None, "traceparent": TRACEPARENT})
    assert '"trace"' not in registry.log_text()
