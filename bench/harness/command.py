# SPDX-License-Identifier: Apache-2.0
"""The command line: choose rows, run them, print the table, keep it."""
import argparse
import datetime
import json
import resource
import shlex
import signal
import subprocess
import sys
import time

from harness import table, tools
from harness.bench import Bench
from rows import ROWS

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
DESCRIPTORS = 65536


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measures Berth beside its peers.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows to run; all of them if none is named")
    parser.add_argument("--rounds", type=int, help="alternating rounds (default 5, or 2 with --quick)")
    parser.add_argument("--quick", action="store_true", help="small sizes and short times: to try things out")
    parser.add_argument("--write", action="store_true", help="keep the table in bench/README.md")
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no row {unknown[0]}; there are: {' '.join(ROWS)}")
    options.rounds = options.rounds or (2 if options.quick else 5)
    return options


def header(arguments, bench, seconds):
    commit = subprocess.run(["git", "-C", str(tools.ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    lines = [
        f"Made by `{shlex.join(['./dev', 'bench'] + arguments)}` on {datetime.date.today()} at commit "
        f"{commit.stdout.strip() or 'unknown'} in {seconds / 60:.0f} min: {bench.rounds} alternating rounds.",
        f"Machine: {tools.machine()}.",
    ]
    lines += [f"Not measured: {reason}." for reason in bench.skipped.values()]
    return "".join(f"* {line}\n" for line in lines)


def run_rows(names, bench):
    """Runs each row; one that breaks does not take the others with it."""
    measures, broken = [], []
    for name in names:
        print(f"{name} …", end=" ", flush=True)
        start = time.monotonic()
        try:
            done = ROWS[name](bench)
        except Exception as error:  # whatever it is, the rows before it took a quarter of an hour
            print(f"failed: {error}", flush=True)
            broken.append(f"{name}: {error}")
            continue
        print(f"{time.monotonic() - start:.0f} s", flush=True)
        for measure in done:
            values = ", ".join(f"{who} {table.spread(samples)}" for who, samples in measure.samples.items())
            print(f"    {measure.work}: {values} {measure.unit}", flush=True)
        measures += done
    return measures, broken


def keep(text):
    readme = tools.BENCH / "README.md"
    old = readme.read_text()
    before, rest = old.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    readme.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse(arguments)
    if options.list:
        print("\n".join(ROWS))
        return 0
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and data go away too
    bench = Bench(options.rounds, options.quick)
    start = time.monotonic()
    try:
        tools.load_tool()
        measures, broken = run_rows(options.rows or ROWS, bench)
    except tools.Missing as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        bench.close()
    text = header(arguments, bench, time.monotonic() - start) + "\n" + table.markdown(measures)
    print("\n" + text)
    for line in table.missed(measures):
        print(f"missed: {line}")
    for line in broken:
        print(f"failed: {line}")
    results = {m.work: {"unit": m.unit, "samples": m.samples} for m in measures}
    (tools.WORK / "last.json").write_text(json.dumps(results, indent=1))
    if options.write and not broken:
        keep(text)
    return 1 if broken else 0
