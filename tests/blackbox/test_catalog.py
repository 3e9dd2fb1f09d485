# SPDX-License-Identifier: Apache-2.0
"""GET /v2/_catalog."""
import pytest

from harness import oci
from harness.client import next_link

pytestmark = pytest.mark.own_server

NAMES = sorted(["alpha/one", "alpha/two", "beta/a", "beta/a/b", "beta/a-b", "library/plain", "zeta/z"])


@pytest.fixture
def filled(client):
    for name in reversed(NAMES):
        client.repository(name).push(oci.image("catalog", layer_size=10), "v1")
    return client


def everything(client, path="/v2/_catalog"):
    found = []
    while path:
        answer = client.get(path, scopes=("registry:catalog:*",), expect=200)
        found += answer.json()["repositories"]
        path = next_link(answer)
    return found


def test_empty_registry(client):
    assert client.catalog().json() == {"repositories": []}


def test_everything_sorted_in_pages(filled):
    assert sorted(filled.catalog().json()["repositories"]) == NAMES
    for size in (1, 3, 6, 7, 8):
        assert sorted(everything(filled, f"/v2/_catalog?n={size}")) == NAMES
    page = filled.catalog(n=2)
    assert len(page.json()["repositories"]) == 2
    assert "n=2" in next_link(page)
    ordered = everything(filled)
    assert filled.catalog(last=ordered[2]).json()["repositories"] == ordered[3:]
    assert filled.catalog(last=ordered[-1]).json()["repositories"] == []
    empty = filled.catalog(n=0)
    assert empty.json()["repositories"] == [] and "Link" not in empty.headers
    filled.catalog(n="x", expect=(200, 400))
    filled.catalog(n=100_000, expect=(200, 400))


def test_anonymous_sees_nothing_private(filled, anonymous):
    answer = anonymous.get("/v2/_catalog", headers={"Authorization": None}, expect=(200, 401))
    if answer.status_code == 200:
        assert answer.json()["repositories"] == []
