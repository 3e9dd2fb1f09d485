# SPDX-License-Identifier: Apache-2.0
"""An issuer of tokens as clusters and CI systems are one: keys, a discovery document on loopback, and tokens of any kind.

`tamper` changes what the server says, so that it can lie; `hold()` makes it hang.
"""
import base64
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
import time

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # RFC 8693


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    return b64(json.dumps(value, separators=(",", ":")).encode())


class Key:
    """An RSA key of the openssl command."""

    def __init__(self, directory, name):
        self.name = name
        self.file = directory / f"{name}.pem"
        subprocess.run(["openssl", "genrsa", "-out", self.file, "2048"], check=True, capture_output=True, timeout=60)
        shown = subprocess.run(
            ["openssl", "rsa", "-in", self.file, "-noout", "-modulus"], check=True, capture_output=True, text=True, timeout=60)
        self.modulus = bytes.fromhex(shown.stdout.strip().partition("=")[2])

    def jwk(self):
        return {"kty": "RSA", "kid": self.name, "use": "sig", "alg": "RS256", "n": b64(self.modulus), "e": "AQAB"}

    def public_pem(self):
        shown = subprocess.run(["openssl", "rsa", "-in", self.file, "-pubout"], check=True, capture_output=True, timeout=60)
        return shown.stdout

    def sign(self, text):
        signed = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.file], input=text, check=True, capture_output=True, timeout=60)
        return signed.stdout


class Issuer:
    def __init__(self, directory, audience="berth"):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.audience = audience
        self.keys = [Key(directory, "first")]
        self.tamper = lambda path, document: document
        self.asked = []
        self.held = threading.Event()
        self.held.set()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def handler(issuer):  # noqa: N805 - the handler's `self` is another
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                issuer.held.wait(60)
                documents = {
                    "/.well-known/openid-configuration": {
                        "issuer": issuer.url, "jwks_uri": issuer.url + "/keys", "response_types_supported": ["id_token"],
                        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
                    },
                    "/keys": issuer.key_set(),
                }
                document = issuer.tamper(self.path, documents.get(self.path))
                body = document if isinstance(document, bytes) else json.dumps(document).encode()
                try:
                    self.send_response(404 if document is None else 200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # nobody waits for it any more

            def log_message(self, *arguments):
                pass

        return Handler

    def hold(self):
        self.held.clear()

    def release(self):
        self.held.set()

    def close(self):
        self.release()
        self.server.shutdown()
        self.server.server_close()

    def key_set(self):
        return {"keys": [key.jwk() for key in self.keys]}

    def claims(self, **changes):
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.audience, "sub": "somebody", "iat": now, "nbf": now, "exp": now + 600, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key=None, header=None, **claims):
        key = key or self.keys[0]
        head = {"alg": "RS256", "typ": "JWT", "kid": key.name, **(header or {})}
        signed = f"{part({k: v for k, v in head.items() if v is not None})}.{part(self.claims(**claims))}"
        return f"{signed}.{b64(key.sign(signed.encode()))}"

    def token_of_secret(self, secret, **claims):
        """HS256 with a text everybody knows: the public key, say."""
        signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': self.keys[0].name})}.{part(self.claims(**claims))}"
        return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"

    def token_unsigned(self, **claims):
        return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(self.claims(**claims))}."


def kubernetes(namespace="prod", account="puller", pod="web-1"):
    """Claims of a bound service account token."""
    return {
        "sub": f"system:serviceaccount:{namespace}:{account}",
        "kubernetes.io": {
            "namespace": namespace, "pod": {"name": pod, "uid": "1"}, "serviceaccount": {"name": account, "uid": "2"},
        },
    }


def github(repository="acme/shop", ref="refs/heads/main", environment=None):
    """Claims of a job of GitHub Actions."""
    return {
        "sub": f"repo:{repository}:ref:{ref}", "repository": repository, "repository_owner": repository.split("/")[0],
        "ref": ref, "workflow": "build", "event_name": "push", "runner_environment": "github-hosted",
        **({"environment": environment} if environment else {}),
    }


def gitlab(project="acme/shop", ref="main", protected=True):
    """Claims of a GitLab CI id token."""
    return {
        "sub": f"project_path:{project}:ref_type:branch:ref:{ref}", "project_path": project, "ref": ref, "ref_type": "branch",
        "ref_protected": "true" if protected else "false", "namespace_id": "7",
    }
