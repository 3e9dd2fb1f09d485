-- SPDX-License-Identifier: Apache-2.0
-- Repositories. A name is a row, never a path.

-- name: repository_find :one
SELECT r.id, r.project_id, p.is_public
FROM repository r JOIN project p ON p.id = r.project_id
WHERE r.tenant_id = $1 AND r.name = $2;

-- name: repository_insert :exec
INSERT INTO repository (tenant_id, project_id, name, created_at_us)
SELECT p.tenant_id, p.id, $2, $3 FROM project p WHERE p.id = $1
ON CONFLICT (tenant_id, name) DO NOTHING;

-- The catalog lists what can be pulled: repositories with at least one manifest.
-- name: repository_page :many
SELECT r.name
FROM repository r JOIN project p ON p.id = r.project_id
WHERE r.tenant_id = $1 AND r.name > $2 AND (p.is_public = 1 OR $3 = 1)
  AND EXISTS (SELECT 1 FROM manifest m WHERE m.repository_id = r.id)
ORDER BY r.name
LIMIT $4;
