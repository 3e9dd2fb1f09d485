# SPDX-License-Identifier: Apache-2.0
"""OpenLDAP's server for tests: Debian's slapd, unpacked below build/tools, on loopback, with its state in a folder of the test's.

Debian's package starts a service when it is installed, so ./dev only unpacks it.
"""
import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from harness.listener import Listener
from harness.port import free_port, is_listening
from harness.wait import wait_until

UNPACKED = Path(__file__).resolve().parent.parent.parent / "build" / "tools" / "slapd"
PROGRAM = UNPACKED / "usr" / "sbin" / "slapd"
SUFFIX = "dc=example,dc=com"
ROOT = f"cn=root,{SUFFIX}"
ROOT_PASSWORD = "root of all"

CONFIGURATION = """\
{schemas}
modulepath {modules}
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
sizelimit {sizelimit}
{tls}
database mdb
maxsize 104857600
suffix "{suffix}"
rootdn "{root}"
rootpw "{password}"
directory {folder}/db
index objectClass,uid,member,uniqueMember eq
dbnosync
overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-memberof-ad memberOf
"""


def need_slapd():
    if not PROGRAM.exists():
        pytest.skip("no slapd: ./dev deps test unpacks it")


def ldif(dn, **attributes):
    """One entry; a value is a text or a list of them."""
    lines = [f"dn: {dn}"]
    for name, values in attributes.items():
        lines += [f"{name}: {value}" for value in ([values] if isinstance(values, str) else values)]
    return "\n".join(lines) + "\n"


class Directory:
    """certificate, key: then ldap:// speaks StartTLS and there is ldaps:// too."""

    def __init__(self, folder, certificate=None, key=None, sizelimit=500):
        self.folder = Path(folder)
        (self.folder / "db").mkdir(parents=True)
        self.port = free_port()
        self.tls_port = free_port() if certificate else 0
        self.process = None
        tls = f"TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n" if certificate else ""
        schemas = "\n".join(f"include {UNPACKED}/etc/ldap/schema/{name}.schema" for name in ("core", "cosine", "nis", "inetorgperson"))
        (self.folder / "slapd.conf").write_text(CONFIGURATION.format(
            schemas=schemas, modules=UNPACKED / "usr" / "lib" / "ldap", folder=self.folder, tls=tls, suffix=SUFFIX, root=ROOT,
            password=ROOT_PASSWORD, sizelimit=sizelimit,
        ))

    @property
    def url(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self):
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def environment(self):
        return {**os.environ, "LD_LIBRARY_PATH": str(UNPACKED / "usr" / "lib" / "x86_64-linux-gnu"), "LDAPNOINIT": "1"}

    def start(self):
        urls = self.url + "/" + (f" {self.tls_url}/" if self.tls_port else "")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), "-d", "none", "-f", str(self.folder / "slapd.conf"), "-h", urls], env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        wait_until(self.listening, timeout=30, what="slapd listening")
        return self

    def listening(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        return is_listening(self.port)

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def freeze(self):
        """None of its threads runs any more when this returns."""
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: set(self.thread_states()) == {"T"}, timeout=10, what="the directory being stopped")

    def thread_states(self):
        for path in Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            yield path.read_text().rpartition(")")[2].split()[0]

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def run(self, program, *arguments, text=""):
        done = subprocess.run(
            [program, "-x", "-H", self.url, "-D", ROOT, "-w", ROOT_PASSWORD, *arguments],
            input=text, capture_output=True, text=True, timeout=120, env=self.environment(),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add(self, *entries):
        self.run("ldapadd", text="\n".join(entries))

    def modify(self, text):
        self.run("ldapmodify", text=text)

    def load(self, *entries):
        """Many at once, while the server is down."""
        subprocess.run(
            [str(PROGRAM), "-T", "add", "-q", "-f", str(self.folder / "slapd.conf")], input="\n".join(entries), text=True, check=True,
            capture_output=True, timeout=120, env=self.environment(),
        )


# -- a server that says what the test wants, in the bytes of RFC 4511


class Liar(Listener):
    """A server that answers each connection with the same bytes, whatever it is asked, and is silent then.

    With `pause` it waits so many seconds before each byte.
    """

    def __init__(self, *answers, pause=0):
        self.answers, self.pause, self.asked = answers, pause, []
        super().__init__()

    @property
    def url(self):
        return f"ldap://127.0.0.1:{self.port}"

    def talk(self, connection):
        with connection, contextlib.suppress(OSError):  # who was lied to hangs up
            for answer in self.answers:
                asked = connection.recv(65536)
                if not asked:
                    return
                self.asked.append(asked)
                identifier = asked[asked.index(b"\x02\x01") + 2]
                self.send(connection, answer.replace(b"\xee", bytes([identifier])))
            while connection.recv(65536):
                pass

    def send(self, connection, answer):
        step = 1 if self.pause else len(answer)
        for start in range(0, len(answer), step):
            threading.Event().wait(self.pause)
            connection.sendall(answer[start:start + step])


def message(tag, *contents):
    body = b"".join(contents)
    inner = b"\x02\x01\xee" + bytes([tag, len(body)]) + body
    return b"\x30" + bytes([len(inner)]) + inner


def octets(text, tag=0x04):
    return bytes([tag, len(text)]) + text


SUCCESS = b"\x0a\x01\x00\x04\x00\x04\x00"
BOUND = message(0x61, SUCCESS)
DONE = message(0x65, SUCCESS)


def entry(dn, **attributes):
    listed = b"".join(
        b"\x30" + bytes([len(octets(name.encode()) + octets(octets(value.encode()), 0x31))])
        + octets(name.encode()) + octets(octets(value.encode()), 0x31) for name, value in attributes.items()
    )
    return message(0x64, octets(dn), octets(listed, 0x30))
