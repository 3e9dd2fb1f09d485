# SPDX-License-Identifier: Apache-2.0
"""One run: its size, its servers, and the alternation of rounds."""
import itertools
import os
import random
import shutil
from contextlib import contextmanager

from harness import tools

FILE_BLOCK = 2**20


class Bench:
    def __init__(self, rounds, quick):
        self.rounds = rounds
        self.quick = quick
        self.skipped = {}
        self.data = tools.WORK / f"data-{os.getpid()}"
        self.counter = itertools.count()

    def size(self, full, quick):
        """`full`, or `quick` in a run that only tries things out."""
        return quick if self.quick else full

    def close(self):
        shutil.rmtree(self.data, ignore_errors=True)

    def make(self, kind, **kwargs):
        """A server that is not started, or None (with the reason kept) where its program is missing."""
        try:
            return kind(self.data / f"{kind.__name__}-{next(self.counter)}", **kwargs)
        except tools.Missing as error:
            if kind.name == "Berth":
                raise
            if kind.name not in self.skipped:
                print(f"skipped {kind.name}: {error}", flush=True)
            self.skipped[kind.name] = str(error)
            return None

    @contextmanager
    def up(self, *kinds, **kwargs):
        """The servers, started on fresh directories; stopped and removed at the end."""
        servers = [server for server in (self.make(kind, **kwargs) for kind in kinds) if server]
        try:
            for server in servers:
                server.start()
            yield servers
        finally:
            for server in servers:
                server.remove()

    def alternate(self, participants, measure, settle=False, rounds=None):
        """Rounds of `measure(name)` over all names, a different one first each time.

        With `settle`, what earlier measurements left to be written reaches the disk first.
        """
        participants = list(participants)
        samples = {name: [] for name in participants}
        for turn in range(rounds or self.rounds):
            shift = turn % len(participants)
            for name in participants[shift:] + participants[:shift]:
                if settle:
                    os.sync()
                samples[name].append(measure(name))
        return samples

    def random_file(self, size):
        """A file of `size` incompressible bytes, the same in each run."""
        path = tools.WORK / f"random-{size}"
        if not path.exists() or path.stat().st_size != size:
            tools.WORK.mkdir(parents=True, exist_ok=True)
            generator = random.Random(size)
            with open(path, "wb") as file:
                for at in range(0, size, FILE_BLOCK):
                    file.write(generator.randbytes(min(FILE_BLOCK, size - at)))
        return path
