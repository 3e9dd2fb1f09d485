# SPDX-License-Identifier: Apache-2.0
"""Many at once: two writers on one upload, racing tags, pushes and deletes of the same things."""
import threading

import pytest

from harness import oci
from harness.wait import together, wait_until
from harness.wire import Wire, request


def test_same_blob_from_many(registry, name):
    data = oci.random_bytes(200_000, "same")
    clients = [registry.client() for _ in range(8)]
    together(8, lambda number: clients[number].repository(name).push_blob(data))
    assert clients[0].repository(name).get_blob(oci.digest_of(data)).content == data


def test_same_blob_into_many_repositories(registry, name):
    data = oci.random_bytes(200_000, "everywhere")
    clients = [registry.client() for _ in range(8)]
    together(8, lambda number: clients[number].repository(f"{name}/{number}").push_blob(data))
    for number in range(8):
        assert clients[0].repository(f"{name}/{number}").get_blob(oci.digest_of(data)).content == data


def test_first_push_of_a_project_from_many(registry, name):
    """Eight clients race to make the project and the repository."""
    project = name.split("/")[1]
    clients = [registry.client() for _ in range(8)]
    together(8, lambda number: clients[number].repository(f"{project}/app").push(oci.image(f"race{number}"), f"t{number}"))
    assert clients[0].repository(f"{project}/app").tag_names() == [f"t{number}" for number in range(8)]


def test_pushes_into_one_repository(registry, name):
    clients = [registry.client() for _ in range(8)]

    def work(number):
        for round_ in range(5):
            clients[number].repository(name).push(oci.image(f"{number}/{round_}"), f"t{number}-{round_}")

    together(8, work)
    assert len(clients[0].repository(name).tag_names()) == 40


def test_racing_tag_ends_on_one_of_them(registry, name):
    contents = [oci.image(f"racer{number}") for number in range(8)]
    clients = [registry.client() for _ in range(8)]
    for content in contents:
        clients[0].repository(name).push(content)

    def work(number):
        for _ in range(5):
            clients[number].repository(name).put_manifest(contents[number], "latest")

    together(8, work)
    last = clients[0].repository(name).get_manifest("latest")
    assert last.content in [content.body for content in contents]
    assert oci.digest_of(last.content) == last.headers["Docker-Content-Digest"]


@pytest.mark.parametrize("tag_exists", [True, False])
def test_a_precondition_lets_one_writer_win(registry, name, tag_exists):
    """If-Match on what is there, If-None-Match: * on what is not: one of eight writes, seven see 412."""
    contents = [oci.image(f"writer{number}") for number in range(8)]
    clients = [registry.client() for _ in range(8)]
    for content in contents:
        clients[0].repository(name).push(content)
    headers = {"If-None-Match": "*"}
    if tag_exists:
        base = oci.image("base")
        clients[0].repository(name).push(base, "list")
        headers = {"If-Match": f'"{base.digest}"'}
    answers = together(8, lambda number: clients[number].repository(name).put_manifest(
        contents[number], "list", headers=headers, expect=(201, 412)).status_code)
    assert sorted(answers) == [201] + [412] * 7
    assert clients[0].repository(name).get_manifest("list").content == contents[answers.index(201)].body


def test_referrers_from_many(registry, name):
    """Attaching at the same time loses none; with fallback tags it would."""
    subject = oci.image("subject")
    clients = [registry.client() for _ in range(8)]
    clients[0].repository(name).push(subject)
    contents = [oci.artifact("application/vnd.example", subject.descriptor(), seed=number) for number in range(8)]
    together(8, lambda number: clients[number].repository(name).push(contents[number]))
    assert sorted(clients[0].repository(name).referrer_digests(subject.digest)) == sorted(content.digest for content in contents)


def test_push_against_delete_never_answers_nonsense(registry, name):
    """A pull meets either the manifest or 404, and never a manifest without its blobs being readable."""
    content = oci.image("flicker")
    clients = [registry.client() for _ in range(4)]
    clients[0].repository(name).push(content, "v1")

    def work(number):
        repository = clients[number].repository(name)
        for _ in range(15):
            if number == 0:
                repository.push(content, "v1")
            elif number == 1:
                repository.delete_manifest(content.digest, expect=(202, 404))
            else:
                answer = repository.get_manifest("v1", expect=(200, 404))
                assert answer.status_code == 404 or answer.content == content.body

    together(4, work)
    clients[0].repository(name).push(content, "v1")
    assert clients[0].repository(name).get_manifest("v1").content == content.body


def test_blob_push_against_blob_delete(registry, name):
    data = oci.random_bytes(5000, "flicker")
    digest = oci.digest_of(data)
    clients = [registry.client() for _ in range(4)]

    def work(number):
        repository = clients[number].repository(f"{name}/{number % 2}")
        for _ in range(10):
            if number < 2:
                repository.push_blob(data)
            else:
                repository.delete_blob(digest, expect=(202, 404))
            answer = repository.get_blob(digest, expect=(200, 404))
            assert answer.status_code == 404 or answer.content == data

    together(4, work)
    for number in (0, 1):
        clients[0].repository(f"{name}/{number}").push_blob(data)
        assert clients[0].repository(f"{name}/{number}").get_blob(digest).content == data


# -- two writers on one upload (distribution#2593)

def slow_patch(registry, repo, upload, length, *, content_range=True):
    """A PATCH whose body has not come yet."""
    headers = {"Content-Length": length}
    if content_range:
        headers["Content-Range"] = f"0-{length - 1}"
    authorization = repo.client.authorization((repo.scope,))
    if authorization:
        headers["Authorization"] = authorization
    wire = Wire(registry)
    wire.send(request("PATCH", upload.location, headers))
    return wire


@pytest.mark.parametrize("content_range", [True, False])
def test_second_writer_never_interleaves(registry, repo, content_range):
    first, second = oci.random_bytes(40_000, "first"), oci.random_bytes(40_000, "second")
    upload = repo.start_upload()
    wire = slow_patch(registry, repo, upload, len(first), content_range=content_range)
    wire.send(first[:20_000])
    wait_until(lambda: arrived(registry) or True, what="the first half")
    done = []
    rival = threading.Thread(target=lambda: done.append(
        upload.patch(second, 0 if content_range else None, expect=(202, 416))))
    rival.start()
    wire.send(first[20_000:])
    answer = wire.answer()
    wire.close()
    rival.join(60)
    assert done, "the second writer got no answer"
    statuses = (answer.status, done[0].status_code)
    if content_range:
        assert sorted(statuses) == [202, 416], statuses
        whole = first if answer.status == 202 else second
    else:
        assert set(statuses) <= {202, 416}, statuses
        whole = {(202, 416): (first,), (416, 202): (second,), (202, 202): (first + second, second + first)}[statuses]
    have = upload.size()
    if content_range:
        assert have == len(whole)
        upload.put(oci.digest_of(whole))
    else:
        assert have in {len(candidate) for candidate in whole}
        results = [upload.put(oci.digest_of(candidate), expect=(201, 400, 404)).status_code for candidate in whole]
        assert 201 in results or len(whole) == 2, results


def arrived(registry):
    return sum(path.stat().st_size for path in registry.stored_files("uploads"))


def test_session_is_free_once_its_answer_is_out(registry, repo):
    """The 202 of a PATCH is the sign to go on; on another connection, as skopeo does, this must not meet the writer."""
    headers = {}
    authorization = repo.client.authorization((repo.scope,))
    if authorization:
        headers["Authorization"] = authorization
    with Wire(registry) as first, Wire(registry) as second:
        for number in range(200):
            data = oci.random_bytes(2_000, number)
            first.send(request("POST", f"{repo.base}/blobs/uploads/", headers))
            location = first.answer().header("location")
            first.send(request("PATCH", location, headers, data))
            assert first.answer().status == 202
            second.send(request("PUT", f"{location}?digest={oci.digest_of(data)}", {**headers, "Content-Length": "0"}))
            answer = second.answer()
            assert answer.status == 201, f"upload {number}: {answer}"


def test_put_while_a_patch_runs(registry, repo):
    data = oci.random_bytes(50_000, "running")
    upload = repo.start_upload()
    wire = slow_patch(registry, repo, upload, len(data))
    wire.send(data[:25_000])
    done = []
    rival = threading.Thread(target=lambda: done.append(upload.put(oci.digest_of(data), expect=(201, 400, 404, 416)).status_code))
    rival.start()
    wire.send(data[25_000:])
    status = wire.answer().status
    wire.close()
    rival.join(60)
    assert done and status in (202, 404, 416), (status, done)
    if done[0] != 201 and status == 202:
        upload.put(oci.digest_of(data), expect=(201, 404))
    if done[0] == 201:
        assert repo.get_blob(oci.digest_of(data)).content == data


def test_cancel_while_a_patch_runs(registry, repo):
    upload = repo.start_upload()
    wire = slow_patch(registry, repo, upload, 1000)
    wire.send(b"x" * 500)
    upload.cancel(expect=(204, 400, 404, 409, 416))
    wire.send(b"x" * 500)
    assert wire.answer().status in (202, 400, 404, 416)
    wire.close()
    upload.request("DELETE", expect=(204, 404))


def test_abandoned_writer_frees_the_session(registry, repo):
    """The client vanished in the middle: the next one goes on from what arrived."""
    data = oci.random_bytes(100_000, "vanish")
    upload = repo.start_upload()
    wire = slow_patch(registry, repo, upload, len(data))
    wire.send(data[:50_000])
    wire.reset()

    def resumed():
        answer = upload.request("GET")
        done = int(answer.headers["Range"].split("-")[1]) + 1
        done = 0 if done == 1 else done
        return upload.patch(data[done:], done, expect=(202, 416)).status_code == 202

    wait_until(resumed, timeout=30, step=0.05, what="the session being free again")
    upload.put(oci.digest_of(data))
    assert repo.get_blob(oci.digest_of(data)).content == data


def test_uploads_beside_each_other(registry, name):
    """Sessions do not mix though their chunks arrive in turns."""
    clients = [registry.client() for _ in range(6)]

    def work(number):
        repository = clients[number].repository(name)
        data = oci.random_bytes(30_000, f"beside{number}")
        upload = repository.start_upload()
        for start in range(0, len(data), 5_000):
            upload.patch(data[start:start + 5_000], start)
        upload.put(oci.digest_of(data))
        assert repository.get_blob(oci.digest_of(data)).content == data

    together(6, work)


def test_readers_beside_a_writer(registry, name):
    contents = [oci.image(f"version{number}") for number in range(10)]
    writer, readers = registry.client(), [registry.client() for _ in range(4)]
    writer.repository(name).push(contents[0], "latest")
    bodies = {content.body for content in contents}
    stop = threading.Event()

    def work(number):
        if number == 0:
            for content in contents:
                writer.repository(name).push(content, "latest")
            stop.set()
            return
        repository = readers[number - 1].repository(name)
        while not stop.is_set():
            answer = repository.get_manifest("latest")
            assert answer.content in bodies
            assert oci.digest_of(answer.content) == answer.headers["Docker-Content-Digest"]

    together(5, work)
    for reader in readers:
        assert reader.repository(name).get_manifest("latest").content == contents[-1].body


def test_a_delete_is_seen_by_every_connection_at_once(registry, name):
    """No cache serves what a request deleted after that request was answered."""
    clients = [registry.client() for _ in range(4)]
    repository = clients[0].repository(name)
    for number in range(10):
        content = oci.image(f"gone{number}")
        repository.push(content, "v1")
        for client in clients:
            client.repository(name).get_manifest("v1")
            client.repository(name).get_blob(oci.digest_of(content.blobs[0]))
        repository.delete_manifest(content.digest)
        repository.delete_blob(oci.digest_of(content.blobs[0]))
        for client in clients:
            client.repository(name).head_manifest("v1", expect=404)
            client.repository(name).get_manifest(content.digest, expect=404)
            client.repository(name).head_blob(oci.digest_of(content.blobs[0]), expect=404)
