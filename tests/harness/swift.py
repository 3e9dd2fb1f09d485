# SPDX-License-Identifier: Apache-2.0
"""A Swift server in memory, with a Keystone beside it, that does as it is told: it checks tokens, MD5s and manifests as strictly as
the real ones, and lies, refuses or breaks off where a test says so (harness/s3.py).

    with SwiftServer() as swift:
        swift.misbehave("PUT", "/segments/", "slow_down", times=2)

As a program it serves until its standard input ends, and says first where; or `make-container AUTH_URL CONTAINER USER KEY` makes a
container in a real one.
"""
import hashlib
import http.client
import json
import re
import sys
import urllib.parse
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from harness.s3 import Refusal, S3Server, Stored  # noqa: E402

CONTAINER, REGION = "berth", "north"
USER, KEY = "test:swift", "testsecret"
CREDENTIAL_ID, CREDENTIAL_SECRET = "21dced0fd20347869b93710d2b98aae0", "a-secret"
SEGMENTS_MAX = 1000


class Large:
    """What a manifest stands for: its segments, as they are now."""

    def __init__(self, objects, segments, upload):
        self.objects, self.segments, self.upload = objects, segments, upload
        self.etag = hashlib.md5("".join(etag for _, etag, _ in segments).encode()).hexdigest()
        self.content_type = "application/octet-stream"

    @property
    def bytes(self):
        if any(key not in self.objects for key, _, _ in self.segments):
            raise Refusal(409, "Conflict")
        return b"".join(self.objects[key].bytes for key, _, _ in self.segments)


class SwiftServer(S3Server):
    def __init__(self, *, lifetime_s=3600, bulk=True):
        self.lifetime_s, self.bulk = lifetime_s, bulk  # what it says of its tokens, which are good until they are revoked
        self.tokens = set()
        self.asked = self.refused = 0
        self.lists_manifests = False  # Ceph lists how long a manifest is, and not what it stands for
        super().__init__()

    def settings(self, v1=False, **more):
        """Options of a server that uses this one."""
        names = {"AUTH_URL": f"{self.url}/auth/v1.0", "USER": USER, "KEY": KEY} if v1 else {
            "AUTH_URL": self.url, "REGION": REGION, "APPLICATION_CREDENTIAL_ID": CREDENTIAL_ID,
            "APPLICATION_CREDENTIAL_SECRET": CREDENTIAL_SECRET,
        }
        return {"STORAGE_DRIVER": "swift", "STORAGE_SWIFT_CONTAINER": CONTAINER,
                **{f"STORAGE_SWIFT_{name}": value for name, value in names.items()}, **more}

    place = CONTAINER
    passes = ("slow_down", "rate", "internal", "reset", "half")
    no_body = ("HEAD", "DELETE", "PUT")
    strays = {"shared/segments/beef/00001-0": b"left", "shared/segments/x": b""}
    stray_words = ("beef", "segments/x")

    def prefix(self, prefix):
        return {"STORAGE_SWIFT_PREFIX": prefix}

    def left_of_uploads(self, prefix):
        return set(self.keys(f"{prefix}/uploads/"))

    def nobodys(self, prefix):
        """Folders of segments that no blob names, and those that one names and that are not there; unless an upload has them."""
        folders = {key.removeprefix(f"{prefix}/segments/").split("/")[0] for key in self.keys(f"{prefix}/segments/")}
        owners = {found.upload for key, found in self.objects.items() if key.startswith(f"{prefix}/blobs/") and isinstance(found, Large)}
        return (folders ^ owners) - {key.removeprefix(f"{prefix}/uploads/") for key in self.left_of_uploads(prefix)}

    def key_of(self, target):
        return urllib.parse.unquote(target.partition("?")[0]).split("/", 4)[4]

    def refusal_text(self, refusal):
        return f"<html><h1>{refusal.code}</h1></html>"

    def more_troubles(self, refuses):
        return {
            "unauthorized": refuses(401, "Unauthorized"),
            "not_found": refuses(404, "Not Found"),
            "too_large": refuses(413, "Request Entity Too Large"),
            "rate": refuses(498, "Rate Limited", fields=[("Retry-After", "0")]),
            "no_json": lambda request, body: request.send(200, [], "<html><br></html>"),
        }

    def revoke(self):
        with self.lock:
            self.tokens.clear()

    # -- tokens

    def new_token(self):
        self.asked += 1
        token = f"token-{next(self.numbers)}"
        self.tokens.add(token)
        return token

    def keystone(self, body):
        asked = json.loads(body)["auth"]["identity"]
        if asked["methods"] != ["application_credential"]:
            raise Refusal(400, "Bad Request")
        if asked["application_credential"] != {"id": CREDENTIAL_ID, "secret": CREDENTIAL_SECRET}:
            raise Refusal(401, "Unauthorized")
        now = datetime.now(timezone.utc)
        said = {name: (now + timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
                for name, s in (("issued_at", 0), ("expires_at", self.lifetime_s))}
        endpoints = [{"interface": interface, "region": region, "region_id": region, "url": url} for interface, region, url in (
            ("public", "south", "http://192.0.2.1/v1/AUTH_test"), ("admin", REGION, "http://192.0.2.1/v1"),
            ("public", REGION, f"{self.url}/v1/AUTH_test"),
        )]
        catalog = [{"type": "identity", "endpoints": []}, {"type": "object-store", "name": "swift", "endpoints": endpoints}]
        return 201, [("X-Subject-Token", self.new_token())], json.dumps({"token": {**said, "catalog": catalog}})

    def version_1(self, headers):
        if (headers.get("x-auth-user"), headers.get("x-auth-key")) != (USER, KEY):
            raise Refusal(401, "Unauthorized")
        return 200, [("X-Auth-Token", self.new_token()), ("X-Storage-Url", f"{self.url}/v1/AUTH_test"),
                     ("X-Auth-Token-Expires", str(self.lifetime_s))], ""

    # -- objects

    def put(self, key, query, headers, body):
        etag = hashlib.md5(body).hexdigest()
        if query.get("multipart-manifest") == "put":
            return self.put_manifest(key, headers, body)
        if headers.get("etag", etag) != etag:
            raise Refusal(422, "Unprocessable Entity")
        self.objects[key] = Stored(body)
        self.objects[key].content_type = headers.get("content-type", "application/octet-stream")
        return 201, [("ETag", etag)], ""

    def put_manifest(self, key, headers, body):
        segments = []
        for entry in json.loads(body):
            container, _, name = entry["path"].lstrip("/").partition("/")
            found = self.objects.get(name) if container == CONTAINER else None
            if found is None or found.etag != entry["etag"] or len(found.bytes) != entry["size_bytes"]:
                raise Refusal(400, "Bad Request")
            segments.append((name, entry["etag"], entry["size_bytes"]))
        if not 0 < len(segments) <= SEGMENTS_MAX:
            raise Refusal(413, "Request Entity Too Large")
        large = Large(self.objects, segments, headers.get("x-object-meta-berth-upload", ""))
        large.content_type = headers["content-type"]
        self.objects[key] = large
        return 201, [("ETag", f'"{large.etag}"')], ""

    def get(self, key, query, headers, body):
        found = self.object(key)
        large = isinstance(found, Large)
        fields = [("ETag", f'"{found.etag}"' if large else found.etag), ("Content-Type", found.content_type)]
        if large:
            fields += [("X-Static-Large-Object", "True"), ("X-Object-Meta-Berth-Upload", found.upload)]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        if not wanted:
            return 200, fields, found.bytes
        first = int(wanted[1])
        last = min(int(wanted[2] or len(found.bytes)), len(found.bytes) - 1)
        if first >= len(found.bytes):
            raise Refusal(416, "Requested Range Not Satisfiable")
        return 206, fields + [("Content-Range", f"bytes {first}-{last}/{len(found.bytes)}")], found.bytes[first:last + 1]

    def delete(self, key, query, headers, body):
        self.object(key)
        del self.objects[key]
        return 204, [], ""

    def bulk_delete(self, body):
        gone = [self.objects.pop(urllib.parse.unquote(line).partition("/")[2], None) is not None for line in body.decode().split()]
        return 200, [], json.dumps({"Number Deleted": sum(gone), "Number Not Found": gone.count(False), "Response Status": "200 OK",
                                    "Response Body": "", "Errors": []})

    def list(self, query):
        prefix, after = query.get("prefix", ""), query.get("marker", "")
        keys = [key for key in sorted(self.objects) if key.startswith(prefix) and key > after][:int(query.get("limit", "10000"))]
        return 200, [], json.dumps([
            {"name": key, "bytes": 171 if self.lists_manifests and isinstance(found, Large) else len(found.bytes),
             "hash": found.etag, "content_type": found.content_type}
            for key, found in ((key, self.objects[key]) for key in keys)
        ])

    def in_account(self, request, query, rest, headers, body):
        if headers.get("x-auth-token") not in self.tokens:
            self.refused += 1
            raise Refusal(401, "Unauthorized")
        container, _, key = rest.partition("/")
        if not container and request.command == "POST" and "bulk-delete" in query and self.bulk:
            return self.bulk_delete(body)
        if container != CONTAINER:
            raise Refusal(404, "Not Found")
        if not key:
            return self.list(query) if request.command == "GET" else (204, [], "")
        verbs = {"PUT": self.put, "GET": self.get, "HEAD": self.get, "DELETE": self.delete}
        return verbs[request.command](key, query, headers, body)

    def answer(self, request, body):
        path, _, query = request.path.partition("?")
        path = urllib.parse.unquote(path)
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self.lock:
            if (request.command, path) == ("POST", "/v3/auth/tokens"):
                return self.keystone(body)
            if path == "/auth/v1.0":
                return self.version_1(headers)
            if path == "/info":
                able = {"bulk_delete": {"max_deletes_per_request": 10000}} if self.bulk else {}
                return 200, [], json.dumps({"swift": {}, "slo": {"max_manifest_segments": SEGMENTS_MAX}, **able})
            account, rest = re.fullmatch(r"/v1/([^/]+)/?(.*)", path, re.S).groups()
            if account != "AUTH_test":
                raise Refusal(403, "Forbidden")
            return self.in_account(request, query, rest, headers, body)


def make_container(auth_url, container, user, key):
    place = urllib.parse.urlsplit(auth_url)
    connection = http.client.HTTPConnection(place.netloc, timeout=60)
    connection.request("GET", place.path, headers={"X-Auth-User": user, "X-Auth-Key": key})
    answer = connection.getresponse()
    answer.read()
    account = urllib.parse.urlsplit(answer.headers["X-Storage-Url"])
    connection.request("PUT", f"{account.path}/{container}", headers={"X-Auth-Token": answer.headers["X-Auth-Token"]})
    made = connection.getresponse()
    assert made.status in (201, 202), (made.status, made.read())


if __name__ == "__main__" and sys.argv[1:2] == ["make-container"]:
    make_container(*sys.argv[2:])
elif __name__ == "__main__":
    with SwiftServer() as started:
        print(f"{started.url}/auth/v1.0 {CONTAINER} {USER} {KEY}", flush=True)
        sys.stdin.read()
