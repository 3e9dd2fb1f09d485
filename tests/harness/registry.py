# SPDX-License-Identifier: Apache-2.0
"""One `berth serve` process: its port, its data directory, its database, its log."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import uuid
from pathlib import Path

from harness import database
from harness.client import ADMIN_PASSWORD, Client, Clients
from harness.port import claim_port
from harness.wait import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent

LISTENING = re.compile(r'listening.*?address"?\s*[=:]\s*"?(?P<host>127\.0\.0\.1):(?P<port>\d+)')
SANITIZER = re.compile(r"(ERROR|WARNING): (Address|Thread|Leak|Memory)Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")
STORED_FILE = re.compile(r"/(blobs|uploads)/.*/?([0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-)")
FAILURE_STATUS = re.compile(r'"status"\s*:\s*"?(5\d\d)')
NOT_YET = '"error":"LATER"'  # an operation that has a row and no handler; JSON logs only
FAILURE_CODE = re.compile(r'"(?:error|code|err)"\s*:\s*"(INTERNAL|CORRUPT|STORAGE|DATABASE|STORAGE_FULL)"')


def binary():
    return Path(os.environ.get("BERTH_BINARY", ROOT / "build" / "berth"))


def judge():
    """The program that looks at what a test left behind, where it is another than the one under test: one without a sanitizer."""
    return os.environ.get("BERTH_JUDGE")


def looks_after_each():
    """Whether that is done after each test on a server that others share, or when their module ends."""
    return os.environ.get("BERTH_TEST_FSCK") != "module"


class Registry(Clients):
    """A server under test. Options are environment variables; `settings` keys lack the BERTH_ prefix."""

    def __init__(self, root, *, settings=None, program=None, environment=None):
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.data = self.root / "data"
        self.log = self.root / "log"
        self.program = Path(program or binary())
        self.settings = {name.upper(): str(value) for name, value in (settings or {}).items()}
        self.extra_environment = environment or {}
        self.process = None
        self.claim = claim_port()
        self.port = self.claim.getsockname()[1]
        self.tls = "TLS_CERTIFICATE" in self.settings
        self.clients = []
        self.no_connections = set()  # inodes of the process's sockets that a look at the table showed to be none
        self.tenants = {}
        self.challenge = None
        self.host = None  # the clients' Host header, when it is not the address
        self.authority = None
        self.prefix = uuid.uuid4().hex  # of keys, in a bucket
        server = database.conninfo()
        self.database = database.Database(server) if server else None

    # -- life cycle

    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
        kept.update(
            BERTH_LISTEN=f"127.0.0.1:{self.port}",
            BERTH_DATA_DIR=str(self.data),
            BERTH_ADMIN_PASSWORD=ADMIN_PASSWORD,
            BERTH_LOG_FORMAT="json",
            BERTH_LOG_LEVEL=os.environ.get("BERTH_TEST_LOG_LEVEL", "info"),
        )
        if os.geteuid() != 0:
            # Only root may look at the descriptors of a confined server, and most tests look for leaks.
            kept["BERTH_CONFINE"] = "off"
        if self.database:
            kept["BERTH_DATABASE_URL"] = self.database.url
        kept.update(self.bucket())
        kept.update({f"BERTH_{name}": value for name, value in self.settings.items()})
        kept.update(self.extra_environment)
        return kept

    def bucket(self):
        """Options of a part of what BERTH_TEST_S3 ("URL BUCKET ACCESS_KEY SECRET_KEY") or BERTH_TEST_SWIFT ("AUTH_URL CONTAINER
        USER KEY") names. Without them: files."""
        for driver, names in (("S3", ("ENDPOINT", "BUCKET", "ACCESS_KEY", "SECRET_KEY")),
                              ("SWIFT", ("AUTH_URL", "CONTAINER", "USER", "KEY"))):
            words = os.environ.get(f"BERTH_TEST_{driver}", "").split()
            if words:
                options = {f"BERTH_STORAGE_{driver}_{name}": word for name, word in zip(names, words)}
                return {"BERTH_STORAGE_DRIVER": driver.lower(), f"BERTH_STORAGE_{driver}_PREFIX": self.prefix, **options}
        return {}

    def spawn(self):
        """Starts the process without waiting for it."""
        seen = self.log_size()
        with open(self.log, "ab") as sink:
            self.process = subprocess.Popen(
                [str(self.program), "serve"], env=self.environment(), cwd=self.root,
                stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
            )
        return seen

    def start(self):
        seen = self.spawn()

        def listening():
            code = self.process.poll()
            if code is not None:
                raise AssertionError(f"server ended with {code} at start:\n{self.log_text(seen)[-2000:]}")
            return LISTENING.search(self.log_text(seen))

        found = wait_until(listening, timeout=60, step=0.005, what="the line that says listening")
        self.port = int(found["port"])  # the settings may say another
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        os.kill(self.process.pid, number)

    def stop(self, timeout=60):
        """SIGTERM; returns the exit status."""
        self.drop_connections()
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(timeout)
        self.process = None
        return status

    def kill9(self):
        self.drop_connections()
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait(30)
            self.process = None

    def wait_dead(self, timeout=60):
        """Waits until the process ended by itself; returns its status."""
        status = self.process.wait(timeout)
        self.process = None
        return status

    def restart(self, **settings):
        """Stops cleanly and starts again on the same port and data."""
        self.stop()
        self.settings.update({name.upper(): str(value) for name, value in settings.items()})
        return self.start()

    def destroy(self):
        self.kill9()
        self.claim.close()
        if self.database:
            self.database.drop()
        shutil.rmtree(self.data, ignore_errors=True)

    # -- speaking to it

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{self.scheme}://{self.address}"

    def connect(self, timeout=30):
        """A bare TCP connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def tenant(self, name="acme", host=None, **wanted):
        """A tenant with a host of its own; made when it is first asked for. `wanted` goes into the request."""
        if name not in self.tenants:
            self.tenants[name] = Tenant(self, name, host or f"{name}.registry.example", wanted)
        return self.tenants[name]

    # -- looking inside

    def berth(self, *arguments, program=None, timeout=300):
        """(exit status, output) of another subcommand with this server's options."""
        done = subprocess.run(
            [str(program or self.program), *arguments], env=self.environment(), cwd=self.root,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout,
        )
        return done.returncode, done.stdout

    def execute(self, *statements):
        """Runs SQL behind the server's back."""
        if self.database:
            self.database.execute(*statements)
        else:
            database.execute_in_file(self.data / "berth.sqlite", *statements)

    def query(self, statement):
        """The first column of the rows, as texts."""
        if self.database:
            return self.database.query(statement)
        return database.query_file(self.data / "berth.sqlite", statement)

    def fsck(self, quick=False):
        """(exit status, output) of `berth fsck` with this server's options; quick hashes no bytes."""
        return self.berth("fsck", *["--quick"] * quick)

    def assert_fsck_clean(self, quick=False):
        status, output = self.berth("fsck", *["--quick"] * quick, program=judge())
        assert status == 0, f"berth fsck answers {status}:\n{output[-4000:]}"

    def log_size(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def log_text(self, since=0):
        if not self.log.exists():
            return ""
        with open(self.log, "rb") as source:
            source.seek(since)
            return source.read().decode("utf-8", "replace")

    def log_lines(self, since=0):
        """The log as dictionaries; lines that are no JSON come as {"raw": line}."""
        lines = []
        for line in self.log_text(since).splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append({"raw": line})
        return lines

    def open_fds(self):
        """{number: target} of the process's descriptors."""
        folder = Path(f"/proc/{self.process.pid}/fd")
        found = {}
        if os.geteuid() != 0 and self.settings.get("CONFINE") == "on":
            return found
        for entry in folder.iterdir():
            try:
                found[int(entry.name)] = os.readlink(entry)
            except FileNotFoundError:
                continue
        return found

    def connections(self):
        """The TCP connections that are still open at the server's side."""
        inodes = {
            target[len("socket:["):-1] for target in self.open_fds().values() if target.startswith("socket:[")
        }
        if inodes <= self.no_connections:  # the table holds what all other tests left behind: reading it takes long
            return []
        port = f":{self.port:04X}"
        found, listening = [], set()
        for line in Path(f"/proc/{self.process.pid}/net/tcp").read_text().splitlines():
            if port not in line:
                continue
            fields = line.split()
            if not fields[1].endswith(port) or fields[9] not in inodes:
                continue
            if fields[3] == "0A":
                listening.add(fields[9])
            else:
                found.append(f"{fields[2]} state {fields[3]} queues {fields[4]} inode {fields[9]}")
        if not found and listening:
            self.no_connections |= inodes
        return found

    def leaked(self):
        """What is open and should not be once no client is connected."""
        files = [target for target in self.open_fds().values() if STORED_FILE.search(target)]
        return files + [f"connection from {peer}" for peer in self.connections()]

    def assert_nothing_leaked(self):
        self.drop_connections()
        try:
            wait_until(lambda: not self.leaked(), timeout=30, what="everything being closed")
        except AssertionError:
            raise AssertionError(f"descriptors left open: {self.leaked()}") from None

    def memory_kib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def stored_files(self, kind="blobs"):
        """Files under `blobs` or `uploads` in the data directory."""
        return sorted(path for path in self.data.rglob("*") if path.is_file() and f"/{kind}/" in str(path))

    def locked_database(self):
        """A context in which somebody else has the right to write."""
        return self.database.locked() if self.database else database.locked_file(self.data / "berth.sqlite")

    def failures_in_log(self, since=0):
        """Lines that speak of failures of the server's own, and sanitizer reports."""
        found = []
        for line in self.log_text(since).splitlines():
            status = FAILURE_STATUS.search(line)
            code = FAILURE_CODE.search(line)
            if NOT_YET in line:
                continue
            if SANITIZER.search(line) or status or code:
                found.append((status.group(1) if status else code.group(1) if code else "sanitizer", line))
        return found

    def assert_log_clean(self, since=0, expected=()):
        bad = [line for what, line in self.failures_in_log(since) if what not in expected]
        if any(SANITIZER.search(line) for line in bad):
            raise AssertionError(f"sanitizer report:\n{self.log_text(since)[-8000:]}")
        assert not bad, "the log shows failures:\n" + "\n".join(bad)

    def reload(self):
        self.signal(signal.SIGHUP)


class Tenant:
    """A tenant of a server, seen by its own host: stands in for the registry where clients and people are made."""

    def __init__(self, registry, name, host, wanted):
        self.registry = registry
        self.name = name
        self.host = host
        self.challenge = None
        administrator = registry.client(auth="basic")
        answer = administrator.post(
            "/api/berth/v1/tenants", expect=201, headers={"Content-Type": "application/json"},
            body=json.dumps({"name": name, "hosts": [host], **wanted}),
        )
        self.id = answer.json()["id"]
        self.path = answer.headers["Location"]

    def __getattr__(self, name):
        return getattr(self.registry, name)

    def client(self, username="default/admin", password=ADMIN_PASSWORD, **options):
        """The system's administrator, unless somebody of the tenant is named."""
        client = Client(self, username, password, **options)
        self.registry.clients.append(client)
        return client

    def anonymous(self, **options):
        return self.client(None, None, **options)

    @property
    def admin(self):
        return self.client(auth="basic")
