# SPDX-License-Identifier: Apache-2.0
"""Engines that the tests of one file share: a daemon starts once, and each engine logs in once to each server."""
import tempfile
from pathlib import Path

import images
import pytest
from engines import PROGRAMS, Unavailable


class Fleet:
    """Engines, started when first asked for and logged in once to each server."""

    def __init__(self, folder):
        self.folder = folder
        self.started = {}
        self.reasons = {}
        self.logins = set()
        self.pushed = {}

    def start(self, name):
        if name not in self.started and name not in self.reasons:
            try:
                self.started[name] = PROGRAMS[name](self.folder / name)
            except Unavailable as reason:
                self.reasons[name] = str(reason)
        if name in self.reasons:
            pytest.skip(self.reasons[name])
        return self.started[name]

    def get(self, name, registry):
        engine = self.start(name)
        if (name, registry.address) not in self.logins:
            engine.login(registry)
            self.logins.add((name, registry.address))
        return engine

    def pushed_by(self, name, registry):
        """(reference, image) of the image that this engine pushed, once for each server."""
        key = (name, registry.address)
        if key not in self.pushed:
            engine = self.get(name, registry)
            image = images.Image(f"by-{name}")
            reference = f"{registry.address}/clients/by-{name}:v1"
            engine.push(image, reference)
            self.pushed[key] = (reference, image)
        return self.pushed[key]


@pytest.fixture
def folder():
    """Below /tmp: Unix sockets take short paths only, and podman refuses one of more than 50 bytes. Buildah reads a path as a
    name, in which an underscore must stand between letters."""
    with tempfile.TemporaryDirectory(prefix="f", suffix="f", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def fleet():
    with tempfile.TemporaryDirectory(prefix="e", suffix="e", ignore_cleanup_errors=True) as made:
        engines = Fleet(Path(made))
        yield engines
        for engine in engines.started.values():
            engine.stop()


@pytest.fixture
def engine(fleet, registry):
    return lambda name: fleet.get(name, registry)


@pytest.fixture
def reference(registry, name):
    return f"{registry.address}/{name}:v1"
