# SPDX-License-Identifier: Apache-2.0
"""Programs of the benchmark: those built here, those of the distribution, and the peers."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
WORK = BENCH / "work"
TOOLS = WORK / "tools"

DISTRIBUTION_VERSION = "v3.0.0"
ZOT_VERSION = "v2.1.20"
AWSCLI_VERSION = "1.46.3"
GO_TIMEOUT_S = 1200


class Missing(Exception):
    """A program is not there and cannot be had; the text says why."""


def _compile(name, sources, libraries):
    output = TOOLS / name
    headers = [path for source in sources for path in source.parent.glob("*.h")]
    newest = max(path.stat().st_mtime for path in sources + headers)
    if output.exists() and output.stat().st_mtime > newest:
        return output
    TOOLS.mkdir(parents=True, exist_ok=True)
    command = ["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o", str(output)]
    subprocess.run(command + [str(source) for source in sources] + libraries, check=True)
    return output


def load_tool():
    return _compile("load", sorted((BENCH / "load").glob("*.c")), ["-lssl", "-lcrypto", "-pthread"])


def bare_put_tool():
    return _compile("bare_put", [BENCH / "bare_put.c"], ["-lcrypto"])


def bare_query(url, file, warm):
    """What fetching the manifests of the file's lines takes by libpq alone (bare_query.c)."""
    include = subprocess.run(["pg_config", "--includedir"], capture_output=True, text=True, check=True).stdout.strip()
    tool = _compile("bare_query", [BENCH / "bare_query.c"], [f"-I{include}", "-lpq"])
    done = subprocess.run([str(tool), url, str(file), str(warm)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def system_tool(name, package):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Missing(f"{name} is not installed (Debian package {package})")
    return Path(path)


def postgres():
    """The folder of the server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise Missing("PostgreSQL is not installed (Debian package postgresql)")
    return found[-1].parent


def go_tool(name, module, environment=None):
    """A peer from TOOLS, or by `go install` at its pinned version (BENCH_GO may name a newer Go)."""
    path = TOOLS / name
    if path.exists():
        return path
    go = os.environ.get("BENCH_GO") or shutil.which("go")
    if not go:
        raise Missing(f"{name}: needs Go to be built")
    TOOLS.mkdir(parents=True, exist_ok=True)
    print(f"building {module} …", flush=True)
    env = dict(os.environ, GOBIN=str(TOOLS), **(environment or {}))
    try:
        done = subprocess.run([go, "install", module], env=env, capture_output=True, text=True, timeout=GO_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{name}: go install took more than {GO_TIMEOUT_S} s") from error
    if done.returncode != 0 or not path.exists():
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Missing(f"{name}: go install failed: {re.sub(r'https?://[^ ]+', 'the proxy', last)[-160:]}")
    return path


def distribution():
    return go_tool("registry", f"github.com/distribution/distribution/v3/cmd/registry@{DISTRIBUTION_VERSION}")


def zot():
    environment = {"CGO_ENABLED": "0", "GOEXPERIMENT": "jsonv2"}
    return go_tool("zot", f"zotregistry.dev/zot/v2/cmd/zot@{ZOT_VERSION}", environment)


def awscli():
    """AWS's own client, in a virtual environment of its own."""
    folder = TOOLS / f"awscli-{AWSCLI_VERSION}"
    path = folder / "bin" / "aws"
    if not path.exists():
        print(f"installing awscli {AWSCLI_VERSION} …", flush=True)
        for command in ([sys.executable, "-m", "venv", str(folder)],
                        [str(folder / "bin" / "pip"), "install", "--quiet", f"awscli=={AWSCLI_VERSION}"]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise Missing(f"awscli: {(done.stderr.strip().splitlines() or ['no reason given'])[-1][-160:]}")
    return path


def berth():
    path = Path(os.environ.get("BENCH_BERTH", ROOT / "build" / "berth"))
    if not path.exists():
        raise Missing(f"{path} is not built (./dev build)")
    return path


def load(verb, address, **options):
    """Runs the load generator and gives back what it measured."""
    command = [str(load_tool()), verb, "--to", address]
    for name, value in options.items():
        if value is True:
            command.append(f"--{name}")
        elif value is not None and value is not False:
            command += [f"--{name}", str(value)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def wrk(address, path, seconds, connections=64, headers=None, threads=2):
    """Requests per second; any failed request fails the row."""
    command = [str(system_tool("wrk", "wrk")), f"-t{threads}", f"-c{connections}", f"-d{seconds}s"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(command + [f"http://{address}{path}"], capture_output=True, text=True, check=True)
    bad = re.search(r"(Non-2xx.*|Socket errors.*)", done.stdout)
    if bad:
        raise RuntimeError(f"wrk at {address}{path}: {bad[1]}")
    return float(re.search(r"Requests/sec:\s*([0-9.]+)", done.stdout)[1])


def machine():
    """One line: what this was measured on."""
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.M)
    return (
        f"{os.cpu_count()} cores ({model[1] if model else os.uname().machine}), "
        f"{int(memory[1]) / 2**20:.0f} GiB, Linux {os.uname().release}, "
        "clients and servers on the same cores, loopback"
    )
