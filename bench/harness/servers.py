# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured: how each is started, waited for, filled and stopped.

All listen on 127.0.0.1, keep their data below a directory of their own, log errors only, and make
files durable as they do by default. Peers run without authentication, which is an advantage for them.
"""
import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

from harness import tools
from harness.database import Postgres, PostgresFilling, SqliteFilling

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
PASSWORD = "bench-Password-1"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Server:
    """A process on a port. Subclasses say how to find it and with which command and environment it runs."""

    name = ""
    has_tokens = False

    def __init__(self, directory):
        self.binary = self.find()
        self.directory = directory
        self.port = free_port()
        self.tls_port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.tls_address = f"127.0.0.1:{self.tls_port}"
        self.process = None
        directory.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def find():
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def launch(self):
        """Starts the process without waiting for it."""
        log = open(self.directory / "log", "ab")
        env = dict(os.environ, **self.environment())
        with log:
            self.process = subprocess.Popen(self.command(), env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self):
        self.launch()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = (self.directory / "log").read_text(errors="replace")[-600:]
                self.stop()
                raise RuntimeError(f"{self.name} did not start: {log}")
            time.sleep(0.02)
        return self

    def answers(self):
        try:
            self.request("GET", "/v2/")
            return True
        except OSError:
            return False

    def stop(self):
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    # What a client does

    def token(self, *repositories):
        """A bearer token for everything in the repositories; None where none is needed."""
        return None

    def request(self, method, path, body=None, headers=None, token=None):
        """One request on a connection of its own: (status, headers, body)."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def expect(self, want, method, path, **kwargs):
        status, headers, body = self.request(method, path, **kwargs)
        if status != want:
            raise RuntimeError(f"{self.name}: {method} {path}: {status} instead of {want}: {body[:300]!r}")
        return headers, body

    def put_blob(self, repository, data):
        """Makes the blob pullable; gives back its path."""
        token = self.token(repository)
        headers, _ = self.expect(202, "POST", f"/v2/{repository}/blobs/uploads/", token=token, body=b"")
        url = urllib.parse.urlsplit(headers["Location"])
        query = f"{url.query}&" if url.query else ""
        path = f"{url.path}?{query}digest={sha256(data)}"
        octets = {"Content-Type": "application/octet-stream"}
        self.expect(201, "PUT", path, token=token, body=data, headers=octets)
        return f"/v2/{repository}/blobs/{sha256(data)}"

    def put_large_blob(self, repository, file):
        """The same for a file too large to hold."""
        done = tools.load("put", self.address, repository=repository, file=file, token=self.token(repository))
        return f"/v2/{repository}/blobs/{done['digest']}"

    def put_manifest(self, repository, reference, data, media_type=MANIFEST_TYPE):
        path = f"/v2/{repository}/manifests/{reference}"
        content = {"Content-Type": media_type}
        self.expect(201, "PUT", path, token=self.token(repository), body=data, headers=content)
        return path

    # What the kernel says

    def status_kib(self, field):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"^{field}:\s*(\d+)", status.read(), re.M)[1])

    def rss_mib(self):
        return self.status_kib("VmRSS") / 1024

    def peak_mib(self):
        return self.status_kib("VmHWM") / 1024

    def reset_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def threads(self):
        return self.status_kib("Threads")


class Berth(Server):
    name = "Berth"
    has_tokens = True

    def __init__(self, directory, tls=False):
        super().__init__(directory)
        self.tls = tls
        self.tokens = {}

    @staticmethod
    def find():
        return tools.berth()

    def command(self):
        return [str(self.binary), "serve"]

    def environment(self):
        env = {
            "BERTH_LISTEN": f"127.0.0.1:{self.port}",
            "BERTH_DATA_DIR": str(self.directory / "data"),
            "BERTH_ADMIN_PASSWORD": PASSWORD,
            "BERTH_LOG_LEVEL": "warn",
            "BERTH_TOKENS_LIFETIME": "24h",
        }
        if self.tls:
            certificate, key = make_certificate()
            env["BERTH_LISTEN"] = f"http:127.0.0.1:{self.port},https:127.0.0.1:{self.tls_port}"
            env |= {"BERTH_TLS_CERTIFICATE": str(certificate), "BERTH_TLS_KEY": str(key)}
        return env

    def basic(self):
        return {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()}

    def publish(self, project):
        """From now on anybody may read what is in it."""
        body = json.dumps({"metadata": {"public": "true"}})
        self.expect(200, "PUT", f"/api/v2.0/projects/{project}", body=body, headers={"Content-Type": "application/json", **self.basic()})

    def make_project(self, name, storage_limit):
        body = json.dumps({"project_name": name, "storage_limit": storage_limit})
        self.expect(201, "POST", "/api/v2.0/projects", body=body, headers={"Content-Type": "application/json", **self.basic()})

    def token(self, *repositories):
        if repositories not in self.tokens:
            scopes = urllib.parse.urlencode([("scope", f"repository:{name}:pull,push,delete") for name in repositories])
            path = f"/service/token?service=harbor-registry&{scopes}"
            _, body = self.expect(200, "GET", path, headers=self.basic())
            self.tokens[repositories] = json.loads(body)["token"]
        return self.tokens[repositories]


    def database_file(self):
        return self.directory / "data" / "berth.sqlite"

    def filling(self):
        """Its database, to be filled while the server is stopped; must be closed."""
        return SqliteFilling(self.database_file())


class BerthPostgres(Berth):
    """The same program on a PostgreSQL server of its own, blobs in a directory."""

    name = "Berth on PostgreSQL"

    def __init__(self, directory, tls=False):
        super().__init__(directory, tls)
        self.database = Postgres()
        self.database.start()

    def environment(self):
        return {**super().environment(), "BERTH_DATABASE_URL": self.database.url}

    def filling(self):
        return PostgresFilling(self.database.url)

    def remove(self):
        super().remove()
        self.database.remove()


class DockerRegistry(Server):
    name = "docker-registry 2.8.2"
    cache = "blobdescriptor"

    @staticmethod
    def find():
        return tools.system_tool("docker-registry", "docker-registry")

    def config(self, storage):
        return f"""version: 0.1
log: {{accesslog: {{disabled: true}}, level: error}}
storage:
  {storage}
  delete: {{enabled: true}}
  cache: {{{self.cache}: inmemory}}
http: {{addr: "{self.address}", secret: bench}}
"""

    def command(self):
        config = self.directory / "config.yml"
        config.write_text(self.config(f'filesystem: {{rootdirectory: {self.directory / "data"}}}'))
        return [str(self.binary), "serve", str(config)]


class Distribution(DockerRegistry):
    name = f"distribution {tools.DISTRIBUTION_VERSION[1:]}"

    @staticmethod
    def find():
        return tools.distribution()

    def environment(self):
        return {"OTEL_TRACES_EXPORTER": "none"}


class Zot(Server):
    name = f"zot {tools.ZOT_VERSION[1:]}"

    @staticmethod
    def find():
        return tools.zot()

    def command(self):
        config = self.directory / "config.json"
        config.write_text(
            json.dumps(
                {
                    "distSpecVersion": "1.1.1",
                    "storage": {"rootDirectory": str(self.directory / "data")},
                    "http": {"address": "127.0.0.1", "port": str(self.port)},
                    "log": {"level": "error"},
                }
            )
        )
        return [str(self.binary), "serve", str(config)]


class Nginx(Server):
    """The same bytes under the same paths with the same fields, as static files: the limit of a pull."""

    name = "nginx"

    def __init__(self, directory, tls=False):
        super().__init__(directory)
        self.tls = tls
        self.locations = []

    @staticmethod
    def find():
        return tools.system_tool("nginx", "nginx")

    def command(self):
        (self.directory / "root").mkdir(exist_ok=True)
        config = self.directory / "nginx.conf"
        config.write_text(self.config())
        return [str(self.binary), "-p", str(self.directory), "-c", str(config), "-g", "daemon off;"]

    def config(self):
        listen = f"listen {self.address} backlog=4096;"
        if self.tls:
            certificate, key = make_certificate()
            listen += f" listen {self.tls_address} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};"
            listen += " ssl_protocols TLSv1.2 TLSv1.3;"
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "".join(
            f"{kind}_temp_path {self.directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return f"""{user} worker_processes {os.cpu_count()};
pid {self.directory}/pid; error_log {self.directory}/error.log error;
events {{ worker_connections 8192; }}
http {{
{temporary}
access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; server_tokens off;
keepalive_timeout 75; keepalive_requests 1000000000;
open_file_cache max=1000 inactive=60s; open_file_cache_valid 30s;
server {{
{listen}
root {self.directory}/root;
add_header Docker-Distribution-Api-Version registry/2.0;
{"".join(self.locations)}
}} }}
"""

    def add(self, path, digest, media_type):
        self.locations.append(
            f"location = {path} {{ default_type {media_type}; types {{ }}"
            f" add_header Docker-Content-Digest {digest};"
            " add_header Docker-Distribution-Api-Version registry/2.0; }\n"
        )
        file = self.directory / "root" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def restart(self):
        self.stop()
        self.start()

    def put_blob(self, repository, data):
        path = f"/v2/{repository}/blobs/{sha256(data)}"
        self.add(path, sha256(data), "application/octet-stream").write_bytes(data)
        self.restart()
        return path

    def put_large_blob(self, repository, file):
        with open(file, "rb") as source:
            digest = "sha256:" + hashlib.file_digest(source, "sha256").hexdigest()
        path = f"/v2/{repository}/blobs/{digest}"
        shutil.copyfile(file, self.add(path, digest, "application/octet-stream"))
        self.restart()
        return path

    def put_manifest(self, repository, reference, data, media_type=MANIFEST_TYPE):
        path = f"/v2/{repository}/manifests/{reference}"
        self.add(path, sha256(data), media_type).write_bytes(data)
        self.restart()
        return path


class BarePut(Server):
    """Receive, hash, write, fsync, and nothing else (bare_put.c)."""

    name = "bare loop"

    @staticmethod
    def find():
        return tools.bare_put_tool()

    def command(self):
        (self.directory / "data").mkdir(exist_ok=True)
        return [str(self.binary), str(self.port), str(self.directory / "data")]

    def answers(self):
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0


PEERS = [DockerRegistry, Distribution, Zot]


def make_certificate():
    """A self-signed certificate for 127.0.0.1, made once."""
    certificate, key = tools.WORK / "tls.crt", tools.WORK / "tls.key"
    if not certificate.exists():
        tools.WORK.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"]
            + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
            check=True,
            capture_output=True,
        )
    return certificate, key
