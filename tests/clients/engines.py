# SPDX-License-Identifier: Apache-2.0
"""The programs people push and pull with, behind one interface.

login(registry)              credentials into a file of the engine's own
push(content, reference)     an image as images.py makes it, to HOST/NAME:TAG
pull(reference, *options)    (digest, {path: bytes}) of what came
choose(architecture)         the options of pull that take one image out of an index

RUNTIMES also run containers:

take(content)                puts an image into the engine without any registry; returns its name there
fetch(reference)             pulls and keeps it
execute(name, *command)      what the command prints in a container of it

ENGINES are those. PROGRAMS are all that know credentials and have a folder, the signers too.
An engine that this machine has not, or cannot start, raises Unavailable with the reason.
"""
import itertools
import json
import os
import shutil
import subprocess
import tarfile

import images
from harness.registry import ADMIN_PASSWORD, ROOT
from harness.wait import wait_until
from harness.wire import unique

TOOLS = ROOT / "build" / "tools"
SEARCH_PATH = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"


class Unavailable(Exception):
    pass


def assert_files(files, image):
    for path, data in image.files.items():
        assert files.get(path) == data, f"{path} is not what was pushed"
    assert "etc/removed" not in files


class Engine:
    program = None

    def __init__(self, root):
        self.root = root
        self.root.mkdir()
        self.numbers = itertools.count()
        self.environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        self.environment.update(
            PATH=SEARCH_PATH, HOME=str(root), DOCKER_CONFIG=str(root), REGISTRY_AUTH_FILE=str(root / "auth.json"),
            REGCTL_CONFIG=str(root / "regctl.json"),
        )
        self.require(self.program)
        self.start()

    def require(self, program):
        if not shutil.which(program, path=SEARCH_PATH):
            raise Unavailable(f"{program} is not installed")

    def start(self):
        """What a daemon or a storage needs before the first command."""

    def stop(self):
        pass

    def base(self):
        return [self.program]

    def run(self, *arguments, feed=None):
        command = [*self.base(), *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment, cwd=self.root, input=feed, capture_output=True, timeout=100,
        )
        assert done.returncode == 0, f"{' '.join(command)} ends with {done.returncode}:\n{done.stderr.decode()[-3000:]}"
        return done.stdout

    def text(self, *arguments, **options):
        return self.run(*arguments, **options).decode().strip()

    def fresh(self, name="pulled"):
        return self.root / f"{name}-{next(self.numbers)}"

    def layout(self, content, **annotations):
        return images.write_layout(self.fresh("layout"), content, **annotations)

    def choose(self, architecture):
        return ["--platform", f"linux/{architecture}"]

    def login(self, registry):
        self.run("login", "--tls-verify=false", "-u", "admin", "--password-stdin", registry.address,
                 feed=ADMIN_PASSWORD.encode())


class Skopeo(Engine):
    program = "skopeo"

    def base(self):
        return ["skopeo", "--insecure-policy"]

    def choose(self, architecture):
        return ["--override-arch", architecture]

    def push(self, content, reference, *options):
        self.run("copy", "--all", "--dest-tls-verify=false", *options, f"oci:{self.layout(content)}:v1", f"docker://{reference}")

    def pull(self, reference, *options):
        target = self.fresh()
        # A plain folder: into a layout it would rewrite the manifests of Docker's own format.
        self.run("copy", "--src-tls-verify=false", *options, f"docker://{reference}", f"dir:{target}")
        return images.read_folder(target)


class Crane(Engine):
    program = "crane"

    def login(self, registry):
        self.run("auth", "login", registry.address, "--insecure", "-u", "admin", "--password-stdin", feed=ADMIN_PASSWORD.encode())

    def push(self, content, reference):
        layout, index = self.layout(content), []
        if isinstance(content, images.MultiArchitecture):
            # It pushes the index of the layout itself.
            (layout / "index.json").write_bytes(content.manifest)
            index = ["--index"]
        self.run("push", "--insecure", *index, layout, reference)

    def pull(self, reference, *options):
        target = self.fresh()
        self.run("pull", "--insecure", "--format=oci", *options, reference, target)
        return images.read_layout(target)


class Oras(Engine):
    program = "oras"

    def login(self, registry):
        self.run("login", "--plain-http", "-u", "admin", "--password-stdin", registry.address, feed=ADMIN_PASSWORD.encode())

    def push(self, content, reference):
        self.run("copy", "--from-oci-layout", f"{self.layout(content)}:v1", "--to-plain-http", reference)

    def pull(self, reference, *options):
        target = self.fresh()
        self.run("copy", "--from-plain-http", *options, reference, "--to-oci-layout", f"{target}:v1")
        return images.read_layout(target)


class Regctl(Engine):
    program = "regctl"

    def login(self, registry):
        self.run("registry", "set", "--tls", "disabled", registry.address)
        self.run("registry", "login", registry.address, "-u", "admin", "--pass-stdin", feed=ADMIN_PASSWORD.encode())

    def push(self, content, reference):
        self.run("image", "copy", f"ocidir://{self.layout(content)}:v1", reference)

    def pull(self, reference, *options):
        target = self.fresh()
        self.run("image", "copy", *options, reference, f"ocidir://{target}:v1")
        return images.read_layout(target)


class Buildah(Engine):
    program = "buildah"

    def start(self):
        policy = self.root / ".config" / "containers" / "policy.json"
        policy.parent.mkdir(parents=True)
        policy.write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
        (self.root / "auth.json").write_text("{}")
        try:
            self.text("images")
        except AssertionError as error:
            raise Unavailable(f"{self.program} cannot start here: {error}") from None

    def base(self):
        return [self.program, "--root", str(self.root / "storage"), "--runroot", str(self.root / "run"), "--storage-driver", "vfs"]

    def push(self, content, reference, *options):
        identity = self.take(content)
        self.run("push", "--tls-verify=false", *options, identity, f"docker://{reference}")
        self.run("rmi", "-f", identity)

    def pull(self, reference, *options):
        container = self.text("from", "--pull-always", "--tls-verify=false", *options, reference)
        files = images.read_tree(self.text("mount", container))
        digest = self.text("inspect", "--format", "{{.FromImageDigest}}", container)
        self.run("rm", container)
        self.run("rmi", "-f", reference)
        return digest, files

    def take(self, content):
        return self.text("pull", "-q", f"oci:{self.layout(content)}:v1").splitlines()[-1]

    def fetch(self, reference):
        self.run("pull", "-q", "--tls-verify=false", reference)

    def execute(self, name, *command):
        """Isolated by chroot alone, buildah now and then loses what a short command says: who says nothing is asked again."""
        container = self.text("from", "--pull-never", name)
        for _ in range(3):
            said = self.run("run", "--isolation", "chroot", container, "--", *command)
            if said:
                break
        self.run("rm", container)
        return said


class Podman(Buildah):
    program = "podman"

    def execute(self, name, *command):
        """With runc and modest limits: crun refuses hybrid cgroups, and the defaults exceed what a container may raise."""
        return self.run(
            "--runtime", "runc", "--cgroup-manager", "cgroupfs", "run", "--rm", "--network", "none", "--pull=never",
            "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", name, *command)

    def pull(self, reference, *options):
        identity = self.text("pull", "-q", "--tls-verify=false", *options, reference)
        files = images.read_tree(self.text("image", "mount", identity))
        digest = self.text("image", "inspect", "--format", "{{.Digest}}", identity)
        self.run("rmi", "-f", identity)
        return digest, files


class Daemon(Engine):
    """An engine with a server of its own, on a socket below `root`."""
    server = None

    def command(self):
        raise NotImplementedError

    def answers(self):
        raise NotImplementedError

    def start(self):
        self.require(self.server)
        if os.geteuid() != 0:
            raise Unavailable(f"{self.server} needs root")
        log = self.root / "daemon.log"
        with open(log, "wb") as sink:
            self.process = subprocess.Popen(
                self.command(), env=self.environment, cwd=self.root, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                start_new_session=True,
            )

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}")
            return self.answers()

        try:
            wait_until(ready, timeout=30, step=0.1, what=f"{self.server} answering")
        except AssertionError as error:
            self.stop()
            raise Unavailable(f"{self.server} cannot start here: {error}: {log.read_text()[-400:]}") from None

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)

    def succeeds(self, *arguments):
        done = subprocess.run([*self.base(), *arguments], env=self.environment, capture_output=True, timeout=30)
        return done.returncode == 0


class Docker(Daemon):
    program, server = "docker", "dockerd"

    def command(self):
        config = self.root / "daemon.json"
        config.write_text("{}")
        return [
            "dockerd", "--config-file", str(config), "--data-root", str(self.root / "data"), "--exec-root", str(self.root / "exec"),
            "--pidfile", str(self.root / "pid"), "-H", f"unix://{self.root}/docker.sock", "--storage-driver", "vfs",
            "--bridge=none", "--iptables=false", "--ip6tables=false",
        ]

    def base(self):
        return ["docker", "-H", f"unix://{self.root}/docker.sock"]

    def answers(self):
        return self.succeeds("version")

    def login(self, registry):
        self.run("login", "-u", "admin", "--password-stdin", registry.address, feed=ADMIN_PASSWORD.encode())

    def push(self, content, reference):
        self.run("load", "-i", content.docker_archive(self.fresh("archive"), reference))
        self.run("push", reference)
        self.run("rmi", "-f", reference)

    def take(self, content):
        self.run("load", "-i", content.docker_archive(self.fresh("archive"), "taken:v1"))
        return "taken:v1"

    def fetch(self, reference, *options):
        self.run("pull", *options, reference)

    def execute(self, name, *command):
        return self.run("run", "--rm", "--network", "none", "--pull", "never", name, *command)

    def pull(self, reference, *options):
        self.fetch(reference, *options)
        name = reference.rpartition(":")[0]
        digests = self.text("image", "inspect", "--format", "{{join .RepoDigests \" \"}}", reference).split()
        digest = next(found for found in digests if found.startswith(name + "@")).partition("@")[2]
        container = self.text("create", reference)
        files = images.read_tar(self.run("export", container))
        self.run("rm", container)
        self.run("rmi", "-f", reference)
        return digest, files


class Containerd(Daemon):
    program, server = "ctr", "containerd"

    def command(self):
        config = self.root / "config.toml"
        config.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        return [
            "containerd", "--config", str(config), "--root", str(self.root / "data"), "--state", str(self.root / "state"),
            "--address", str(self.root / "containerd.sock"),
        ]

    def base(self):
        return ["ctr", "--address", str(self.root / "containerd.sock"), "--namespace", "tests"]

    def answers(self):
        return self.succeeds("version")

    def login(self, registry):
        """It keeps no credentials; each command is given them."""

    def credentials(self):
        return ["--plain-http", "--user", f"admin:{ADMIN_PASSWORD}"]

    def load(self, content, name, *options):
        layout = self.layout(content, **{"io.containerd.image.name": name})
        packed = self.fresh("archive")
        with tarfile.open(packed, "w") as archive:
            archive.add(layout, arcname=".")
        self.run("images", "import", *options, packed)

    def take(self, content):
        self.load(content, "taken.test/taken:v1", "--snapshotter", "native")
        return "taken.test/taken:v1"

    def fetch(self, reference, *options):
        self.run("images", "pull", "--snapshotter", "native", *self.credentials(), *options, reference)

    def execute(self, name, *command):
        """Up to three times: on a busy machine `ctr` loses what a container said that ended at once."""
        for _ in range(3):
            said = self.run("run", "--rm", "--snapshotter", "native", name, unique("c"), *command)
            if said:
                break
        return said

    def push(self, content, reference):
        self.load(content, reference, "--no-unpack")
        self.run("images", "push", *self.credentials(), reference)
        self.run("images", "rm", "--sync", reference)

    def pull(self, reference, *options):
        self.fetch(reference, *options)
        listing = [line.split() for line in self.text("images", "ls").splitlines()]
        digest = next(fields[2] for fields in listing if fields[0] == reference)
        target = self.fresh()
        target.mkdir()
        self.run("images", "mount", "--snapshotter", "native", *options, reference, target)
        files = images.read_tree(target)
        self.run("images", "unmount", target)
        self.run("images", "rm", "--sync", reference)
        return digest, files


class Cosign(Engine):
    """Signs with a key pair of its own and asks nobody outside: no identity provider, no log of signatures."""
    program = "cosign"

    def start(self):
        self.environment["COSIGN_PASSWORD"] = ADMIN_PASSWORD
        self.run("generate-key-pair")

    def login(self, registry):
        self.run("login", "-u", "admin", "-p", ADMIN_PASSWORD, registry.address)

    def signing(self, verb, reference, *options):
        return self.run(
            verb, "--yes", "--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false",
            "--allow-http-registry", *options, reference)

    def verifying(self, verb, reference, *options, key="cosign.pub"):
        """The payloads it found, each checked."""
        said = self.text(verb, "--key", key, "--insecure-ignore-tlog=true", "--allow-http-registry", *options, reference)
        return [entry for line in said.splitlines() for entry in as_list(json.loads(line))]

    def plain(self, verb, *arguments):
        return self.text(*verb.split(), "--allow-http-registry", *arguments)


def as_list(found):
    return found if isinstance(found, list) else [found]


ENGINES = {
    "skopeo": Skopeo, "crane": Crane, "oras": Oras, "regctl": Regctl, "buildah": Buildah, "podman": Podman,
    "docker": Docker, "containerd": Containerd,
}
RUNTIMES = ("docker", "containerd", "podman", "buildah")
PROGRAMS = {**ENGINES, "cosign": Cosign}
