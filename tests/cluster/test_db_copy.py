# SPDX-License-Identifier: Apache-2.0
"""`berth db copy`: a registry with a row in every table goes from SQLite to PostgreSQL and back, and is the same everywhere."""
import sqlite3
import subprocess

import pytest

from harness import oci
from harness.members import add_member
from harness.people import call, make_person
from harness.port import free_port
from harness.registry import ADMIN_PASSWORD, Tenant

API = "/api/v2.0"
BERTH = "/api/berth/v1"
# What each engine has in its own way.
APART = {"quota_stripe", "audit_unsealed", "repository_floor", "schema_migration", "schema_compatible"}


def populate(registry):
    admin = registry.client(auth="basic")
    repo = registry.client().repository("tests/app")
    images = [oci.image(seed) for seed in range(3)]
    for number, image in enumerate(images):
        repo.push(image, f"v{number}")
    repo.push(oci.index(images[:2]), "all")
    repo.push(oci.artifact("application/vnd.example.sbom", images[0].descriptor()))
    call(admin, "PUT", f"{BERTH}/projects/tests/trash-window", {"window_seconds": 86400})
    deleted = oci.image("deleted")
    repo.push(deleted, "deleted")
    repo.delete_manifest(deleted.digest)
    repo.start_upload().patch(b"begun", 0)
    repo.get_manifest("v1")
    call(admin, "POST", f"{BERTH}/projects/tests/rename", {"name": "renamed", "alias": True})
    call(admin, "POST", f"{BERTH}/projects/renamed/repositories/app/rename", {"name": "renamed/application", "alias": True})
    call(admin, "PUT", f"{API}/projects/renamed", {
        "metadata": {"auto_scan": "true"}, "cve_allowlist": {"items": [{"cve_id": "CVE-2024-1"}]}})
    label = call(admin, "POST", f"{API}/labels", {"name": "good", "scope": "g"}, expect=201).headers["Location"].rsplit("/", 1)[1]
    call(admin, "POST", f"{API}/projects/renamed/repositories/application/artifacts/v1/labels", {"id": int(label)})
    person = make_person(admin)
    browser = person.browser()
    assert browser.who() == person.name
    call(person.client, "POST", f"{BERTH}/access-tokens", {"name": "mine"}, expect=201)
    call(admin, "POST", f"{API}/usergroups", {"group_name": "team", "group_type": 3}, expect=201)
    call(admin, "POST", f"{BERTH}/roles", {"name": "looks", "grants": [{"permissions": ["member:list"]}]}, expect=201)
    add_member(admin, "renamed", "guest", username=person.name)
    robot = call(admin, "POST", f"{API}/robots", {
        "name": "puller", "level": "project", "duration": 3,
        "permissions": [{"kind": "project", "namespace": "renamed", "access": [{"resource": "repository", "action": "pull"}]}],
    }, expect=201).json()
    call(admin, "POST", f"{BERTH}/identity-providers?tenant_id=1", {
        "name": "stack", "kind": "keystone", "settings": {"url": "https://keystone.example.com/v3"}}, expect=201)
    issuer = call(admin, "POST", f"{BERTH}/issuers", {
        "name": "ci", "url": "https://issuer.example.com", "audiences": ["berth"], "keys": ""}, expect=(201, 400, 422))
    if issuer.status_code == 201:
        call(admin, "POST", f"{issuer.headers['Location']}/bindings", {
            "name": "builds", "robot_id": robot["id"], "conditions": {"sub": "build"}}, expect=(201, 400, 422))
    call(admin, "PUT", f"{API}/configurations", {"robot_name_prefix": "bot$"})
    tenant = registry.tenant("acme", storage={"encrypted": True})
    tenant.admin.make_project("vault")
    tenant.client().repository("vault/secret").push(oci.image(9), "latest")
    place = registry.root / "place.json"
    place.write_text('{"driver": "filesystem", "location": "moved", "encrypted": true}')
    status, output = registry.berth("storage", "move", "acme", str(place))
    assert status == 0, output
    registry.anonymous().get("/v2/tests/app/manifests/v1", expect=401)
    return images, repo


def sqlite_counts(path):
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
        return {name: connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names}


def server_counts(server, database):
    names = server.query("SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence = 'p' AND relnamespace = 'public'::regnamespace", database)
    union = " UNION ALL ".join(f"SELECT '{name}', COUNT(*) FROM \"{name}\"" for name in names)
    return {name: int(count) for name, count in (line.split("\t") for line in server.query(union, database))}


def fill_by_hand(path):
    """A row wherever there is none: what is added to the schema and not to this test is found empty."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for table, count in sqlite_counts(path).items():
            if count or table in APART:
                continue
            columns = list(connection.execute(f'SELECT name, type, "notnull", pk FROM pragma_table_info(\'{table}\')'))
            parents = {row[3]: row[2] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
            names, values = [], []
            for name, kind, needed, key in columns:
                if kind.upper() == "INTEGER" and key and len([c for c in columns if c[3]]) == 1 and name not in parents:
                    continue
                if name in parents:
                    value = connection.execute(f'SELECT MAX(id) FROM "{parents[name]}"').fetchone()[0]
                else:
                    value = {"INTEGER": 1, "BIGINT": 1, "TEXT": "x", "BLOB": b"\x00\xff"}[kind.upper()]
                names.append(name)
                values.append(value)
            connection.execute(f'INSERT INTO "{table}" ({", ".join(names)}) VALUES ({", ".join("?" * len(values))})', values)


def copy(registry, source, target, expect=0):
    done = subprocess.run(
        [str(registry.program), "db", "copy", str(source), str(target)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def check(registry):
    registry.assert_fsck_clean()
    status, output = registry.berth("audit", "verify")
    assert status == 0, output


def compare(one, other):
    for table in set(one) | set(other):
        if table not in APART:
            assert one.get(table) == other.get(table), table


@pytest.fixture
def full(node):
    registry = node("", audit_checkpoint_interval="1s")
    images, repo = populate(registry)
    registry.stop()
    path = registry.data / "berth.sqlite"
    fill_by_hand(path)
    empty = [table for table, count in sqlite_counts(path).items() if not count and table not in APART]
    assert not empty, f"nothing in {empty}: this test shall have a row in every table"
    return registry, images


def pulls(registry, images):
    repo = registry.client().repository("renamed/application")
    for number, image in enumerate(images):
        assert repo.get_manifest(f"v{number}").content == image.body
        assert repo.get_blob(oci.digest_of(image.blobs[1])).content == image.blobs[1]
    assert registry.client().repository("tests/app").get_manifest("v0").content == images[0].body
    layer = oci.image(9).blobs[1]
    acme = object.__new__(Tenant)  # it is made already
    acme.__dict__.update(registry=registry, name="acme", host="acme.registry.example", challenge=None)
    assert acme.client().repository("vault/secret").get_blob(oci.digest_of(layer)).content == layer  # where the tenant's bytes were moved to
    return repo


def test_there_and_back(full, servers, database, node, tmp_path):
    registry, images = full
    path = registry.data / "berth.sqlite"
    before = sqlite_counts(path)
    url = servers.url(database, servers.primary)
    text = copy(registry, registry.data, url)
    assert "manifest: " in text and "the same on both sides" in text
    compare(before, server_counts(servers.primary, database))

    there = node(url)
    check(there)
    repo = pulls(there, images)
    more = oci.image(20)
    repo.push(more, "more")  # with a number that no row has
    there.client().repository("renamed/new").push(more, "latest")
    there.stop()
    check(there)
    at_server = server_counts(servers.primary, database)

    moved = path.rename(path.with_name("moved"))
    text = copy(registry, url, registry.data)
    compare(at_server, sqlite_counts(path))
    registry.settings["DATABASE_URL"] = ""
    registry.start()
    check(registry)
    repo = pulls(registry, [*images])
    assert repo.get_manifest("more").content == more.body
    registry.client().repository("renamed/newer").push(oci.image(21), "latest")
    check(registry)
    moved.unlink()


def test_what_is_there_is_never_written_over(full, servers, database, node):
    registry, _ = full
    url = servers.url(database, servers.primary)
    copy(registry, registry.data, url)
    counts = server_counts(servers.primary, database)
    assert "there is a registry in the target" in copy(registry, registry.data, url, expect=1)
    assert "there is a registry in the target" in copy(registry, url, registry.data, expect=1)
    assert server_counts(servers.primary, database) == counts


def test_a_copy_that_fails_leaves_nothing_and_can_be_made_again(full, servers, database):
    registry, _ = full
    path = registry.data / "berth.sqlite"
    url = servers.url(database, servers.primary)
    with sqlite3.connect(path) as connection:  # text that the other engine cannot hold
        connection.execute("UPDATE repository SET description = 'a' || char(0) || 'b'")
    assert "is not text" in copy(registry, registry.data, url, expect=1)
    assert server_counts(servers.primary, database)["account"] == 0
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE repository SET description = ''")
    copy(registry, registry.data, url)


ODD = ["", "\\N", "\\.", "a\tb\nc\rd\\e\\\\", "\\x6162", "\b\f\v\x01\x7f", "Grüße 🎉", "'\"$1%s", "x" * 200_000 + "\\", "\\" * 70_000]


def test_values_that_look_like_something_else(full, servers, database, node):
    """Rows reach PostgreSQL as the text that COPY reads, which has its own words for nothing, ends of lines and bytes."""
    registry, _ = full
    path = registry.data / "berth.sqlite"
    url = servers.url(database, servers.primary)
    with sqlite3.connect(path) as connection:
        for number, text in enumerate(ODD):
            connection.execute("INSERT INTO setting (name, value, updated_at_us) VALUES (?, ?, -9223372036854775808)", (f"odd-{number}", text))
        connection.execute("UPDATE manifest SET content = ? WHERE id = (SELECT MAX(id) FROM manifest)", (bytes(range(256)) * 3000,))
    copy(registry, registry.data, url)
    found = servers.primary.query("SELECT name, encode(convert_to(value, 'UTF8'), 'hex'), updated_at_us FROM setting WHERE name LIKE 'odd-%' ORDER BY name", database)
    assert found == [f"odd-{number}\t{text.encode().hex()}\t-9223372036854775808" for number, text in enumerate(ODD)]
    (hexed,) = servers.primary.query("SELECT encode(content, 'hex') FROM manifest ORDER BY id DESC LIMIT 1", database)
    assert bytes.fromhex(hexed) == bytes(range(256)) * 3000


MANY = 12_000  # more than the server is given at once


def with_many(registry):
    with sqlite3.connect(registry.data / "berth.sqlite") as connection:
        connection.executemany("INSERT INTO setting (name, value, updated_at_us) VALUES (?, 'v', 1)", ((f"many-{number:05}",) for number in range(MANY)))


def on_row(server, database, body):
    """From here on the server does this when it gets row 7,000 of the settings, which is in the middle of what it is given at once."""
    server.query("CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = 'many-07000' THEN "
                 f"{body}; END IF; RETURN NEW; END $$", database)
    server.query("CREATE TRIGGER odd BEFORE INSERT ON setting FOR EACH ROW EXECUTE FUNCTION odd()", database)


@pytest.mark.parametrize("body, said", [
    ("RAISE EXCEPTION 'no more settings'", "setting: no more settings"),
    ("NEW.name = 'many-00000'", "setting: duplicate key value"),
    ("NEW.value = 'another'", "table setting: "),
    ("RETURN NULL", "table setting: "),
    ("PERFORM pg_terminate_backend(pg_backend_pid())", "setting: "),
])
def test_a_server_that_stops_in_the_middle(full, servers, database, node, body, said):
    registry, images = full
    url = servers.url(database, servers.primary)
    there = node(url)  # the schema, and then nothing
    there.stop()
    servers.primary.query("DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP "
                          "IF t NOT IN ('schema_migration', 'schema_compatible', 'audit_chain', 'repository_floor', 'tenant', 'storage', 'role') THEN "
                          "EXECUTE 'TRUNCATE ' || quote_ident(t) || ' CASCADE'; END IF; END LOOP; END $$", database)
    with_many(registry)
    before = server_counts(servers.primary, database)
    on_row(servers.primary, database, body)
    assert said in copy(registry, registry.data, url, expect=1)
    assert server_counts(servers.primary, database) == before
    servers.primary.query("DROP TRIGGER odd ON setting", database)
    copy(registry, registry.data, url)
    assert server_counts(servers.primary, database)["setting"] == sqlite_counts(registry.data / "berth.sqlite")["setting"]


def test_a_source_that_stops_in_the_middle(full, servers, database):
    """Text that the other engine cannot hold, thousands of rows behind what was sent already."""
    registry, _ = full
    url = servers.url(database, servers.primary)
    with_many(registry)
    with sqlite3.connect(registry.data / "berth.sqlite") as connection:
        connection.execute("UPDATE setting SET value = 'a' || char(0) WHERE name = 'many-07000'")
    assert "is not text" in copy(registry, registry.data, url, expect=1)
    assert server_counts(servers.primary, database)["account"] == server_counts(servers.primary, database)["setting"] == 0
    with sqlite3.connect(registry.data / "berth.sqlite") as connection:
        connection.execute("UPDATE setting SET value = 'a' WHERE name = 'many-07000'")
    copy(registry, registry.data, url)
    assert server_counts(servers.primary, database)["setting"] >= MANY


def test_what_cannot_be_copied_is_said(full, servers, database, node, tmp_path):
    registry, _ = full
    url = servers.url(database, servers.primary)
    assert "there is no registry" in copy(registry, tmp_path / "nowhere", url, expect=1)
    nobody = f"postgresql://postgres@127.0.0.1:{free_port()}/x"
    assert "target: could not connect" in copy(registry, registry.data, nobody, expect=1)
    registry.start()
    assert "in use by another berth" in copy(registry, registry.data, url, expect=1)
    registry.stop()
    copy(registry, registry.data, url)
    servers.primary.query("CREATE TABLE another (id BIGINT PRIMARY KEY)", database)
    assert "another is not the same on both" in copy(registry, url, tmp_path / "other", expect=1)
    with sqlite3.connect(registry.data / "berth.sqlite") as connection:
        connection.execute("DELETE FROM schema_migration WHERE number = (SELECT MAX(number) FROM schema_migration)")
    servers.primary.query("DROP TABLE another", database)
    assert "older than this program's" in copy(registry, registry.data, servers.url(database), expect=1)
    assert ADMIN_PASSWORD not in copy(registry, tmp_path / "nowhere", url, expect=1)
