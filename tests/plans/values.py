# SPDX-License-Identifier: Apache-2.0
"""What statements are asked that PostgreSQL plans for the values of each call (`custom` in src/db/*.sql): for every one of them, some
calls as the program makes them, in the first repository or project, which holds a tenth of all there is.

A list is SQL for $1, $2 …; of a shorter statement the last ones are left out.
"""
import fnmatch
import re

MOST = "9223372036854775807"
PAGE = 100
LEADING = re.compile(r"\br\.(\w+) = \$(?:17|18|19)")


def text(value):
    return "'" + value.replace("'", "''") + "'"


def audit(statement, record):
    """No filter but those that lead, and a page from either end."""
    oldest = statement.name.startswith("audit_oldest")
    first, last = (MOST, "0") if oldest else ("0", MOST)
    values = ["NULL"] * 2 + [first] + ["NULL"] * 8 + [last, last, "50", "0", first]
    yield "", values + [text(str(record[column])) for column in LEADING.findall(statement.texts["postgres"])]


ARTIFACT_FILTERS = {
    "": {},
    "a type, tagged": {2: text("type-1"), 5: "2"},
    "a type and a media type": {2: text("type-1"), 3: text("media-1")},
    "tags like a part": {5: "3", 6: text("%name-1%")},
    "tags like a part that few have": {5: "4", 6: text("%nothing%")},
    "since yesterday, untagged": {5: "1", 7: "1000"},
    "two labels": {10: "2", 11: text(",1,2,")},
    "the latest": {9: "1"},
}


def artifacts(statement, _):
    place = MOST if statement.name.endswith("_down") else "-" + MOST
    for label, asked in ARTIFACT_FILTERS.items():
        values = {1: "1", 2: "''", 3: "''", 4: "0", 5: "0", 6: "''", 7: "0", 8: MOST, 9: "0", 10: "0", 11: "''", 12: str(PAGE), 13: "0", 14: place, 15: place}
        yield label, list({**values, **asked}.values())


NAMES = {"a part that many have": ("%e-1%", ""), "a part that few have": ("%nothing%", ""), "a blob": ("", "digest-17")}


def repositories_named(statement, _):
    beginning = MOST if statement.name.endswith("_down") else "0"
    for label, (like, blob) in NAMES.items():
        if not blob:
            yield label, ["1", text(like)] if "count" in statement.name else ["1", str(PAGE), "0", beginning, text(like)]


def repositories_in_project(_, __):
    for label, (like, blob) in NAMES.items():
        yield label, ["1", str(PAGE), "0", text(like), text(blob)]


def repositories_seen(_, __):
    for label, (like, blob) in {"": ("", ""), **NAMES}.items():
        yield label, ["7", "'[]'", "1", text(like), text(blob), str(PAGE), "0"]


def due(_, __):
    yield "much", [MOST, str(PAGE)]
    yield "nothing", ["0", str(PAGE)]


ASKED = (
    ("audit_*", audit), ("artifact_*", artifacts), ("repository_*like_of_*", repositories_named), ("repository_*in_project*", repositories_in_project),
    ("repository_*seen*", repositories_seen), ("expiry_due", due),
)


def calls(statement, record):
    """[(what is asked, values)] of one that is planned for its values; `record` is one of the trail."""
    for pattern, make in ASKED:
        if fnmatch.fnmatchcase(statement.name, pattern):
            return [(label, values[:statement.parameters]) for label, values in make(statement, record)]
    raise LookupError(f"nobody says how {statement.name} is asked: see tests/plans/values.py")
