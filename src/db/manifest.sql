-- SPDX-License-Identifier: Apache-2.0
-- Manifests with their exact bytes, and what they refer to.

-- name: manifest_find :one
SELECT id, media_type, content FROM manifest WHERE repository_id = $1 AND digest = $2;

-- name: manifest_find_by_tag :one
SELECT m.id, m.media_type, m.content, m.digest
FROM tag t JOIN manifest m ON m.id = t.manifest_id
WHERE t.repository_id = $1 AND t.name = $2;

-- name: manifest_id :one
SELECT id FROM manifest WHERE repository_id = $1 AND digest = $2;

-- The same, so that nobody deletes it before this transaction ends. SQLite has one writer.
-- name: manifest_hold :one
-- sqlite:
SELECT id FROM manifest WHERE repository_id = $1 AND digest = $2;
-- postgres:
SELECT id FROM manifest WHERE repository_id = $1 AND digest = $2 FOR KEY SHARE;

-- The same, so that nobody points a tag to it before this transaction ends.
-- name: manifest_lock :one
-- sqlite:
SELECT id FROM manifest WHERE repository_id = $1 AND digest = $2;
-- postgres:
SELECT id FROM manifest WHERE repository_id = $1 AND digest = $2 FOR UPDATE;

-- name: manifest_insert :one
INSERT INTO manifest (repository_id, digest, media_type, artifact_type, subject, annotations,
	size_bytes, created_at_us, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (repository_id, digest) DO NOTHING
RETURNING id, (SELECT r.project_id FROM repository r WHERE r.id = manifest.repository_id);

-- name: manifest_delete :exec
DELETE FROM manifest WHERE id = $1;

-- name: manifest_reference_insert :exec
INSERT INTO manifest_reference (manifest_id, digest, role, project_id)
VALUES ($1, $2, $3, $4)
ON CONFLICT (manifest_id, digest, role) DO NOTHING;

-- name: manifest_reference_delete :exec
DELETE FROM manifest_reference WHERE manifest_id = $1;

-- name: manifest_referrers :many
SELECT digest, media_type, artifact_type, annotations, size_bytes
FROM manifest
WHERE repository_id = $1 AND subject = $2 AND digest > $3
ORDER BY digest
LIMIT $4;

-- name: manifest_referrers_of_type :many
SELECT digest, media_type, artifact_type, annotations, size_bytes
FROM manifest
WHERE repository_id = $1 AND subject = $2 AND artifact_type = $5 AND digest > $3
ORDER BY digest
LIMIT $4;

-- name: manifest_subject :one
SELECT subject FROM manifest WHERE repository_id = $1 AND digest = $2;

-- For fsck: all manifests in the order of their ids, and references that nothing in the repository answers.
-- name: manifest_page :many
SELECT m.id, r.name, m.digest, m.content
FROM manifest m JOIN repository r ON r.id = m.repository_id
WHERE m.id > $1
ORDER BY m.id
LIMIT $2;
