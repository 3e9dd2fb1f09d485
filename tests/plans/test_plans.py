# SPDX-License-Identifier: Apache-2.0
"""How the engines find rows: by an index, whatever the size.

Every statement of src/db/*.sql is explained by both engines on a generated catalogue, and none may read all rows of a table that
grows, sort more than a page, or be done in another way when there is more. Those that may stand in `exceptions`, with the reason: so a
new statement is checked without anybody thinking of it, and one that got better leaves the list.

SQLite is asked as the server asks it: nobody ever runs ANALYZE there, so its plans follow from the schema alone. PostgreSQL is
asked for generic plans, which are those that do not depend on what is looked for; and what it plans anew for each call (`custom`), for
calls as in values.py. It is asked a second time with the catalogue grown to millions of rows (grown.py), and a third time with ten times as many.
"""
import fnmatch
import json
import math
import os
import pathlib
import re
import subprocess
from typing import NamedTuple

import pytest

from harness import database, oci
from harness.registry import ROOT
from plans import catalogue, grown, values

YOUNG, SMALL, LARGE = 60, 1_000, 6_000
EXCEPTIONS = pathlib.Path(__file__).with_name("exceptions")
SOURCE = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO|CROSS JOIN)\s+(?:ONLY\s+)?([a-z_]+)(?:\s+(?:AS\s+)?(?!ON\b|WHERE\b|JOIN\b|ORDER\b|SET\b)([a-z_]+))?", re.I)

ENGINE = "postgres" if database.conninfo() else "sqlite"


# Lists that an index leads through: on PostgreSQL, too, their plans are the same whatever the size.
LED = (
    "artifact_newest_*", "artifact_oldest_*", "artifact_by_*", "repository_by_*", "repository_of_project_by_*", "tag_page",
)


# Of a registry that was counted when it was young: changes that people make, a collector's batch, a deleted repository.
YOUNG_MAY = ("alias_longest_repository", "content_free_links", "member_accounts_of_*", "webhook_artifacts")


OF_PUSHES = ("artifact_insert*", "blob_*", "content_claim_*", "garbage_add_*", "garbage_is_condemned", "manifest_*", "tag_*", "upload_*")


def read_exceptions():
    """[(pattern, for PostgreSQL alone, reason)]"""
    found = []
    for line in EXCEPTIONS.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            names, _, reason = line.partition(": ")
            found.append((names.removeprefix("postgres "), names.startswith("postgres "), reason))
    return found


def fits(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def judge(problems, patterns):
    lines = [f"{name}: {'; '.join(found)}" for name, found in sorted(problems.items()) if found and not fits(name, patterns)]
    assert not lines, "not by an index:\n" + "\n".join(lines)


def test_every_exception_has_a_reason_and_a_statement():
    names = [statement.name for statement in catalogue.statements()]
    for pattern, _, reason in read_exceptions():
        assert len(reason) > 3, pattern
        assert any(fits(name, [pattern]) for name in names), f"no statement is called {pattern}"
        assert pattern not in LED


def is_whole(statement, engine="postgres"):
    """What is about everything that a project or a tenant has, which may be a tenth of a table: a count, a removal."""
    return statement.kind == "exec" or "count(" in statement.texts[engine].lower()


# --- SQLite ------------------------------------------------------------------------------------------------------------------


def sqlite_plan(connection, statement):
    text = statement.texts["sqlite"]
    return connection.execute(f"EXPLAIN QUERY PLAN {text}", [None] * statement.parameters).fetchall()


def sqlite_problems(statement, plan, grows):
    aliases = {}
    for table, alias in SOURCE.findall(statement.texts["sqlite"]):
        aliases[alias or table] = table
    problems = []
    if not grows & set(aliases.values()):
        return problems
    pages = {parent for _, parent, _, detail in plan if re.match(r"SCAN (page|\(subquery)", detail)}
    for _, parent, _, detail in plan:
        scanned = re.match(r"SCAN (\w+)( USING (?:COVERING )?INDEX .*)?$", detail)
        if scanned and aliases.get(scanned.group(1), scanned.group(1)) in grows:
            problems.append(detail)
        if detail.startswith("USE TEMP B-TREE") and parent not in pages:
            problems.append(detail)
    return problems


@pytest.mark.skipif(ENGINE != "sqlite", reason="PostgreSQL is tested now")
class TestSqlite:
    def test_plans(self):
        connection = catalogue.open_sqlite()
        grows = set(catalogue.tables(connection)) - catalogue.BOUNDED
        problems = {s.name: sqlite_problems(s, sqlite_plan(connection, s), grows) for s in catalogue.statements()}
        patterns = [pattern for pattern, postgres_alone, _ in read_exceptions() if not postgres_alone]
        judge(problems, patterns)
        idle = [pattern for pattern in patterns if not any(found and fits(name, [pattern]) for name, found in problems.items())]
        assert not idle, "nothing is wrong with these any more"

    def test_lists_of_millions_are_led_by_an_index(self):
        """Somebody has run ANALYZE where there are 10,000,000 rows and 100,000,000 records."""
        connection = catalogue.open_sqlite()
        tables = catalogue.tables(connection)
        grown.grow_sqlite(connection, tables, (SMALL, LARGE))
        grows = set(tables) - catalogue.BOUNDED
        found = {s.name: sqlite_problems(s, sqlite_plan(connection, s), grows) for s in catalogue.statements() if not is_whole(s, "sqlite")}
        assert len(found) > 400
        judge(found, [pattern for pattern, postgres_alone, _ in read_exceptions() if not postgres_alone])

    def test_plans_do_not_change_with_size(self):
        connection = catalogue.open_sqlite()
        found = catalogue.statements()
        empty = {s.name: sqlite_plan(connection, s) for s in found}
        for statement in catalogue.filling(catalogue.tables(connection), SMALL, "x'00'"):
            connection.execute(statement)
        assert {s.name: sqlite_plan(connection, s) for s in found} == empty


# --- PostgreSQL --------------------------------------------------------------------------------------------------------------


def run_script(url, lines):
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url], input="\n".join(lines), capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def fill_postgres(url, found, rows):
    lines = ["SET session_replication_role = replica;", "BEGIN;"]
    lines += [f"{statement};" for statement in catalogue.filling(found, rows, "'\\x00'::bytea")]
    lines += [
        "DELETE FROM audit_unsealed;", f"INSERT INTO audit_unsealed SELECT i FROM generate_series(1, {rows}) AS s (i);",
        "COMMIT;", "VACUUM (ANALYZE);",
    ]
    run_script(url, lines)


def explained(url, lines):
    """{what follows each `\\echo ===`: the plan after it}"""
    parts = run_script(url, lines).split("=== ")[1:]
    return {name: json.loads(text)[0]["Plan"] for name, _, text in (part.partition("\n") for part in parts)}


def explain_generic(url, found, *settings):
    """{statement: generic plan}"""
    lines = ["SET plan_cache_mode = force_generic_plan;", *settings]
    for number, statement in enumerate(found):
        arguments = f"({', '.join(['NULL'] * statement.parameters)})" if statement.parameters else ""
        lines += [
            f"PREPARE s{number} AS {statement.texts['postgres']};", f"\\echo === {statement.name}",
            f"EXPLAIN (FORMAT JSON, COSTS OFF) EXECUTE s{number}{arguments};",
        ]
    return explained(url, lines)


def explain_calls(url, found):
    """{statement (what is asked): its plan for that}"""
    record = json.loads(run_script(url, ["SELECT row_to_json(r) FROM audit_record r WHERE id = 1400;"]))
    lines = [AS_WE_CONNECT]
    for number, statement in enumerate(found):
        lines.append(f"PREPARE s{number} AS {statement.texts['postgres']};")
        for label, asked in values.calls(statement, record):
            lines += [f"\\echo === {statement.name} ({label})", f"EXPLAIN (FORMAT JSON) EXECUTE s{number}({', '.join(asked)});"]
    return explained(url, lines)


AS_WE_CONNECT = " ".join(re.findall(r"SET enable_\w+ = off;", (ROOT / "src/sql/postgres_connection.c").read_text(encoding="utf-8")))
assert AS_WE_CONNECT


def nodes(plan, path=()):
    yield plan, path
    for child in plan.get("Plans", ()):
        yield from nodes(child, (*path, plan))


def is_cut(plan):
    """What comes from it is a page already."""
    kind = plan["Node Type"]
    if kind == "Limit":
        return True
    children = [child for child in plan.get("Plans", ()) if child.get("Parent Relationship") != "InitPlan"]
    if kind in ("Nested Loop", "Subquery Scan", "Sort", "LockRows", "Hash Join", "Merge Join") and children:
        return is_cut(children[0])
    return False


def is_page(sort):
    """Of what it gets, or of what is expected to fit where values are known."""
    return is_cut(sort) or sort.get("Plan Rows", math.inf) <= values.PAGE


def postgres_problems(plan, grows, partial):
    problems = []
    for node, path in nodes(plan):
        kind, relation = node["Node Type"], node.get("Relation Name")
        under = path[-1]["Node Type"] if path else ""
        if kind == "Seq Scan" and relation in grows:
            problems.append(f"Seq Scan on {relation}")
        if kind in ("Index Scan", "Index Only Scan") and relation in grows and "Index Cond" not in node and node["Index Name"] not in partial:
            if under not in ("Limit", "LockRows") or "Filter" in node:
                problems.append(f"{kind} of all {relation}")
        if kind == "Sort" and not is_page(node) and grows & {child.get("Relation Name") for child, _ in nodes(node)}:
            problems.append(f"Sort by {', '.join(node['Sort Key'])}")
    return problems


def shape(plan):
    """A plan without what may differ between two that are the same."""
    kept = {key: plan[key] for key in ("Node Type", "Relation Name", "Index Name") if key in plan}
    return {**kept, "Plans": [shape(child) for child in plan.get("Plans", ())]}


def ways(plan):
    """What leads it to rows and what it sorts, whichever table is joined first, and whether rows are fetched one by one or by the page."""
    found = set()
    for node, _ in nodes(plan):
        if "Index Name" in node:
            found.add(node["Index Name"])
        elif node["Node Type"] == "Seq Scan":
            found.add(f"all {node['Relation Name']}")
        elif node["Node Type"] == "Sort" and not is_page(node):
            found.add(f"a sort by {', '.join(node['Sort Key'])}")
    return sorted(found)


def name_of(call):
    return call.partition(" ")[0]


class Plans(NamedTuple):
    young: dict  # generic ones, when it was counted a minute ago
    small: dict  # generic ones, of catalogues that are there
    large: dict
    millions: dict  # generic ones and calls, of grown ones
    most: dict


@pytest.fixture(scope="module")
def plans():
    base = database.Database(os.environ["BERTH_TEST_POSTGRES"])
    try:
        found, tables = catalogue.statements(), catalogue.tables(catalogue.open_sqlite())
        generic, custom = [s for s in found if not s.custom], [s for s in found if s.custom]
        run_script(base.url, grown.prepare(tables, LARGE))
        fill_postgres(base.url, tables, YOUNG)
        made = [explain_generic(base.url, generic, AS_WE_CONNECT)]
        for rows in (SMALL, LARGE):
            fill_postgres(base.url, tables, rows)
            made.append(explain_generic(base.url, generic, AS_WE_CONNECT))
        for share in (10, 1):
            run_script(base.url, [grown.grow(tables, share)])
            made.append({**explain_generic(base.url, generic, AS_WE_CONNECT), **explain_calls(base.url, custom)})
        yield Plans(*made)
    finally:
        base.drop()


@pytest.mark.skipif(ENGINE != "postgres", reason="SQLite is tested now")
class TestPostgres:
    grows = set(catalogue.tables(catalogue.open_sqlite())) - catalogue.BOUNDED | {"audit_unsealed"}

    partial = catalogue.partial_indexes()

    def problems(self, plan):
        return postgres_problems(plan, self.grows, self.partial)

    def test_plans(self, plans):
        judge({name: self.problems(plan) for name, plan in plans.large.items()}, [pattern for pattern, *_ in read_exceptions()])

    def test_a_young_registry_is_not_searched_whole(self, plans):
        """Plans are kept from when tables were counted last, and they may be a hundred times as large by now. What is sorted is another matter."""
        found = {name: [problem for problem in self.problems(plan) if " of all " in problem or "Seq" in problem] for name, plan in plans.young.items()}
        judge(found, [*(pattern for pattern, *_ in read_exceptions()), *YOUNG_MAY])

    def test_plans_of_led_lists_do_not_change_with_size(self, plans):
        """Small tables are read as a whole, and rightly so: others are looked at in larger catalogues alone."""
        led = [name for name in plans.small if fits(name, LED)]
        assert len(led) > 20
        for larger in (plans.large, plans.millions, plans.most):
            assert [name for name in led if shape(plans.small[name]) != shape(larger[name])] == []

    def test_lists_of_millions_are_led_by_an_index(self, plans):
        """10,000,000 rows in each table that grows, 100,000,000 records: every list and every look-up."""
        whole = {statement.name for statement in catalogue.statements() if is_whole(statement)}
        found = {name_of(call): [] for call in plans.most if name_of(call) not in whole}
        assert len(found) > 400
        for call, plan in plans.most.items():
            if name_of(call) in found:
                found[name_of(call)] += self.problems(plan)
        judge(found, [pattern for pattern, *_ in read_exceptions()])

    def test_plans_do_not_change_from_a_million_to_ten(self, plans):
        whole = {statement.name for statement in catalogue.statements() if is_whole(statement)}
        patterns = [pattern for pattern, *_ in read_exceptions()]
        changed = {}
        for call, plan in plans.most.items():
            if name_of(call) not in whole and ways(plan) != ways(plans.millions[call]):
                changed[name_of(call)] = [f"{call}: {ways(plans.millions[call])} became {ways(plan)}"]
        judge(changed, patterns)

    def test_searches_sort_no_more_than_a_page(self, plans):
        """What is frequent is walked in its order; of what is rare all may be sorted."""
        searches = {call: plan for call, plan in plans.most.items() if name_of(call).startswith("audit_") and "(" in call}
        assert len(searches) > 40
        problems = {}
        for name, plan in searches.items():
            found = [(node["Node Type"], node["Plan Rows"]) for node, _ in nodes(plan) if not is_cut(node)]
            problems[name] = [f"{kind} of {rows}" for kind, rows in found if kind in ("Seq Scan", "Sort", "Incremental Sort") and rows > 50]
        judge(problems, [])


@pytest.mark.skipif(ENGINE != "postgres", reason="SQLite is tested now")
def test_a_push_looked_through_all_blobs_of_a_storage_until_they_were_counted(make_registry, name):
    """The index by sizes seemed as good as the one by digests where nothing is known of one tenant and its one storage, or little."""
    registry = make_registry()
    pushes = [statement for statement in catalogue.statements() if fits(statement.name, OF_PUSHES) and not statement.custom]
    assert len(pushes) > 40

    def through():
        plans = explain_generic(registry.database.url, pushes, AS_WE_CONNECT)
        return [name for name, plan in plans.items() if {"blob_sizes", "all blob"} & set(ways(plan))]
    assert through() == []
    repo = registry.client().repository(name)
    for number in range(YOUNG):
        repo.push(oci.image(f"young-{number}"), f"v{number}")
    run_script(registry.database.url, ["ANALYZE;"])
    assert through() == []
