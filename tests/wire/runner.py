# SPDX-License-Identifier: Apache-2.0
"""Runs a byte-exact script against a server.

A script is text: one directive a line, blocks are indented by a tab.

	# why this case exists
	send                  the lines below, joined by CRLF, are sent (escapes \\r \\n \\t \\0 \\xHH \\\\)
	send raw              the same without CRLF at the ends of lines
	expect 400 [405 …]    an answer with one of these statuses
	expect 100            informational answers too
	head 404 […]          the same for the answer to a HEAD, which has no body
	header NAME VALUE     of that answer; VALUE is a regular expression
	body REGEX            of that answer
	code CODE             the error code of that answer
	close                 the server closes now and says nothing more
	open                  the server answers GET /v2/ on this same connection
	end                   we half-close
	any                   whatever comes: answers or a close; the connection ends
	repeat N              the next block is sent N times

Variables: $AUTH (Authorization of the admin), $REPO (a fresh repository), $BLOB (digest of the 10 bytes
0123456789, which $REPO has), $UPLOAD (a fresh upload's path), $HOST.
"""
import json
import re
import string

from harness import spec
from harness.wire import Closed, Wire, request


def unescape(line):
    table = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}

    def replace(match):
        what = match.group(1)
        return chr(int(what[1:], 16)) if what[0] == "x" and len(what) == 3 else table[what]

    return re.sub(r"\\(x[0-9a-fA-F]{2}|[rnt0\\])", replace, line)


def parse(text):
    """[(directive, [block lines])]."""
    steps = []
    for line in text.split("\n"):
        if line.startswith("\t"):
            assert steps, "a block without a directive"
            steps[-1][1].append(line[1:])
        elif line.strip() and not line.startswith("#"):
            steps.append((line.strip(), []))
    return steps


class Script:
    def __init__(self, path, variables):
        self.path = path
        self.steps = parse(path.read_text(encoding="utf-8"))
        self.variables = variables

    def run(self, registry):
        with Wire(registry) as wire:
            self.answer = None
            self.times = 1
            for number, (directive, block) in enumerate(self.steps, 1):
                word, *arguments = directive.split(None, 1)
                try:
                    getattr(self, "do_" + word)(wire, arguments[0] if arguments else "", block)
                except (AssertionError, Closed) as problem:
                    raise AssertionError(f"{self.path.name}, step {number} ({directive}): {problem}") from None

    def do_send(self, wire, how, block):
        text = [string.Template(line).safe_substitute(self.variables) for line in block]
        data = "".join(unescape(line) + ("" if how == "raw" else "\r\n") for line in text)
        for _ in range(self.times):
            wire.send(data)
        self.times = 1

    def do_repeat(self, wire, count, block):
        self.times = int(count)

    def do_expect(self, wire, statuses, block):
        self.answer = wire.answer()
        wanted = [int(status) for status in statuses.split()]
        assert self.answer.status in wanted, f"{self.answer}"
        if self.answer.status >= 400:
            spec.check_error_body("/v2/", self.answer.status, self.answer.header("content-type") or "", self.answer.body)

    def do_head(self, wire, statuses, block):
        self.answer = wire.answer(head=True)
        assert self.answer.status in [int(status) for status in statuses.split()], f"{self.answer}"

    def do_header(self, wire, text, block):
        name, _, pattern = text.partition(" ")
        value = self.answer.header(name)
        pattern = string.Template(pattern).safe_substitute(self.variables)
        assert value is not None and re.fullmatch(pattern, value), f"{name}: {value!r}"

    def do_body(self, wire, pattern, block):
        assert re.fullmatch(pattern.encode(), self.answer.body, re.S), self.answer.body

    def do_code(self, wire, code, block):
        found = [entry["code"] for entry in json.loads(self.answer.body)["errors"]]
        assert found == [code], found

    def do_close(self, wire, _, block):
        wire.assert_closed()

    def do_open(self, wire, _, block):
        wire.send(request("GET", "/v2/"))
        answer = wire.answer()
        assert answer.status == 401, f"the connection is not usable: {answer}"

    def do_end(self, wire, _, block):
        wire.end()

    def do_any(self, wire, _, block):
        wire.end()
        wire.read_all()
