# SPDX-License-Identifier: Apache-2.0
"""How the engines find rows: by an index, whatever the size.

Every statement of src/db/*.sql is explained by both engines on a generated catalogue, and none may read all rows of a table that
grows, sort more than a page, or be done in another way when there is more. Those that may stand in `exceptions`, with the reason: so a
new statement is checked without anybody thinking of it, and one that got better leaves the list.

SQLite is asked as the server asks it: nobody ever runs ANALYZE there, so its plans follow from the schema alone. PostgreSQL is
asked for generic plans, which are those that do not depend on what is looked for; and, for what it plans anew for each call (`custom`),
with values too.
"""
import fnmatch
import json
import os
import pathlib
import re
import subprocess

import pytest

from harness import database
from plans import catalogue

SMALL, LARGE = 1_000, 6_000
EXCEPTIONS = pathlib.Path(__file__).with_name("exceptions")
SOURCE = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO|CROSS JOIN)\s+(?:ONLY\s+)?([a-z_]+)(?:\s+(?:AS\s+)?(?!ON\b|WHERE\b|JOIN\b|ORDER\b|SET\b)([a-z_]+))?", re.I)

ENGINE = "postgres" if database.conninfo() else "sqlite"


# Lists that an index leads through: on PostgreSQL, too, their plans are the same whatever the size.
LED = (
    "artifact_newest_*", "artifact_oldest_*", "artifact_by_*", "repository_by_*", "repository_of_project_by_*", "tag_page",
)


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


def explain_postgres(url, found):
    """{statement: generic plan}"""
    # A merge join of two rows reads whole indexes in their order, and is thought cheap while tables are as small as here.
    lines = ["SET plan_cache_mode = force_generic_plan;", "SET enable_mergejoin = off;"]
    for number, statement in enumerate(found):
        arguments = f"({', '.join(['NULL'] * statement.parameters)})" if statement.parameters else ""
        lines += [
            f"PREPARE s{number} AS {statement.texts['postgres']};", f"\\echo === {statement.name}",
            f"EXPLAIN (FORMAT JSON, COSTS OFF) EXECUTE s{number}{arguments};",
        ]
    plans = {}
    for part in run_script(url, lines).split("=== ")[1:]:
        name, _, text = part.partition("\n")
        plans[name] = json.loads(text)[0]["Plan"]
    return plans


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
        if kind == "Sort" and not is_cut(node) and grows & {child.get("Relation Name") for child, _ in nodes(node)}:
            problems.append(f"Sort by {', '.join(node['Sort Key'])}")
    return problems


# Of audit_*_by_*, $1 to $16: no filter but those that lead, and a page from either end.
FIRST, LAST = "0", "9223372036854775807"
NEWEST = ["NULL"] * 2 + [FIRST] + ["NULL"] * 8 + [LAST, LAST, "50", "0", FIRST]
OLDEST = ["NULL"] * 2 + [LAST] + ["NULL"] * 8 + [FIRST, FIRST, "50", "0", LAST]
LEADING = re.compile(r"\br\.(\w+) = \$(?:17|18|19)")


def explain_searches(url, found):
    """{statement: its plan for what the record of id 1400 has}, of the searches of the trail."""
    record = json.loads(run_script(url, ["SELECT row_to_json(r) FROM audit_record r WHERE id = 1400;"]))
    lines = []
    for number, statement in enumerate(found):
        text = statement.texts["postgres"]
        values = OLDEST if statement.name.startswith("audit_oldest") else NEWEST
        values = values + [f"'{record[column]}'" for column in LEADING.findall(text)]
        lines += [
            f"PREPARE s{number} AS {text};", f"\\echo === {statement.name}", f"EXPLAIN (FORMAT JSON) EXECUTE s{number}({', '.join(values)});",
        ]
    parts = run_script(url, lines).split("=== ")[1:]
    return {name: json.loads(text)[0]["Plan"] for name, _, text in (part.partition("\n") for part in parts)}


def shape(plan):
    """A plan without what may differ between two that are the same."""
    kept = {key: plan[key] for key in ("Node Type", "Relation Name", "Index Name") if key in plan}
    return {**kept, "Plans": [shape(child) for child in plan.get("Plans", ())]}


@pytest.fixture(scope="module")
def plans():
    """Plans of the smaller catalogue, plans of the larger one, and of searches with values in the larger one."""
    base = database.Database(os.environ["BERTH_TEST_POSTGRES"])
    try:
        found, tables = catalogue.statements(), catalogue.tables(catalogue.open_sqlite())
        both = []
        for rows in (SMALL, LARGE):
            fill_postgres(base.url, tables, rows)
            both.append(explain_postgres(base.url, found))
        searches = [s for s in found if s.custom and s.name.startswith("audit_")]
        yield *both, explain_searches(base.url, searches)
    finally:
        base.drop()


@pytest.mark.skipif(ENGINE != "postgres", reason="SQLite is tested now")
class TestPostgres:
    def test_plans(self, plans):
        grows = set(catalogue.tables(catalogue.open_sqlite())) - catalogue.BOUNDED | {"audit_unsealed"}
        partial, patterns = catalogue.partial_indexes(), [pattern for pattern, *_ in read_exceptions()]
        judge({name: postgres_problems(plan, grows, partial) for name, plan in plans[1].items()}, patterns)

    def test_plans_of_led_lists_do_not_change_with_size(self, plans):
        """Small tables are read as a whole, and rightly so: others are looked at in the larger catalogue alone."""
        small, large, _ = plans
        assert [name for name in small if fits(name, LED) and shape(small[name]) != shape(large[name])] == []

    def test_searches_sort_no_more_than_a_page(self, plans):
        """What is frequent is walked in its order; of what is rare all may be sorted."""
        searches, problems = plans[2], {}
        assert len(searches) > 40
        for name, plan in searches.items():
            found = [(node["Node Type"], node["Plan Rows"]) for node, _ in nodes(plan) if not is_cut(node)]
            problems[name] = [f"{kind} of {rows}" for kind, rows in found if kind in ("Seq Scan", "Sort", "Incremental Sort") and rows > 50]
        judge(problems, [])
