# SPDX-License-Identifier: Apache-2.0
"""The proxies of deploy/ in front of nodes, with the files that are shipped: only addresses, ports, paths of certificates and who
they run as are replaced. What is to be replaced must be there, so files and tests cannot part.

    with HAProxy(folder, authority, nodes) as front:
        front.client().repository("tests/app").push(image, "latest")
"""
import os
import pwd
import re
import shutil
import signal
import subprocess
from pathlib import Path

from harness.client import Clients
from harness.port import free_port, is_listening
from harness.registry import ROOT
from harness.wait import wait_until

DEPLOY = ROOT / "deploy"
NODES = [f"10.0.0.1{number}:5000" for number in (1, 2, 3)]


def program(name):
    """Of ./dev deps, which unpacks it without the service it would start, or the system's."""
    unpacked = ROOT / "build" / "tools" / name / "usr" / "sbin" / name
    return str(unpacked) if unpacked.exists() else shutil.which(name) or shutil.which(f"/usr/sbin/{name}")


class Front(Clients):
    """Stands in for the registry where clients are made."""

    name = None
    scheme, tls, host = "https", True, None

    def __init__(self, folder, authority, nodes):
        assert program(self.name), f"{self.name} is missing: ./dev deps test"
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = authority
        self.nodes = nodes
        self.port = free_port()
        self.log = self.folder / "log"
        self.clients = []
        self.challenge = None
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def shipped(self, file, *replaced):
        """The shipped file with the nodes' addresses and what else is to be replaced."""
        text = (DEPLOY / file).read_text()
        for old, new in [*replaced, *zip(NODES, (node.address for node in self.nodes))]:
            pattern = re.compile(rf"(^|(?<=\s)){re.escape(old)}(?=[\s;])", re.M)
            assert pattern.search(text), f"{file} has no {old!r}"
            text = pattern.sub(new, text)
        return text

    def start(self):
        with open(self.log, "ab") as sink:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=self.folder)

        def listening():
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            return is_listening(self.port)

        wait_until(listening, what=f"{self.name} listening")
        return self

    def pids(self):
        own = self.process.pid
        return [own, *map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split())]

    def written(self):
        """Bytes that it has handed to file systems."""
        return sum(
            int(re.search(r"^write_bytes: (\d+)", Path(f"/proc/{pid}/io").read_text(), re.M)[1]) for pid in self.pids())

    def memory(self):
        """The most that it has had in memory so far."""
        return 1024 * sum(
            int(re.search(r"^VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1]) for pid in self.pids())

    def knows_none(self):
        """Whether it knows that no node is ready, as far as it asks."""
        return True

    def close(self):
        self.drop_connections()
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
            self.process = None


class HAProxy(Front):
    name = "haproxy"

    def command(self):
        certificate, key = self.authority.issue("haproxy")
        both = self.folder / "registry.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        made = self.folder / "haproxy.cfg"
        made.write_text(self.shipped(
            "haproxy/haproxy.cfg", (":443", f"127.0.0.1:{self.port}"), ("/etc/haproxy/registry.pem", str(both)),
            ("chroot /var/lib/haproxy", ""), ("user haproxy", ""), ("group haproxy", "")))
        return [program(self.name), "-db", "-f", str(made)]

    def knows_none(self):
        return "backend ready has no server available" in self.log.read_text()


MAIN = """\
daemon off;
worker_processes 2;
pid {folder}/pid;
{user}
events {{}}
http {{
	access_log {folder}/access.log;
	client_body_temp_path {folder}/client;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	include {folder}/berth.conf;
}}
"""


class Nginx(Front):
    name = "nginx"

    def command(self):
        certificate, key = self.authority.issue("nginx")
        (self.folder / "berth.conf").write_text(self.shipped(
            "nginx/berth.conf", ("listen 443", f"listen 127.0.0.1:{self.port}"), ("registry.example.com", "127.0.0.1"),
            ("/etc/nginx/tls/registry.crt", str(certificate)), ("/etc/nginx/tls/registry.key", str(key))))
        made = self.folder / "nginx.conf"
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        made.write_text(MAIN.format(folder=self.folder, user=user))
        return [program(self.name), "-e", str(self.log), "-p", str(self.folder), "-c", str(made)]


FRONTS = {"haproxy": HAProxy, "nginx": Nginx}
