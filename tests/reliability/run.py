# SPDX-License-Identifier: Apache-2.0
"""Breaks one thing after the other under load, and looks each time whether everything acknowledged is there. See tests/tools/reliability.

A line of JSON is printed for each fault: what was done, what was refused, what failed, and `broken`, in words, what may not be.
"""
import argparse
import contextlib
import json
import re
import signal
import sys
import tempfile
import time

from harness.wait import together, wait_until
from reliability.faults import FAULTS, OF_PACKETS
from reliability.site import Site

# What no client may read in an answer: addresses, paths, SQL, the parts and their words.
INSIDE = re.compile(r"127\.0\.0\.1|/tmp/|postgres|SELECT |INSERT |pg_|reliability|bucket|AccessDenied|NoSuch|errno", re.I)
ANSWER = re.compile(r"answers (\d+), not .*?: (b?['\"].*)", re.S)
SEVERE = {"CORRUPT", "sanitizer"}


class Outcome:
    """Of one fault."""

    def __init__(self, fault, number):
        self.name, self.number, self.broken = fault.__name__, number, []
        self.figures = {}

    def expect(self, good, words):
        if not good:
            self.broken.append(words)

    def read(self, load, began):
        self.figures.update(
            pushes=load.pushes, pushes_refused=len(load.failed_pushes), pulls=load.pulls, pulls_failed=len(load.failed_pulls), deletions=load.deletions,
            retried=load.retried, mib=round(load.bytes / (1 << 20)), seconds=round(time.monotonic() - began, 1),
            longest_without_push_s=round(load.gap["push"], 1), longest_without_pull_s=round(load.gap["pull"], 1))

    def line(self):
        return json.dumps({"fault": self.name, "round": self.number, **self.figures, "broken": self.broken})


def told_inside(load):
    """What clients were told and should not have been."""
    answers = [found[2] for text in load.failed_pushes + load.failed_pulls if (found := ANSWER.search(text))]
    return [answer[:300] for answer in answers if INSIDE.search(answer)]


def check(site, outcome, since):
    """After a fault: every node has every acknowledged push, and nothing is inconsistent."""
    site.network.heal()
    for node in site.nodes:
        wait_until(lambda: node.anonymous().session.get(node.url + "/readyz").status_code == 200, timeout=60, what="nodes being ready")
    lost = together(len(site.nodes), lambda number: site.book.lost(site.nodes[number].client()))
    for node, missing in zip(site.nodes, lost):
        outcome.expect(not missing, f"lost at {node.root.name}: {missing[:3]}")
    said = site.collect()
    outcome.expect("done" in said, f"the collector says {said[-2000:]}")
    status, output = site.nodes[0].berth("fsck")
    if status == 1:  # requests that a fault held up may still end, within their deadlines
        with contextlib.suppress(AssertionError):
            wait_until(lambda: site.collect() and site.nodes[0].berth("fsck")[0] == 0, timeout=90, what="the end of what was held up")
            status = 0
    outcome.expect(status == 0, f"fsck answers {status}: {output[-2000:]}")
    for node, at in zip(site.nodes, since):
        outcome.expect(node.running(), f"{node.root.name} has ended: {node.log_text(at)[-2000:]}")
        severe = [line for what, line in node.failures_in_log(at) if what in SEVERE]
        outcome.expect(not severe, f"{node.root.name} says {severe[:3]}")
    outcome.figures.update(checked=len(site.book), collected=site.collected())


def suffer(site, fault, number, all_pulls):
    outcome = Outcome(fault, number)
    since = [node.log_size() for node in site.nodes]
    began = time.monotonic()
    try:
        with site.load() as load:
            load.more(pushes=4, pulls=10)
            fault(site, load)
            load.more(pushes=4, pulls=10, timeout=120)
            outcome.read(load, began)
        outcome.expect(not (all_pulls and load.failed_pulls), f"pulls failed: {load.failed_pulls[:3]}")
        told = told_inside(load)
        outcome.expect(not told, f"clients were told {told[:3]}")
        check(site, outcome, since)
    except Exception as error:  # pylint: disable=broad-except
        outcome.expect(False, f"{type(error).__name__}: {error}")
    return outcome


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="how often each fault comes")
    parser.add_argument("--table", action="store_true", help="print the table of docs/reliability.md at the end, too")
    parser.add_argument("--only", action="append", choices=[fault.__name__ for fault in FAULTS], help="one of the faults, or several")
    return parser.parse_args()


COLUMNS = ("pushes", "refused", "pulls", "failed", "tried again", "deletions", "MiB", "longest without a push", "longest without a pull", "lost or wrong")


def table(outcomes):
    """What one fault did in all its rounds is a row."""
    rows = [f"| fault | rounds | {' | '.join(COLUMNS)} |", "|---|" + "---:|" * (len(COLUMNS) + 1)]
    for fault in FAULTS:
        of = [outcome for outcome in outcomes if outcome.name == fault.__name__]
        figures = [outcome.figures for outcome in of]
        sums = [sum(one.get(name, 0) for one in figures) for name in ("pushes", "pushes_refused", "pulls", "pulls_failed", "retried", "deletions", "mib")]
        most = [f"{max(one.get(name, 0) for one in figures)} s" for name in ("longest_without_push_s", "longest_without_pull_s")] if of else []
        cells = [fault.__name__.replace("_", " "), len(of), *sums, *most, sum(map(len, (outcome.broken for outcome in of)))]
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows)


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of `finally`: nothing is left behind
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="berth-reliability.") as root:
        site = Site(root)
        try:
            site.start()
            print(json.dumps({"gateway": site.gateway.name, "delay": site.network.slow_by[0]}), flush=True)
            for number in range(options.rounds):
                for fault, all_pulls in FAULTS.items():
                    if options.only and fault.__name__ not in options.only:
                        continue
                    if fault in OF_PACKETS and not site.network.filters:
                        print(json.dumps({"fault": fault.__name__, "skipped": "no packets are lost by rule here (iptables)"}), flush=True)
                    else:
                        outcomes.append(suffer(site, fault, number, all_pulls))
                        print(outcomes[-1].line(), flush=True)
            if options.table:
                print(table(outcomes))
        finally:
            site.close()
    sys.exit(1 if any(outcome.broken for outcome in outcomes) else 0)


main()
