-- SPDX-License-Identifier: Apache-2.0
-- Blobs: one row for the bytes in a storage, one more for each repository that may serve them.
-- A repository has blobs of its tenant's storage only. All look-ups name it: how long one takes says nothing of other storages.

-- `storage_id` is the domain, in which a digest is once; the bytes are at `place_id`, or at the domain's own storage.

-- part: place
COALESCE(b.place_id, b.storage_id)

-- In the domain of a storage.
-- name: blob_find :one
SELECT b.id, @place, b.size_bytes, b.edition FROM blob b WHERE b.digest = $2 AND b.storage_id = @domain;

-- name: blob_edition :one
SELECT COALESCE((SELECT b.edition FROM blob b WHERE b.digest = $2 AND b.storage_id = @domain),
	(SELECT e.next FROM blob_edition e WHERE e.digest = $2 AND e.storage_id = @domain), 0);

-- Bytes in a storage that have a row; in the two storages of a move, wherever that says they are.
-- name: blob_is_at :one
SELECT b.id FROM blob b
WHERE b.digest = $2 AND b.storage_id = @domain AND b.edition = $3
	AND (@place = $1 OR EXISTS (SELECT 1 FROM tenant t WHERE t.left_id IS NOT NULL AND (t.left_id = $1 OR t.place_id = $1)));

-- name: blob_insert :exec
INSERT INTO blob (storage_id, place_id, digest, size_bytes, created_at_us, edition)
SELECT COALESCE(s.domain_id, s.id), CASE WHEN s.domain_id IS NULL THEN NULL ELSE s.id END, CAST($2 AS TEXT), CAST($3 AS BIGINT),
	CAST($4 AS BIGINT), CAST($5 AS BIGINT)
FROM storage s
WHERE s.id = $1 AND NOT EXISTS (SELECT 1 FROM blob_edition e
	WHERE e.digest = $2 AND e.storage_id = COALESCE(s.domain_id, s.id) AND e.next > $5)
ON CONFLICT (digest, storage_id) DO NOTHING;

-- part: in_repository
SELECT b.id, @place, b.size_bytes, b.edition
FROM repository r
JOIN tenant t ON t.id = r.tenant_id
JOIN blob b ON b.digest = $2 AND b.storage_id = t.storage_id
JOIN repository_blob rb ON rb.repository_id = r.id AND rb.blob_id = b.id
WHERE r.id = $1

-- name: blob_find_in_repository :one
@in_repository;

-- name: blob_hold_in_repository :one
-- sqlite:
@in_repository;
-- postgres:
@in_repository FOR KEY SHARE OF rb;

-- name: blob_link :exec
INSERT INTO repository_blob (repository_id, blob_id, created_at_us, project_id)
VALUES ($1, $2, $3, COALESCE((SELECT r.project_id FROM repository r WHERE r.id = $1), 0))
ON CONFLICT (repository_id, blob_id) DO NOTHING;

-- name: blob_unlink :one
DELETE FROM repository_blob
WHERE repository_id = $1 AND blob_id = (
	SELECT b.id
	FROM repository r
	JOIN tenant t ON t.id = r.tenant_id
	JOIN blob b ON b.digest = $2 AND b.storage_id = t.storage_id
	WHERE r.id = $1)
RETURNING blob_id;

-- name: blob_holders :many
SELECT r.name
FROM blob b
JOIN repository_blob rb ON rb.blob_id = b.id
JOIN repository r ON r.id = rb.repository_id
JOIN tenant t ON t.id = r.tenant_id AND t.storage_id = b.storage_id
WHERE t.id = $1 AND b.digest = $2
ORDER BY rb.project_id, rb.repository_id
LIMIT $3;

-- The sign keeps both engines from reading all of a storage for each page, because of its index of sizes.
-- name: blob_page :many
SELECT b.digest, b.size_bytes, b.edition FROM blob b
WHERE +b.storage_id = @domain AND @place = $1 AND b.digest > $2 AND b.condemned_at_us IS NULL ORDER BY b.digest LIMIT $3;
