# SPDX-License-Identifier: Apache-2.0
"""OpenLDAP's server for tests: Debian's slapd, unpacked below build/tools, on loopback, with its state in a folder of the test's.

Debian's package starts a service when it is installed, so ./dev only unpacks it.
"""
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from harness.idp import free_port
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
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

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
