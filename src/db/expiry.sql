-- SPDX-License-Identifier: Apache-2.0
-- What wants to be gone at some time: see the migration 0042.

-- name: expiry_insert :exec
INSERT INTO expiry (manifest_id, project_id, after_s, at_us, due_at_us)
SELECT m.id, r.project_id, $2, $3, $4 FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE m.id = $1;

-- part: shown
e.manifest_id, e.project_id, e.after_s, e.at_us, e.due_at_us, m.repository_id, m.digest, r.name, r.tenant_id, p.name, a.parent_count,
a.pushed_at_us

-- part: joined
JOIN manifest m ON m.id = e.manifest_id
JOIN artifact a ON a.manifest_id = e.manifest_id
JOIN repository r ON r.id = m.repository_id
JOIN project p ON p.id = e.project_id

-- name: expiry_due :many custom
SELECT @shown FROM expiry e @joined WHERE e.due_at_us <= $1 ORDER BY e.due_at_us LIMIT $2;

-- What comes next in a project, after a place.
-- name: expiry_page :many
SELECT @shown FROM expiry e @joined
WHERE e.project_id = $1 AND (e.due_at_us, e.manifest_id) > ($2, $3)
ORDER BY e.due_at_us, e.manifest_id LIMIT $4;

-- name: expiry_tags :many
SELECT t.id, t.manifest_id, t.name, t.updated_at_us, t.pulled_at_us FROM tag t WHERE t.manifest_id = $1;

-- name: expiry_put_off :exec
UPDATE expiry SET due_at_us = $2 WHERE manifest_id = $1;
