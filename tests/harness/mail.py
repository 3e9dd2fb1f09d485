# SPDX-License-Identifier: Apache-2.0
"""Mail servers: one that says what a test wants, and mailpit, which is a real one."""
import base64
import json
import shutil
import subprocess
import urllib.request

import pytest

from harness.listener import Listener
from harness.port import free_port, is_listening
from harness.wait import wait_until

HANG, DROP = "hang", "drop"


class MailServer(Listener):
    """Speaks SMTP and keeps messages. `answers`: what it says to a verb, instead of yes, one after another ("RCPT <a@b>": to that recipient);
    HANG says nothing more, DROP closes. `starttls`: a context for those who ask for it; `tls`: one from the first byte. `login`: (user, password).
    """

    def __init__(self, port=0, answers=None, starttls=None, tls=None, login=None):
        self.answers = {verb: list(list_) for verb, list_ in (answers or {}).items()}
        self.starttls, self.tls, self.login = starttls, tls, login
        self.messages, self.commands = [], []
        super().__init__(port)

    def answer(self, *names, default):
        with self.lock:
            for name in names:
                if self.answers.get(name):
                    return self.answers[name].pop(0)
        return default

    def talk(self, connection):
        try:
            connection = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
            Session(self, connection).run()
        except OSError:
            pass
        connection.close()


class Session:
    def __init__(self, server, connection):
        self.server, self.connection = server, connection
        self.file = connection.makefile("rb")
        self.sender, self.recipients, self.encrypted = None, [], server.tls is not None

    def say(self, text):
        """False: nothing more is said."""
        if text == HANG:
            self.file.read()  # until the other side goes
        if text in (HANG, DROP):
            return False
        self.connection.sendall(text.encode() + b"\r\n")
        return True

    def run(self):
        going = self.say(self.server.answer("greeting", default="220 here"))
        while going:
            line = self.file.readline()
            if not line:
                return
            command = line.decode().rstrip("\r\n")
            self.server.commands.append(command)
            verb = command.split(" ", 1)[0].upper()
            going = getattr(self, verb.lower(), self.unknown)(command)

    def unknown(self, _):
        return self.say("500 what?")

    def ehlo(self, _):
        offers = ["STARTTLS"] * bool(self.server.starttls and not self.encrypted) + ["AUTH PLAIN"] * bool(self.server.login) + ["SIZE 100000"]
        return self.say(self.server.answer("EHLO", default="\r\n".join(["250-here"] + [f"250-{offer}" for offer in offers[:-1]] + ["250 " + offers[-1]])))

    def starttls(self, _):
        said = self.server.answer("STARTTLS", default="220 go")
        if not self.say(said) or not said.startswith("2"):
            return not said.startswith("2")
        self.connection = self.server.starttls.wrap_socket(self.connection, server_side=True)
        self.file, self.encrypted = self.connection.makefile("rb"), True
        return True

    def auth(self, _):
        self.say("334 ")
        said = self.file.readline().decode().strip()
        self.server.commands.append(said)
        right = base64.b64decode(said).decode().split("\0")[1:] == list(self.server.login)
        return self.say(self.server.answer("AUTH", default="235 yes" if right else "535 wrong"))

    def mail(self, command):
        self.sender = command
        return self.say(self.server.answer("MAIL", default="250 yes"))

    def rcpt(self, command):
        address = command.split(":", 1)[1]
        said = self.server.answer(f"RCPT {address}", "RCPT", default="250 yes")
        self.recipients += [address] * said.startswith("2")
        return self.say(said)

    def data(self, _):
        said = self.server.answer("DATA", default="354 go on")
        if not self.say(said) or not said.startswith("3"):
            return said.startswith(("4", "5"))
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        said = self.server.answer("message", default="250 taken")
        if said.startswith("2"):
            with self.server.lock:
                self.server.messages.append({"from": self.sender, "to": self.recipients, "bytes": b"".join(lines), "encrypted": self.encrypted})
        self.recipients = []
        return self.say(said)

    def quit(self, _):
        self.say("221 bye")
        return False


class Mailpit:
    """github.com/axllent/mailpit as a process of ours."""

    def __init__(self, folder, *options):
        self.program = shutil.which("mailpit")
        if not self.program:
            pytest.skip("no mailpit: ./dev deps test builds it")
        self.folder, self.options = folder, options
        self.port, self.api = free_port(), free_port()

    def __enter__(self):
        with open(self.folder / "mailpit.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--smtp", f"127.0.0.1:{self.port}", "--listen", f"127.0.0.1:{self.api}", "--database", str(self.folder / "mail.db"),
                 "--disable-version-check", "--smtp-disable-rdns", "--verbose", *map(str, self.options)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.listens, what="mailpit listening")
        return self

    def listens(self):
        assert self.process.poll() is None, (self.folder / "mailpit.log").read_text()
        return is_listening(self.port) and is_listening(self.api)

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.api}/api/v1/{path}", timeout=30) as answer:
            return answer.read()

    @property
    def messages(self):
        return [json.loads(self.ask(f"message/{row['ID']}")) for row in json.loads(self.ask("messages"))["messages"]]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
