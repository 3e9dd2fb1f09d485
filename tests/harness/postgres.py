# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL servers of the tests' own, that may be stopped, killed and promoted: a primary and its streaming standbys.

They listen on loopback, never sync, and are gone with their data when closed. PostgreSQL refuses to run as root, so root
runs them as the user postgres. PG_BIN may name the folder of initdb and pg_ctl.
"""
import glob
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from harness.database import psql
from harness.port import free_port
from harness.wait import wait_until

OPTIONS = {
    "max_connections": 60, "shared_buffers": "16MB", "fsync": "off", "full_page_writes": "off",
    "autovacuum": "off", "max_wal_senders": 4, "wal_keep_size": "64MB", "listen_addresses": "127.0.0.1",
    "wal_receiver_timeout": "5s", "wal_retrieve_retry_interval": "100ms", "hot_standby_feedback": "on",
}


def folder_of_programs():
    if os.environ.get("PG_BIN"):
        return Path(os.environ["PG_BIN"])
    return Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])


class Server:
    def __init__(self, parent, name):
        self.parent = Path(parent)
        self.data = self.parent / name
        self.log = self.parent / f"{name}.log"
        self.port = free_port()

    def run(self, program, *arguments, check=True):
        prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        return subprocess.run(
            [*prefix, str(folder_of_programs() / program), *map(str, arguments)], cwd=self.parent,
            check=check, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
        )

    def create(self):
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
        return self.start()

    def follow(self, primary):
        """A standby of `primary`, with its rows of now. It follows by the Unix socket: what is done to packets is between nodes and
        servers."""
        self.run(
            "pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync",
            "-d", f"host={primary.parent} port={primary.port} user=postgres application_name={self.data.name}",
        )
        return self.start()

    def start(self):
        options = " ".join(f"-c {name}={value}" for name, value in {**OPTIONS, "port": self.port}.items())
        self.run("pg_ctl", "-D", self.data, "-l", self.log, "-s", "-w", "-t", "60", "start", "-o", f"-k {self.parent} {options}")
        return self

    def stop(self, mode="fast"):
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-s", "-w", "stop", check=False)

    def pid(self):
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def kill9(self):
        """What a crash of the machine is to its clients: everything of it is gone at once."""
        pid = self.pid()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in [pid, *map(int, children)]:
            os.kill(one, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="the server's end")
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def answers(self):
        return self.run("pg_isready", "-h", "127.0.0.1", "-p", self.port, check=False).returncode == 0

    def promote(self):
        self.run("pg_ctl", "-D", self.data, "-s", "-w", "promote")

    def url(self, database="postgres"):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def query(self, sql, database="postgres"):
        return psql(self.url(database), sql).splitlines()

    def freeze(self, on=True):
        """Takes no writes, as an operator says it."""
        self.query(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if on else 'off'}")
        self.query("SELECT pg_reload_conf()")


class Servers:
    """A primary and a standby."""

    def __init__(self, prepare=lambda home: None):
        """`prepare` gets the folder first, in which `one` and `two` will be."""
        # A socket's path has at most 107 bytes, so not under pytest's folder; and postgres must get in.
        self.home = Path(tempfile.mkdtemp(prefix="berth-servers.", dir="/tmp"))
        prepare(self.home)
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres")
        self.primary = Server(self.home, "one").create()
        self.standby = Server(self.home, "two").follow(self.primary)

    @property
    def all(self):
        return [self.primary, self.standby]

    def url(self, database, *servers):
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers or self.all)
        return f"postgresql://postgres@{hosts}/{database}"

    def create_database(self, name):
        self.primary.query(f"CREATE DATABASE {name}")

    def wait_replayed(self):
        """Until the standby has all that the primary has written."""
        at = self.primary.query("SELECT pg_current_wal_flush_lsn()")[0]
        wait_until(
            lambda: self.standby.query(f"SELECT pg_last_wal_replay_lsn() >= '{at}'")[0] == "t", what="the standby having all",
        )

    def fail_over(self):
        """The primary crashes, the standby takes over."""
        self.wait_replayed()
        self.primary.kill9()
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def rebuild(self):
        """The one that is no primary any more becomes a standby of the other, with nothing of before."""
        for entry in self.standby.data.iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        self.standby.follow(self.primary)

    def close(self):
        for server in self.all:
            if (server.data / "postmaster.pid").exists():
                server.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)
