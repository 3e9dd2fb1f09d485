# SPDX-License-Identifier: Apache-2.0
"""Raw bytes on a socket, for everything a decent HTTP library refuses to send."""
import base64
import os
import socket
import ssl
import time

from harness import spec

STATUS_WITHOUT_BODY = (204, 304)


class Answer:
    """One parsed response. `headers` is a list of (lower-case name, value); `body` is unchunked."""

    def __init__(self, status, reason, headers, body, raw_head):
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
        self.raw_head = raw_head

    def header(self, name, default=None):
        for key, value in self.headers:
            if key == name.lower():
                return value
        return default

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    @property
    def closes(self):
        return "close" in (self.header("connection") or "").lower()

    def __repr__(self):
        return f"<{self.status} {self.reason} {dict(self.headers)} {self.body[:200]!r}>"


class Closed(Exception):
    """The peer closed (or reset) where an answer was expected."""


class Wire:
    """A connection that sends exactly what it is given and reads answers strictly."""

    def __init__(self, registry, timeout=30, tls=None):
        self.socket = registry.connect(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context(cafile=str(tls))
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """Sends all; a peer that closed meanwhile is noticed when reading."""
        if isinstance(data, str):
            data = data.encode("latin-1")
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def end(self):
        """Half-close: no more bytes from us."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reset(self):
        """Closes with a TCP reset instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            data = b""
        self.pending += data
        return data

    def read_until(self, mark):
        while mark not in self.pending:
            if not self.fill():
                raise Closed(f"closed after {self.pending[:200]!r}")
        found, self.pending = self.pending.split(mark, 1)
        return found + mark

    def read_exactly(self, count):
        while len(self.pending) < count:
            if not self.fill():
                raise Closed(f"closed {count - len(self.pending)} bytes early")
        found, self.pending = self.pending[:count], self.pending[count:]
        return found

    def read_all(self):
        while self.fill():
            pass
        found, self.pending = self.pending, b""
        return found

    def answer(self, head=False):
        """Reads one response; informational ones (100) too."""
        raw = self.read_until(b"\r\n\r\n")
        lines = raw.decode("latin-1").split("\r\n")[:-2]
        version, _, rest = lines[0].partition(" ")
        assert version == "HTTP/1.1", f"status line {lines[0]!r}"
        code, _, reason = rest.partition(" ")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon and name and name == name.strip(), f"response field {line!r}"
            headers.append((name.lower(), value.strip()))
        answer = Answer(int(code), reason, headers, b"", raw)
        if not head and answer.status >= 200 and answer.status not in STATUS_WITHOUT_BODY:
            answer.body = self.body(answer)
        return answer

    def body(self, answer):
        if (answer.header("transfer-encoding") or "").lower() == "chunked":
            assert answer.header("content-length") is None, "both Content-Length and Transfer-Encoding"
            found = b""
            while True:
                size = int(self.read_until(b"\r\n").split(b";")[0], 16)
                found += self.read_exactly(size)
                if size == 0:
                    self.read_until(b"\r\n")
                    return found
                assert self.read_exactly(2) == b"\r\n"
        length = answer.header("content-length")
        assert len(answer.all("content-length")) == 1 or answer.closes, f"length of {answer.raw_head!r}"
        return self.read_all() if length is None else self.read_exactly(int(length))

    def error(self, *statuses, path="/v2/"):
        """Reads an error answer and checks it as the client does."""
        answer = self.answer()
        assert answer.status in statuses, f"{answer} is not one of {statuses}"
        spec.check_error_body(path, answer.status, answer.header("content-type") or "", answer.body)
        return answer

    def assert_closed(self):
        """Nothing more comes, and the peer closes."""
        rest = self.read_all()
        assert rest == b"", f"unexpected bytes: {rest[:300]!r}"

    def closed_within(self, seconds):
        """True if the peer closes within that time; whatever it sends is read."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                if not self.fill():
                    return True
            except (TimeoutError, socket.timeout):
                return False
        return False


def request(method, path, headers=(), body=b"", host="registry.test"):
    """A request as bytes, Content-Length added when there is a body."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in dict(headers).items()]
    if body and not any(name.lower() == "content-length" for name in dict(headers)):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def basic(username, password):
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def client_hello():
    """The first bytes of a TLS connection."""
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    connection = context.wrap_bio(ours, theirs, server_hostname="localhost")
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return theirs.read()


def unique(prefix="x"):
    return f"{prefix}-{os.urandom(4).hex()}"
