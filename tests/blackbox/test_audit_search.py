# SPDX-License-Identifier: Apache-2.0
"""Searching a trail that is larger than one look: rare things among many, parts of names, totals that stop."""
import pytest

OWN = "/api/berth/v1/audit/records"
MANY = 30000
pytestmark = pytest.mark.own_server

# Written behind the program's back: 30,000 pulls of 300 robots in 100 projects, and three things that are rare.
FILL = """
INSERT INTO audit_record (time_us, tenant_id, project_id, project, actor_type, actor_id, actor, operation, resource_type,
    resource, address, request_id, result, detail)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {many})
SELECT 1700000000000000 + CAST(n AS BIGINT) * 1000000, 1, n % 100 + 1000, 'p', 'robot', n % 300, 'robot-' || (n % 300), {operation}, 'artifact',
    {resource}, '192.0.2.' || (n % 7), 'bulk-' || n, 0, '{{}}' FROM c
""".format(many=MANY, operation="CASE WHEN n = 17 THEN 'delete' ELSE 'pull' END",
           resource="CASE WHEN n IN (5, 15000) THEN 'p/needle-' || n ELSE 'p/app-' || (n % 50) END")


@pytest.fixture
def many(registry):
    registry.execute(FILL)
    return registry.client(auth="basic")


def walk(client, **query):
    """(records, pages) of a whole search by cursors."""
    records, pages, cursor = [], 0, ""
    while cursor is not None:
        page = client.get(OWN, params={"page_size": 100, **query, **({"cursor": cursor} if cursor else {})}, expect=200).json()
        records += page["records"]
        cursor, pages = page.get("next"), pages + 1
        assert pages < 1000
    return records, pages


@pytest.mark.parametrize("sort", ["", "op_time"])
def test_what_is_rare_is_found_by_going_on(many, sort):
    records, _ = walk(many, q="resource=~needle", sort=sort)
    found = [record["request_id"] for record in records]
    assert found == (["bulk-15000", "bulk-5"] if not sort else ["bulk-5", "bulk-15000"])
    records, _ = walk(many, q="resource=~no-such-thing", sort=sort)
    assert records == []


def test_several_walks_side_by_side_keep_their_order(many):
    records, _ = walk(many, q="resource=~needle,address={192.0.2.5 192.0.2.6 192.0.2.9}")
    assert [record["request_id"] for record in records] == ["bulk-15000", "bulk-5"]  # 15000 % 7 is 6
    records, _ = walk(many, q="resource=~app-1,username={robot-1 robot-61 robot-5}", page_size=7)
    times = [record["time"] for record in records]
    assert times == sorted(times, reverse=True) and len(records) == len({record["id"] for record in records}) == 2 * MANY // 300


def test_an_export_finds_what_is_rare(many):
    answer = many.get("/api/berth/v1/audit/export", params={"q": "resource=~needle"}, expect=200)
    assert [line for line in answer.text.splitlines() if "bulk-5\"" in line] and answer.text.count("\n") == 2


def test_harbors_lists_find_what_is_rare(many):
    for path in ("/api/v2.0/audit-logs", "/api/v2.0/auditlog-exts"):
        answer = many.get(path, params={"q": "resource=~needle", "page_size": 1}, expect=200)
        assert answer.json()[0]["resource"] == "p/needle-15000"
        second = many.get(path, params={"q": "resource=~needle", "page_size": 1, "page": 2}, expect=200)
        assert second.json()[0]["resource"] == "p/needle-5"
        assert many.get(path, params={"q": "resource=~needle", "page": 2}, expect=200).json() == []


def test_half_a_type_and_parts_of_words(many):
    for q in ("operation=delete", "operation=~elet", "operation=delete,resource_type=~tifac", "operation=delete,resource_type=artifact"):
        records, _ = walk(many, q=f"{q},username=robot-17")
        assert [record["request_id"] for record in records] == ["bulk-17"], q
    assert walk(many, q="operation=sing")[0] == [] == walk(many, q="operation=delete,resource_type=robot,username=robot-17")[0]


def test_parts_of_names(many):
    found = {record["actor"] for record in walk(many, q="username=~bot-29")[0]}
    assert found == {"robot-29"} | {f"robot-29{digit}" for digit in range(10)}
    assert walk(many, q="username=~nobody-like-that")[0] == []
    assert many.get("/api/v2.0/auditlog-exts", params={"q": "username=~nobody-like-that"}, expect=200).headers["X-Total-Count"] == "0"


def test_a_total_stops_and_pages_go_on(many):
    for q in ("", "username=~robot-", "operation=pull", "result=allowed,resource_type=artifact"):
        first = many.get("/api/v2.0/auditlog-exts", params={"q": q, "page_size": 100}, expect=200)
        assert int(first.headers["X-Total-Count"]) >= 1000 and 'rel="next"' in first.headers["Link"]
        deep = many.get("/api/v2.0/auditlog-exts", params={"q": q, "page_size": 100, "page": 50}, expect=200)
        assert len(deep.json()) == 100 and int(deep.headers["X-Total-Count"]) == 5001 and 'rel="next"' in deep.headers["Link"]
    exact = many.get("/api/v2.0/auditlog-exts", params={"q": "username=robot-7"}, expect=200)
    assert exact.headers["X-Total-Count"] == str(MANY // 300)


def test_denials_are_in_no_list_of_what_was_done(registry, many):
    registry.client("nobody", "wrong", auth="basic").get("/api/v2.0/projects", expect=401)
    assert many.get("/api/v2.0/audit-logs", params={"q": "operation=deny"}, expect=200).json() == []
