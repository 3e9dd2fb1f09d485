# SPDX-License-Identifier: Apache-2.0
"""A name server for one process under test, which asks it in place of the machine's own. Needs root: a mount of its own."""
import random
import socket
import struct
import subprocess
import threading

import pytest

A, AAAA, IN, NXDOMAIN = 1, 28, 1, 3


def need_own_mounts():
    done = subprocess.run(["unshare", "-m", "sh", "-c", "mount --bind /dev/null /etc/resolv.conf"], capture_output=True)
    if done.returncode:
        pytest.skip("needs root, to give a process a resolv.conf of its own")


class NameServer:
    """`names[name]` is a list of addresses, a list of such lists to be given one after another, or None for no answer, ever."""

    def __init__(self):
        self.names = {}
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
        self.socket.bind((self.address, 53))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def program(self, directory, program):
        """A program that runs `program` with this name server; no patience of the resolver's own ends a test."""
        (directory / "resolv.conf").write_text(f"nameserver {self.address}\noptions timeout:120 attempts:1\n")
        script = directory / "with-name-server"
        script.write_text(
            f"#!/bin/sh\nexec unshare -m sh -c 'mount --bind {directory}/resolv.conf /etc/resolv.conf && exec {program} \"$@\"' sh \"$@\"\n")
        script.chmod(0o755)
        return script

    def addresses_of(self, name):
        found = self.names.get(name, [])
        if found and isinstance(found[0], list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found

    def answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12:at + 5]
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        name = ".".join(labels).lower()
        known = name in self.names
        found = self.addresses_of(name) if kind == A else []
        self.asked.append(name)
        if found is None or self.names.get(name, []) is None:
            return None
        records = [b"\xc0\x0c" + struct.pack("!HHIH", A, IN, 0, 4) + socket.inet_aton(one) for one in found]
        flags = 0x8180 | (0 if known else NXDOMAIN)
        return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + question + b"".join(records)

    def serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(2048)
            except OSError:
                return
            said = self.answer(query)
            if said:
                self.socket.sendto(said, peer)

    def close(self):
        self.socket.close()


class Counter:
    """A port where somebody may come; who comes is counted, and sent away or led on to `to`, a Unix socket."""

    def __init__(self, host="127.0.0.1", to=None):
        self.to = to
        self.came = 0
        self.socket = socket.create_server((host, 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.came += 1
            if not self.to:
                peer.close()
                continue
            other = socket.socket(socket.AF_UNIX)
            other.connect(self.to)
            for source, sink in ((peer, other), (other, peer)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def pump(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.socket.close()
