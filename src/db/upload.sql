-- SPDX-License-Identifier: Apache-2.0
-- Upload sessions. `publishing` is the digest the bytes are about to be published under: an intent, so
-- that a crash between the blob's file and its row can be tidied at the next start.

-- name: upload_insert :exec
INSERT INTO upload (id, repository_id, storage_id, algorithm, created_at_us, touched_at_us)
SELECT $1, r.id, s.id, $3, $4, $4
FROM repository r JOIN tenant t ON t.id = r.tenant_id JOIN storage s ON s.id = COALESCE(t.place_id, t.storage_id)
WHERE r.id = $2 AND s.erased_at_us IS NULL;

-- name: upload_find :one
SELECT u.repository_id, u.storage_id, u.algorithm, u.publishing, u.reserved_bytes
FROM upload u
WHERE u.id = $1 AND u.repository_id = $2;

-- name: upload_touch :exec
UPDATE upload SET touched_at_us = $2 WHERE id = $1;

-- name: upload_set_publishing :exec
UPDATE upload SET publishing = $2 WHERE id = $1;

-- name: upload_clear_publishing :exec
UPDATE upload SET publishing = NULL WHERE id = $1;

-- name: upload_reserve :exec
UPDATE upload SET reserved_bytes = reserved_bytes + $2 WHERE id = $1;

-- name: upload_delete :one
DELETE FROM upload WHERE id = $1 RETURNING reserved_bytes;

-- name: upload_exists :one
SELECT 1 FROM upload WHERE id = $1 AND storage_id = $2
UNION ALL
SELECT 1 FROM tenant WHERE left_id IS NOT NULL AND mover = $1 AND place_id = $2
LIMIT 1;

-- name: upload_get :one
SELECT repository_id, storage_id, algorithm, publishing, reserved_bytes FROM upload WHERE id = $1;

-- name: upload_is_publishing :one
SELECT 1 FROM upload WHERE storage_id = $1 AND publishing = $2 LIMIT 1;

-- name: upload_publishing_page :many
SELECT id FROM upload WHERE publishing IS NOT NULL AND id > $1 ORDER BY id LIMIT $2;

-- name: upload_expired_page :many
SELECT id FROM upload WHERE touched_at_us < $1 ORDER BY touched_at_us LIMIT $2;
