# SPDX-License-Identifier: Apache-2.0
"""What is broken: three nodes behind HAProxy, a primary and a synchronous standby of PostgreSQL, an S3 gateway.

All of it is in a network and a mount namespace of its own (tests/tools/reliability makes them), so packets can be lost and disks be
full here and nowhere else. PostgreSQL's folders are file systems of their own.
"""
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from harness import s3
from harness.front import HAProxy
from harness.load import Book, Load
from harness.people import call
from harness.postgres import Servers
from harness.registry import Registry, binary
from harness.tls import Authority
from harness.wait import wait_until

DISK_BYTES = 640 << 20
GARBAGE_WINDOW = "15s"  # the collector runs as often, while things are broken too


def run(*command, check=True):
    """What cannot be found has failed."""
    if not check and not shutil.which(command[0]):
        return subprocess.CompletedProcess(command, 127)
    return subprocess.run([*map(str, command)], check=check, capture_output=True, text=True, timeout=60)


class Network:
    """The packets between the parts. All go through this namespace's loopback."""

    def __init__(self):
        run("ip", "link", "set", "lo", "up")
        self.slow_by = self.find_slow_by()
        self.filters = self.has_filters()

    def find_slow_by(self):
        """netem delays as one wants; kernels without it have a bucket of tokens, whose queue delays and overflows."""
        for name, words in (("netem", "netem delay 20ms 10ms"), ("tbf", "tbf rate 200mbit burst 256kb latency 60ms")):
            if run("tc", "qdisc", "replace", "dev", "lo", "root", *words.split(), check=False).returncode == 0:
                self.heal()
                return name, words.split()
        return None, []

    def has_filters(self):
        """Whether the kernel can lose and refuse packets by rules."""
        try:
            self.lose([1], "0.5")
            self.refuse([1])
            return True
        except (OSError, subprocess.CalledProcessError):
            return False
        finally:
            self.heal()

    def slow(self):
        if self.slow_by[0]:
            run("tc", "qdisc", "replace", "dev", "lo", "root", *self.slow_by[1])

    def lose(self, ports, share):
        """This share of the packets from and to these ports is lost."""
        self.rule(ports, "-m", "statistic", "--mode", "random", "--probability", share, "-j", "DROP")

    def swallow(self, ports):
        """All of them: nobody hears that the other side is gone."""
        self.rule(ports, "-j", "DROP")

    def refuse(self, ports):
        """As if nobody listened: connections end, new ones are refused."""
        self.rule(ports, "-j", "REJECT", "--reject-with", "tcp-reset", sides=["--dport"])

    def rule(self, ports, *what, sides=("--dport", "--sport")):
        for port in ports:
            for side in sides:
                run("iptables", "-w", "-A", "INPUT", "-i", "lo", "-p", "tcp", side, port, *what)

    def heal(self):
        run("iptables", "-w", "-F", "INPUT", check=False)
        run("tc", "qdisc", "del", "dev", "lo", "root", check=False)


class MemoryGateway:
    """tests/harness/s3.py in a process of its own. Stopped, it is one that refuses connections: its objects are in its memory."""

    name = "the S3 server of the tests"

    def __init__(self, network):
        self.network = network
        self.process = subprocess.Popen(
            [sys.executable, s3.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.place = self.process.stdout.readline().split()

    @property
    def port(self):
        return int(self.place[0].rsplit(":", 1)[1])

    def stop(self):
        self.network.refuse([self.port])

    def start(self):
        self.network.heal()

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class CephGateway:
    """The radosgw of tests/tools/with-ceph: stopped, it is killed."""

    name = "Ceph's gateway"

    def __init__(self, home):
        self.home = Path(home)
        self.place = os.environ["BERTH_TEST_S3"].split()

    @property
    def port(self):
        return int(self.place[0].rsplit(":", 1)[1])

    def stop(self):
        pid = int((self.home / "client.rgw.a.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="the gateway's end")

    def start(self):
        subprocess.run(["radosgw", "-n", "client.rgw.a"], env={**os.environ, "CEPH_CONF": str(self.home / "ceph.conf")}, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def close(self):
        pass


class Disk:
    """A file system in memory, which may be filled."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "none", self.folder)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")

    def fill(self):
        with open(self.folder / "filler", "wb", buffering=0) as sink:
            piece = bytes(1 << 16)
            try:
                while sink.write(piece) == len(piece):
                    pass
            except OSError:
                pass

    def clear(self):
        (self.folder / "filler").unlink(missing_ok=True)


class Site:
    def __init__(self, root):
        self.root = Path(root)
        self.network = Network()
        self.disks = {}
        self.book = Book()
        self.servers = self.gateway = self.front = None
        self.nodes = []

    def start(self):
        self.servers = Servers(self.mount)
        self.synchronise()
        self.servers.create_database("berth")
        home = os.environ.get("BERTH_TEST_CEPH")
        self.gateway = CephGateway(home) if home else MemoryGateway(self.network)
        for number in range(3):
            self.nodes.append(self.make_node(number).start())
        self.front = HAProxy(self.root / "haproxy", Authority(self.root / "authority"), self.nodes)
        self.front.start()
        self.front.client(auth="basic").make_project("load")
        return self

    def mount(self, home):
        for name in ("one", "two"):
            self.disks[name] = Disk(home / name)

    def make_node(self, number):
        url, bucket, access_key, secret_key = self.gateway.place
        node = Registry(self.root / f"node-{number}", settings={
            "database_url": self.servers.url("berth"), "http_trusted_proxies": "127.0.0.1", "http_drain_delay": "3s",
            "storage_driver": "s3", "storage_s3_endpoint": url, "storage_s3_bucket": bucket, "storage_s3_access_key": access_key,
            "storage_s3_secret_key": secret_key, "storage_s3_prefix": "reliability", "garbage_window": GARBAGE_WINDOW})
        node.data = self.root / "data"
        return node

    def synchronise(self):
        """From here on a commit is one when the standby has it: a failover loses nothing that was acknowledged."""
        self.servers.standby.query("ALTER SYSTEM RESET synchronous_standby_names")
        self.servers.primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.servers.primary.query("SELECT pg_reload_conf()")

    def load(self, **options):
        return Load(self.front, self.book, **{"pushers": 3, "pullers": 3, "deleters": 1, "large": 12 << 20, **options})

    def collect(self):
        """Runs the collector once more, to its end; what it says."""
        admin = self.nodes[0].client(auth="basic")
        asked = call(admin, "POST", "/api/v2.0/system/gc/schedule", {"schedule": {"type": "Manual"}}, expect=201)
        ended = ("Success", "Error", "Stopped")
        wait_until(lambda: admin.get(asked.headers["Location"], expect=200).json()["job_status"] in ended, timeout=60, what="the collector's end")
        return admin.get(asked.headers["Location"] + "/log", expect=200).text

    def collected(self):
        """How many blobs all collectors so far have removed."""
        return int(self.servers.primary.query("SELECT count(*) FROM garbage_freed WHERE kind = 'blob'", "berth")[0])

    def disk_of(self, server):
        return self.disks[server.data.name]

    def skew(self, node, seconds):
        """Starts it again with a clock that is wrong by so much; 0: with its own. Only a build with fault points has such a clock."""
        node.kill9()
        node.program = Path(os.environ["BERTH_BINARY_FAULTS"]) if seconds else binary()
        node.extra_environment = {"BERTH_FAULT_CLOCK_S": str(seconds)} if seconds else {}
        node.start()

    def close(self):
        self.network.heal()
        for part in (self.front, *self.nodes, self.gateway, self.servers):
            if isinstance(part, Registry):
                part.kill9()
            elif part:
                part.close()
        for disk in self.disks.values():
            run("umount", "--lazy", disk.folder, check=False)
        if self.servers:
            shutil.rmtree(self.servers.home, ignore_errors=True)
