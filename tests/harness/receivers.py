# SPDX-License-Identifier: Apache-2.0
"""Who audit records are forwarded to: a strict reader of syslog over TCP and TLS, Debian's rsyslog, and an HTTP server."""
import http.server
import json
import re
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from harness.listener import Listener
from harness.port import free_port, is_listening
from harness.wait import wait_until

UNPACKED = Path(__file__).resolve().parent.parent.parent / "build" / "tools" / "rsyslog" / "usr"

# RFC 5424 §6
MESSAGE = re.compile(
    rb"<(?P<pri>0|[1-9][0-9]{0,2})>1 (?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{1,6}Z) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48})"
    rb" (?P<process>[!-~]{1,128}) (?P<id>[!-~]{1,32}) \[(?P<data>(?:[^\\\]]|\\.)*)\] (?P<msg>.*)\Z", re.DOTALL)
PARAM = re.compile(r' ([!#-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\.)*)"', re.DOTALL)


def parse(message):
    """The parts of one message; raises when it is not exactly what RFC 5424 says."""
    found = MESSAGE.match(message)
    assert found, message
    data = found["data"].decode()
    name, rest = data.split(" ", 1) if " " in data else (data, "")
    rest = " " + rest
    params = {key: re.sub(r'\\(["\\\]])', r"\1", value) for key, value in PARAM.findall(rest)}
    assert PARAM.sub("", rest).strip() == "", data
    return {**{key: found[key].decode() for key in ("pri", "time", "host", "app", "process", "id")},
            "data_id": name, "params": params, "record": json.loads(found["msg"])}


def frames(bytes_):
    """(messages, what is left) of octet counting, RFC 6587 §3.4.1."""
    messages = []
    while True:
        found = re.match(rb"([1-9][0-9]{0,6}) ", bytes_)
        if not found:
            assert len(bytes_) < 8 and re.fullmatch(rb"[1-9]?[0-9]*", bytes_), bytes_[:80]
            return messages, bytes_
        end = found.end() + int(found[1])
        if len(bytes_) < end:
            return messages, bytes_
        messages.append(bytes_[found.end():end])
        bytes_ = bytes_[end:]


class SyslogReceiver(Listener):
    """`cut_after`: closes each connection after so many bytes. `hang`: takes connections and reads nothing."""

    def __init__(self, port=0, context=None, hang=False, cut_after=None, host="127.0.0.1"):
        self.context, self.hang, self.cut_after = context, hang, cut_after
        self.messages, self.torn, self.problems = [], 0, []
        super().__init__(port, host)

    def talk(self, connection):
        if not self.hang:
            self.read(connection)

    def read(self, connection):
        left, taken = b"", 0
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            while self.cut_after is None or taken < self.cut_after:
                piece = connection.recv(65536 if self.cut_after is None else self.cut_after - taken)
                if not piece:
                    break
                taken += len(piece)
                messages, left = frames(left + piece)
                with self.lock:
                    self.messages += messages
        except (ssl.SSLError, AssertionError) as problem:
            self.problems.append(problem)
        except OSError:
            pass
        self.torn += bool(left)
        connection.close()

    @property
    def records(self):
        with self.lock:
            return [parse(message) for message in self.messages]


RSYSLOG = """\
global(workDirectory="{folder}" maxMessageSize="128k"{tls})
module(load="imtcp"{streams})
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="whole" type="list") {{
  constant(value="{{\\"") constant(value="pri\\":") property(name="pri") constant(value=",\\"host\\":\\"") property(name="hostname" format="json")
  constant(value="\\",\\"app\\":\\"") property(name="app-name" format="json") constant(value="\\",\\"procid\\":\\"") property(name="procid" format="json")
  constant(value="\\",\\"msgid\\":\\"") property(name="msgid" format="json") constant(value="\\",\\"data\\":\\"") property(name="structured-data" format="json")
  constant(value="\\",\\"time\\":\\"") property(name="timereported" dateFormat="rfc3339") constant(value="\\",\\"version\\":")
  property(name="protocol-version") constant(value=",\\"msg\\":\\"") property(name="msg" format="json") constant(value="\\"}}\\n")
}}
action(type="omfile" file="{folder}/messages" template="whole" flushOnTXEnd="on" asyncWriting="off")
"""


def need_rsyslog():
    if not (UNPACKED / "sbin" / "rsyslogd").exists():
        pytest.skip("no rsyslog: ./dev deps test unpacks it")


class Rsyslog:
    """Debian's rsyslog as a process of ours; `certificate` and `key`: by TLS, asking clients for one of `ca`."""

    def __init__(self, folder, ca=None, certificate=None, key=None, ask=False):
        need_rsyslog()
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        tls = streams = ""
        if certificate:
            tls = f' defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{certificate}"' \
                  f' defaultNetstreamDriverKeyFile="{key}"'
            streams = f' streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="{"x509/certvalid" if ask else "anon"}"'
        self.configuration = self.folder / "rsyslog.conf"
        self.configuration.write_text(RSYSLOG.format(folder=self.folder, port=self.port, tls=tls, streams=streams))
        self.process = None

    def start(self):
        modules = next((UNPACKED / "lib").glob("*/rsyslog"))
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [str(UNPACKED / "sbin" / "rsyslogd"), "-n", "-f", str(self.configuration), "-i", str(self.folder / "pid"), "-M", str(modules)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.listens, what="rsyslog listening")
        return self

    def listens(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return is_listening(self.port)

    @property
    def messages(self):
        path = self.folder / "messages"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class HttpReceiver:
    """Keeps what it is asked. `answers`: statuses (or (status, headers)) for the first requests; then 204. `says`: the bodies of answers below
    300, one after another; then none. `echo`: makes the body of each answer of the request's path, headers and body."""

    def __init__(self, port=0, answers=(), context=None, refuse_batches=False, says=(), echo=None):
        self.says, self.echo = list(says), echo
        self.answers, self.refuse_batches = list(answers), refuse_batches
        self.requests, self.lock = [], threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers = receiver.take(self.path, dict(self.headers), body)
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                said = receiver.say() if status < 300 else b""
                if receiver.echo:
                    said = receiver.echo(self.path, dict(self.headers), body)
                if said or status != 204:
                    self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def take(self, path, headers, body):
        with self.lock:
            answer = self.answers.pop(0) if self.answers else 204
            if self.refuse_batches and "batch" in headers.get("Content-Type", ""):
                answer = 415
            status, more = answer if isinstance(answer, tuple) else (answer, {})
            self.requests.append({"path": path, "headers": headers, "body": body, "status": status})
            return status, more

    def say(self):
        with self.lock:
            return self.says.pop(0) if self.says else b""

    @property
    def taken(self):
        with self.lock:
            return [request for request in self.requests if request["status"] < 300]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
