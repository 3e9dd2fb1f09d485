# SPDX-License-Identifier: Apache-2.0
"""Who speaks to the server: credentials, tokens, and answers that are always checked.

Every answer is looked at, whatever the test asked for: errors have the specification's shape and
codes, nothing of 500 and above passes unless the test says so, HEAD has no body, and nothing is ever
compressed on the way.
"""
import json
import re
import threading
import urllib.parse

import requests

from harness import oci, openapi, spec, swagger

CHALLENGE_PART = re.compile(r'(\w+)="([^"]*)"')
PULL_PUSH_DELETE = "pull,push,delete"


def parse_challenge(header):
    """("Bearer", {"realm": …}) from a WWW-Authenticate header; values must be quoted."""
    scheme, _, rest = header.partition(" ")
    return scheme, dict(CHALLENGE_PART.findall(rest))


def quoted(name):
    return urllib.parse.quote(name, safe="/")


def close_now(session):
    """Closes the connections now; Session.close() leaves that to the garbage collector."""
    for adapter in session.adapters.values():
        pools = adapter.poolmanager.pools
        for key in pools.keys():
            pools[key].close()
    session.close()


ADMIN_PASSWORD = "Correct-Horse-7"


class Clients:
    """Who is spoken to: a registry, or what stands in front of it. `clients` is the list of those that were made."""

    def client(self, username="admin", password=ADMIN_PASSWORD, **options):
        client = Client(self, username, password, **options)
        self.clients.append(client)
        return client

    def anonymous(self, **options):
        return self.client(None, None, **options)

    def drop_connections(self):
        for client in self.clients:
            client.close()


class Client:
    """auth is "bearer" (tokens from the realm, as all clients do), "basic", or "none"."""

    def __init__(self, registry, username, password, auth="bearer", keep_alive=True):
        self.registry = registry
        self.username = username
        self.password = password
        self.auth = auth
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.clear()
        self.session.headers["User-Agent"] = "berth-tests"
        if registry.host:
            self.session.headers["Host"] = registry.host
        if not keep_alive:
            self.session.headers["Connection"] = "close"
        self.tokens = {}
        self.lock = threading.Lock()
        if registry.tls:
            self.session.verify = str(registry.authority.certificate)

    def close(self):
        close_now(self.session)

    def reachable(self, url):
        """Where a URL of the server's leads: no name server knows the hosts of tenants."""
        own = f"{self.registry.scheme}://{self.registry.host}/"
        if not self.registry.host:
            return url
        assert url.startswith(own), f"{url} does not name {own}"
        return self.registry.url + url[len(own) - 1:]

    # -- tokens

    def realm(self):
        """The Bearer challenge of /v2/, or None when the server asks for no credentials."""
        registry = self.registry
        if registry.challenge is None:
            answer = self.session.get(registry.url + "/v2/", timeout=60)
            if answer.status_code == 403:  # a tenant that is suspended
                return {"realm": f"{registry.scheme}://{registry.host}/service/token", "service": "harbor-registry"}
            if answer.status_code == 200:
                registry.challenge = ()
            else:
                scheme, fields = parse_challenge(answer.headers["WWW-Authenticate"])
                assert scheme == "Bearer", answer.headers["WWW-Authenticate"]
                registry.challenge = fields
        return registry.challenge

    def fetch_token(self, *scopes, expect=200, username=None, password=None, **query):
        """One request to the token service; returns the parsed answer."""
        realm = self.realm()
        parameters = [("service", realm["service"])] + [("scope", scope) for scope in scopes]
        parameters += list(query.items())
        username = username or self.username
        credentials = (username, password or self.password) if username else None
        answer = self.session.get(self.reachable(realm["realm"]), params=parameters, auth=credentials, timeout=60)
        assert answer.status_code == expect, f"token service answers {answer.status_code}: {answer.text[:300]}"
        return answer.json()

    def token(self, *scopes):
        with self.lock:
            if scopes not in self.tokens:
                self.tokens[scopes] = self.fetch_token(*scopes)["token"]
            return self.tokens[scopes]

    def authorization(self, scopes):
        if self.auth == "none" or not self.realm():
            return None
        if self.auth == "basic":
            return requests.auth._basic_auth_str(self.username, self.password) if self.username else None
        return "Bearer " + self.token(*scopes)

    # -- requests

    def request(self, method, path, *, expect=None, scopes=(), headers=None, body=None, timeout=120, **options):
        """`expect` is a status or a tuple of them; without it anything below 500 passes."""
        headers = dict(headers or {})
        if "Authorization" not in headers:
            authorization = self.authorization(tuple(scopes))
            if authorization:
                headers["Authorization"] = authorization
        elif headers["Authorization"] is None:
            del headers["Authorization"]
        url = path if path.startswith("http") else self.registry.url + path
        answer = self.session.request(
            method, url, headers=headers, data=body, timeout=timeout, allow_redirects=False, **options
        )
        self.check(method, path, answer, expect, streamed=options.get("stream"))
        return answer

    def check(self, method, path, answer, expect, streamed=False):
        status = answer.status_code
        shown = "" if streamed else answer.content[:500]
        if expect is None:
            assert status < 500, f"{method} {path} answers {status}: {shown!r}"
        else:
            wanted = expect if isinstance(expect, tuple) else (expect,)
            assert status in wanted, f"{method} {path} answers {status}, not {expect}: {shown!r}"
        assert "Content-Encoding" not in answer.headers, f"{method} {path} is encoded"
        if streamed:
            return
        if method == "HEAD" or status in (204, 304):
            assert answer.content == b"", f"{method} {path} answers {status} with a body"
        elif status == 403 and path.startswith("/c/") and "redirect_location" in answer.text:
            assert set(answer.json()) == {"redirect_location"}, shown
        elif status == 404 and path == "/api/v2.0/ldap/users/import" and answer.content.startswith(b"["):
            pass  # Harbor's own: a list of those who could not be imported, which its description has
        elif status >= 400:
            plain = urllib.parse.urlsplit(path).path
            spec.check_error_body(plain, status, answer.headers.get("Content-Type", ""), answer.content)
        swagger.check(method, path, answer)
        openapi.check(method, path, answer)
        if path.startswith("/v2/"):
            assert answer.headers.get("Docker-Distribution-Api-Version") == "registry/2.0", (
                f"{method} {path}: Docker-Distribution-Api-Version is missing"
            )

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def put(self, path, **options):
        return self.request("PUT", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def patch(self, path, **options):
        return self.request("PATCH", path, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def repository(self, name):
        return Repository(self, name)

    # -- projects

    def make_project(self, name, public=False, expect=201):
        return self.post(
            "/api/v2.0/projects", expect=expect, headers={"Authorization": self.basic(), "Content-Type": "application/json"},
            body=json.dumps({"project_name": name, "metadata": {"public": "true" if public else "false"}}),
        )

    def publish_project(self, name, public=True, expect=200):
        return self.put(
            f"/api/v2.0/projects/{name}", expect=expect, headers={"Authorization": self.basic(), "Content-Type": "application/json"},
            body=json.dumps({"metadata": {"public": "true" if public else "false"}}),
        )

    def basic(self):
        return requests.auth._basic_auth_str(self.username, self.password)

    def catalog(self, expect=200, **query):
        return self.get("/v2/_catalog", params=query, scopes=("registry:catalog:*",), expect=expect)


def codes(answer):
    return [entry["code"] for entry in answer.json()["errors"]]


class Repository:
    def __init__(self, client, name):
        self.client = client
        self.name = name
        self.base = f"/v2/{quoted(name)}"
        self.scope = f"repository:{name}:{PULL_PUSH_DELETE}"

    def as_client(self, client):
        return Repository(client, self.name)

    def request(self, method, path, *, scopes=(), **options):
        return self.client.request(method, path, scopes=(self.scope, *scopes), **options)

    # -- blobs

    def blob_path(self, digest):
        return f"{self.base}/blobs/{digest}"

    def get_blob(self, digest, expect=200, **options):
        return self.request("GET", self.blob_path(digest), expect=expect, **options)

    def head_blob(self, digest, expect=200, **options):
        return self.request("HEAD", self.blob_path(digest), expect=expect, **options)

    def has_blob(self, digest):
        return self.head_blob(digest, expect=(200, 404)).status_code == 200

    def delete_blob(self, digest, expect=202):
        return self.request("DELETE", self.blob_path(digest), expect=expect)

    def start_upload(self, expect=202, **query):
        answer = self.request("POST", f"{self.base}/blobs/uploads/", params=query, expect=expect)
        return Upload(self, answer)

    def mount(self, digest, source=None, expect=201):
        query = {"mount": digest}
        scopes = ()
        if source is not None:
            query["from"] = source
            scopes = (f"repository:{source}:pull",)
        return self.request("POST", f"{self.base}/blobs/uploads/", params=query, scopes=scopes, expect=expect)

    def push_blob(self, data, algorithm="sha256", style="post-put", expect=201):
        """Pushes in one of the styles of `STYLES`; returns the digest."""
        digest = oci.digest_of(data, algorithm)
        answer = STYLES[style](self, data, digest, expect)
        if expect == 201:
            assert answer.headers["Location"].endswith(self.blob_path(digest)), answer.headers["Location"]
        return digest

    # -- manifests

    def manifest_path(self, reference):
        return f"{self.base}/manifests/{reference}"

    def put_manifest(self, content, reference=None, *, body=None, media_type=None, expect=201, headers=None, **options):
        body = content.body if body is None else body
        reference = reference or oci.digest_of(body)
        headers = dict(headers or {})
        media_type = media_type or (content.media_type if content else oci.OCI_MANIFEST)
        if media_type:
            headers.setdefault("Content-Type", media_type)
        return self.request("PUT", self.manifest_path(reference), body=body, headers=headers, expect=expect, **options)

    def get_manifest(self, reference, expect=200, accept="*/*", **options):
        headers = options.pop("headers", {})
        if accept:
            headers = {"Accept": accept, **headers}
        return self.request("GET", self.manifest_path(reference), expect=expect, headers=headers, **options)

    def head_manifest(self, reference, expect=200, **options):
        return self.request("HEAD", self.manifest_path(reference), expect=expect, **options)

    def delete_manifest(self, reference, expect=202):
        return self.request("DELETE", self.manifest_path(reference), expect=expect)

    def push(self, content, reference=None):
        """Pushes blobs, children and the manifest itself; returns the digest."""
        for child in content.children:
            self.push(child)
        algorithms = {entry["digest"].split(":")[0] for entry in described(content.document)} or {"sha256"}
        for blob in content.blobs:
            for algorithm in algorithms & {"sha256", "sha512"}:
                if not self.has_blob(oci.digest_of(blob, algorithm)):
                    self.push_blob(blob, algorithm)
        self.put_manifest(content, reference)
        return content.digest

    def insist(self, content, reference=None):
        """push() where there is no window at all: a blob may be collected before its manifest comes, and then it is sent again."""
        for _ in range(50):
            try:
                return self.push(content, reference)
            except AssertionError as refused:
                if "MANIFEST_BLOB_UNKNOWN" not in str(refused):
                    raise
        raise AssertionError(f"{content.digest} was never there as a whole")

    # -- lists

    def tags(self, expect=200, **query):
        return self.request("GET", f"{self.base}/tags/list", params=query, expect=expect)

    def tag_names(self):
        """All tags, following Link."""
        return self.follow(f"{self.base}/tags/list", "tags")

    def follow(self, path, key):
        found, pages = [], 0
        while path:
            answer = self.request("GET", path, expect=200)
            found += answer.json()[key]
            path = next_link(answer)
            pages += 1
            assert pages < 10000, "the list never ends"
        return found

    def referrers(self, digest, expect=200, **query):
        return self.request("GET", f"{self.base}/referrers/{digest}", params=query, expect=expect)

    def referrer_digests(self, digest, **query):
        path = f"{self.base}/referrers/{digest}"
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return [entry["digest"] for entry in self.follow(path, "manifests")]


def described(document):
    """Blob descriptors of a manifest."""
    return [document[key] for key in ("config",) if key in document] + document.get("layers", [])


def next_link(answer):
    """The path of rel="next", or None."""
    link = answer.headers.get("Link")
    if not link:
        return None
    assert link.startswith("<"), f"Link must start with <: {link!r}"
    target, _, rest = link[1:].partition(">")
    assert re.search(r';\s*rel="next"', rest), f'Link without rel="next": {link!r}'
    assert target.startswith("/"), f"Link must be relative: {link!r}"
    return target


class Upload:
    """A session; `location` follows what the server answers."""

    def __init__(self, repository, answer):
        self.repository = repository
        self.answer = answer
        self.locations = []
        self.follow(answer)

    def follow(self, answer):
        if "Location" in answer.headers:
            location = answer.headers["Location"]
            assert location.startswith("/v2/"), f"Location must be path-absolute: {location!r}"
            self.location = location
            self.locations.append(location)
        return answer

    @property
    def uuid(self):
        found = spec.UUID.search(self.location)
        assert found, f"no UUID in {self.location}"
        return found.group()

    def request(self, method, *, location=None, **options):
        return self.repository.request(method, location or self.location, **options)

    def patch(self, data, start=None, *, expect=202, headers=None, end=None, location=None, **options):
        """`start` sends Content-Range; a generator as `data` is sent in chunks."""
        headers = {"Content-Type": "application/octet-stream", **(headers or {})}
        if start is not None:
            end = start + len(data) - 1 if end is None else end
            headers["Content-Range"] = f"{start}-{end}"
        answer = self.request("PATCH", body=data, headers=headers, expect=expect, location=location, **options)
        return self.follow(answer) if answer.status_code == 202 else answer

    def put(self, digest, data=None, start=None, *, expect=201, headers=None, location=None, **options):
        headers = {"Content-Type": "application/octet-stream", **(headers or {})}
        if start is not None:
            headers["Content-Range"] = f"{start}-{start + len(data) - 1}"
        base = location or self.location
        joined = base + ("&" if "?" in base else "?") + urllib.parse.urlencode({"digest": digest})
        return self.repository.request("PUT", joined, body=data, headers=headers, expect=expect, **options)

    def get(self, expect=204, location=None):
        return self.request("GET", expect=expect, location=location)

    def size(self):
        """Bytes received so far, from the Range of GET; 0-0 means none or one."""
        first, last = self.get().headers["Range"].split("-")
        assert first == "0"
        return int(last) + 1

    def cancel(self, expect=204):
        return self.request("DELETE", expect=expect)


# -- the five ways clients push a blob

def push_post_put(repository, data, digest, expect):
    return repository.start_upload().put(digest, data, expect=expect)


def push_single_post(repository, data, digest, expect):
    return repository.request(
        "POST", f"{repository.base}/blobs/uploads/", params={"digest": digest}, body=data,
        headers={"Content-Type": "application/octet-stream"}, expect=expect,
    )


def push_chunks(repository, data, digest, expect):
    upload = repository.start_upload()
    step = max(1, len(data) // 3)
    for start in range(0, len(data), step):
        piece = data[start:start + step]
        answer = upload.patch(piece, start)
        assert answer.headers["Range"] == f"0-{start + len(piece) - 1}", answer.headers["Range"]
    return upload.put(digest, expect=expect)


def push_chunks_last_in_put(repository, data, digest, expect):
    upload = repository.start_upload()
    middle = len(data) // 2
    if middle:
        upload.patch(data[:middle], 0)
        return upload.put(digest, data[middle:], middle, expect=expect)
    return upload.put(digest, data, expect=expect)


def push_stream(repository, data, digest, expect):
    upload = repository.start_upload()
    step = max(1, len(data) // 5)
    upload.patch(data[start:start + step] for start in range(0, len(data), step))
    return upload.put(digest, expect=expect)


STYLES = {
    "post-put": push_post_put,
    "single-post": push_single_post,
    "chunks": push_chunks,
    "chunks-last-in-put": push_chunks_last_in_put,
    "stream": push_stream,
}
