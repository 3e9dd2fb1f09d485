-- SPDX-License-Identifier: Apache-2.0
-- Known vulnerabilities that do not count, the system's (project 0) and those of projects.

-- name: cve_allowlist_find :one
SELECT id, project_id, expires_at_s, items, created_at_us, updated_at_us
FROM cve_allowlist
WHERE project_id = $1;

-- name: cve_allowlist_put :exec
INSERT INTO cve_allowlist (project_id, expires_at_s, items, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (project_id) DO UPDATE
SET expires_at_s = excluded.expires_at_s, items = excluded.items, updated_at_us = excluded.updated_at_us;

-- name: cve_allowlist_delete :exec
DELETE FROM cve_allowlist WHERE project_id = $1;
