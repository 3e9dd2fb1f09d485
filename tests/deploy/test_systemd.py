# SPDX-License-Identifier: Apache-2.0
"""The units of deploy/systemd: systemd has nothing to say against them, and the program runs under their filter, on their socket, with
their credentials. What the service manager would do is done here, from the units' own lines; test_machine.py has a real one."""
import re
import shutil
import socket
import subprocess
import sys
import threading

import pytest

from harness.front import DEPLOY
from harness.oci import digest_of
from harness.port import free_port
from harness.registry import ADMIN_PASSWORD, LISTENING, binary
from harness.wait import wait_until

UNITS = DEPLOY / "systemd"
EXPOSURE_MAX = 1.1  # of 10, as systemd-analyze counts; what is left is the network, which is the point of the service

pytestmark = [
    pytest.mark.own_server,
    pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze: install systemd"),
]


def run(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120, check=False)


def lines(unit, key):
    return re.findall(rf"^{key}=(.*)$", (UNITS / unit).read_text(), re.M)


@pytest.fixture
def units(tmp_path):
    """The units as they would be installed, with the program where it is here."""
    folder = tmp_path / "units"
    (folder / "berth.service.d").mkdir(parents=True)
    text = (UNITS / "berth.service").read_text()
    (folder / "berth.service").write_text(text.replace("/usr/local/bin/berth ", f"{binary()} "))
    shutil.copy(UNITS / "berth.socket", folder)
    shutil.copy(UNITS / "secrets.conf", folder / "berth.service.d")
    return folder


def test_systemd_understands_every_line(units):
    done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", units / "berth.service", units / "berth.socket")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_little_is_exposed(units):
    done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX * 10:.0f}", units / "berth.service")
    assert done.returncode == 0, done.stdout[-6000:]


def test_the_account_is_made(tmp_path):
    (tmp_path / "etc").mkdir()
    done = run("systemd-sysusers", f"--root={tmp_path}", UNITS / "berth.sysusers")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^berth:x:\d+:\d+:Berth container registry:/var/lib/berth:", (tmp_path / "etc/passwd").read_text(), re.M)
    assert lines("berth.service", "User") == ["berth"]


# -- what the service manager does before the program begins

FILTER = """\
import ctypes, os, sys
allowed = open(sys.argv[1]).read().split()
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(0x00050000 | 1)))  # errno EPERM
for name in allowed:
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:
        assert library.seccomp_rule_add(context, ctypes.c_uint32(0x7fff0000), ctypes.c_int(number), ctypes.c_uint(0)) == 0
assert library.seccomp_load(context) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


def calls_of(words):
    """The names that a value of SystemCallFilter= stands for."""
    found = set()
    for word in words:
        if word.startswith("@"):
            inner = run("systemd-analyze", "syscall-filter", word).stdout.splitlines()[1:]
            found |= calls_of([line.strip() for line in inner if line.strip() and not line.strip().startswith("#")])
        else:
            found.add(word)
    return found


def allowed_calls():
    allowed = set()
    for value in lines("berth.service", "SystemCallFilter"):
        if value.startswith("~"):
            allowed -= calls_of(value[1:].split())
        else:
            allowed |= calls_of(value.split())
    # What systemd adds by itself: it has to start the program.
    return allowed | calls_of(["@default", "execve"])


def test_it_runs_under_the_units_filter_on_an_activated_socket(make_registry, tmp_path):
    """systemd-socket-activate hands it the socket of berth.socket, with the options of berth.yaml."""
    allowed, wrapper, program = tmp_path / "allowed", tmp_path / "filter.py", tmp_path / "activate"
    allowed.write_text("\n".join(sorted(allowed_calls())))
    wrapper.write_text(FILTER)
    options = tmp_path / "berth.yaml"
    options.write_text((UNITS / "berth.yaml").read_text().replace("/var/lib/berth", str(tmp_path / "state")))
    port = free_port()
    program.write_text(
        f"#!/bin/sh\nexec systemd-socket-activate -l 127.0.0.1:{port} -E NOTIFY_SOCKET -E BERTH_ADMIN_PASSWORD -E BERTH_LOG_FORMAT=json -E BERTH_HTTP_DRAIN_TIMEOUT=1h \\\n"
        f"\t{sys.executable} {wrapper} {allowed} {binary()} \"$1\" --config {options}\n")
    program.chmod(0o755)
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(30)
        registry = make_registry(start=False, program=program, environment={"NOTIFY_SOCKET": name})
        registry.data = tmp_path / "state"
        registry.spawn()
        registry.port = port
        wait_until(lambda: "Listening on" in registry.log_text(), what="the socket")
        client = registry.client()
        repository = client.repository("tests/activated")
        assert client.get("/v2/", expect=200)  # which starts it
        assert manager.recv(64) == b"READY=1"
        data = b"under systemd" * 100_000
        repository.push_blob(data)
        assert digest_of(repository.get_blob(digest_of(data)).content) == digest_of(data)
        assert "confined" in registry.log_text(), "its own confinement is refused"
        for status in ("Seccomp:\t2", "NoNewPrivs:\t1"):
            assert status in open(f"/proc/{registry.process.pid}/status", encoding="ascii").read()
        registry.process.terminate()
        assert manager.recv(64) == b"STOPPING=1"
        # The first client connected before the program had the socket: reading from it must not wait for ever, or this does.
        assert registry.wait_dead() == 0
        registry.program = binary()


def test_clients_wait_while_it_restarts(make_registry, tmp_path):
    """The manager holds the socket: whoever connects between two processes is answered by the second."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as held:
        program = tmp_path / "activated"
        program.write_text(
            f"#!{sys.executable}\nimport os\nos.dup2({held.fileno()}, 3)\nos.set_inheritable(3, True)\n"
            f"os.execv({str(binary())!r}, ['berth', 'serve'])\n")
        program.chmod(0o755)
        held.set_inheritable(True)
        registry = make_registry(start=False, program=program, listen="fd:3")
        spawned = subprocess.Popen

        def with_socket(*arguments, **options):
            return spawned(*arguments, **options, pass_fds=[held.fileno()])

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(subprocess, "Popen", with_socket)
            registry.start()
            assert registry.stop() == 0
            answers = []
            waiting = threading.Thread(target=lambda: answers.append(registry.anonymous().session.get(registry.url + "/livez", timeout=60)))
            waiting.start()
            registry.start()
        waiting.join(60)
        assert [answer.status_code for answer in answers] == [200]
        registry.program = binary()


def test_secrets_come_as_credentials(make_registry, tmp_path):
    """The lines of secrets.conf, with the folder that %d stands for."""
    secrets = {"admin-password": "From-A-Credential-1\n", "database-url": "\n", "s3-secret-key": "unused\n"}
    loaded = dict(line.split(":", 1) for line in lines("secrets.conf", "LoadCredential"))
    assert set(loaded) == set(secrets)
    folder = tmp_path / "credentials"
    folder.mkdir()
    for name, text in secrets.items():
        (folder / name).write_text(text)
    environment = dict(line.replace("%d", str(folder)).split("=", 1) for line in lines("secrets.conf", "Environment"))
    assert len(environment) == len(secrets)
    program = tmp_path / "without"
    program.write_text(f"#!/bin/sh\nunset BERTH_ADMIN_PASSWORD BERTH_DATABASE_URL\nexec {binary()} \"$@\"\n")
    program.chmod(0o755)
    registry = make_registry(start=False, program=program, environment=environment)
    registry.spawn()
    found = wait_until(lambda: LISTENING.search(registry.log_text()), what="the start")
    registry.port = int(found["port"])
    registry.client("admin", "From-A-Credential-1", auth="basic").get("/v2/", expect=200)
    registry.client("admin", ADMIN_PASSWORD, auth="basic").get("/v2/", expect=401)
    registry.stop()
    registry.program = binary()
