-- SPDX-License-Identifier: Apache-2.0
-- Tags: names that point to a manifest of their repository.

-- name: tag_find :one
SELECT m.digest
FROM tag t JOIN manifest m ON m.id = t.manifest_id
WHERE t.repository_id = $1 AND t.name = $2;

-- Nobody moves or deletes the tag before this transaction ends. SQLite has one writer.
-- name: tag_lock :one
-- sqlite:
SELECT manifest_id, updated_at_us FROM tag WHERE repository_id = $1 AND name = $2;
-- postgres:
SELECT manifest_id, updated_at_us FROM tag WHERE repository_id = $1 AND name = $2 FOR UPDATE;

-- name: tag_insert :exec
INSERT INTO tag (repository_id, name, manifest_id, updated_at_us)
VALUES ($1, $2, $3, $4)
ON CONFLICT (repository_id, name) DO NOTHING;

-- name: tag_move :exec
UPDATE tag SET manifest_id = $3, updated_at_us = $4 WHERE repository_id = $1 AND name = $2;

-- name: tag_delete :one
DELETE FROM tag WHERE repository_id = $1 AND name = $2 RETURNING manifest_id, updated_at_us;

-- name: tag_delete_of_manifest :many
DELETE FROM tag WHERE manifest_id = $1 RETURNING name, updated_at_us;

-- With when each was pushed.
-- name: tag_state_page :many
SELECT name, updated_at_us, manifest_id FROM tag WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3;

-- name: tag_page :many
SELECT name FROM tag WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3;
