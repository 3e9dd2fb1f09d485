# SPDX-License-Identifier: Apache-2.0
"""Quotas: every byte counted once in its project, nothing beyond the limit, everything freed at once.

After each test fsck compares what is counted with what is there (conftest), so a test that only pushes proves something too.
"""
import json
import random

import pytest

from harness import oci
from harness.client import codes
from harness.quota import API, OWN, Project
from harness.wait import together, wait_until
from harness.wire import unique


@pytest.fixture
def project(client, admin):
    return Project(client, admin, unique("quota"))


@pytest.fixture
def limited(client, admin):
    return Project(client, admin, unique("quota"), 100_000)


def size(*contents):
    """What these take together in one project: each blob and manifest once."""
    bodies = {}
    for content in contents:
        for blob in (*content.blobs, content.body):
            bodies[oci.digest_of(blob)] = len(blob)
    return sum(bodies.values())


# -- counting

def test_an_image_counts_its_blobs_and_its_manifest(project):
    content = oci.image("counted", layers=3)
    project.repository().push(content, "v1")
    assert project.used == size(content)
    project.repository().put_manifest(content, "v2")
    assert project.used == size(content)


def test_shared_in_a_project_counts_once_and_in_another_again(project, client, admin):
    one, two = oci.image("one", config=b"{}"), oci.image("two", config=b"{}")
    for rest in ("a", "b"):
        project.repository(rest).push(one, "v1")
        project.repository(rest).push(two, "v1")
    assert project.used == size(one, two)
    other = Project(client, admin, unique("quota"))
    other.repository().push(one, "v1")
    assert other.used == size(one)


def test_deleting_an_artifact_frees_what_no_other_uses(project):
    one, two = oci.image("f1", config=b'{"shared": 1}'), oci.image("f2", config=b'{"shared": 1}')
    repository = project.repository()
    repository.push(one, "one")
    project.repository("other").push(two, "two")
    repository.delete_manifest(one.digest)
    assert project.used == size(two)
    project.repository("other").delete_manifest(two.digest)
    assert project.used == 0


def test_what_is_freed_counts_again_when_a_manifest_refers_to_it(project):
    content = oci.image("again")
    repository = project.repository()
    repository.push(content, "v1")
    repository.delete_manifest(content.digest)
    assert project.used == 0
    repository.put_manifest(content, "v1")
    assert project.used == size(content)


def test_a_blob_that_no_manifest_needs_counts_until_it_is_deleted(project):
    digest = project.repository().push_blob(b"x" * 5000)
    assert project.used == 5000
    project.repository("b").mount(digest, f"{project.name}/app")
    assert project.used == 5000
    project.repository().delete_blob(digest)
    assert project.used == 5000
    project.repository("b").delete_blob(digest)
    assert project.used == 0


def test_an_index_with_its_children(project):
    index = oci.index([oci.image("c1"), oci.image("c2")])
    project.repository().push(index, "multi")
    assert project.used == size(index, *index.children)
    project.admin.delete(f"{API}/projects/{project.name}/repositories/app/artifacts/{index.digest}", expect=200)
    assert project.used == 0


def test_an_accessory_goes_with_its_subject(project):
    content = oci.image("subject")
    project.repository().push(content, "v1")
    signature = oci.artifact("application/vnd.example.signature", content.descriptor(), seed="sig")
    project.repository().push(signature)
    assert project.used == size(content, signature)
    project.admin.delete(f"{API}/projects/{project.name}/repositories/app/artifacts/v1", expect=200)
    assert project.used == 0


def test_deleting_a_repository(project):
    one, two = oci.image("r1", config=b'{"r": 1}'), oci.image("r2", config=b'{"r": 1}')
    project.repository("a").push(one, "v1")
    project.repository("a").push_blob(b"alone")
    project.repository("b").push(two, "v1")
    project.repository("b").push(one, "copy")
    project.admin.delete(f"{API}/projects/{project.name}/repositories/a", expect=200)
    assert project.used == size(one, two)
    project.admin.delete(f"{API}/projects/{project.name}/repositories/b", expect=200)
    assert project.all()["used"] == {"storage": 0, "repositories": 0, "tags": 0, "artifacts": 0}


def test_copying(project, client, admin):
    content = oci.image("copied")
    project.repository().push(content, "v1")
    target = Project(client, admin, unique("quota"))
    source = f"{project.name}/app:v1"
    admin.post(f"{API}/projects/{target.name}/repositories/new/artifacts?from={source}", expect=201)
    assert target.used == size(content)
    admin.post(f"{API}/projects/{target.name}/repositories/newer/artifacts?from={source}", expect=201)
    assert target.used == size(content)


def test_sha512_and_foreign_layers(project):
    content = oci.image("512", algorithm="sha512")
    project.repository().push(content, "v1")
    assert project.used == sum(map(len, content.blobs)) + len(content.body)
    foreign = oci.image("foreign")
    foreign = oci.Content(
        {**foreign.document, "layers": [{"mediaType": oci.OCI_NONDISTRIBUTABLE, "digest": oci.digest_of(b"f"), "size": 9999}]},
        foreign.media_type, foreign.blobs[:1])
    before = project.used
    project.repository().push(foreign, "foreign")
    assert project.used == before + size(foreign)


# -- limits

def test_a_blob_beyond_the_limit_is_refused(limited):
    repository = limited.repository()
    repository.push_blob(b"a" * 60_000)
    answer = repository.start_upload().put(oci.digest_of(b"b" * 40_001), b"b" * 40_001, expect=403)
    assert codes(answer) == ["DENIED"]
    detail = answer.json()["errors"][0]["detail"]
    assert "storage resource" in detail and "upper limit of 97.7 KiB" in detail
    repository.push_blob(b"c" * 40_000)
    assert limited.used == 100_000
    repository.start_upload().put(oci.digest_of(b"d"), b"d", expect=403)


@pytest.mark.parametrize("style", ["post-put", "single-post", "chunks", "chunks-last-in-put", "stream"])
def test_every_way_to_upload_is_refused(limited, style):
    limited.repository().push_blob(b"x" * 90_000)
    data = oci.random_bytes(30_000, style)
    try:
        limited.repository().push_blob(data, style=style, expect=403)
    except AssertionError as error:  # refused before the last request
        assert "403" in str(error)
    assert not limited.repository().has_blob(oci.digest_of(data))
    assert limited.used == 90_000


def test_what_the_project_has_needs_no_room(limited):
    limited.repository().push_blob(b"x" * 100_000)
    for style in ("post-put", "single-post"):
        limited.repository("b").push_blob(b"x" * 100_000, style=style)
    limited.repository("c").mount(oci.digest_of(b"x" * 100_000), f"{limited.name}/app")
    assert limited.used == 100_000


def test_a_mount_from_another_project_needs_room(project, limited):
    digest = project.repository().push_blob(b"m" * 60_000)
    limited.repository().push_blob(b"x" * 60_000)
    assert codes(limited.repository().mount(digest, f"{project.name}/app", expect=403)) == ["DENIED"]
    limited.limit(storage=120_000)
    limited.repository().mount(digest, f"{project.name}/app")
    assert limited.used == 120_000


def test_a_manifest_beyond_the_limit_is_refused_whole(limited):
    content = oci.image("manifest", layer_size=10)
    repository = limited.repository()
    for blob in content.blobs:
        repository.push_blob(blob)
    filler = 100_000 - size(content) + 1
    repository.push_blob(b"x" * filler)
    assert codes(repository.put_manifest(content, "v1", expect=403)) == ["DENIED"]
    repository.get_manifest(content.digest, expect=404)
    assert repository.tag_names() == []
    repository.delete_blob(oci.digest_of(b"x" * filler))
    repository.put_manifest(content, "v1")
    assert limited.used == size(content)


def test_a_copy_beyond_the_limit(project, limited):
    project.repository().push(oci.image("large", layer_size=150_000), "v1")
    limited.admin.post(f"{API}/projects/{limited.name}/repositories/new/artifacts?from={project.name}/app:v1", expect=403)
    assert limited.used < 100_000


def test_a_limit_below_what_is_used(project):
    content, small = oci.image("over", layer_size=50_000), oci.image("small", layer_size=10)
    project.repository().push(content, "v1")
    project.limit(storage=20_000)
    project.repository().start_upload().put(oci.digest_of(b"x"), b"x", expect=403)
    assert project.repository().get_manifest("v1").content == content.body
    project.repository().delete_manifest(content.digest)
    project.repository().push(small, "small")
    assert project.used == size(small)


def test_no_limit_again(limited):
    limited.repository().push_blob(b"x" * 100_000)
    limited.limit(storage=-1)
    limited.repository().push_blob(b"y" * 300_000)
    assert limited.used == 400_000
    assert limited.quota()["hard"] == {"storage": -1}


def test_exactly_the_limit(project):
    project.limit(storage=1)
    project.repository().push_blob(b"1")
    project.repository().start_upload().put(oci.digest_of(b"2"), b"2", expect=403)
    project.repository().push_blob(b"")
    assert project.used == 1


# -- counts

def test_counts(project):
    project.limit(repositories=2, tags=3, artifacts=2)
    one, two, three = (oci.image(f"count {n}") for n in range(3))
    repository = project.repository()
    repository.push(one, "a")
    repository.push(two, "b")
    repository.put_manifest(two, "c")
    assert codes(repository.put_manifest(two, "d", expect=403)) == ["DENIED"]
    repository.put_manifest(one, "c")
    for blob in three.blobs:
        repository.push_blob(blob)
    repository.put_manifest(three, expect=403)
    project.repository("b").push_blob(b"b")
    project.repository("c").start_upload(expect=403)
    assert project.all()["used"] == {"storage": project.used, "repositories": 2, "tags": 3, "artifacts": 2}
    assert project.quota()["hard"] == {"storage": -1, "repositories": 2, "tags": 3, "artifacts": 2}
    repository.delete_manifest("a")
    repository.put_manifest(two, "d")
    repository.delete_manifest(two.digest)
    repository.put_manifest(three, "e")
    assert project.all()["used"]["tags"] == 2


def test_tags_by_the_api(project):
    project.limit(tags=2)
    project.repository().push(oci.image("tags"), "one")
    path = f"{API}/projects/{project.name}/repositories/app/artifacts/one/tags"
    project.admin.post(path, body=json.dumps({"name": "two"}), expect=201)
    project.admin.post(path, body=json.dumps({"name": "three"}), expect=403)
    project.admin.delete(f"{path}/two", expect=200)
    project.admin.post(path, body=json.dumps({"name": "three"}), expect=201)
    assert project.all()["used"]["tags"] == 2


# -- the API

def test_list(client, admin):
    prefix = unique("quota")
    made = [Project(client, admin, f"{prefix}-{n}", 1000 + n) for n in range(3)]
    for n, one in enumerate(made):
        one.repository().push_blob(b"x" * (500 - n))
    ids = [one.id for one in made]
    for sort, expected in (("hard.storage", ids), ("-hard.storage", ids[::-1]), ("used.storage", ids[::-1]), ("-used.storage", ids)):
        found, page = [], 1
        while True:
            answer = admin.get(f"{API}/quotas", params={"sort": sort, "page": page, "page_size": 100}, expect=200)
            if not answer.json():
                break
            assert int(answer.headers["X-Total-Count"]) >= 3
            found += [quota["id"] for quota in answer.json() if quota["ref"]["name"].startswith(prefix)]
            page += 1
        assert found == expected, sort
    one = admin.get(f"{API}/quotas", params={"reference": "project", "reference_id": str(ids[1])}, expect=200)
    assert [quota["id"] for quota in one.json()] == [ids[1]] and one.headers["X-Total-Count"] == "1"
    assert one.json()[0]["ref"] == {"id": ids[1], "name": made[1].name, "owner_name": "admin"}
    for nothing in ({"reference": "tenant"}, {"reference_id": "x"}, {"reference_id": "0"}, {"reference_id": "999999999"}):
        assert admin.get(f"{API}/quotas", params=nothing, expect=200).json() == []


def test_the_trailing_slash_of_the_terraform_provider(admin, limited):
    pages, page = [], 1
    while True:
        quotas = admin.get(f"{API}/quotas/?page={page}&page_size=100", expect=200).json()
        if not quotas:
            break
        pages += quotas
        page += 1
    assert [quota["hard"] for quota in pages if quota["ref"]["id"] == limited.id] == [{"storage": 100_000}]


@pytest.mark.parametrize("body", [
    {}, {"hard": {}}, {"hard": None}, {"hard": 7}, {"hard": []}, {"hard": {"storage": 0}}, {"hard": {"storage": -2}},
    {"hard": {"storage": "1"}}, {"hard": {"storage": 1.5}}, {"hard": {"storage": 2**50 + 1}}, {"hard": {"storage": 2**63}},
    {"hard": {"storage": 2**64 + 5}}, {"hard": {"storage": -2**63}}, {"hard": {"cpu": 1}}, {"hard": {"storage": 5, "cpu": 1}},
    {"hard": {"tags": 0}}, {"hard": {"projects": 3}}, {"hard": {"storage": True}}, [], 7, "hard",
])
def test_bad_limits_change_nothing(limited, body):
    limited.admin.put(f"{API}/quotas/{limited.id}", body=json.dumps(body), expect=(400, 422))
    assert limited.quota()["hard"] == {"storage": 100_000}


def test_the_largest_limit(limited):
    limited.limit(storage=2**50, tags=2**50, artifacts=2**50, repositories=2**50)
    limited.repository().push(oci.image("largest"), "v1")
    assert limited.quota()["hard"]["storage"] == 2**50


def test_unknown_quotas(admin):
    for number in ("0", "999999999", "-1", "x", str(2**63)):
        admin.get(f"{API}/quotas/{number}", expect=(404, 422, 400))
        admin.put(f"{API}/quotas/{number}", body=json.dumps({"hard": {"storage": 1}}), expect=(404, 422, 400))
    admin.get(f"{OWN}/tenants/999999999/quota", expect=404)
    admin.put(f"{OWN}/tenants/999999999/quota", body=json.dumps({"hard": {"storage": 1}}), expect=404)


def test_a_deleted_project_has_no_quota(limited):
    limited.admin.delete(f"{API}/projects/{limited.name}", expect=200)
    limited.admin.get(f"{API}/quotas/{limited.id}", expect=404)
    assert limited.admin.get(f"{API}/quotas", params={"reference_id": str(limited.id)}, expect=200).json() == []


def test_own_api(limited):
    path = f"{OWN}/projects/{limited.name}/quota"
    answer = limited.admin.put(path, body=json.dumps({"hard": {"tags": 5}}), expect=200).json()
    assert answer["hard"] == {"storage": 100_000, "repositories": -1, "tags": 5, "artifacts": -1}
    assert answer["reserved_bytes"] == 0
    assert limited.admin.get(path, expect=200).json() == answer


def test_the_summary_has_it(limited):
    limited.repository().push_blob(b"x" * 10)
    summary = limited.admin.get(f"{API}/projects/{limited.name}/summary", expect=200).json()
    assert summary["quota"] == {"hard": {"storage": 100_000}, "used": {"storage": 10}}


def test_a_change_is_recorded(registry, limited):
    limited.limit(storage=5)
    details = registry.query(f"SELECT detail FROM audit_record WHERE project_id = {limited.id} AND resource_type = 'quota'")
    assert [json.loads(detail)["before"] for detail in details] == [{"storage": 100_000}]
    assert [json.loads(detail)["after"] for detail in details] == [{"storage": 5}]


# -- the configuration

@pytest.mark.own_server
def test_storage_per_project(registry, client, admin):
    put = lambda **settings: admin.put(f"{API}/configurations", body=json.dumps(settings), expect=200)
    put(storage_per_project=1234)
    one = Project(client, admin, "one")
    client.repository("pushed/app").push_blob(b"x")
    pushed = admin.get(f"{API}/projects/pushed", expect=200).json()["project_id"]
    for number in (one.id, pushed):
        assert admin.get(f"{API}/quotas/{number}", expect=200).json()["hard"] == {"storage": 1234}
    assert Project(client, admin, "two", -1).quota()["hard"] == {"storage": -1}
    one.repository().push_blob(b"x" * 1234)
    one.repository().start_upload().put(oci.digest_of(b"y"), b"y", expect=403)
    put(quota_per_project_enable=False)
    assert Project(client, admin, "three").quota()["hard"] == {"storage": -1}
    one.repository().push_blob(b"y")
    assert one.used == 1235
    put(quota_per_project_enable=True)
    one.repository().start_upload().put(oci.digest_of(b"z"), b"z", expect=403)


# -- tenants

@pytest.mark.own_server
def test_a_tenant(registry, client, admin):
    path = f"{OWN}/tenants/1/quota"
    put = lambda expect=200, **hard: admin.put(path, body=json.dumps({"hard": hard}), expect=expect).json()
    before = admin.get(path, expect=200).json()
    one, two = Project(client, admin, "t-one"), Project(client, admin, "t-two")
    assert admin.get(path, expect=200).json()["used"]["projects"] == before["used"]["projects"] + 2
    one.repository().push_blob(b"x" * 1000)
    two.repository().push_blob(b"x" * 1000)
    assert admin.get(path, expect=200).json()["used"]["storage"] == before["used"]["storage"] + 2000
    put(storage=before["used"]["storage"] + 2500, projects=before["used"]["projects"] + 2)
    one.repository().start_upload().put(oci.digest_of(b"y" * 501), b"y" * 501, expect=403)
    two.repository().push_blob(b"z" * 500)
    admin.post(f"{API}/projects", body=json.dumps({"project_name": "t-three"}), expect=403)
    admin.get(f"{API}/projects/t-three", expect=404)
    client.repository("t-pushed/app").start_upload(expect=403)
    admin.delete(f"{API}/projects/t-two/repositories/app", expect=200)
    admin.delete(f"{API}/projects/t-two", expect=200)
    Project(client, admin, "t-three")
    put(expect=400, storage=0)
    put(storage=-1, projects=-1)


# -- proof

@pytest.mark.own_server
def test_recount_finds_and_mends(registry, client, admin):
    project = Project(client, admin, "wrong", 100_000)
    content = oci.image("wrong")
    project.repository().push(content, "v1")
    nothing = admin.post(f"{OWN}/quotas/recount", expect=200).json()
    assert nothing == {"mended_rows": 0, "differences": []}
    registry.execute(
        f"UPDATE quota_stripe SET used_storage = used_storage + 7 WHERE scope = 2 AND holder_id = {project.id} AND stripe = 0",
        "DELETE FROM project_manifest",
        "INSERT INTO project_blob (project_id, blob_id, size_bytes) VALUES (999, 999, 9)",
    )
    status, output = registry.fsck()
    blobs = size(content) - len(content.body)
    assert status == 1 and f"project wrong: storage is {blobs}, not {size(content) + 7}" in output
    found = admin.post(f"{OWN}/quotas/recount", expect=200).json()
    assert found["mended_rows"] == 2
    wrong = next(one for one in found["differences"] if one["scope"] == "project")
    assert wrong["id"] == project.id and wrong["was"]["storage"] - wrong["is"]["storage"] == 7
    assert admin.post(f"{OWN}/quotas/recount", expect=200).json() == nothing
    assert project.used == size(content)


def churn(project, client, seed, rounds):
    """Random pushes, mounts, copies and deletes over a few contents that all share blobs."""
    random_ = random.Random(seed)
    for _ in range(rounds):
        content = oci.image(f"churn {random_.randrange(6)}", config=b'{"all": "share"}', layer_size=2000)
        repository = project.repository(f"r{random_.randrange(3)}", client)
        what = random_.random()
        if what < 0.45:
            for blob in content.blobs:
                digest = oci.digest_of(blob)
                repository.request(
                    "POST", f"{repository.base}/blobs/uploads/", params={"digest": digest}, body=blob, expect=(201, 403, 404))
            repository.put_manifest(content, f"t{random_.randrange(5)}", expect=(201, 403, 404))
        elif what < 0.6:
            repository.mount(oci.digest_of(content.blobs[1]), f"{project.name}/r{random_.randrange(3)}", expect=(201, 202, 403, 404))
        elif what < 0.75:
            repository.delete_manifest(content.digest, expect=(202, 404))
        elif what < 0.85:
            repository.delete_manifest(f"t{random_.randrange(5)}", expect=(202, 404))
        elif what < 0.95:
            repository.delete_blob(oci.digest_of(content.blobs[random_.randrange(2)]), expect=(202, 404))
        else:
            project.admin.delete(
                f"{API}/projects/{project.name}/repositories/{repository.name.split('/')[1]}", expect=(200, 404, 503))


@pytest.mark.expect_errors(503)
@pytest.mark.parametrize("limit", [-1, 20_000, 9_000])
def test_many_at_once_lose_no_byte(registry, client, admin, limit):
    """Whatever they do together, what is counted is what is there, and never above the limit."""
    project = Project(client, admin, unique("churn"), limit)
    seen = []

    def work(number):
        if number == 8:
            for _ in range(40):
                seen.append(project.used)
        else:
            churn(project, registry.client(), f"{limit}-{number}", 25)

    together(9, work)
    assert admin.post(f"{OWN}/quotas/recount", expect=200).json() == {"mended_rows": 0, "differences": []}
    assert limit < 0 or max(*seen, project.used) <= limit


def test_exactly_as_many_as_fit(registry, client, admin):
    """Sixteen clients race for room for ten: ten get it, whoever they are."""
    project = Project(client, admin, unique("race"), 10_000)
    project.repository().push_blob(b"")

    def work(number):
        data = oci.random_bytes(1000, f"race {number}")
        return registry.client().repository(f"{project.name}/app").start_upload().put(
            oci.digest_of(data), data, expect=(201, 403)).status_code

    answers = together(16, work)
    assert answers.count(201) == 10 and project.used == 10_000


# -- thresholds

@pytest.mark.own_server
@pytest.mark.settings(quota_warning_percent=80)
def test_a_threshold_is_reported_once_each_time_it_is_passed(registry, client, admin):
    project = Project(client, admin, "threshold", 1000)

    def reported():
        return [json.loads(detail)["after"]["threshold_percent"] for detail in registry.query(
            f"SELECT detail FROM audit_record WHERE project_id = {project.id} AND operation = 'pass' ORDER BY id")]

    project.repository().push_blob(b"a" * 799)
    project.repository().push_blob(b"b")
    wait_until(lambda: reported() == [80])
    project.repository().push_blob(b"c" * 100)
    project.repository().push_blob(b"d" * 100)
    wait_until(lambda: reported() == [80, 100])
    project.repository().delete_blob(oci.digest_of(b"a" * 799))
    wait_until(lambda: registry.query(f"SELECT warned_percent FROM quota WHERE holder_id = {project.id} AND scope = 2") in ([0], ["0"]))
    project.repository().push_blob(b"e" * 620)
    wait_until(lambda: reported() == [80, 100, 80])
    assert len([line for line in registry.log_text().splitlines() if "quota threshold" in line]) == 3
    project.limit(storage=821)
    wait_until(lambda: reported() == [80, 100, 80, 100])
