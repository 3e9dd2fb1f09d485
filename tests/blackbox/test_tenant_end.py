# SPDX-License-Identifier: Apache-2.0
"""What is left of a tenant that was deleted, and in whose trail what happens to whom is found."""
import json

import pytest

from harness.members import make_project
from harness.people import API, PASSWORD, Browser, body_of, call, fresh_name, make_person
from harness.victim import BERTH, Victim
from harness.wait import wait_until
from harness.wire import unique

# The records stay, and the ids that they name; of what was cleared before the tenant could go there is nothing.
STAYS = {"audit_record", "account", "project"}
# What was an account's: by its id.
OF_ACCOUNTS = ("session", "access_token", "account_group", "project_member")


def tables_of_tenants(registry):
    """Every table with a column `tenant_id`."""
    if registry.database:
        return set(registry.query(
            "SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE c.table_schema = 'public' AND c.column_name = 'tenant_id' AND t.table_type = 'BASE TABLE'"))
    return set(registry.query(
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'tenant_id'"))


def tables_with_rows(registry, tenant_id):
    return {name for name in tables_of_tenants(registry)
            if registry.query(f"SELECT count(*) FROM {name} WHERE tenant_id = {tenant_id}") != ["0"]}


def rows_of_accounts(registry, tenant_id):
    found = {name: registry.query(
        f"SELECT count(*) FROM {name} WHERE account_id IN (SELECT id FROM account WHERE tenant_id = {tenant_id})")[0]
        for name in OF_ACCOUNTS}
    return {name for name, count in found.items() if count != "0"}


def leave_jobs(registry, tenant_id):
    """A job with a log and a schedule, as a kind that works for tenants leaves them."""
    name = unique("job")
    registry.execute("INSERT INTO job_schedule (name, kind, tenant_id, arguments, cron, enabled, next_at_us, created_at_us)"
                     f" VALUES ('{name}', 'none', {tenant_id}, '{{}}', '0 0 0 * * *', 0, 0, 0)")
    registry.execute("INSERT INTO job (kind, tenant_id, subject, arguments, state, due_at_us, ready_at_us, created_at_us, keep_until_us)"
                     f" VALUES ('none', {tenant_id}, '{name}', '{{}}', 3, 0, 0, 0, 9000000000000000)")
    registry.execute(f"INSERT INTO job_log (job_id, part, text) SELECT id, 0, 'said' FROM job WHERE tenant_id = {tenant_id}")
    registry.execute("INSERT INTO garbage_freed (job_id, kind, tenant_id, repository, digest, size_bytes, why)"
                     f" SELECT id, 'artifact', {tenant_id}, 'a/b', 'sha256:0', 1, 'it was to go' FROM job WHERE tenant_id = {tenant_id}")


def test_nothing_of_a_deleted_tenant_stays_but_its_records(registry, admin):
    victim = Victim(registry)
    tenant, owner = victim.tenant, victim.admin
    call(owner, "POST", f"{tenant.path}/administrators", {"user_id": victim.person.id})
    registry.execute(f"INSERT INTO account_group (account_id, group_id) VALUES ({victim.person.id}, {victim.names['group']})")
    leave_jobs(registry, tenant.id)
    call(owner, "PUT", f"{BERTH}/trash-window", {"window_seconds": 3600})
    make_project(owner, "trashed")
    call(owner, "DELETE", f"{API}/projects/trashed")
    call(owner, "POST", f"{BERTH}/projects/{victim.project}/repositories/app/rename", {"name": f"{victim.project}/renamed"})
    call(owner, "POST", f"{BERTH}/projects/{victim.project}/rename", {"name": victim.project + "-renamed"})
    assert tables_with_rows(registry, tenant.id) == tables_of_tenants(registry), "one of everything, so that all is looked at below"
    assert rows_of_accounts(registry, tenant.id) == set(OF_ACCOUNTS)

    call(owner, "DELETE", f"{API}/projects/{victim.project}-renamed/repositories/renamed")
    call(owner, "DELETE", f"{API}/projects/{victim.project}-renamed")
    call(admin, "DELETE", tenant.path)
    assert tables_with_rows(registry, tenant.id) == STAYS
    assert rows_of_accounts(registry, tenant.id) == set()
    assert registry.query("SELECT count(*) FROM job_log WHERE job_id NOT IN (SELECT id FROM job)") == ["0"]
    assert registry.query(f"SELECT count(*) FROM quota WHERE scope = 1 AND holder_id = {tenant.id}") == ["0"]
    assert registry.query(
        f"SELECT count(*) FROM account WHERE tenant_id = {tenant.id} AND NOT (deleted = 1 AND name = '#' || id AND email IS NULL"
        " AND realname = '' AND comment = '' AND password = '' AND subject IS NULL AND issuer = '')") == ["0"]
    assert registry.query(
        f"SELECT count(*) FROM project WHERE tenant_id = {tenant.id} AND NOT (deleted = 1 AND owner_id IS NULL AND owner_name = '')") == ["0"]
    assert registry.query(f"SELECT count(*) FROM project_member WHERE project_id = {victim.names['project_id']}") == ["0"]


def test_who_was_an_auditor_or_administrator_of_it_is_nobody(registry, admin):
    victim = Victim(registry)
    call(victim.admin, "POST", f"{victim.tenant.path}/administrators", {"user_id": victim.person.id})
    browser = victim.person.browser()
    call(victim.admin, "DELETE", f"{API}/projects/{victim.project}/repositories/app")
    call(victim.admin, "DELETE", f"{API}/projects/{victim.project}")
    call(admin, "DELETE", victim.tenant.path)
    assert browser.get(f"{API}/users/current").status_code == 401
    assert registry.query(f"SELECT count(*) FROM account WHERE id = {victim.person.id} AND is_tenant_admin = 1") == ["0"]


# -- trails


def records(registry, where, count):
    """Refusals are written a moment after the answer."""
    def found():
        rows = registry.query(f"SELECT tenant_id || ' ' || project_id || ' ' || resource FROM audit_record WHERE {where}")
        return rows if len(rows) >= count else None
    return sorted(wait_until(found, what="the records"))


def test_a_record_with_a_projects_name_alone_is_about_the_project_of_its_own_tenant(registry, admin):
    """Two projects of one name, and records that were written before anybody knew the id."""
    name = unique("twins")
    places = [registry.tenant("acme"), registry.tenant("globex")]
    ids = [make_project(place.admin, name) for place in places]
    for place in places:
        place.client("stranger", "Wrong-1234", auth="basic").get(f"{API}/projects/{name}", expect=401)
    assert records(registry, f"project = '{name}' AND resource = 'stranger'", 2) == sorted(
        f"{place.id} {project_id} stranger" for place, project_id in zip(places, ids))


@pytest.mark.parametrize("way", ["basic", "token", "form"])
def test_a_wrong_password_is_in_the_trail_of_the_tenant_whose_user_it_was_tried_for(registry, way):
    acme = registry.tenant("acme")
    anna = make_person(acme.admin)
    stranger = fresh_name("nobody")

    def answer_to(claimed):
        if way == "form":
            return Browser(registry).log_in(claimed, "Wrong-1234", expect=401)
        client = registry.client(claimed, "Wrong-1234", auth="basic")
        return client.get("/service/token?service=x" if way == "token" else f"{API}/users/current", expect=401)

    said = {answer_to(claimed).text.replace(claimed, "")
            for claimed in (f"acme/{anna.name}", f"acme/{stranger}", f"no-such/{stranger}", stranger)}
    assert len(said) == 1, "who is asked about, and whether there is such a tenant, is told to nobody"
    assert records(registry, f"operation = 'deny' AND resource = '{anna.name}'", 1) == [f"{acme.id} 0 {anna.name}"]
    assert records(registry, f"operation = 'deny' AND resource LIKE '%{stranger}'", 3) == sorted(
        [f"{acme.id} 0 {stranger}", f"1 0 no-such/{stranger}", f"1 0 {stranger}"])
    found = call(acme.admin, "GET", f"{BERTH}/audit/records?resource={anna.name}").json()["records"]
    assert found, json.dumps(found)


def test_a_wrong_password_for_a_system_administrator_is_in_the_default_tenants_trail_on_any_host(registry):
    acme = registry.tenant("acme")
    claimed = fresh_name("boss")
    acme.client(f"default/{claimed}", "Wrong-1234", auth="basic").get(f"{API}/users/current", expect=401)
    acme.client(f"globex/{claimed}", "Wrong-1234", auth="basic").get(f"{API}/users/current", expect=401)
    assert records(registry, f"operation = 'deny' AND resource LIKE '%{claimed}'", 2) == sorted(
        [f"1 0 {claimed}", f"{acme.id} 0 globex/{claimed}"])


# -- strangers


@pytest.mark.own_server
def test_strangers_register_in_the_default_tenant_only(registry, admin):
    acme = registry.tenant("acme")
    call(admin, "PUT", f"{API}/configurations", {"self_registration": True})
    assert call(registry.anonymous(auth="none"), "GET", f"{API}/systeminfo").json()["self_registration"] is True
    assert call(acme.anonymous(auth="none"), "GET", f"{API}/systeminfo").json()["self_registration"] is False
    name = fresh_name("stranger")
    there = Browser(acme)
    there.get("/c/oidc/providers", expect=200)
    there.call("POST", f"{API}/users", body_of(name), expect=401)
    there.submit("/c/userExists", target="username", value=name, expect=412)
    here = Browser(registry)
    here.get("/c/oidc/providers", expect=200)
    here.call("POST", f"{API}/users", body_of(name), expect=201)
    assert registry.query(f"SELECT tenant_id FROM account WHERE name = '{name}'") == ["1"]
    acme.client(name, PASSWORD, auth="basic").get(f"{API}/users/current", expect=401)
