# SPDX-License-Identifier: Apache-2.0
"""Fixtures, and what is checked after every test whatever it was about.

A test gets a server that its module shares, with the options of its `settings` marker, and a repository
name of its own. After it: the server is alive, its log shows no failure of its own and no sanitizer
report, no descriptor stays open, and fsck finds nothing. Bytes are hashed once, when the module ends; on PostgreSQL and with a
sanitizer all of fsck runs then (BERTH_TEST_FSCK=module). Tests marked `own_server` get a server of
their own and may stop, kill or break it.
"""
import itertools
import os
import re
from pathlib import Path

import pytest

from harness import tls
from harness.issuer import Issuer
from harness.registry import Registry, binary, looks_after_each

numbers = itertools.count(1)


def pytest_configure(config):
    if not binary().exists():
        raise pytest.UsageError(f"no server at {binary()}: build it first, or set BERTH_BINARY")


def pytest_report_header(config):
    engine = "PostgreSQL" if os.environ.get("BERTH_TEST_POSTGRES") else "SQLite"
    return f"server: {binary()} on {engine}"


def settings_of(request):
    merged = {}
    for marker in reversed(list(request.node.iter_markers("settings"))):
        merged.update(marker.kwargs)
    return merged


def expected_of(request):
    expected = set()
    for marker in request.node.iter_markers("expect_errors"):
        expected.update(str(code) for code in marker.args)
    return expected


@pytest.fixture(scope="module")
def shared_registries(tmp_path_factory):
    """Servers of this module, by their options."""
    running = {}
    yield running
    problems = []
    for registry in running.values():
        if registry.running() and registry.stop() != 0:
            problems.append(registry.log_text()[-4000:])
        try:
            registry.assert_fsck_clean()
            registry.assert_log_clean(expected={"500", "502", "503", "507", "INTERNAL", "STORAGE", "DATABASE", "STORAGE_FULL", "CORRUPT"})
        finally:
            registry.destroy()
    assert not problems, "a server did not end with 0 at SIGTERM:\n" + "\n".join(problems)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.has_failed = True
    return report


def check_after(registry, request, since, quick=False):
    if getattr(request.node, "has_failed", False):
        return
    registry.assert_log_clean(since, expected_of(request))
    if not registry.running():
        if registry.process is not None and registry.process.returncode not in (0, -9):
            raise AssertionError(f"server ended with {registry.process.returncode}:\n{registry.log_text(since)[-4000:]}")
        return
    registry.assert_nothing_leaked()
    if looks_after_each() or not quick:
        registry.assert_fsck_clean(quick)


@pytest.fixture
def make_registry(request, tmp_path):
    """make_registry(**settings) starts a server of the test's own."""
    made = []

    def make(*, start=True, program=None, environment=None, authority=None, **settings):
        registry = Registry(
            tmp_path / f"registry-{len(made)}", settings={**settings_of(request), **settings},
            program=program, environment=environment,
        )
        registry.authority = authority
        made.append(registry)
        return registry.start() if start else registry

    yield make
    try:
        for registry in made:
            check_after(registry, request, 0)
            if registry.running():
                assert registry.stop() == 0, registry.log_text()[-4000:]
                registry.assert_log_clean(0, expected_of(request))
    finally:
        for registry in made:
            registry.destroy()


@pytest.fixture
def registry(request):
    if request.node.get_closest_marker("own_server"):
        yield request.getfixturevalue("make_registry")()
        return
    shared = request.getfixturevalue("shared_registries")
    factory = request.getfixturevalue("tmp_path_factory")
    settings = settings_of(request)
    key = tuple(sorted(settings.items()))
    if key not in shared or not shared[key].running():
        if key in shared:
            shared[key].destroy()
        shared[key] = Registry(factory.mktemp("registry"), settings=settings).start()
    found = shared[key]
    since = found.log_size()
    yield found
    try:
        check_after(found, request, since, quick=True)
    except AssertionError:
        found.destroy()
        raise


@pytest.fixture
def client(registry):
    return registry.client()


@pytest.fixture
def admin(registry):
    """The administrator with a password in every request, as Harbor's API wants it."""
    return registry.client(auth="basic")


@pytest.fixture
def anonymous(registry):
    return registry.anonymous()


@pytest.fixture
def name(request):
    """A repository name that nobody else uses, in the project `tests`."""
    plain = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60].strip("-")
    return f"tests/{plain}-{next(numbers)}"


@pytest.fixture
def repo(client, name):
    return client.repository(name)


@pytest.fixture
def other(client, name):
    """A second repository of the same project."""
    return client.repository(name + "-other")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def corpus():
    return Path(__file__).parent


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    """An issuer of tokens that the tests of a module trust or do not."""
    made = Issuer(tmp_path_factory.mktemp("issuer"))
    yield made
    made.close()
