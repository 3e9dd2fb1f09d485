# SPDX-License-Identifier: Apache-2.0
"""A server that cannot start says in one line what is wrong with what, ends with 1, and changes nothing."""
import os
import socket

import pytest

pytestmark = pytest.mark.own_server


def refusal(registry, **settings):
    """The one line it says."""
    registry.settings.update({name.upper(): str(value) for name, value in settings.items()})
    seen = registry.spawn()
    assert registry.wait_dead() == 1
    lines = [line for line in registry.log_text(seen).splitlines() if line.startswith("berth: ")]
    assert len(lines) == 1, registry.log_text(seen)
    return lines[0].removeprefix("berth: ")


@pytest.fixture
def stopped(make_registry):
    """A server that has run, and does not now."""
    registry = make_registry()
    assert registry.stop() == 0
    return registry


@pytest.fixture
def fresh(make_registry):
    return make_registry(start=False)


def test_address_in_use(fresh):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(fresh, listen=f"127.0.0.1:{port}")
    assert said == f"listen 127.0.0.1:{port}: could not bind: Address already in use"


@pytest.mark.skipif("BERTH_TEST_POSTGRES" in os.environ, reason="servers on PostgreSQL may share a data directory")
def test_data_directory_in_use(registry, make_registry):
    assert refusal(make_registry(start=False, data_dir=registry.data)) == f"data_dir {registry.data} is in use by another berth"


def test_data_directory_is_a_file(fresh, tmp_path):
    place = tmp_path / "file"
    place.write_bytes(b"mine")
    assert refusal(fresh, data_dir=place / "below") == f"data_dir: could not make directory {place}/below: Not a directory"
    assert place.read_bytes() == b"mine"


def test_lost_master_key_is_not_made_anew(stopped):
    """A new one would open nothing, and the old one may still be in a backup."""
    key = stopped.data / "master.key"
    kept = key.read_bytes()
    key.unlink()
    assert refusal(stopped) == f"{key} is missing, and the database has secrets sealed with it"
    assert not key.exists()
    key.write_bytes(kept)
    stopped.start()


def test_another_master_key(stopped):
    key = stopped.data / "master.key"
    kept = key.read_bytes()
    key.write_bytes(bytes(32))
    assert refusal(stopped).startswith("master.key is not the key that sealed the secrets of this database: signing key ")
    key.write_bytes(kept[:6])
    assert refusal(stopped) == f"master key {key} has 6 bytes, not 32"
    key.write_bytes(kept)
    stopped.start()


@pytest.mark.skipif("BERTH_TEST_POSTGRES" in os.environ, reason="about the file of SQLite")
def test_database_that_is_none(stopped):
    database = stopped.data / "berth.sqlite"
    kept = database.read_bytes()
    database.write_bytes(b"these are somebody's notes\n" * 100)
    assert refusal(stopped) == f"database: {database}: file is not a database (26)"
    assert database.read_bytes() == b"these are somebody's notes\n" * 100
    database.write_bytes(kept)


def test_database_server_that_is_none(fresh):
    said = refusal(fresh, database_url="postgresql://127.0.0.1:1/berth")
    assert said.startswith("database: could not connect: ")
    assert said.endswith("Connection refused"), "one reason, not two"


@pytest.mark.parametrize("name", ["certificate", "key"])
def test_tls_file_that_is_missing(fresh, authority, tmp_path, name):
    certificate, key = authority.issue()
    files = {"certificate": certificate, "key": key, name: tmp_path / "nothing"}
    said = refusal(fresh, tls_certificate=files["certificate"], tls_key=files["key"])
    assert said == f"could not load the TLS {name} {tmp_path}/nothing: No such file or directory"


def test_tls_certificate_that_is_none(fresh, authority, tmp_path):
    _, key = authority.issue()
    (tmp_path / "notes").write_text("notes")
    said = refusal(fresh, tls_certificate=tmp_path / "notes", tls_key=key)
    assert said == f"could not load the TLS certificate {tmp_path}/notes: no start line"


def test_fsck_of_a_place_without_a_registry(fresh):
    """A mistyped data_dir is not a clean registry, and no registry either afterwards."""
    status, output = fresh.fsck()
    assert status == 2
    assert output.startswith(f"berth: there is no registry: {fresh.data}"), output
    assert not fresh.data.exists()


@pytest.mark.parametrize("word", ["help", "--help", "-h"])
def test_help_names_all_commands(fresh, word):
    status, output = fresh.berth(word)
    assert status == 0 and output.startswith("usage: berth COMMAND")
    assert {"serve", "fsck", "audit", "migrate", "version"} <= {line.split()[0] for line in output.splitlines() if line.startswith("  ")}


def test_version_has_dashes_too(fresh):
    assert fresh.berth("--version") == fresh.berth("version")
    status, output = fresh.berth("version")
    assert status == 0 and output.startswith("berth ")


def test_a_command_that_is_none_is_named(fresh):
    assert fresh.berth("server") == (2, "berth: no command 'server'; see berth help\n")
