# SPDX-License-Identifier: Apache-2.0
"""`berth migrate`, and what a node does with a schema that is not its own."""
import re
import subprocess
from pathlib import Path

from harness import oci
from harness.wait import together

NEWEST = "SELECT MAX(number) FROM schema_migration"


def run(registry, *arguments):
    return registry.berth("migrate", *arguments)


MIGRATIONS = Path(__file__).parents[2] / "src" / "db" / "migrations"


def undoing(number):
    """Statements that take back what the scripts from this number on made, which is all that they may do: tables, columns, indexes."""
    tables, columns, indexes = [], [], []
    for path in sorted(MIGRATIONS.glob("*.sql")):
        if int(path.name[:4]) < number:
            continue
        text = path.read_text().partition("-- postgres:\n")[2]
        tables += re.findall(r"CREATE (?:UNLOGGED )?TABLE (\w+)", text)
        indexes += re.findall(r"CREATE (?:UNIQUE )?INDEX (\w+)", text)
        for table, body in re.findall(r"ALTER TABLE (\w+)\s(.*?);", text, re.DOTALL):
            columns += [(table, column) for column in re.findall(r"ADD COLUMN (\w+)", body)]
    yield f"DROP TABLE {', '.join(tables)} CASCADE"
    yield from (f"ALTER TABLE {table} DROP COLUMN {column}" for table, column in columns if table not in tables)
    yield f"DROP INDEX IF EXISTS {', '.join(indexes)}"


def take_back(servers, database):
    """The schema as it was before the last migrations: their first number, and their last."""
    newest = int(servers.primary.query(NEWEST, database)[0])
    number = int(servers.primary.query("SELECT number FROM schema_migration WHERE name = 'told'", database)[0])
    servers.primary.query("; ".join(undoing(number)), database)
    functions = servers.primary.query("SELECT oid::regprocedure FROM pg_proc WHERE proname ~ '^(told|tell)(_|$)'", database)
    servers.primary.query(f"DROP FUNCTION {', '.join(functions)} CASCADE", database)
    servers.primary.query(f"DELETE FROM schema_migration WHERE number >= {number}", database)
    servers.primary.query(f"DELETE FROM schema_compatible WHERE number >= {number}", database)
    return number, newest


def ends_at_start(registry):
    registry.spawn()
    status = registry.wait_dead()
    return status, registry.log_text()


def test_a_new_database_is_made_by_serve_and_by_migrate(servers, database, node):
    one = node(servers.url(database), start=False)
    status, text = run(one, "--dry-run")
    assert status == 0 and "missing 0001_registry" in text, text
    assert servers.primary.query("SELECT COUNT(*) FROM pg_class WHERE relname = 'schema_migration'", database) == ["0"]
    status, text = run(one)
    assert status == 0 and "applying 0001_registry" in text, text
    status, text = run(one, "--dry-run")
    assert status == 0 and "up to date" in text and "missing" not in text, text
    one.start()


def test_serve_refuses_an_older_schema_until_it_was_migrated(servers, database, node):
    one = node(servers.url(database))
    one.stop()
    number, newest = take_back(servers, database)
    status, text = ends_at_start(one)
    assert status == 1 and f"older than this program's {newest}" in text and "berth migrate" in text, text
    assert one.fsck()[0] == 2
    status, text = run(one, "--dry-run")
    assert status == 0 and f"missing {number:04}_told" in text and "stop nodes" not in text, text
    assert run(one)[0] == 0
    one.start()


def test_serve_migrates_where_the_option_says_so(servers, database, node):
    one = node(servers.url(database))
    one.stop()
    take_back(servers, database)
    one.restart(database_migrate="true")
    assert servers.primary.query("SELECT COUNT(*) FROM schema_migration WHERE name = 'told'", database) == ["1"]


def test_of_many_that_migrate_at_once_one_runs_each_script(servers, database, node):
    one = node(servers.url(database), start=False)
    results = together(4, lambda number: run(one))
    assert [status for status, _ in results] == [0] * 4, results
    rows = servers.primary.query("SELECT COUNT(*), COUNT(DISTINCT number) FROM schema_migration", database)[0].split("\t")
    assert rows[0] == rows[1]


def test_an_older_program_serves_a_newer_schema_that_is_compatible(servers, database, node):
    one = node(servers.url(database))
    servers.primary.query("INSERT INTO schema_migration VALUES (9998, 'next', 0); INSERT INTO schema_compatible VALUES (9998)", database)
    one.restart()
    repo = one.client().repository("tests/rolling")
    content = oci.image()
    repo.push(content, "latest")
    assert repo.get_manifest("latest").content == content.body
    assert run(one)[0] == 0
    one.stop()
    servers.primary.query("INSERT INTO schema_migration VALUES (9999, 'breaking', 0)", database)
    status, text = ends_at_start(one)
    assert status == 1 and "not compatible" in text, text
    assert run(one)[0] == 1
    servers.primary.query("DELETE FROM schema_migration WHERE number > 9000", database)


def test_a_word_of_a_newer_node_is_not_passed_over(servers, database, node):
    """It names something that this version does not know: nothing that was remembered counts any more."""
    one = node(servers.url(database))
    repo = one.client().repository("tests/words")
    repo.push(oci.image(), "latest")
    repo.get_manifest("latest")
    servers.primary.query("NOTIFY berth, 'something new'; NOTIFY berth, 't 99999999999999999999 x'; NOTIFY berth, ''", database)
    assert repo.get_manifest("latest").status_code == 200


def test_sqlite_is_migrated_by_hand_too(node):
    one = node("", database_url="", start=False)
    status, text = run(one)
    assert status == 1 and "there is no registry" in text, text
    one.start()
    status, text = run(one)
    assert status == 1 and "in use" in text, text
    one.stop()
    assert run(one)[0] == 0
    done = subprocess.run([str(one.program), "db"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "usage" in done.stderr
