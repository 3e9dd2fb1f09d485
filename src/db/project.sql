-- SPDX-License-Identifier: Apache-2.0
-- Projects: the first path segment of every repository name.

-- name: project_find :one
SELECT id, name, is_public, created_at_us, updated_at_us FROM project WHERE name = $1;

-- name: project_find_id :one
SELECT id, name, is_public, created_at_us, updated_at_us FROM project WHERE id = $1;

-- name: project_insert :exec
INSERT INTO project (name, is_public, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $3)
ON CONFLICT (name) DO NOTHING;

-- name: project_set_public :exec
UPDATE project SET is_public = $2, updated_at_us = $3 WHERE name = $1;

-- name: project_page :many
SELECT id, name, is_public, created_at_us, updated_at_us
FROM project
WHERE name > $1 AND (is_public = 1 OR $2 = 1)
ORDER BY name
LIMIT $3;
