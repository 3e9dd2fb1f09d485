-- SPDX-License-Identifier: Apache-2.0
-- Projects: the first path segment of every repository name.

-- name: project_find :one
SELECT id, name, is_public, created_at_us, updated_at_us FROM project WHERE tenant_id = $1 AND name = $2;

-- name: project_find_id :one
SELECT id, name, is_public, created_at_us, updated_at_us FROM project WHERE tenant_id = $1 AND id = $2;

-- name: project_insert :exec
INSERT INTO project (tenant_id, name, is_public, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (tenant_id, name) DO NOTHING;

-- name: project_set_public :exec
UPDATE project SET is_public = $3, updated_at_us = $4 WHERE tenant_id = $1 AND name = $2;

-- name: project_page :many
SELECT id, name, is_public, created_at_us, updated_at_us
FROM project
WHERE tenant_id = $1 AND name > $2 AND (is_public = 1 OR $3 = 1)
ORDER BY name
LIMIT $4;
