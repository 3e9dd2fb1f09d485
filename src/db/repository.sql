-- SPDX-License-Identifier: Apache-2.0
-- Repositories. A name is a row, never a path.

-- name: repository_find :one
SELECT r.id, r.project_id, p.is_public
FROM repository r JOIN project p ON p.id = r.project_id
WHERE r.name = $1;

-- name: repository_insert :exec
INSERT INTO repository (project_id, name, created_at_us)
VALUES ($1, $2, $3)
ON CONFLICT (name) DO NOTHING;

-- The catalog lists what can be pulled: repositories with at least one manifest.
-- name: repository_page :many
SELECT r.name
FROM repository r JOIN project p ON p.id = r.project_id
WHERE r.name > $1 AND (p.is_public = 1 OR $2 = 1)
  AND EXISTS (SELECT 1 FROM manifest m WHERE m.repository_id = r.id)
ORDER BY r.name
LIMIT $3;
