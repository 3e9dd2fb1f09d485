# SPDX-License-Identifier: Apache-2.0
"""What holds for every operation of Harbor's API: rows for all of them, ids and names, request ids, refusals in words."""
import re

import pytest

from harness import swagger
from harness.wire import unique

API = "/api/v2.0"


def concrete(path):
    """A path of the contract with something plausible at each parameter."""
    values = {
        "project_name_or_id": "tests", "project_name": "tests", "repository_name": "app", "reference": "latest",
        "tag_name": "latest", "digest": "sha256:" + "0" * 64, "meta_name": "public", "addition": "build_history",
    }
    return API + re.sub(r"\{(\w+)\}", lambda m: values.get(m.group(1), "1"), path)


def test_every_operation_of_the_contract_has_a_row(registry, anonymous):
    """Nobody is let in, but nothing is unknown: a path without a row would be 404 or 405 in other words."""
    registry.client(auth="basic").request("POST", f"{API}/projects", body='{"project_name":"tests","metadata":{"public":"true"}}',
                              headers={"Content-Type": "application/json"}, expect=(201, 409))
    for operation in swagger.contract().operations:
        since = registry.log_size()
        answer = anonymous.request(
            operation.method, concrete(operation.path), expect=tuple(range(200, 506)),
            headers={"Content-Type": "application/json"}, body="{}" if operation.method in ("POST", "PUT", "PATCH") else None,
        )
        assert answer.status_code != 405, f"{operation.method} {operation.path}"
        if answer.status_code == 404 and operation.method != "HEAD":
            assert "no such path" not in registry.log_text(since), f"{operation.method} {operation.path}"


def test_a_project_is_found_by_name_and_by_id(admin):
    admin.request("POST", f"{API}/projects", body='{"project_name":"by-id"}', expect=201,
                   headers={"Content-Type": "application/json"})
    by_name = admin.get(f"{API}/projects/by-id", expect=200).json()
    by_id = admin.get(f"{API}/projects/{by_name['project_id']}", expect=200).json()
    assert by_id == by_name


def test_a_name_of_digits_needs_the_header(admin):
    headers = {"Content-Type": "application/json"}
    admin.request("POST", f"{API}/projects", body='{"project_name":"90210"}', expect=201, headers=headers)
    admin.get(f"{API}/projects/90210", expect=404)
    named = admin.get(f"{API}/projects/90210", expect=200, headers={"X-Is-Resource-Name": "true"})
    assert named.json()["name"] == "90210"


def test_slashes_too_many_do_not_matter(admin):
    admin.get(f"{API}//projects/", expect=200)


def test_the_request_id_of_a_client_comes_back(admin):
    answer = admin.get(f"{API}/projects", headers={"X-Request-Id": "my-id-1"}, expect=200)
    assert answer.headers["X-Request-Id"] == "my-id-1"


@pytest.mark.parametrize("given", ["", "x" * 65, "a b"])
def test_a_request_id_that_is_none_is_replaced(admin, given):
    answer = admin.get(f"{API}/projects", headers={"X-Request-Id": given}, expect=(200, 400))
    assert answer.headers["X-Request-Id"] != given


def test_a_page_that_is_empty_is_the_first(admin):
    """The client for Python sends `page=&page_size=` for what nobody set; it was refused."""
    assert admin.get(f"{API}/projects?page=&page_size=", expect=200).json() == admin.get(f"{API}/projects", expect=200).json()


@pytest.mark.parametrize("query", ["page=x", "page_size=-1", "page_size=101", "page=-1"])
def test_a_page_out_of_range_is_refused(admin, query):
    admin.get(f"{API}/projects?{query}", expect=(400, 422))


def test_zero_was_refused_though_harbors_command_line_sends_it_for_no_page(admin):
    names = {unique("zero") for _ in range(11)}
    for name in names:
        admin.make_project(name)
    answer = admin.get(f"{API}/projects?page=0&page_size=0&name=zero-", expect=200)
    assert {one["name"] for one in answer.json()} == names and "Link" not in answer.headers


def test_a_page_size_of_zero_is_the_largest_and_its_link_leads_to_the_rest(admin):
    stem = unique("all")
    for number in range(101):
        admin.post(f"{API}/labels", body=f'{{"name":"{stem}-{number}","scope":"g"}}', headers={"Content-Type": "application/json"}, expect=201)
    first = admin.get(f"{API}/labels?scope=g&name={stem}&page_size=0", expect=200)
    assert len(first.json()) == 100 and first.headers["X-Total-Count"] == "101"
    rest = admin.get(re.search(r'<([^>]*)>; rel="next"', first.headers["Link"]).group(1), expect=200)
    assert len(rest.json()) == 1 and "next" not in rest.headers["Link"]


def test_unknown_and_forbidden_projects_look_the_same(admin, anonymous):
    admin.request("POST", f"{API}/projects", body='{"project_name":"hidden"}', expect=201,
                   headers={"Content-Type": "application/json"})
    hidden = anonymous.get(f"{API}/projects/hidden", expect=401)
    unknown = anonymous.get(f"{API}/projects/nowhere", expect=401)
    assert hidden.content == unknown.content
    admin.get(f"{API}/projects/nowhere", expect=404)


def test_later_operations_say_so(admin):
    """Whatever belongs to a part that is not there yet says that, and is neither half there nor unknown."""
    admin.request("POST", f"{API}/projects", body='{"project_name":"tests"}', expect=(201, 409), headers={"Content-Type": "application/json"})
    for operation in swagger.contract().operations:
        if operation.served():
            continue
        answer = admin.request(
            operation.method, concrete(operation.path), expect=tuple(range(200, 506)),
            headers={"Content-Type": "application/json"}, body="{}" if operation.method in ("POST", "PUT", "PATCH") else None,
        )
        assert answer.status_code == 501, f"{operation.name}: take it off {swagger.LATER_FILE}"
        if operation.method != "HEAD":
            assert answer.json()["errors"][0]["code"] == "NOT_IMPLEMENTED" and answer.json()["errors"][0]["message"]
