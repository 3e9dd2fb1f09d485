# SPDX-License-Identifier: Apache-2.0
"""The units of deploy/systemd under a real systemd: installed by the words of docs/deploy.md, used, reloaded, killed, restarted and stopped."""
import re
import threading

import pytest

from harness import machine, oci
from harness.client import Clients
from harness.front import DEPLOY
from harness.port import free_port
from harness.registry import ROOT, binary
from harness.wait import wait_until

SOURCE = "/usr/src/berth"  # where somebody has built it
TARGET = "[Unit]\nDescription=A machine\nRequires=systemd-journald.service dbus.socket\nAfter=systemd-journald.service dbus.socket\n"
PASSWORD = re.compile(r"admin password: (\S+)")

reason = machine.missing()
pytestmark = [pytest.mark.own_server, pytest.mark.skipif(bool(reason), reason=reason or "none")]


class Installed(Clients):
    """The service, as its clients know it."""

    scheme, tls, host = "http", False, None

    def __init__(self, host, port):
        self.machine, self.port, self.clients, self.challenge = host, port, [], None
        self.url = f"http://127.0.0.1:{port}"

    def journal(self):
        return self.machine.run("journalctl", "--no-pager", "--output=cat", "--unit=berth").stdout

    def pid(self):
        return int(self.machine.show("berth.service", "MainPID"))

    def is_active(self):
        return self.machine.show("berth.service", "ActiveState") == "active"


def shell_of(page, title):
    """The commands of a section's first block."""
    section = (ROOT / "docs" / page).read_text().split(f"\n## {title}\n", 1)[1]
    return re.search(r"```sh\n(.*?)```", section, re.S)[1].strip().splitlines()


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machine")
    shipped = {f"{SOURCE}/deploy/systemd/{file.name}": file for file in (DEPLOY / "systemd").iterdir()}
    files = {
        **shipped,
        f"{SOURCE}/build/berth": binary(),
        "/etc/systemd/system/machine.target": TARGET,
        # This machine's files are not to be tidied.
        **{f"/etc/systemd/system/systemd-tmpfiles-{name}": "" for name in ("setup.service", "clean.timer", "setup-dev.service")},
    }
    made = machine.Machine(folder / "root", "machine.target", files)
    made.port = free_port()
    made.files["/etc/systemd/system/berth.socket.d/port.conf"] = f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{made.port}\n"
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def service(host):
    """Installed by the words of the page, whose last shows the password."""
    for line in shell_of("deploy.md", "systemd"):
        host.run("sh", "-ec", f"cd {SOURCE} && {line}")
    installed = Installed(host, host.port)
    wait_until(lambda: PASSWORD.search(installed.journal()), what="the password in the journal")
    assert line.startswith("journalctl -u berth")
    return installed


@pytest.fixture
def repo(service):
    assert service.is_active()
    client = service.client("admin", PASSWORD.search(service.journal())[1])
    yield client.repository("tests/machine")
    service.drop_connections()


def test_it_is_ready_when_systemd_says_so(service, repo):
    assert service.machine.show("berth.service", "SubState") == "running"
    assert service.machine.show("berth.service", "User") == "berth"
    content = oci.image("machine", layers=2)
    repo.push(content, "v1")
    assert repo.get_manifest("v1").content == content.body
    for blob in content.blobs:
        assert repo.get_blob(oci.digest_of(blob)).content == blob


def test_it_is_shut_in(service, repo):
    """By both: the unit's sandbox around it, and its own."""
    status = service.machine.run("cat", f"/proc/{service.pid()}/status").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert "0" not in fields["Uid"].split()
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2" and int(fields["Seccomp_filters"]) >= 2
    inside = ("nsenter", "-t", service.pid(), "-m")
    for path in ("/usr/local/bin/x", "/etc/berth/x", "/var/lib/x", "/srv/x"):
        assert service.machine.run(*inside, "touch", path, check=False).returncode != 0, path
    assert service.machine.run(*inside, "touch", "/var/lib/berth/x", check=False).returncode == 0
    assert service.machine.run("stat", "-c", "%a %U", "/var/lib/berth").stdout == "700 berth\n"
    assert "confined" in service.journal()


def test_who_connects_while_it_restarts_waits(service, repo):
    content = oci.image("restart")
    repo.push(content, "restart")
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            answers.append(service.anonymous(keep_alive=False).session.get(service.url + "/livez", timeout=60).status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    before = service.pid()
    service.machine.run("systemctl", "restart", "berth")
    count = len(answers)
    wait_until(lambda: len(answers) > count + 3, what="answers of the new process")
    stop.set()
    asking.join()
    assert service.pid() != before and set(answers) == {200}
    assert repo.get_manifest("restart").content == content.body


def test_killed_it_comes_back(service, repo):
    before = service.pid()
    repo.push(oci.image("kill"), "kill")
    service.machine.run("kill", "-9", before)
    wait_until(lambda: service.is_active() and service.pid() not in (0, before), what="another process")
    assert int(service.machine.show("berth.service", "NRestarts")) >= 1
    repo.client.close()
    assert repo.get_manifest("kill").content == oci.image("kill").body


def test_a_reload_takes_the_new_certificate(service, authority):
    """With the lines of berth.yaml that are comments, and the address that speaks TLS then."""
    host = service.machine
    host.run("sh", "-ec", "sed -i 's/^#\\(tls:\\|  certificate:\\|  key:\\)/\\1/' /etc/berth/berth.yaml && grep '^  key: ' /etc/berth/berth.yaml")

    def install():
        for path, name in zip(authority.issue(), ("tls.crt", "tls.key")):
            host.run("sh", "-ec", f"cat >/etc/berth/{name} <<'END'\n{path.read_text()}\nEND\nchgrp berth /etc/berth/{name}\nchmod 640 /etc/berth/{name}")
        return serial_of()

    def serial_of():
        return host.run("openssl", "x509", "-in", "/etc/berth/tls.crt", "-noout", "-serial").stdout.strip()

    def served():
        done = host.run("sh", "-c", f"openssl s_client -connect 127.0.0.1:{service.port} </dev/null 2>/dev/null | openssl x509 -noout -serial", check=False)
        return done.stdout.strip()

    try:
        first = install()
        host.run("systemctl", "restart", "berth")
        assert served() == first
        before, second = service.pid(), install()
        assert second != first
        host.run("systemctl", "reload", "berth")
        wait_until(lambda: served() == second, what="the new certificate")
        assert service.pid() == before
    finally:
        host.run("sh", "-ec", f"install -m 644 {SOURCE}/deploy/systemd/berth.yaml /etc/berth/berth.yaml && systemctl restart berth")


def test_stopped_it_ends_in_order_and_says_so(service, repo):
    """By the words of the page."""
    before = service.pid()
    service.machine.run("systemctl", "stop", "berth.socket", "berth.service")
    assert service.machine.show("berth.service", "Result") == "success"
    assert service.machine.show("berth.service", "ExecMainStatus") == "0"
    assert service.machine.run("sh", "-c", f"test -e /proc/{before}", check=False).returncode == 1
    service.machine.run("systemctl", "start", "berth.socket", "berth.service")
    assert service.pid() not in (0, before)


def test_it_is_tried_until_what_it_needs_is_there(service, repo):
    """secrets.conf as it is shipped, without its files; then they come."""
    host, drop_in = service.machine, "/etc/systemd/system/berth.service.d/secrets.conf"
    secrets = "install -d -m 700 /etc/berth/secrets && cd /etc/berth/secrets && umask 077 && echo >database-url && echo unused >s3-secret-key && echo Of-A-File-1 >admin-password"
    try:
        host.run("sh", "-ec", f"install -D -m 644 {SOURCE}/deploy/systemd/secrets.conf {drop_in} && systemctl daemon-reload")
        assert host.run("systemctl", "restart", "berth", check=False).returncode != 0
        restarts = int(host.show("berth.service", "NRestarts"))
        wait_until(lambda: int(host.show("berth.service", "NRestarts")) > restarts + 5, what="more tries than systemd's own limit")
        assert host.show("berth.socket", "ActiveState") == "active"
        host.run("sh", "-ec", secrets)
        wait_until(service.is_active, what="a start with the secrets")
    finally:
        host.run("sh", "-ec", f"rm -rf {drop_in} /etc/berth/secrets && systemctl daemon-reload && systemctl restart berth.socket berth.service")
