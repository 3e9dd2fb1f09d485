# SPDX-License-Identifier: Apache-2.0
"""Memory and threads, as the kernel counts them (VmRSS, VmHWM and Threads of /proc/PID/status)."""
import random
import socket
import threading
import time
from contextlib import ExitStack

from harness import tools
from harness.servers import PEERS, Berth
from harness.table import OURS, Goal, Measure
from rows.pull import REPOSITORY, client_headers, image
from rows.push import destinations

MB, MIB = 10**6, 2**20
CONNECTIONS = 2000
SETTLE_S = 40  # idle threads leave in their own time; one that a connection holds does not
THREADS_MAX = 16  # of 2,000 connections: none of them holds one


def idle(bench):
    kinds = {kind.name: kind for kind in [Berth, *PEERS] if bench.make(kind)}

    def measure(name):
        with bench.up(kinds[name]) as (server,):
            image(server)
            server.stop()
            server.start()
            server.expect(200, "GET", f"/v2/{REPOSITORY}/tags/list", token=server.token(REPOSITORY))
            return server.rss_mib()

    samples = bench.alternate(kinds, measure)
    return [Measure("memory: idle, after one request", "MiB", samples, [Goal("<=", 15)])]


def pull_and_push(bench, server, clients):
    """Half of the clients pull a blob of 1 MB again and again while the others push images of 1 MB."""
    token_header = client_headers(server, close=False)
    path = server.put_blob(REPOSITORY, random.Random(1).randbytes(MB))
    repositories = [f"bench/busy-{i}" for i in range(clients // 2)]
    file = destinations(bench, server, repositories)
    seconds = bench.size(10, 3)
    pulls = threading.Thread(
        target=tools.wrk, args=(server.address, path, seconds, clients // 2, token_header), kwargs={"threads": 1}
    )
    pulls.start()
    run = 0
    while pulls.is_alive():
        count = clients // 2
        tools.load("push", server.address, file=file, clients=count, count=count, size=MB, tail=f"r{run}")
        run += 1
    pulls.join()


def busy(bench):
    clients = 64
    kinds = {kind.name: kind for kind in [Berth, *PEERS[:2]] if bench.make(kind)}

    def measure(name):
        with bench.up(kinds[name]) as (server,):
            image(server)
            pull_and_push(bench, server, clients)
            return server.peak_mib()

    samples = bench.alternate(kinds, measure)
    return [Measure("memory: peak, 64 clients pulling and pushing 1 MB", "MiB", samples, [Goal("<=", 64)])]


def large_push(bench):
    """The peak of an upload of 1 GiB against one ten times as long."""
    file = bench.random_file(bench.size(1024, 100) * MIB)
    short = "Berth, a tenth of it"

    def measure(name):
        with bench.up(Berth) as (server,):
            image(server)
            server.reset_peak()
            tools.load(
                "put",
                server.address,
                repository=REPOSITORY,
                file=file,
                repeat=1 if name == short else 10,
                token=server.token(REPOSITORY),
            )
            return server.peak_mib()

    samples = bench.alternate([OURS, short], measure, rounds=min(bench.rounds, 2))  # no clock in it, much disk
    size = f"{10 * file.stat().st_size / 2**30:.0f} GiB"
    return [Measure(f"memory: peak of one {size} push", "MiB", samples, [Goal("<=", 1.05, short), Goal("<=", 64)])]


def hold_connections(server, count, stack):
    """Opens connections one after another; each has had one answer and now waits."""
    request = f"GET /v2/{REPOSITORY}/tags/list HTTP/1.1\r\nHost: {server.address}\r\n"
    request += f"Authorization: Bearer {server.token(REPOSITORY)}\r\n\r\n"
    for _ in range(count):
        sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        sock.sendall(request.encode())
        if not sock.recv(65536).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("a connection was refused")


def idle_connections(bench):
    memory, threads = [], []
    for _ in range(bench.rounds):
        with bench.up(Berth) as (server,), ExitStack() as stack:
            image(server)
            hold_connections(server, CONNECTIONS, stack)
            deadline = time.monotonic() + SETTLE_S
            while server.threads() > THREADS_MAX and time.monotonic() < deadline:
                time.sleep(0.05)
            threads.append(server.threads())
            memory.append(server.rss_mib())
    work = f"{CONNECTIONS:,} idle keep-alive connections"
    return [
        Measure(f"{work}: memory in all", "MiB", {OURS: memory}, [Goal("<=", 32)]),
        Measure(f"{work}: threads in all", "threads", {OURS: threads}, [Goal("<=", THREADS_MAX)]),
    ]
