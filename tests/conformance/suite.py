# SPDX-License-Identifier: Apache-2.0
"""The official OCI conformance suite: how it is found, configured, run and counted."""
import os
import re
import shutil
import subprocess
from pathlib import Path

from harness.registry import ADMIN_PASSWORD, ROOT

APIS = """PULL PUSH BLOBS_ATOMIC BLOBS_DELETE BLOBS_DIGEST_HEADER BLOBS_MOUNT_ANONYMOUS BLOBS_UPLOAD_CANCEL MANIFESTS_ATOMIC
MANIFESTS_DELETE MANIFESTS_DIGEST_HEADER MANIFESTS_TAG_PARAM TAGS_ATOMIC TAGS_DELETE TAGS_LIST REFERRER""".split()
DATA = """IMAGE INDEX INDEX_LIST ARTIFACT SUBJECT SUBJECT_MISSING ARTIFACT_LIST SUBJECT_LIST DATA_FIELD NONDISTRIBUTABLE
CUSTOM_FIELDS NO_LAYERS EMPTY_BLOB SHA512""".split()
SPARSE = {"manifests_require_blobs": "false", "manifests_require_children": "false"}


def program():
    """The suite's program, or None."""
    for place in (os.environ.get("BERTH_CONFORMANCE"), shutil.which("conformance"), ROOT / "build" / "tools" / "conformance"):
        if place and Path(place).exists():
            return Path(place)
    return None


def environment(registry, results, mode):
    settings = {name: value for name, value in os.environ.items() if not name.startswith("OCI_")}
    settings.update(
        OCI_REGISTRY=registry.address, OCI_TLS="disabled", OCI_REPO1="conformance/repo1", OCI_REPO2="conformance/repo2",
        OCI_USERNAME="admin", OCI_PASSWORD=ADMIN_PASSWORD, OCI_VERSION="dev", OCI_RESULTS_DIR=str(results),
        OCI_LOG="error",
    )
    settings.update({f"OCI_API_{name}": "true" for name in APIS})
    settings.update({f"OCI_DATA_{name}": "true" for name in DATA})
    settings["OCI_DATA_SPARSE"] = "true" if mode == "sparse" else "false"
    return settings


def run(registry, mode, results):
    """Runs the suite; returns ({"Pass": n, …}, what it said)."""
    done = subprocess.run(
        [str(program())], env=environment(registry, results, mode), cwd=results, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
    )
    return totals(results), done.stdout


def totals(results):
    """Counts of the suite's own report, by its words for a status."""
    found = {}
    report = results / "junit.xml"
    if report.exists():
        head = report.read_text()[:2000]
        for name in ("tests", "failures", "errors", "skipped", "disabled"):
            number = re.search(rf'\b{name}="(\d+)"', head)
            found[name] = int(number.group(1)) if number else 0
    return found


def passed(counts):
    return counts.get("tests", 0) > 500 and not any(counts[name] for name in ("failures", "errors", "disabled"))
