# SPDX-License-Identifier: Apache-2.0
"""What every answer must look like, whatever was asked.

OCI Distribution Spec, "Error Codes": the body of an error is
{"errors": [{"code", "message", "detail"}]} and `code` comes from a closed list.
"""
import json
import re

ERROR_CODES = frozenset(
    """BLOB_UNKNOWN BLOB_UPLOAD_INVALID BLOB_UPLOAD_UNKNOWN DIGEST_INVALID MANIFEST_BLOB_UNKNOWN
    MANIFEST_INVALID MANIFEST_UNKNOWN NAME_INVALID NAME_UNKNOWN SIZE_INVALID UNAUTHORIZED DENIED
    UNSUPPORTED TOOMANYREQUESTS""".split()
)

# Things that belong into the log and never to a client.
LEAKS = re.compile(r"/tmp/|/blobs/|/uploads/[0-9a-f-]{36}/|\.sqlite|SELECT |INSERT |UPDATE |errno|\.c:\d+")

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
DIGEST = re.compile(r"^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")


def check_error_body(path, status, content_type, body):
    """Checks an error answer's body and returns its codes."""
    where = f"answer {status} to {path}"
    assert content_type.split(";")[0].strip() == "application/json", f"{where}: Content-Type {content_type!r}"
    try:
        parsed = json.loads(body)
    except ValueError:
        raise AssertionError(f"{where} is not JSON: {body[:200]!r}") from None
    assert isinstance(parsed, dict) and isinstance(parsed.get("errors"), list), f"{where}: {body[:200]!r}"
    assert parsed["errors"], f"{where}: no entry in errors"
    codes = []
    for entry in parsed["errors"]:
        assert isinstance(entry.get("code"), str), f"{where}: entry without a code: {entry}"
        assert isinstance(entry.get("message", ""), str), f"{where}: message is no string: {entry}"
        if path.startswith("/v2"):
            assert entry["code"] in ERROR_CODES, f"{where}: code {entry['code']!r} is not in the specification"
        codes.append(entry["code"])
    text = body.decode("utf-8", "strict") if isinstance(body, bytes) else body
    leak = LEAKS.search(text.replace(path, ""))
    assert not leak, f"{where} shows the client {leak.group()!r}: {text[:300]}"
    return codes
