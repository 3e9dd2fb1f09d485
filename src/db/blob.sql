-- SPDX-License-Identifier: Apache-2.0
-- Blobs: one row for the bytes, one more for each repository that may serve them.

-- name: blob_find :one
SELECT id, size_bytes FROM blob WHERE digest = $1;

-- name: blob_insert :exec
INSERT INTO blob (digest, size_bytes, created_at_us)
VALUES ($1, $2, $3)
ON CONFLICT (digest) DO NOTHING;

-- name: blob_find_in_repository :one
SELECT b.id, b.size_bytes
FROM blob b JOIN repository_blob rb ON rb.blob_id = b.id
WHERE b.digest = $2 AND rb.repository_id = $1;

-- name: blob_link :exec
INSERT INTO repository_blob (repository_id, blob_id, created_at_us)
VALUES ($1, $2, $3)
ON CONFLICT (repository_id, blob_id) DO NOTHING;

-- name: blob_unlink :exec
DELETE FROM repository_blob
WHERE repository_id = $1 AND blob_id = (SELECT id FROM blob WHERE digest = $2);

-- name: blob_holders :many
SELECT r.name
FROM blob b
JOIN repository_blob rb ON rb.blob_id = b.id
JOIN repository r ON r.id = rb.repository_id
WHERE b.digest = $1
ORDER BY rb.repository_id
LIMIT $2;

-- name: blob_page :many
SELECT digest, size_bytes FROM blob WHERE digest > $1 ORDER BY digest LIMIT $2;
