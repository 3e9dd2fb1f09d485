# SPDX-License-Identifier: Apache-2.0
"""An S3 server in memory that does as it is told: it checks signatures, payloads and parts as strictly as the real ones,
and lies, refuses or breaks off where a test says so.

    with S3Server() as s3:
        s3.misbehave("PUT", "/blobs/", "slow_down", times=2)

As a program it serves until its standard input ends, and says first where; or `make-bucket URL BUCKET ACCESS_KEY SECRET_KEY` makes
a bucket in a real one.
"""
import collections
import hashlib
import hmac
import http.client
import http.server
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse
import xml.sax.saxutils
from datetime import datetime, timezone

ACCESS_KEY, SECRET_KEY, BUCKET, REGION = "test", "testsecret", "berth", "us-east-1"
PART_BYTES_MIN = 5 << 20
KEYS_REMOVED_MAX = 1000


class Refusal(Exception):
    def __init__(self, status, code, message="no", fields=(), extra=""):
        super().__init__(code)
        self.status, self.code, self.message, self.fields, self.extra = status, code, message, list(fields), extra


class Stored:
    content_type = "application/octet-stream"

    def __init__(self, bytes_, etag=None):
        self.bytes = bytes_
        self.etag = etag or hashlib.md5(bytes_).hexdigest()
        self.held = False  # a legal hold is on it: it cannot be removed


class Trouble:
    def __init__(self, method, pattern, kind, times, skip):
        self.method, self.pattern, self.kind, self.times, self.skip = method, re.compile(pattern), kind, times, skip

    def strikes(self, method, target):
        if method != self.method or not self.pattern.search(target) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


def escape(text):
    return xml.sax.saxutils.escape(text, {'"': "&quot;"})


def quote(text):
    return urllib.parse.quote(text, safe="")


def signature_of(secret, region, date, method, target, fields, payload):
    """Of a request whose target is escaped as it is signed; fields by lower-case names."""
    path, _, query = target.partition("?")
    pairs = sorted(tuple(pair.partition("=")[::2]) for pair in query.split("&") if pair)
    canonical = "\n".join([
        method, path, "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{' '.join(fields[name].split())}" for name in sorted(fields)), "",
        ";".join(sorted(fields)), payload,
    ])
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for step in (date[:8], region, "s3", "aws4_request", text):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return key.hex()


def ask(url, access_key, secret, method, target, body=b"", region=REGION):
    """(status, bytes) of one signed request."""
    host = urllib.parse.urlsplit(url).netloc
    date = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    fields = {"host": host, "x-amz-content-sha256": hashlib.sha256(body).hexdigest(), "x-amz-date": date}
    signature = signature_of(secret, region, date, method, target, fields, fields["x-amz-content-sha256"])
    fields["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={access_key}/{date[:8]}/{region}/s3/aws4_request, "
                               f"SignedHeaders={';'.join(sorted(fields))}, Signature={signature}")
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request(method, target, body, fields)
    answer = connection.getresponse()
    return answer.status, answer.read()


def presign(url, access_key, secret, target, expires_s=3600, region=REGION):
    """A URL by which anybody may GET it for a while."""
    host = urllib.parse.urlsplit(url).netloc
    date = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    query = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{access_key}/{date[:8]}/{region}/s3/aws4_request",
             "X-Amz-Date": date, "X-Amz-Expires": expires_s, "X-Amz-SignedHeaders": "host"}
    target += "?" + "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
    return f"{url}{target}&X-Amz-Signature={signature_of(secret, region, date, 'GET', target, {'host': host}, 'UNSIGNED-PAYLOAD')}"


class S3Server:
    def __init__(self, *, secret=SECRET_KEY, region=REGION, session_token=None):
        self.secret, self.region, self.session_token = secret, region, session_token
        self.checks_payloads = True
        self.meeting = None  # a threading.Barrier for the trouble "together"
        self.victim = None  # a registry, for the trouble "killed"
        self.ahead_s = 0  # how far its clock is ahead, for who brings a presigned URL
        self.objects = {}
        self.uploads = {}  # id: (key, {number: Stored})
        self.troubles = []
        self.seen = collections.Counter()  # "PUT blob", "GET state", …
        self.requests = []  # (method, target)
        self.lock = threading.RLock()
        self.numbers = iter(range(1, 1 << 60))
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"
        threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()

    def settings(self, **more):
        """Options of a server that uses this one."""
        return {
            "STORAGE_DRIVER": "s3", "STORAGE_S3_ENDPOINT": self.url, "STORAGE_S3_BUCKET": BUCKET,
            "STORAGE_S3_ACCESS_KEY": ACCESS_KEY, "STORAGE_S3_SECRET_KEY": self.secret, **more,
        }

    # What the tests of any such server ask (harness/remote.py)

    place = BUCKET
    passes = ("slow_down", "internal", "reset", "half")  # troubles that may pass
    no_body = ("HEAD", "DELETE")  # whose answers cannot be cut in the middle
    strays, stray_words = {}, ()

    def prefix(self, prefix):
        return {"STORAGE_S3_PREFIX": prefix}

    def left_of_uploads(self, prefix):
        """States, data, and what is in parts."""
        return set(self.keys(f"{prefix}/uploads/")) | {("parts", key) for key, _ in self.uploads.values() if key.startswith(prefix)}

    def nobodys(self, prefix):
        """Bytes that neither an upload nor a blob has."""
        return set()

    def misbehave(self, method, pattern, kind, times=1, skip=0):
        """`times` requests of this method whose target the pattern is found in go wrong; -1: all."""
        with self.lock:
            self.troubles.append(Trouble(method, pattern, kind, times, skip))

    def behave(self):
        with self.lock:
            self.troubles.clear()

    def trouble(self, method, target):
        with self.lock:
            self.requests.append((method, target))
            for trouble in self.troubles:
                if trouble.strikes(method, target):
                    return trouble.kind
        return None

    def key_of(self, target):
        """The key that the target of a request names."""
        return urllib.parse.unquote(target.partition("?")[0]).split("/", 2)[2]

    def refusal_text(self, refusal):
        return (f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{refusal.code}</Code>'
                f"<Message>{refusal.message}</Message>{refusal.extra}</Error>")

    def more_troubles(self, refuses):
        return {}

    def keys(self, prefix=""):
        with self.lock:
            return sorted(key for key in self.objects if key.startswith(prefix))

    # -- signatures

    def check_signature(self, request):
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
            request.headers.get("Authorization", ""),
        )
        if not found:
            raise Refusal(403, "AccessDenied", "not signed")
        access_key, day, region, names, signature = found.groups()
        if access_key != ACCESS_KEY:
            raise Refusal(403, "InvalidAccessKeyId")
        if region != self.region:
            raise Refusal(400, "AuthorizationHeaderMalformed", "wrong region", extra=f"<Region>{self.region}</Region>")
        if self.session_token and request.headers.get("x-amz-security-token") != self.session_token:
            raise Refusal(400, "ExpiredToken")
        date = request.headers["x-amz-date"]
        at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        if abs(at - time.time()) > 900:
            raise Refusal(403, "RequestTimeTooSkewed")
        fields = {name: request.headers[name] for name in names.split(";")}
        if signature_of(self.secret, region, date, request.command, request.path, fields, fields["x-amz-content-sha256"]) != signature:
            raise Refusal(403, "SignatureDoesNotMatch")

    def check_presigned(self, request):
        target, _, signature = request.path.partition("&X-Amz-Signature=")
        if "Authorization" in request.headers:
            raise Refusal(400, "InvalidArgument", "signed twice")
        query = dict(urllib.parse.parse_qsl(target.partition("?")[2], keep_blank_values=True))
        wanted = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"]
        if [name for name in wanted if name not in query] or query["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256":
            raise Refusal(400, "AuthorizationQueryParametersError")
        access_key, *scope = query["X-Amz-Credential"].split("/")
        date, expires = query["X-Amz-Date"], int(query["X-Amz-Expires"])
        if access_key != ACCESS_KEY:
            raise Refusal(403, "InvalidAccessKeyId")
        if scope != [date[:8], self.region, "s3", "aws4_request"] or not 1 <= expires <= 604800:
            raise Refusal(400, "AuthorizationQueryParametersError")
        if query.get("X-Amz-Security-Token") != self.session_token:
            raise Refusal(400, "InvalidToken")
        fields = {name: request.headers[name] for name in query["X-Amz-SignedHeaders"].split(";")}
        if signature_of(self.secret, self.region, date, request.command, target, fields, "UNSIGNED-PAYLOAD") != signature:
            raise Refusal(403, "SignatureDoesNotMatch")
        at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        if not at - 900 <= time.time() + self.ahead_s <= at + expires:
            raise Refusal(403, "AccessDenied", "Request has expired")

    # -- objects

    def object(self, key):
        if key not in self.objects:
            raise Refusal(404, "NoSuchKey")
        return self.objects[key]

    def source(self, headers):
        bucket, _, key = urllib.parse.unquote(headers["x-amz-copy-source"]).lstrip("/").partition("/")
        if bucket != BUCKET:
            raise Refusal(404, "NoSuchBucket")
        return self.object(key)

    def upload(self, query):
        if query["uploadId"] not in self.uploads:
            raise Refusal(404, "NoSuchUpload")
        return self.uploads[query["uploadId"]]

    def put(self, key, query, headers, body):
        if "partNumber" in query:
            return self.put_part(query, headers, body)
        if "legal-hold" in query:
            self.object(key).held = b"<Status>ON</Status>" in body
            return 200, [], ""
        if "x-amz-copy-source" in headers:
            source = self.source(headers)
            self.objects[key] = Stored(source.bytes)
            return 200, [], f'<CopyObjectResult><ETag>"{self.objects[key].etag}"</ETag></CopyObjectResult>'
        self.objects[key] = Stored(body)
        return 200, [("ETag", f'"{self.objects[key].etag}"')], ""

    def put_part(self, query, headers, body):
        parts = self.upload(query)[1]
        number = int(query["partNumber"])
        if "x-amz-copy-source" in headers:
            first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", headers["x-amz-copy-source-range"]).groups()
            source = self.source(headers)
            if int(last) >= len(source.bytes):
                raise Refusal(400, "InvalidRange")
            parts[number] = Stored(source.bytes[int(first):int(last) + 1])
            return 200, [], f'<CopyPartResult><ETag>"{parts[number].etag}"</ETag></CopyPartResult>'
        parts[number] = Stored(body)
        return 200, [("ETag", f'"{parts[number].etag}"')], ""

    def get(self, key, query, headers, body):
        found = self.object(key)
        if headers.get("if-match", f'"{found.etag}"') != f'"{found.etag}"':
            raise Refusal(412, "PreconditionFailed")
        fields = [("ETag", f'"{found.etag}"'), ("Accept-Ranges", "bytes")]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        if not wanted:
            return 200, fields, found.bytes
        first = int(wanted[1])
        last = min(int(wanted[2] or len(found.bytes)), len(found.bytes) - 1)
        if first >= len(found.bytes):
            raise Refusal(416, "InvalidRange")
        return 206, fields + [("Content-Range", f"bytes {first}-{last}/{len(found.bytes)}")], found.bytes[first:last + 1]

    def delete(self, key, query, headers, body):
        if "uploadId" in query:
            self.upload(query)
            del self.uploads[query["uploadId"]]
        else:
            self.remove(key)
        return 204, [], ""

    def remove(self, key):
        if key in self.objects and self.objects[key].held:
            raise Refusal(403, "AccessDenied", "held")
        self.objects.pop(key, None)

    def remove_named(self, keys):
        refused = ""
        if len(keys) > KEYS_REMOVED_MAX:
            raise Refusal(400, "MalformedXML")
        for key in keys:
            try:
                self.remove(key)
            except Refusal as refusal:
                refused += f"<Error><Key>{escape(key)}</Key><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
        return 200, [], f"<DeleteResult>{refused}</DeleteResult>"

    def post(self, key, query, headers, body):
        if "uploads" in query:
            upload_id = f"2~{next(self.numbers)}"
            self.uploads[upload_id] = (key, {})
            return 200, [], f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
        if "delete" in query:
            return self.remove_named([xml.sax.saxutils.unescape(name.decode()) for name in re.findall(rb"<Key>(.*?)</Key>", body)])
        return self.complete(key, query, body)

    def complete(self, key, query, body):
        parts = self.upload(query)[1]
        listed = re.findall(rb"<PartNumber>(\d+)</PartNumber><ETag>(?:&quot;|\")?([^<&\"]+)", body)
        pieces = []
        for place, (number, etag) in enumerate(listed, 1):
            part = parts.get(int(number))
            if part is None or part.etag != etag.decode():
                raise Refusal(400, "InvalidPart")
            if place < len(listed) and len(part.bytes) < PART_BYTES_MIN:
                raise Refusal(400, "EntityTooSmall")
            pieces.append(part)
        whole = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in pieces)).hexdigest()
        self.objects[key] = Stored(b"".join(part.bytes for part in pieces), f"{whole}-{len(pieces)}")
        del self.uploads[query["uploadId"]]
        return 200, [], (f'<CompleteMultipartUploadResult><ETag>"{self.objects[key].etag}"</ETag>'
                         "</CompleteMultipartUploadResult>")

    def bucket(self, query):
        prefix = query.get("prefix", "")
        if "uploads" in query:
            found = "".join(
                f"<Upload><Key>{escape(key)}</Key><UploadId>{upload_id}</UploadId></Upload>"
                for upload_id, (key, _) in sorted(self.uploads.items(), key=lambda item: item[1][0]) if key.startswith(prefix)
            )
            return 200, [], f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{found}</ListMultipartUploadsResult>"
        limit, after = int(query.get("max-keys", "1000")), query.get("continuation-token", "")
        keys = [key for key in sorted(self.objects) if key.startswith(prefix) and key > after]
        page = keys[:limit]
        found = "".join(
            f"<Contents><Key>{quote(key)}</Key><Size>{len(self.objects[key].bytes)}</Size></Contents>" for key in page
        )
        more = len(keys) > limit
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return 200, [], (f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
                         f"{token}{found}</ListBucketResult>")

    def answer(self, request, body):
        presigned = "X-Amz-Signature=" in request.path
        (self.check_presigned if presigned else self.check_signature)(request)
        named = request.headers["x-amz-content-sha256"]
        if not presigned and self.checks_payloads and named not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
            raise Refusal(400, "XAmzContentSHA256Mismatch")
        path, _, query = request.path.partition("?")
        if request.headers["Host"].startswith(f"{BUCKET}."):  # as its first label, and not in the path
            path = f"/{BUCKET}{path}"
        bucket, _, key = urllib.parse.unquote(path).lstrip("/").partition("/")
        query = {name: value for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True)}
        if bucket != BUCKET:
            raise Refusal(404, "NoSuchBucket")
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self.lock:
            if not key and request.command in ("GET", "HEAD"):
                return self.bucket(query)
            verbs = {"PUT": self.put, "GET": self.get, "HEAD": self.get, "DELETE": self.delete, "POST": self.post}
            status, fields, content = verbs[request.command](key, query, headers, body)
            said = [(name[9:], value) for name, value in query.items() if name.startswith("response-")]
            return status, fields + said, content

    # -- the wire

    def handler(self):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except (ConnectionError, ValueError):
                    self.close_connection = True

            def reset(self):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()

            def send(self, status, fields, content, *, length=None, cut=None):
                content = content.encode() if isinstance(content, str) else content
                self.send_response(status)
                for name, value in fields:
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(content) if length is None else length))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content if cut is None else content[:cut])
                if cut is not None:
                    self.wfile.flush()
                    self.reset()

            def refuse(self, refusal):
                self.send(refusal.status, refusal.fields, server.refusal_text(refusal))

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                trouble = server.trouble(self.command, self.path)
                try:
                    if trouble:
                        troubles[trouble](self, body)
                    else:
                        self.send(*server.answer(self, body))
                except Refusal as refusal:
                    self.refuse(refusal)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

        def refuses(*arguments, **named):
            def run(request, body):
                raise Refusal(*arguments, **named)
            return run

        def half(request, body):
            status, fields, content = server.answer(request, body)
            request.send(status, fields, content, cut=len(content) // 2)

        def longer(request, body):
            status, fields, content = server.answer(request, body)
            request.send(status, fields, content, length=len(content) + 7)
            request.close_connection = True

        def wrong_total(request, body):
            status, fields, content = server.answer(request, body)
            lie = [(name, re.sub(r"/\d+$", "/12345678", value) if name == "Content-Range" else value) for name, value in fields]
            request.send(status, lie, content)

        def corrupt(request, body):
            status, fields, content = server.answer(request, body)
            key = server.key_of(request.path)
            with server.lock:
                server.objects[key] = Stored(server.objects[key].bytes[:-1] + b"!")
                fields = [(name, f'"{server.objects[key].etag}"' if name == "ETag" else value) for name, value in fields]
            request.send(status, fields, content)

        def silent_corrupt(request, body):
            status, fields, content = server.answer(request, body)
            key = server.key_of(request.path)
            with server.lock:
                stored = server.objects[key]
                server.objects[key] = Stored(stored.bytes[:-1] + b"!", stored.etag)
            request.send(status, fields, content)

        def changed_part(request, body):
            request.send(*server.answer(request, body[:-1] + b"!"))

        def together(request, body):
            server.meeting.wait()
            request.send(*server.answer(request, body))

        def strange_etag(request, body):
            status, fields, content = server.answer(request, body)
            request.send(status, [(name, '"1-2-3"' if name == "ETag" else value) for name, value in fields], content)

        def killed(request, body):
            server.victim.process.kill()
            request.reset()

        def done_and_reset(request, body):
            server.answer(request, body)
            request.reset()

        troubles = {
            "slow_down": refuses(503, "SlowDown", fields=[("Retry-After", "0")]),
            "slow_down_a_second": refuses(503, "SlowDown", fields=[("Retry-After", "1")]),
            "internal": refuses(500, "InternalError"),
            "internal_in_200": refuses(200, "InternalError"),
            "forbidden": refuses(403, "AccessDenied"),
            "expired": refuses(400, "ExpiredToken"),
            "full": refuses(403, "QuotaExceeded"),
            "no_bucket": refuses(404, "NoSuchBucket"),
            "moved": refuses(301, "PermanentRedirect", fields=[("x-amz-bucket-region", "eu-west-7")]),
            "no_xml": lambda request, body: request.send(200, [], "<html><br></html>"),
            "no_list": refuses(501, "NotImplemented"),
            "refuses_another": lambda request, body: request.send(
                200, [], "<DeleteResult><Error><Key>another</Key><Code>AccessDenied</Code></Error></DeleteResult>"),
            "reset": lambda request, body: request.reset(),
            "done_and_reset": done_and_reset,
            "killed": killed,
            "half": half,
            "longer": longer,
            "wrong_total": wrong_total,
            "corrupt": corrupt,
            "silent_corrupt": silent_corrupt,
            "strange_etag": strange_etag,
            "changed_part": changed_part,
            "empty": lambda request, body: request.send(200, [], "<List><IsTruncated>false</IsTruncated></List>"),
            "user_unknown": refuses(404, "XSomebodyNotFound"),
            "together": together,
            **self.more_troubles(refuses),
        }
        return Handler


class MetadataServer:
    """The metadata service of a machine, version 2 of its protocol."""

    def __init__(self, key=(ACCESS_KEY, SECRET_KEY, "a-token")):
        self.key = key
        self.asked, self.lasts = 0, 6 * 3600
        self.silent, self.waiting = threading.Event(), 0  # while set, nobody gets an answer
        self.answers = threading.Event()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def say(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_PUT(self):
                if server.silent.is_set():
                    server.waiting += 1
                    return server.answers.wait(60)
                if self.path != "/latest/api/token" or "X-aws-ec2-metadata-token-ttl-seconds" not in self.headers:
                    return self.say(400, "")
                return self.say(200, "session-1")

            def do_GET(self):
                roles = "/latest/meta-data/iam/security-credentials/"
                if self.headers.get("X-aws-ec2-metadata-token") != "session-1":
                    return self.say(401, "")
                if self.path == roles:
                    return self.say(200, "registry\n")
                if self.path != roles + "registry":
                    return self.say(404, "")
                server.asked += 1
                access_key, secret_key, token = server.key
                return self.say(200, (f'{{"Code": "Success", "AccessKeyId": "{access_key}", "SecretAccessKey": "{secret_key}", '
                                      f'"Token": "{token}", "Expiration": "{time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + server.lasts))}"}}'))

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"
        threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.httpd.shutdown()
        self.httpd.server_close()


def make_bucket(url, bucket, access_key, secret):
    status, said = ask(url, access_key, secret, "PUT", f"/{bucket}")
    assert status == 200, (status, said)


if __name__ == "__main__" and sys.argv[1:2] == ["make-bucket"]:
    make_bucket(*sys.argv[2:])
elif __name__ == "__main__":
    with S3Server() as started:
        print(f"{started.url} {BUCKET} {ACCESS_KEY} {SECRET_KEY}", flush=True)
        sys.stdin.read()
