# SPDX-License-Identifier: Apache-2.0
"""A push of everything, which remembers what was acknowledged and can prove later that it is there."""
import requests

from harness import oci

NETWORK = (requests.exceptions.RequestException, OSError)


class Refused(Exception):
    """The server answered an error of its own; the push stops as a client would."""


class Workload:
    """One client's work. `verify` checks the acknowledged part against the restarted server."""

    def __init__(self, seed):
        self.seed = seed
        self.name = f"torture/{seed}"
        self.blobs = {}
        self.manifests = {}
        self.tags = {}
        self.referrers = []
        self.deleted = []
        self.maybe = set()

    def check(self, answer):
        """2xx passes; a failure of the server's own must be a proper error, then we stop."""
        if answer.status_code >= 400:
            assert answer.status_code in (400, 404, 416, 500, 503, 507), f"{answer.status_code}: {answer.text[:300]}"
            assert answer.json()["errors"][0]["code"]
            raise Refused(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:200]}")
        return answer

    def request(self, client, method, path, **options):
        headers = {"Authorization": client.basic(), **options.pop("headers", {})}
        return self.check(client.session.request(
            method, client.registry.url + path, headers=headers, timeout=60, allow_redirects=False, **options))

    def push_blob(self, client, data, algorithm="sha256", style="post-put"):
        base = f"/v2/{self.name}/blobs/uploads/"
        digest = oci.digest_of(data, algorithm)
        if style == "single":
            self.request(client, "POST", f"{base}?digest={digest}", data=data)
        else:
            location = self.request(client, "POST", base).headers["Location"]
            rest = data
            if style == "chunks":
                middle = len(data) // 2
                answer = self.request(client, "PATCH", location, data=data[:middle], headers={"Content-Range": f"0-{middle - 1}"})
                assert answer.headers["Range"] == f"0-{middle - 1}"
                location, rest = answer.headers["Location"], data[middle:]
            self.request(client, "PUT", f"{location.split('?')[0]}?digest={digest}", data=rest)
        self.blobs[digest] = data
        return digest

    def put_manifest(self, client, content, reference):
        previous = self.tags.get(reference)
        if ":" not in reference:
            self.maybe.add((reference, previous))
            self.maybe.add((reference, content.digest))
        self.request(client, "PUT", f"/v2/{self.name}/manifests/{reference}", data=content.body,
                     headers={"Content-Type": content.media_type})
        self.manifests[content.digest] = content.body
        if ":" not in reference:
            self.tags[reference] = content.digest
            self.maybe = {pair for pair in self.maybe if pair[0] != reference}

    def run(self, client):
        """Everything a client does; raises Refused or a network error where it ends early."""
        image = oci.image(f"{self.seed}/image", layers=2, layer_size=20_000)
        second = oci.image(f"{self.seed}/second", layers=1, layer_size=5_000)
        for blob, style in zip(image.blobs + second.blobs, ("single", "chunks", "post-put", "single", "chunks")):
            self.push_blob(client, blob, style=style)
        self.push_blob(client, oci.random_bytes(3_000, self.seed), "sha512", "chunks")
        self.put_manifest(client, image, "latest")
        self.put_manifest(client, second, "latest")
        index = oci.index([image, second])
        self.put_manifest(client, index, "multi")
        signature = oci.artifact("application/vnd.example.sig", index.descriptor(), seed=self.seed)
        for blob in signature.blobs:
            self.push_blob(client, blob)
        self.put_manifest(client, signature, signature.digest)
        self.referrers.append((index.digest, signature.digest))
        doomed = oci.image(f"{self.seed}/doomed", layers=0, config=image.blobs[0])
        self.put_manifest(client, doomed, "doomed")
        self.maybe.add(("doomed", None))
        self.maybe.add(("doomed", doomed.digest))
        self.manifests.pop(doomed.digest)
        self.request(client, "DELETE", f"/v2/{self.name}/manifests/{doomed.digest}")
        self.deleted.append(doomed.digest)
        self.tags.pop("doomed")

    def verify(self, client):
        repository = client.repository(self.name)
        for digest, data in self.blobs.items():
            assert repository.get_blob(digest).content == data, f"acknowledged blob {digest}"
        for digest, body in self.manifests.items():
            assert repository.get_manifest(digest).content == body, f"acknowledged manifest {digest}"
        for tag, digest in self.tags.items():
            allowed = {digest} | {value for name, value in self.maybe if name == tag}
            answer = repository.head_manifest(tag, expect=(200, 404) if None in allowed else 200)
            found = answer.headers.get("Docker-Content-Digest") if answer.status_code == 200 else None
            assert found in allowed, f"tag {tag} is {found}, not one of {allowed}"
        for subject, referrer in self.referrers:
            assert referrer in repository.referrer_digests(subject)
        for digest in self.deleted:
            repository.head_manifest(digest, expect=404)
