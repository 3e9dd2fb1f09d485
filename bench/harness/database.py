# SPDX-License-Identifier: Apache-2.0
"""The databases below Berth: a PostgreSQL server of the benchmark's own, and both engines as something that is filled
behind a stopped server's back.

The PostgreSQL server keeps its defaults, so it makes commits durable as Berth's SQLite does. It listens on a Unix socket
alone. It refuses to run as root, so root starts it as the user postgres.
"""
import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from harness import tools


class Postgres:
    def __init__(self):
        self.programs = tools.postgres()
        self.home = Path(tempfile.mkdtemp(prefix="berth-bench."))  # a socket's path is short
        self.as_server = []
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres")
            self.as_server = ["runuser", "-u", "postgres", "--"]
        self.url = f"postgresql:///postgres?host={self.home}&user=postgres"

    def _run(self, program, *arguments):
        command = [*self.as_server, str(self.programs / program), "-D", str(self.home / "data"), *arguments]
        done = subprocess.run(command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.strip()[-600:]}")

    def start(self):
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
        options = f"-k {self.home} -c listen_addresses= -c max_connections=200"
        self._run("pg_ctl", "-s", "-w", "-l", str(self.home / "log"), "-o", options, "start")

    def remove(self):
        if (self.home / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "-s", "-w", "-m", "fast", "stop")
        shutil.rmtree(self.home, ignore_errors=True)


COUNTED_FROM = 50  # rows: autovacuum_analyze_threshold


class PostgresFilling:
    """Statements of one filling; what sqlite3 gives as a connection."""

    blob = "bytea"
    series = "SELECT n FROM generate_series({first}::bigint, {last}::bigint) AS s(n)"

    def __init__(self, url):
        self.url = url

    def execute(self, statement):
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", statement]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip()[-600:])
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def indexes(self, table):
        """(name, statement that makes it) of each that is not a constraint's."""
        return self.execute(
            f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '{table}' AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )

    @staticmethod
    def hex(value, digits):
        return f"lpad(to_hex({value}), {digits}, '0')"

    def close(self):
        """What has grown is counted, as autovacuum does: it counts no table of a few rows, and plans expect more all the same."""
        tables = self.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        for (table,) in tables:
            ((rows,),) = self.execute(f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT {COUNTED_FROM}) t")
            if int(rows) == COUNTED_FROM:
                self.execute(f"ANALYZE {table}")
        self.execute("CHECKPOINT")


class SqliteFilling:
    blob = "BLOB"
    series = "SELECT n FROM (WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last}) SELECT n FROM c)"

    def __init__(self, path):
        self.connection = sqlite3.connect(path)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
            self.connection.execute(f"PRAGMA {pragma}")

    def execute(self, statement):
        return self.connection.execute(statement).fetchall()

    def indexes(self, table):
        return self.execute(f"SELECT name, sql FROM sqlite_master WHERE tbl_name = '{table}' AND type = 'index' AND sql NOTNULL")

    @staticmethod
    def hex(value, digits):
        return f"printf('%0{digits}x', {value})"

    def close(self):
        self.connection.commit()
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.close()
