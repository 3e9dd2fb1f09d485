# SPDX-License-Identifier: Apache-2.0
"""The rows of the benchmark, in the order of the table.

A row is a function that takes a Bench and gives back a list of Measures. To add one: write it in the
file of its kind and name it here.
"""
from rows import garbage, jobs, lists, login, memory, pull, push, retention, s3, scale, trail, webhooks

ROWS = {
    "manifest-get": pull.manifest_get,
    "manifest-get-postgres": pull.manifest_get_postgres,
    "manifest-get-cold": pull.manifest_get_cold,
    "manifest-get-close": pull.manifest_get_close,
    "blob-get-4k": pull.blob_get_4k,
    "blob-get-100k": pull.blob_get_100k,
    "blob-get-1g": pull.blob_get_1g,
    "blob-get-1g-tls": pull.blob_get_1g_tls,
    "token-issue": login.token_issue,
    "blob-put-1g": push.blob_put_1g,
    "image-push": push.image_push,
    "push-one-repository": push.push_one_repository,
    "push-one-project": push.push_one_project,
    "push-one-project-postgres": push.push_one_project_postgres,
    "s3-blob-get-1g": s3.blob_get_s3,
    "s3-blob-put-1g": s3.blob_put_s3,
    "s3-image-push": s3.image_push_s3,
    "s3-memory-push": s3.memory_push_s3,
    "tags-100000": scale.tags,
    "artifacts-100000": scale.artifacts,
    "lists-100000": lists.lists,
    "referrers-10000": scale.referrers,
    "start-1000000": scale.start,
    "audit-10000000": trail.audit,
    "audit-10000000-postgres": trail.audit_postgres,
    "garbage-100000": garbage.garbage,
    "garbage-100000-postgres": garbage.garbage_postgres,
    "garbage-beside": garbage.garbage_beside,
    "garbage-beside-postgres": garbage.garbage_beside_postgres,
    "memory-idle": memory.idle,
    "memory-64-clients": memory.busy,
    "memory-10g-push": memory.large_push,
    "idle-connections": memory.idle_connections,
    "retention-100000": retention.retention,
    "retention-100000-postgres": retention.retention_postgres,
    "idle-cpu": jobs.idle_cpu,
    "webhooks-10000": webhooks.webhooks,
    "webhooks-10000-postgres": webhooks.webhooks_postgres,
}
