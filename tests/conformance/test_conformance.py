# SPDX-License-Identifier: Apache-2.0
"""The conformance suite of the OCI distribution specification, every category of it, on a fresh server."""
import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from harness.registry import ADMIN_PASSWORD, ROOT

# Each category is asked for by name, so that a default cannot hide one. Only DATA_SPARSE is left out: it
# wants manifests accepted whose blobs are missing, which the specification lets a registry refuse, as
# this one does (blackbox/test_manifest.py).
EVERYTHING = (
    "API_PING API_PULL API_PUSH API_REFERRER "
    "API_BLOBS_ATOMIC API_BLOBS_DELETE API_BLOBS_DIGEST_HEADER API_BLOBS_MOUNT_ANONYMOUS API_BLOBS_UPLOAD_CANCEL "
    "API_MANIFESTS_ATOMIC API_MANIFESTS_DELETE API_MANIFESTS_DIGEST_HEADER API_MANIFESTS_TAG_PARAM "
    "API_TAGS_ATOMIC API_TAGS_DELETE API_TAGS_LIST "
    "DATA_IMAGE DATA_INDEX DATA_INDEX_LIST DATA_ARTIFACT DATA_SUBJECT DATA_SUBJECT_MISSING "
    "DATA_ARTIFACT_LIST DATA_SUBJECT_LIST DATA_DATA_FIELD DATA_NONDISTRIBUTABLE DATA_CUSTOM_FIELDS "
    "DATA_NO_LAYERS DATA_EMPTY_BLOB DATA_SHA512"
).split()


@pytest.fixture(scope="session")
def suite():
    found = shutil.which("conformance", path=f"{ROOT / 'build' / 'tools'}{os.pathsep}{os.environ['PATH']}")
    if not found:
        pytest.skip("the conformance suite is not built")
    return found


def run_suite(suite, registry, results, version):
    """(status, output, test cases) of one run; a case is (name, outcome, what it says)."""
    results.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OCI_")}
    environment.update({f"OCI_{name}": "true" for name in EVERYTHING})
    environment.update(
        OCI_REGISTRY=registry.address, OCI_TLS="disabled", OCI_VERSION=version,
        OCI_REPO1="conformance/first", OCI_REPO2="conformance/second",
        OCI_USERNAME="admin", OCI_PASSWORD=ADMIN_PASSWORD, OCI_RESULTS_DIR=str(results),
    )
    done = subprocess.run(
        [suite], env=environment, cwd=results, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240,
    )
    report = Path(results) / "junit.xml"
    assert report.exists(), f"the suite ended with {done.returncode} and no report:\n{done.stdout[-4000:]}"
    return done.returncode, done.stdout, list(cases_of(report))


def cases_of(report):
    """The suite puts the outcome into an attribute of its own, and the errors where others put output."""
    for case in ElementTree.parse(report).iter("testcase"):
        yield case.get("name"), case.get("status"), case.findtext("system-out") or ""


@pytest.mark.own_server
@pytest.mark.parametrize("version", ["1.1", "dev"])
def test_conformance(suite, registry, client, tmp_path, version):
    """In a public project: the suite asks for no token that covers a mount's source, so that all its
    mounts from a private repository become upload sessions, which it counts as skipped."""
    client.make_project("conformance", public=True)
    status, output, cases = run_suite(suite, registry, tmp_path / "results", version)
    totals = Counter(outcome for _, outcome, _ in cases)
    print(f"conformance {version}: {dict(totals)}")
    bad = [f"{name}: {outcome}: {said[:1500]}" for name, outcome, said in cases if outcome in ("failure", "error")]
    assert not bad, f"{dict(totals)}\n" + "\n".join(bad)
    assert status == 0, output[-4000:]
    assert totals["passed"] > 100, f"the suite did not run: {dict(totals)}\n{output[-4000:]}"
    skipped = [name for name, outcome, _ in cases if outcome == "skipped"]
    assert not skipped, f"left out: {skipped}"
