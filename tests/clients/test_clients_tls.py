# SPDX-License-Identifier: Apache-2.0
"""The same over TLS, with a certificate authority that the client was told of, and without."""
import images
import pytest
from engines import ENGINES, Unavailable

from harness.registry import ADMIN_PASSWORD

PASSWORD = ADMIN_PASSWORD.encode()


@pytest.fixture
def registry(make_registry, authority):
    certificate, key = authority.issue()
    return make_registry(authority=authority, tls_certificate=certificate, tls_key=key)


@pytest.fixture
def reference(registry, name):
    return f"localhost:{registry.port}/{name}:v1"


def start(name, folder, authority):
    try:
        engine = ENGINES[name](folder / name)
    except Unavailable as reason:
        pytest.skip(str(reason))
    if authority:
        engine.environment["SSL_CERT_FILE"] = str(authority.certificate)
    return engine


def skopeo(engine, reference, image):
    host = reference.partition("/")[0]
    engine.run("login", "-u", "admin", "--password-stdin", host, feed=PASSWORD)
    engine.run("copy", f"oci:{engine.layout(image)}:v1", f"docker://{reference}")
    target = engine.fresh()
    engine.run("copy", f"docker://{reference}", f"dir:{target}")
    return images.read_folder(target)


def crane(engine, reference, image):
    engine.run("auth", "login", reference.partition("/")[0], "-u", "admin", "--password-stdin", feed=PASSWORD)
    engine.run("push", engine.layout(image), reference)
    target = engine.fresh()
    engine.run("pull", "--format=oci", reference, target)
    return images.read_layout(target)


def oras(engine, reference, image):
    # It takes localhost for plain HTTP unless told otherwise.
    engine.run("login", "--plain-http=false", "-u", "admin", "--password-stdin", reference.partition("/")[0], feed=PASSWORD)
    engine.run("copy", "--from-oci-layout", f"{engine.layout(image)}:v1", "--to-plain-http=false", reference)
    target = engine.fresh()
    engine.run("copy", "--from-plain-http=false", reference, "--to-oci-layout", f"{target}:v1")
    return images.read_layout(target)


def regctl(engine, reference, image):
    engine.run("registry", "login", reference.partition("/")[0], "-u", "admin", "--pass-stdin", feed=PASSWORD)
    engine.run("image", "copy", f"ocidir://{engine.layout(image)}:v1", reference)
    target = engine.fresh()
    engine.run("image", "copy", reference, f"ocidir://{target}:v1")
    return images.read_layout(target)


CLIENTS = {"skopeo": skopeo, "crane": crane, "oras": oras, "regctl": regctl}


@pytest.mark.parametrize("client_name", CLIENTS)
def test_push_and_pull_with_a_known_authority(registry, authority, folder, reference, client_name):
    engine = start(client_name, folder, authority)
    image = images.Image(f"tls-{client_name}")
    digest, files = CLIENTS[client_name](engine, reference, image)
    assert digest == image.digest
    for path, data in image.files.items():
        assert files[path] == data


@pytest.mark.parametrize("client_name", CLIENTS)
def test_unknown_authority_is_refused_by_the_client(registry, folder, reference, client_name):
    """The other side of the same coin: the certificate is really looked at."""
    engine = start(client_name, folder, None)
    with pytest.raises(AssertionError, match="(?i)x509|certificate"):
        CLIENTS[client_name](engine, reference, images.Image("refused"))


def test_docker_over_tls(registry, client, repo, folder, name):
    """dockerd does not verify on the loopback range, but speaks TLS first."""
    engine = start("docker", folder, None)
    reference = f"{registry.address}/{name}:v1"
    try:
        image = images.Image("tls-docker")
        engine.login(registry)
        engine.push(image, reference)
        digest, files = engine.pull(reference)
        assert digest == repo.get_manifest("v1").headers["Docker-Content-Digest"]
        for path, data in image.files.items():
            assert files[path] == data
    finally:
        engine.stop()
