# SPDX-License-Identifier: Apache-2.0
"""A fresh PostgreSQL database for each registry.

BERTH_TEST_POSTGRES is a libpq connection string (URL or key=value) of a role that may create databases;
tests/tools/with-postgres sets it. Without it the tests run on SQLite.
"""
import contextlib
import functools
import itertools
import os
import shlex
import sqlite3
import subprocess
import tempfile
import urllib.parse

numbers = itertools.count()


def conninfo():
    if os.environ.get("BERTH_TEST_ENGINE") == "sqlite":
        return None
    return os.environ.get("BERTH_TEST_POSTGRES") or None


def as_url(text, database):
    """The connection string as a URL that names `database`."""
    if "://" in text:
        parts = urllib.parse.urlsplit(text)
        return urllib.parse.urlunsplit(parts._replace(path="/" + database))
    pairs = dict(word.split("=", 1) for word in shlex.split(text))
    pairs.pop("dbname", None)
    return f"postgresql:///{database}?{urllib.parse.urlencode(pairs)}"


@contextlib.contextmanager
def locked_file(path):
    """Database.locked() for an SQLite file."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


def psql(url, sql):
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql],
        check=True, capture_output=True, text=True, timeout=60,
    )
    return done.stdout


def execute_in_file(path, *statements):
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


def query_file(path, statement):
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        return [str(row[0]) for row in connection.execute(statement)]
    finally:
        connection.close()


@functools.cache
def migrated(server):
    """The name of a database with an empty schema, which others are copies of: migrating each would take a second of two."""
    from harness.registry import binary  # which knows this module

    name = f"berth_{os.getpid()}_empty"
    psql(as_url(server, "postgres"), f"CREATE DATABASE {name}")
    with tempfile.TemporaryDirectory() as folder:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BERTH_")}
        environment.update(BERTH_DATABASE_URL=as_url(server, name), BERTH_DATA_DIR=folder)
        subprocess.run([str(binary()), "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=60)
    return name


class Database:
    def __init__(self, server):
        self.server = server
        self.name = f"berth_{os.getpid()}_{next(numbers)}"
        self.url = as_url(server, self.name)
        self.run(f"CREATE DATABASE {self.name} TEMPLATE {migrated(server)}")

    def run(self, sql):
        psql(as_url(self.server, "postgres"), sql)

    def execute(self, *statements):
        for statement in statements:
            psql(self.url, statement)

    def query(self, statement):
        return psql(self.url, statement).splitlines()

    @contextlib.contextmanager
    def locked(self):
        """Inside, others can read and not write."""
        every_table = "SELECT format('LOCK TABLE %I IN EXCLUSIVE MODE', tablename) FROM pg_tables WHERE schemaname = 'public' \\gexec"
        session = subprocess.Popen(
            ["psql", "-X", "-q", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        try:
            session.stdin.write(f"BEGIN;\n{every_table}\n\\echo locked\n")
            session.stdin.flush()
            assert session.stdout.readline().strip() == "locked", "could not lock the tables"
            yield
        finally:
            session.communicate("ROLLBACK;\n", timeout=60)

    @contextlib.contextmanager
    def refusing(self):
        """Inside, nobody is connected and nobody gets in."""
        self.run(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        try:
            self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")
            yield
        finally:
            self.run(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")

    def drop(self):
        self.run(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
