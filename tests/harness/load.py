# SPDX-License-Identifier: Apache-2.0
"""Real pushes and pulls, all the time, by several clients, and a book of what was acknowledged.

    book = Book()
    with Load(front, book, pushers=2, pullers=2, tries=2) as load:
        node.kill9()
        load.more(pulls=50)
    assert not load.failed_pulls
    book.check(node)    # every acknowledged push is there, byte for byte

A push is acknowledged when its manifest is: from then on its tag, its manifest and its blobs must be had, always. A moved tag may also
be at what was tried after the last acknowledged push: whether that one happened, its client does not know. What an acknowledged deletion
took away is never there again, and what it shared with others always is.
"""
import itertools
import random
import threading
import time

import requests

from harness import oci
from harness.wait import wait_until

numbers = itertools.count(1)
TROUBLE = (AssertionError, requests.RequestException, OSError)
SIZES = (1000, 40_000, 300_000, 2_000_000)


class Push:
    """What one push was of: enough to ask for all of it again, and to compare."""

    def __init__(self, name, tag, image):
        self.name, self.tag = name, tag
        self.body, self.digest = image.body, image.digest
        self.blobs = [oci.digest_of(blob) for blob in image.blobs]
        self.bytes = sum(map(len, image.blobs))


class WrongBytes(Exception):
    """Not one of TROUBLE: it is never excused."""


def pull(repository, push, reference=None):
    """All of an image, as docker pulls it; returns what its tag named."""
    got = repository.get_manifest(reference or push.tag)
    if got.content != push.body:
        raise WrongBytes(f"{push.name}:{push.tag} is {oci.digest_of(got.content)}, not {push.digest}")
    for digest in push.blobs:
        if oci.digest_of(repository.get_blob(digest).content) != digest:
            raise WrongBytes(f"{push.name}@{digest}")


class Book:
    def __init__(self):
        self.lock = threading.Lock()
        self.pushes = []  # acknowledged, under tags that do not move
        self.moved = {}  # repository: the digests that its tag `latest` may be at
        self.deleted = []  # (repository, digest), acknowledged

    def write(self, push):
        with self.lock:
            self.pushes.append(push)

    def write_moved(self, push):
        with self.lock:
            self.moved[push.name] = {push.digest}

    def try_to_move(self, name, digest):
        with self.lock:
            self.moved.setdefault(name, {None}).add(digest)

    def write_deleted(self, name, digest):
        with self.lock:
            self.deleted.append((name, digest))

    def any(self, bytes_max=1 << 40):
        """None when there is none that is so small."""
        with self.lock:
            found = [push for push in self.pushes if push.bytes <= bytes_max]
        return random.choice(found) if found else None

    def __len__(self):
        return len(self.pushes)

    def lost(self, client, pushes=None):
        """What is not there as it was acknowledged, in words."""
        missing = []
        for push in self.pushes if pushes is None else pushes:
            try:
                pull(client.repository(push.name), push)
            except AssertionError as error:
                missing.append(f"{push.name}:{push.tag} {push.digest}: {error}")
        for name, digests in self.moved.items():
            answer = client.repository(name).get_manifest("latest", expect=(200, 404))
            at = oci.digest_of(answer.content) if answer.status_code == 200 else None
            if at not in digests:
                missing.append(f"{name}:latest is at {at}, not at {digests}")
        for name, digest in self.deleted if pushes is None else ():
            if client.repository(name).get_manifest(digest, expect=(200, 404)).status_code == 200:
                missing.append(f"{name}@{digest} was deleted and is there")
        return missing


class Load:
    """`tries` is how often a client does a pull before it gives up; what a push could not do is done once more too, and a push
    that is given up counts as refused. Between two images each client waits `pause` seconds."""

    def __init__(self, front, book, *, pushers=2, pullers=2, deleters=0, tries=2, project="load", large=0, pause=0.05):
        self.front, self.book, self.tries, self.project, self.large, self.pause = front, book, tries, project, large, pause
        clients = ((self.push_one, pushers), (self.pull_one, pullers), (self.delete_one, deleters))
        self.workers = [(work, number) for work, count in clients for number in range(count)]
        self.pushes = self.pulls = self.deletions = self.retried = self.bytes = 0
        self.failed_pulls, self.failed_pushes, self.wrong = [], [], []
        self.gap = {"push": 0.0, "pull": 0.0}  # the longest time without one that was done
        self.last = dict.fromkeys(self.gap, time.monotonic())
        self.ending = threading.Event()
        self.lock = threading.Lock()
        self.threads = []

    def __enter__(self):
        for work, number in self.workers:
            thread = threading.Thread(target=self.run, args=(work, number, self.front.client()), daemon=True)
            thread.start()
            self.threads.append(thread)
        return self

    def __exit__(self, *failed):
        self.ending.set()
        for thread in self.threads:
            thread.join(180)
            assert not thread.is_alive(), "a client waits for ever"
        if not any(failed):
            assert not self.wrong, self.wrong

    def run(self, work, number, client):
        while not self.ending.is_set():
            try:
                work(client, number)
            except WrongBytes as error:
                self.wrong.append(str(error))
            self.ending.wait(self.pause)

    def again(self, what, failed):
        """Tries it; whether it was done."""
        for attempt in range(self.tries):
            try:
                what()
                return True
            except TROUBLE as error:
                last = error
                with self.lock:
                    self.retried += attempt + 1 < self.tries
        failed.append(str(last))
        return False

    def note(self, what, push):
        with self.lock:
            now = time.monotonic()
            self.gap[what] = max(self.gap[what], now - self.last[what])
            self.last[what] = now
            self.bytes += push.bytes
            self.pushes += what == "push"
            self.pulls += what == "pull"

    def push_one(self, client, number):
        made = next(numbers)
        name = f"{self.project}/app-{number}"
        repository = client.repository(name)
        size = self.large if self.large and made % 10 == 0 else SIZES[made % len(SIZES)]
        image = oci.image(f"load-{made}", layers=2, layer_size=size)
        push = Push(name, f"v{made}", image)
        self.book.try_to_move(name, push.digest)

        done = []

        def whole():
            if not done:
                repository.push(image, push.tag)
                self.book.write(push)
                done.append(True)
            repository.put_manifest(image, "latest")
            self.book.write_moved(push)

        if self.again(whole, self.failed_pushes):
            self.note("push", push)

    def delete_one(self, client, _):
        """One that shares a layer with an image that stays, and is pushed beside it; who cannot is not tried again."""
        kept = self.book.any(bytes_max=1 << 20)
        if not kept:
            self.ending.wait(0.01)
            return
        repository = client.repository(kept.name)
        try:
            image = oci.image(f"deleted-{next(numbers)}", config=repository.get_blob(kept.blobs[1]).content)
            repository.push(image, "deleted")
            repository.delete_manifest(image.digest)
        except TROUBLE:
            return
        self.book.write_deleted(kept.name, image.digest)
        with self.lock:
            self.deletions += 1

    def pull_one(self, client, _):
        push = self.book.any()
        if not push:
            self.ending.wait(0.01)
            return
        if self.again(lambda: pull(client.repository(push.name), push), self.failed_pulls):
            self.note("pull", push)

    def more(self, pushes=0, pulls=0, timeout=60):
        """Waits until so many more were done."""
        pushes, pulls = self.pushes + pushes, self.pulls + pulls
        wait_until(lambda: self.pushes >= pushes and self.pulls >= pulls, timeout=timeout,
                   what=f"{pushes} pushes and {pulls} pulls ({self.pushes} and {self.pulls}; {self.failed_pushes[-1:]}, {self.failed_pulls[-1:]})")
