# SPDX-License-Identifier: Apache-2.0
"""Pushes: one large blob, many images, and many clients at one repository."""
from harness import tools
from harness.servers import PEERS, BarePut, Berth, BerthPostgres, DockerRegistry
from harness.table import OURS, Goal, Measure

MB, GIB = 10**6, 2**30


def blob_put_1g(bench):
    """A fresh server for each upload, and a digest never seen: nothing can be deduplicated."""
    file = bench.random_file(bench.size(GIB, GIB // 4))
    kinds = {kind.name: kind for kind in [Berth, BarePut, *PEERS]}
    uploads = iter(range(10**6))
    for name in list(kinds):
        if not bench.make(kinds[name]):
            del kinds[name]

    def measure(name):
        with bench.up(kinds[name]) as (server,):
            done = tools.load(
                "put",
                server.address,
                repository="bench/large",
                file=file,
                tail=f"upload {next(uploads)}",
                token=server.token("bench/large"),
                bare=kinds[name] is BarePut,
            )
        return done["bytes"] / done["seconds"] / 1e6

    samples = bench.alternate(kinds, measure, settle=True)
    goals = [Goal(">=", 4, DockerRegistry.name), Goal(">=", 0.8, BarePut.name)]
    goals += [Goal(">=", 1, peer.name) for peer in PEERS[1:]]
    return [Measure("blob 1 GiB PUT, plain", "MB/s", samples, [goal for goal in goals if goal.against in samples])]


def destinations(bench, server, repositories):
    """The file the load generator reads: a repository and its token on each line."""
    path = bench.data / "destinations"
    path.write_text("".join(f"{name} {server.token(name) or '-'}\n" for name in repositories))
    return path


def pushes_per_second(bench, server, repositories, clients, count, size, seed):
    file = destinations(bench, server, repositories)
    done = tools.load("push", server.address, file=file, clients=clients, count=count, size=size, tail=seed)
    return done["pushes"] / done["seconds"]


def image_push(bench):
    count = bench.size(200, 40)
    uploads = iter(range(10**6))
    with bench.up(Berth, *PEERS) as servers:
        by_name = {server.name: server for server in servers}

        def measure(name):
            run = next(uploads)
            repositories = [f"bench/push-{run}-{i}" for i in range(count)]
            return pushes_per_second(bench, by_name[name], repositories, 8, count, MB, f"r{run}")

        samples = bench.alternate(by_name, measure, settle=True)
    goals = [Goal(">=", 4, DockerRegistry.name)] + [Goal(">=", 1, peer.name) for peer in PEERS[1:]]
    goals = [goal for goal in goals if goal.against in samples]
    return [Measure("1 MB image pushes, 8 clients, fresh repositories", "pushes/s", samples, goals)]


def push_one_repository(bench):
    clients = 200
    count = clients * bench.size(10, 3)
    many = f"Berth, {clients} repositories"
    uploads = iter(range(10**6))
    with bench.up(Berth) as (server,):

        def measure(name):
            run = next(uploads)
            repositories = [f"bench/many-{i}" for i in range(clients)] if name == many else ["bench/one"]
            return pushes_per_second(bench, server, repositories, clients, count, 1024, f"r{run}")

        for name in (OURS, many):
            measure(name)
        samples = bench.alternate([OURS, many], measure, settle=True)
    return [Measure("1 KiB artifacts from 200 clients into one repository", "pushes/s", samples, [Goal(">=", 0.8, many)])]


def pushes_with_quota(bench, kind, where):
    """Each project has a quota, so every push is charged to one: to the same, or to one of its client's own."""
    clients = 200
    count = clients * bench.size(10, 3)
    many = f"Berth, {clients} projects"
    uploads = iter(range(10**6))
    with bench.up(kind) as (server,):
        for project in ["shared", *(f"own-{i}" for i in range(clients))]:
            server.make_project(project, 1 << 40)

        def measure(name):
            run = next(uploads)
            pattern = "own-{}/app" if name == many else "shared/app-{}"
            repositories = [pattern.format(i) for i in range(clients)]
            return pushes_per_second(bench, server, repositories, clients, count, 1024, f"r{run}")

        for name in (OURS, many):
            measure(name)
        samples = bench.alternate([OURS, many], measure, settle=True)
    work = f"1 KiB artifacts from 200 clients into one project with a quota{where}"
    return [Measure(work, "pushes/s", samples, [Goal(">=", 0.8, many)])]


def push_one_project(bench):
    return pushes_with_quota(bench, Berth, "")


def push_one_project_postgres(bench):
    return pushes_with_quota(bench, BerthPostgres, ", on PostgreSQL")
