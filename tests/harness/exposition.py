# SPDX-License-Identifier: Apache-2.0
"""Metrics as a scraper reads them, strictly, and Debian's prometheus, unpacked below build/tools."""
import json
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import requests

from harness.port import free_port
from harness.wait import wait_until

UNPACKED = Path(__file__).resolve().parent.parent.parent / "build" / "tools" / "prometheus" / "usr" / "bin"

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (-?[0-9]+(?:\.[0-9]+)?)\Z')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|\Z)')
UNESCAPED = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


class Metrics:
    """{name: type}, and every sample by its name and labels."""

    def __init__(self, text, openmetrics):
        self.types, self.samples = {}, {}
        family, described = None, set()
        lines = text.split("\n")
        assert lines.pop() == "", "the last line has no end"
        if openmetrics:
            assert lines.pop() == "# EOF"
        for line in lines:
            word, _, rest = line.partition(" ")
            if word == "#":
                kind, name, value = rest.split(" ", 2)
                if name != family:
                    assert name not in described, f"{name} stands in two places"
                    family = name
                    described.add(name)
                if kind == "TYPE":
                    self.types[name] = value
                elif kind == "UNIT":
                    assert openmetrics and name.endswith("_" + value), line
                else:
                    assert kind == "HELP", line
                continue
            found = SAMPLE.match(line)
            assert found, line
            base = family.removesuffix("_total") if self.types[family] == "counter" else family
            assert found[1] in [base + suffix for suffix in SUFFIXES[self.types[family]]], line
            labels = tuple(sorted((key, re.sub(r"\\.", lambda m: UNESCAPED[m[0]], value)) for key, value in LABEL.findall(found[2] or "")))
            assert LABEL.sub("", found[2] or "") == "", line
            assert (found[1], labels) not in self.samples, f"{line} stands twice"
            self.samples[found[1], labels] = float(found[3])
        self.check_histograms()

    def check_histograms(self):
        buckets = {}
        for (name, labels), count in self.samples.items():
            bound = dict(labels).get("le")
            if bound is not None:
                series = name.removesuffix("_bucket"), tuple(pair for pair in labels if pair[0] != "le")
                buckets.setdefault(series, []).append((float(bound), count))
        for (name, labels), found in buckets.items():
            assert found == sorted(found) and [count for _, count in found] == sorted(count for _, count in found), name
            assert found[-1] == (float("inf"), self.of(name + "_count", **dict(labels))), name

    def of(self, name, **labels):
        """The value of one sample; None when there is none."""
        return self.samples.get((name, tuple(sorted(labels.items()))))

    def sum(self, name, **labels):
        """Over all samples that have these labels."""
        return sum(value for (other, have), value in self.samples.items() if other == name and labels.items() <= dict(have).items())


def scrape(client, accept=None, **options):
    answer = client.get("/metrics", expect=200, headers={"Accept": accept} if accept else {}, **options)
    return Metrics(answer.text, answer.headers["Content-Type"] == OPENMETRICS)


def need_prometheus():
    if not (UNPACKED / "promtool").exists():
        pytest.skip("no prometheus: ./dev deps test unpacks it")


def promtool(*arguments, text=None):
    """(exit status, output)"""
    need_prometheus()
    done = subprocess.run([str(UNPACKED / "promtool"), *map(str, arguments)], input=text, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


class Prometheus:
    """A prometheus on loopback that scrapes `target` several times a second, with the rules of deploy/."""

    def __init__(self, folder, target, rules=()):
        need_prometheus()
        self.port = free_port()
        configuration = {
            "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
            "rule_files": [str(rule) for rule in rules],
            "scrape_configs": [{"job_name": "berth", "static_configs": [{"targets": [target]}]}],
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yml").write_text(json.dumps(configuration))
        self.process = subprocess.Popen(
            [str(UNPACKED / "prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )
        wait_until(self.is_ready, timeout=60, step=0.1, what="prometheus being ready")

    def is_ready(self):
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/-/ready", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def ask(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            found = json.load(answer)
        assert found["status"] == "success", found
        return found["data"]

    def value(self, query):
        """Of the first series; None when there is none."""
        result = self.ask("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None

    def close(self):
        self.process.terminate()
        self.process.wait(30)
