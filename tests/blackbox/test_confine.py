# SPDX-License-Identifier: Apache-2.0
"""The running server has given up what it does not need, and still does all it is for."""
import os
import re
import socket
import ssl
import sys
from pathlib import Path

import pytest

from harness import oci
from harness.registry import binary
from harness.wait import wait_until
from harness.wire import Wire, request

pytestmark = pytest.mark.settings(confine="on")

PARTS = ("privileges", "files", "calls")


def thread_status(registry, field):
    """The values of one line of /proc/PID/status, over all threads."""
    found = set()
    for task in Path(f"/proc/{registry.process.pid}/task").iterdir():
        try:
            text = (task / "status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.update(re.findall(rf"^{field}:\s*(\S+)$", text, re.M))
    return found


def confined_line(registry):
    """The one line that says what is confined."""
    lines = [line for line in registry.log_lines() if "confined" in line.get("message", "")]
    assert len(lines) == 1, registry.log_text()
    return lines[0]


def test_every_thread_is_confined(registry, repo):
    repo.push_blob(b"a worker has run")
    assert thread_status(registry, "NoNewPrivs") == {"1"}
    assert thread_status(registry, "Seccomp") == {"2"}


def test_log_says_what_is_on(make_registry):
    line = confined_line(make_registry())
    assert all(part in line for part in PARTS), line
    assert line["calls"] == "seccomp"
    assert line["files"].startswith(("landlock ", "off: landlock: "))
    assert not line["privileges"].startswith("off")


def test_it_can_be_switched_off(make_registry):
    registry = make_registry(confine="off")
    assert thread_status(registry, "NoNewPrivs") == {"0"}
    assert thread_status(registry, "Seccomp") == {"0"}
    assert confined_line(registry)["reason"] == "the option confine is off"
    registry.client().repository("tests/off").push_blob(b"unconfined")


def test_data_directory_that_is_a_link(make_registry, tmp_path):
    """The directory named in the options is a link, and so is the database in it."""
    (tmp_path / "large").mkdir()
    (tmp_path / "fast").mkdir()
    (tmp_path / "data").symlink_to("large")
    (tmp_path / "large" / "berth.sqlite").symlink_to(tmp_path / "fast" / "berth.sqlite")
    (tmp_path / "fast" / "berth.sqlite").touch(mode=0o600)
    registry = make_registry(data_dir=tmp_path / "data")
    repo = registry.client().repository("tests/linked")
    content = oci.image("linked")
    repo.push(content, "v1")
    registry.restart()
    assert repo.get_manifest("v1").content == content.body


# -- sockets

def answer_of(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(request("GET", "/v2/", {"Connection": "close"}))
        return connection.recv(4096)


def test_unix_socket_is_made_replaced_and_removed(make_registry, tmp_path):
    path = tmp_path / "run" / "berth.sock"
    path.parent.mkdir()
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    registry = make_registry(start=False, listen=f"unix:{path}")
    registry.spawn()
    wait_until(lambda: "listening" in registry.log_text(), what="the socket")
    assert answer_of(path).startswith(b"HTTP/1.1 401 ")
    registry.process.terminate()
    assert registry.wait_dead() == 0
    assert not path.exists()


ACTIVATE = f"""#!{sys.executable}
import os, socket, sys
given = socket.create_server(("127.0.0.1", 0))
os.dup2(given.fileno(), 3)
os.set_inheritable(3, True)
os.execv({str(binary())!r}, [{str(binary())!r}, *sys.argv[1:]])
"""


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_service_manager(make_registry, tmp_path, kind):
    """A socket is handed over as a descriptor, and the manager hears of start and end."""
    program = tmp_path / "activate"
    program.write_text(ACTIVATE)
    program.chmod(0o755)
    name = str(tmp_path / "notify") if kind == "path" else f"\0berth-{os.getpid()}-{id(tmp_path)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(30)
        registry = make_registry(
            start=False, program=program, listen="fd:3", environment={"NOTIFY_SOCKET": name.replace("\0", "@")})
        registry.start()
        assert manager.recv(64) == b"READY=1"
        registry.client().repository("tests/activated").push_blob(b"activated")
        assert thread_status(registry, "Seccomp") == {"2"}
        registry.process.terminate()
        assert manager.recv(64) == b"STOPPING=1"
        assert registry.wait_dead() == 0


# -- certificates that are renewed as people do it

def serial(registry, authority):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with socket.create_connection(("127.0.0.1", registry.port), 30) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            return secured.getpeercert()["serialNumber"]


def put(folder, authority):
    """A new certificate and its key in `folder`."""
    certificate, key = authority.issue()
    folder.mkdir(parents=True, exist_ok=True)
    for source, name in ((certificate, "tls.crt"), (key, "tls.key")):
        (folder / f"{name}.new").write_bytes(source.read_bytes())
        (folder / f"{name}.new").replace(folder / name)


def swap(link, target):
    fresh = link.with_name(f"{link.name}.new")
    fresh.symlink_to(target)
    fresh.replace(link)


def renamed(folder, authority, generation):
    put(folder, authority)


def kubernetes(folder, authority, generation):
    """Links to ..data/NAME, and ..data is a link to the newest folder; the older one is removed."""
    put(folder / f"..{generation}", authority)
    swap(folder / "..data", f"..{generation}")
    for name in ("tls.crt", "tls.key"):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
        (folder / f"..{generation - 1}" / name).unlink(missing_ok=True)


def certbot(folder, authority, generation):
    """Links into an archive beside it, where every generation has its own name."""
    archive = folder.parent / "archive"
    put(archive / "new", authority)
    folder.mkdir(exist_ok=True)
    for name in ("tls.crt", "tls.key"):
        (archive / "new" / name).rename(archive / f"{generation}-{name}")
        swap(folder / name, f"../archive/{generation}-{name}")


@pytest.mark.parametrize("renew", [renamed, kubernetes, certbot])
def test_certificate_is_renewed(make_registry, authority, tmp_path, renew):
    folder = tmp_path / "tls"
    renew(folder, authority, 1)
    registry = make_registry(
        authority=authority, tls_certificate=folder / "tls.crt", tls_key=folder / "tls.key")
    for generation in (2, 3):
        before = serial(registry, authority)
        renew(folder, authority, generation)
        registry.reload()
        wait_until(lambda: serial(registry, authority) != before, what="the new certificate")
    with Wire(registry, tls=authority.certificate) as wire:
        wire.send(request("GET", "/v2/"))
        assert wire.answer().status == 401
