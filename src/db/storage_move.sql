-- SPDX-License-Identifier: Apache-2.0
-- Moving a tenant's bytes from one storage to another: migrations/0032_storage_moves.sql says what the columns mean.

-- name: storage_move_get :one
SELECT COALESCE(t.place_id, t.storage_id), COALESCE(t.left_id, 0), COALESCE(t.mover, '') FROM tenant t WHERE t.id = $1 AND t.state <> 3;

-- name: storage_move_begin :exec
UPDATE tenant SET left_id = COALESCE(place_id, storage_id), place_id = $2, updated_at_us = $3
WHERE id = $1 AND left_id IS NULL AND state <> 3;

-- name: storage_move_join :exec
UPDATE storage SET domain_id = (SELECT t.storage_id FROM tenant t WHERE t.id = $1) WHERE id = $2;

-- name: storage_move_take :exec
UPDATE tenant SET mover = $2 WHERE id = $1 AND left_id IS NOT NULL;

-- The bytes are in the new storage, and proved: if this process still is the one that moves.
-- name: storage_move_blob :exec
UPDATE blob SET place_id = (SELECT t.place_id FROM tenant t WHERE t.id = $1)
WHERE digest = $3 AND storage_id = (SELECT t.storage_id FROM tenant t WHERE t.id = $1 AND t.mover = $2)
	AND condemned_at_us IS NULL AND COALESCE(place_id, storage_id) = (SELECT t.left_id FROM tenant t WHERE t.id = $1);

-- What was condemned before the move is not taken along. Who removes it finds no bytes in the new storage, and then removes the row.
-- name: storage_move_condemned :exec
UPDATE blob SET place_id = (SELECT t.place_id FROM tenant t WHERE t.id = $1)
WHERE condemned_at_us IS NOT NULL AND storage_id = (SELECT t.storage_id FROM tenant t WHERE t.id = $1 AND t.mover = $2)
	AND COALESCE(place_id, storage_id) = (SELECT t.left_id FROM tenant t WHERE t.id = $1);

-- part: domain_of_tenant
(SELECT t.storage_id FROM tenant t WHERE t.id = $1)

-- How much of a tenant's is where: $2 a storage.
-- name: storage_move_sum :one
SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(b.size_bytes), 0) AS BIGINT)
FROM blob b WHERE b.storage_id = @domain_of_tenant AND COALESCE(b.place_id, b.storage_id) = $2 AND b.condemned_at_us IS NULL;

-- name: storage_move_uploads :one
SELECT CAST(COUNT(*) AS BIGINT) FROM upload WHERE storage_id = $1;

-- name: storage_move_end :exec
UPDATE tenant SET left_id = NULL, mover = NULL, updated_at_us = $3 WHERE id = $1 AND mover = $2;

-- No row means it any more: keys and secrets go, and its place is free, unless bytes are kept there ($3). The default one stays.
-- name: storage_move_retire :exec
UPDATE storage SET data_key = NULL, secrets = '', erased_at_us = $2, updated_at_us = $2,
	location = CASE WHEN $3 = 1 THEN location ELSE '#' || CAST(id AS TEXT) END
WHERE id = $1 AND id <> 1;
