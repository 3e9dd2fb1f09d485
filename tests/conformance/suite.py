# SPDX-License-Identifier: Apache-2.0
"""The official OCI conformance suites: how they are found, configured, run and counted.

There are two: the one that is maintained now, and the one that was released with version 1.1.1 of the
specification, which certifies registries to this day.
"""
import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

from harness.registry import ADMIN_PASSWORD, ROOT

# Each category is asked for by name, so that a default cannot hide one.
EVERYTHING = """API_PING API_PULL API_PUSH API_REFERRER
API_BLOBS_ATOMIC API_BLOBS_DELETE API_BLOBS_DIGEST_HEADER API_BLOBS_MOUNT_ANONYMOUS API_BLOBS_UPLOAD_CANCEL
API_MANIFESTS_ATOMIC API_MANIFESTS_DELETE API_MANIFESTS_DIGEST_HEADER API_MANIFESTS_TAG_PARAM
API_TAGS_ATOMIC API_TAGS_DELETE API_TAGS_LIST
DATA_IMAGE DATA_INDEX DATA_INDEX_LIST DATA_ARTIFACT DATA_SUBJECT DATA_SUBJECT_MISSING
DATA_ARTIFACT_LIST DATA_SUBJECT_LIST DATA_DATA_FIELD DATA_NONDISTRIBUTABLE DATA_CUSTOM_FIELDS
DATA_NO_LAYERS DATA_EMPTY_BLOB DATA_SHA512""".split()

# Sparse data are manifests whose blobs are missing: refused as shipped, accepted with two options off.
MODES = {
    "stable": ("1.1", {}),
    "dev": ("dev", {}),
    "sparse": ("dev", {"manifests_require_blobs": "false", "manifests_require_children": "false"}),
    "v1.1.1": (None, {}),
}
RELEASED = "v1.1.1"

# The released suite asks either the one or the other: of a registry that mounts or one that does not, that looks for
# blobs elsewhere or one that does not, and with content that it pushes or that is there already.
ALTERNATIVES = {
    "Pull Setup Get tag name from environment",
    "Push Cross-Repository Blob Mount Cross-mounting of nonexistent blob should yield session id",
    "Push Cross-Repository Blob Mount Cross-mounting without from, and automatic content discovery disabled should return a 202",
    "Content Discovery Setup Populate registry with test tags (no push)",
}
PREFIX = "OCI Distribution Conformance Tests "


def program(mode):
    """The program of the suite with this mode, or None."""
    name = "conformance-v1.1.1" if mode == RELEASED else "conformance"
    return shutil.which(name, path=f"{ROOT / 'build' / 'tools'}{os.pathsep}{os.environ['PATH']}")


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("OCI_")}


def released_environment(registry, results, mode):
    return {
        **clean_environment(),
        "OCI_ROOT_URL": registry.url, "OCI_NAMESPACE": "conformance/first", "OCI_CROSSMOUNT_NAMESPACE": "conformance/second",
        "OCI_USERNAME": "admin", "OCI_PASSWORD": ADMIN_PASSWORD, "OCI_REPORT_DIR": str(results),
        "OCI_TEST_PULL": "1", "OCI_TEST_PUSH": "1", "OCI_TEST_CONTENT_DISCOVERY": "1", "OCI_TEST_CONTENT_MANAGEMENT": "1",
        "OCI_AUTOMATIC_CROSSMOUNT": "1",
    }


def environment(registry, results, mode):
    settings = clean_environment()
    settings.update({f"OCI_{name}": "true" for name in EVERYTHING})
    settings.update(
        OCI_REGISTRY=registry.address, OCI_TLS="disabled", OCI_VERSION=MODES[mode][0], OCI_LOG="error",
        OCI_REPO1="conformance/first", OCI_REPO2="conformance/second",
        OCI_USERNAME="admin", OCI_PASSWORD=ADMIN_PASSWORD, OCI_RESULTS_DIR=str(results),
        OCI_DATA_SPARSE="true" if mode == "sparse" else "false",
    )
    return settings


class Result:
    def __init__(self, mode, status, said, report):
        self.status = status
        self.left_out = ALTERNATIVES if mode == RELEASED else set()
        self.enough = 70 if mode == RELEASED else 100
        self.said = said
        self.cases = list(cases_of(report)) if report.exists() else []
        self.totals = Counter(outcome for _, outcome, _ in self.cases)

    def named(self, *outcomes):
        return [f"{name}: {outcome}: {said[:1500]}" for name, outcome, said in self.cases if outcome in outcomes]

    @property
    def passed(self):
        """Everything ran, and nothing failed or was left out but what is meant for others."""
        skipped = {name.removeprefix(PREFIX) for name, outcome, _ in self.cases if outcome == "skipped"}
        return (self.status == 0 and self.totals["passed"] > self.enough and skipped == self.left_out
                and set(self.totals) <= {"passed", "skipped"})

    def __str__(self):
        return ", ".join(f"{number} {outcome}" for outcome, number in sorted(self.totals.items())) or "nothing ran"


def cases_of(report):
    """The suite puts the outcome into an attribute of its own, and the errors where others put output."""
    for case in ElementTree.parse(report).iter("testcase"):
        said = [case.findtext(tag) or "" for tag in ("failure", "system-out")]
        yield case.get("name"), case.get("status"), "\n".join(said).strip()


def run(registry, mode, results):
    """Runs the suite in a public project: it asks for no token that covers a mount's source, so from a
    private repository all its mounts become upload sessions, which it counts as skipped."""
    registry.client().make_project("conformance", public=True)
    Path(results).mkdir()
    settings = released_environment if mode == RELEASED else environment
    done = subprocess.run(
        [program(mode)], env=settings(registry, results, mode), cwd=results, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240,
    )
    return Result(mode, done.returncode, done.stdout, Path(results) / "junit.xml")
