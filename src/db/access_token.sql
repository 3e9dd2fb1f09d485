-- SPDX-License-Identifier: Apache-2.0
-- Personal access tokens, by their keyed hash.

-- part: token_columns
id, account_id, name, hint, created_at_us, expires_at_us, used_at_us

-- name: access_token_insert :one
INSERT INTO access_token (hash, account_id, name, hint, created_at_us, expires_at_us)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: access_token_find :one
SELECT @token_columns FROM access_token WHERE hash = $1;

-- name: access_token_get :one
SELECT @token_columns FROM access_token WHERE account_id = $1 AND id = $2;

-- name: access_token_count :one
SELECT count(*) FROM access_token WHERE account_id = $1;

-- name: access_token_page :many
SELECT @token_columns FROM access_token WHERE account_id = $1 ORDER BY id LIMIT $2 OFFSET $3;

-- name: access_token_used :exec
UPDATE access_token SET used_at_us = $2 WHERE id = $1 AND COALESCE(used_at_us, 0) < $2;

-- name: access_token_delete :exec
DELETE FROM access_token WHERE account_id = $1 AND id = $2;

-- name: access_token_delete_named :exec
DELETE FROM access_token WHERE account_id = $1 AND name = $2;

-- name: access_token_delete_all :exec
DELETE FROM access_token WHERE account_id = $1;

-- name: access_token_delete_expired :exec
DELETE FROM access_token
WHERE id IN (SELECT id FROM access_token WHERE expires_at_us <= $1 ORDER BY expires_at_us LIMIT $2);
