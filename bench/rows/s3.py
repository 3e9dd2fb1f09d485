# SPDX-License-Identifier: Apache-2.0
"""Blobs at an S3 server: what stands between a client and the bucket, against going there oneself."""
import subprocess
import time

from harness import tools
from harness.s3 import BerthS3, DockerRegistryS3, Gateway
from harness.servers import DockerRegistry
from harness.table import OURS, Goal, Measure
from rows.push import MB, pushes_per_second

GIB = 2**30
CURL, AWS = "curl at the gateway", f"awscli {tools.AWSCLI_VERSION}"
REDIRECTED = f"{OURS}, redirected"


def fetched(url, token=None):
    """MB/s of one download, its redirect followed."""
    fields = ["--header", f"Authorization: Bearer {token}"] if token else []
    command = ["curl", "--silent", "--show-error", "--fail", "--location", "--output", "/dev/null"]
    done = subprocess.run(
        [*command, "--write-out", "%{size_download} %{time_total}", *fields, url], capture_output=True, text=True, timeout=600,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    size, seconds = done.stdout.split()
    return int(size) / float(seconds) / 1e6


def with_gateway(row):
    """The row, or nothing where there is no gateway to be had, or no client of AWS's."""

    def run(bench):
        try:
            Gateway.find()
            tools.awscli()
        except tools.Missing as error:
            bench.skipped["S3"] = str(error)
            print(f"skipped: {error}", flush=True)
            return []
        return row(bench)

    return run


@with_gateway
def blob_get_s3(bench):
    file = bench.random_file(bench.size(GIB, GIB // 4))
    with Gateway() as gateway:
        with bench.up(BerthS3, gateway=gateway) as (server,), bench.up(BerthS3, gateway=gateway, redirect=True) as (sending,):
            urls = {}
            for name, one in ((OURS, server), (REDIRECTED, sending)):
                path = one.put_large_blob("bench/large", file)
                urls[name] = f"http://{one.address}{path}", one.token("bench/large")
            digest = path.rpartition(":")[2]
            urls[CURL] = gateway.presigned(f"{server.directory.name}/blobs/sha256/{digest[:2]}/{digest}"), None
            for name in urls:
                fetched(*urls[name])
            samples = bench.alternate(urls, lambda name: fetched(*urls[name]))
    through = {name: samples[name] for name in (OURS, CURL)}
    sent = {OURS: samples[REDIRECTED], CURL: samples[CURL]}
    return [
        Measure("blob 1 GiB GET from S3", "MB/s", through, [Goal(">=", 0.9, CURL)]),
        Measure("the same, the client sent to the bucket", "MB/s", sent, [Goal(">=", 0.95, CURL)]),
    ]


def put_by_aws(gateway, file, name):
    began = time.monotonic()
    gateway.aws("s3", "cp", "--no-progress", str(file), f"s3://{gateway.bucket}/{name}")
    return file.stat().st_size / (time.monotonic() - began) / 1e6


def put_by_berth(server, file, name):
    done = tools.load("put", server.address, repository="bench/large", file=file, tail=name, token=server.token("bench/large"))
    return done["bytes"] / done["seconds"] / 1e6


@with_gateway
def blob_put_s3(bench):
    """A fresh gateway for each, as one that has removed much is slower; it has seen one upload in parts before the clock starts."""
    file, warm = bench.random_file(bench.size(GIB, GIB // 4)), bench.random_file(20 * 2**20)

    def measure(name):
        with Gateway() as gateway:
            if name == AWS:
                put_by_aws(gateway, warm, "warm")
                return put_by_aws(gateway, file, "large")
            with bench.up(BerthS3, gateway=gateway) as (server,):
                put_by_berth(server, warm, "warm")
                return put_by_berth(server, file, "large")

    samples = bench.alternate([OURS, AWS], measure)
    return [Measure("blob 1 GiB PUT to S3", "MB/s", samples, [Goal(">=", 0.9, AWS)])]


TIMES = 16


@with_gateway
def memory_push_s3(bench):
    """The peak of a short upload against one that is so many times as long."""
    file = bench.random_file(bench.size(GIB // 4, GIB // 16))
    short = f"Berth, 1/{TIMES} of it"

    def measure(name):
        with Gateway() as gateway, bench.up(BerthS3, gateway=gateway) as (server,):
            server.put_blob("bench/large", b"first")
            server.reset_peak()
            tools.load("put", server.address, repository="bench/large", file=file, repeat=1 if name == short else TIMES, token=server.token("bench/large"))
            return server.peak_mib()

    samples = bench.alternate([OURS, short], measure, rounds=min(bench.rounds, 2))  # no clock in it
    size = f"{TIMES * file.stat().st_size / GIB:.0f} GiB"
    return [Measure(f"memory: peak of one {size} push to S3", "MiB", samples, [Goal("<=", 1.05, short), Goal("<=", 96)])]


@with_gateway
def image_push_s3(bench):
    count = bench.size(120, 24)
    with Gateway() as gateway:
        with bench.up(BerthS3, DockerRegistryS3, gateway=gateway) as servers:
            by_name = {server.name: server for server in servers}

            def measure(name, turns=iter(range(10**6))):
                turn = next(turns)
                repositories = [f"bench/push-{turn}-{i}" for i in range(count)]
                return pushes_per_second(bench, by_name[name], repositories, 8, count, MB, f"r{turn}")

            samples = bench.alternate(by_name, measure)
    goals = [Goal(">=", 1.5, DockerRegistry.name)] if DockerRegistry.name in samples else []
    return [Measure("1 MB image pushes to S3, 8 clients", "pushes/s", samples, goals)]
