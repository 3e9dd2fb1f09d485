# SPDX-License-Identifier: Apache-2.0
"""The program's statements and migrations, and databases of any size to run them on.

Rows are made from the schema itself: number i of a table has i in its columns, in one form or another, but for what VALUES and
the rules in expression() say. So a new table is filled by itself, or its constraints say that it wants a line in VALUES.
"""
import importlib.machinery
import importlib.util
import pathlib
import re
import sqlite3

ROOT = pathlib.Path(__file__).resolve().parents[2]
SQL = ROOT / "src" / "db"

# These do not grow with what is stored: tenants, signing keys, settings, providers, the chain's one row.
BOUNDED = {
    "audit_chain", "audit_checkpoint", "audit_key", "identity_provider", "job_kind", "repository_floor", "role", "schema_migration", "setting",
    "signing_key", "storage", "tenant", "tenant_host", "token_issuer",
}
FIXED = {"audit_chain", "repository_floor", "schema_migration"}  # filled by the migrations
BOUNDED_ROWS = 20

# SQL in i, by column or table.column; {tenth} is a tenth of the rows.
VALUES = {
    "tenant_id": "i % 10 + 1",
    "deleted": "0",
    "disabled": "0",
    "described": "1",
    "is_public": "i % 2",
    "is_tenant_admin": "0",
    "listed": "CASE WHEN i % 10 < 9 THEN 1 ELSE 0 END",
    "accessory": "CASE WHEN i % 10 = 9 THEN 'signature' END",
    "subject": "CASE WHEN i % 10 = 9 THEN 'digest-' || (i - 1) END",
    "tag_count": "i % 10",
    "parent_count": "0",
    "icon": "CASE WHEN i % 50 = 0 THEN 'icon-' || i END",
    "manifest_reference.role": "i % 3",
    "trash_window.project_id": "i",
    "robot_permission.robot_id": "i / 10 + 1",
    # The first repository and the first project hold a tenth of all artifacts, the latter a two-hundredth of all repositories.
    **{name: "CASE WHEN i % 10 = 5 THEN 1 ELSE i % {tenth} + 1 END" for name in (
        "artifact.repository_id", "manifest.repository_id", "tag.repository_id", "artifact_label.repository_id",
        "artifact.project_id")},
    "repository.project_id": "CASE WHEN i % 200 = 5 THEN 1 ELSE i % {tenth} + 1 END",
    "artifact.type": "'type-' || i % 5",
    "artifact.media_type": "'media-' || i % 7",
    "audit_record.actor": "'actor-' || i % {tenth}",
    "audit_record.operation": "'operation-' || i % 7",
    "audit_record.resource_type": "'kind-' || i % 5",
    "audit_record.result": "CASE WHEN i % 20 = 0 THEN 1 ELSE 0 END",
    "audit_record.tenant_id": "i % 20 + 1",
    "project_member.account_id": "CASE WHEN i % 2 = 0 THEN i END",
    "project_member.group_id": "CASE WHEN i % 2 = 1 THEN i END",
    "job.subject": "'subject-' || i",
    "outbox.subject": "'subject-' || i",
    "webhook_delivery.subject": "'subject-' || i",
    "webhook_delivery.state": "CASE WHEN i % 10 < 7 THEN 1 ELSE 0 END",
    "webhook_policy.project_id": "i % {tenth} + 1",
    "job.state": "CASE WHEN i % 10 < 7 THEN 3 ELSE i % 3 END",
    "job.kind": "'kind-' || i % 5",
    "job.owner": "'owner-' || i % 5",
    "job_schedule.enabled": "1",
    "job_log.part": "i",
    "label.project_id": "CASE WHEN i % 2 = 0 THEN i % {tenth} + 1 END",
    "quota.scope": "2",
    "quota.holder_id": "i",
    "quota.limit_storage": "CASE WHEN i % 20 = 0 THEN i ELSE -1 END",
    "quota.warned_percent": "0",
    "quota_stripe.scope": "2",
    "quota_stripe.holder_id": "i / 16",
    "quota_stripe.stripe": "i % 16",
    "quota_stripe.slow": "0",
    "upload.publishing": "CASE WHEN i % 100 = 0 THEN 'digest-' || i END",
}


PARTIAL = re.compile(r"CREATE (?:UNIQUE )?INDEX (\w+)[^;]*? WHERE ")


def sqlgen():
    path = str(ROOT / "tools" / "sqlgen")
    loader = importlib.machinery.SourceFileLoader("sqlgen", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("sqlgen", loader))
    loader.exec_module(module)
    return module


def statements():
    """All, in the order of their files."""
    generator, seen, shared, found = sqlgen(), {}, {}, []
    for path in sorted(SQL.glob("*.sql"), key=lambda path: (path.name != generator.SHARED, path.name)):
        found += generator.read_statements(path, seen, shared)
    return found


def migrations(engine):
    generator = sqlgen()
    return [generator.read_migration(path, {})[2][engine] for path in sorted((SQL / "migrations").glob("*.sql"))]


def partial_indexes():
    """Their names: reading one of these from end to end is what it was made for."""
    return {name for script in migrations("postgres") for name in PARTIAL.findall(script)}


class Column:
    def __init__(self, table, name, kind, key, unique):
        self.table, self.name, self.kind, self.key, self.unique = table, name, kind.upper(), key, unique

    def expression(self, rows, no_bytes):
        tenth = max(rows // 10, 1)
        for name in (f"{self.table}.{self.name}", self.name):
            if name in VALUES:
                return VALUES[name].format(tenth=tenth)
        if self.kind == "BLOB":
            return no_bytes
        if self.kind == "TEXT":
            return f"'{self.name}-' || i"
        if self.name.endswith("_at_us") or self.name == "time_us":
            return "i * 1000"
        if self.name.endswith("_id") and not self.unique and self.key != 1:
            return f"i % {tenth} + 1"
        return "i"


def tables(connection):
    """{table: columns} of an SQLite database; PostgreSQL's have the same names."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    found = {}
    for (table,) in names.fetchall():
        unique = set()
        for _, index, is_unique, *_ in connection.execute(f"PRAGMA index_list({table})").fetchall():
            of_index = [row[2] for row in connection.execute(f"PRAGMA index_info({index})")]
            if is_unique and len(of_index) == 1:
                unique.add(of_index[0])
        info = connection.execute(f"PRAGMA table_info({table})").fetchall()
        found[table] = [Column(table, name, kind, key, name in unique) for _, name, kind, _, _, key in info]
    return found


def filling(found, rows, no_bytes):
    """Statements that fill the tables, for both engines: `rows` into each that grows."""
    for table, columns in found.items():
        if table in FIXED:
            continue
        count = BOUNDED_ROWS if table in BOUNDED else rows
        yield f"DELETE FROM {table}"
        yield (
            f"INSERT INTO {table} ({', '.join(column.name for column in columns)})"
            f" WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
            f" SELECT {', '.join(column.expression(count, no_bytes) for column in columns)} FROM n"
        )


def open_sqlite():
    """An empty one, as the server sets it up."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA case_sensitive_like = ON")
    for script in migrations("sqlite"):
        connection.executescript(script)
    return connection
