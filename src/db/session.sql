-- SPDX-License-Identifier: Apache-2.0
-- Sessions of browsers, by the hash of what the cookie says.

-- part: session_columns
id, account_id, created_at_us, touched_at_us, expires_at_us, address, user_agent, provider_id, roles

-- name: session_insert :one
INSERT INTO session (hash, account_id, created_at_us, touched_at_us, expires_at_us, address, user_agent,
	provider_id, provider_session, id_token, roles)
VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING id;

-- name: session_find :one
SELECT @session_columns FROM session WHERE hash = $1;

-- name: session_id_token :one
SELECT id_token FROM session WHERE id = $1;

-- name: session_touch :exec
UPDATE session SET touched_at_us = $2, expires_at_us = $3 WHERE id = $1;

-- name: session_count :one
SELECT count(*) FROM session WHERE account_id = $1 AND expires_at_us > $2;

-- name: session_page :many
SELECT @session_columns FROM session WHERE account_id = $1 AND expires_at_us > $2
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: session_delete :many
DELETE FROM session WHERE account_id = $1 AND id = $2 RETURNING hash;

-- name: session_delete_hash :exec
DELETE FROM session WHERE hash = $1;

-- name: session_delete_all :many
DELETE FROM session WHERE account_id = $1 AND id <> $2 RETURNING hash;

-- Of one subject of a provider, or of one session there: what a back-channel logout names.
-- name: session_delete_provider :many
DELETE FROM session
WHERE provider_id = $1 AND ($2 = '' OR provider_session = $2)
	AND ($3 = '' OR account_id IN (SELECT id FROM account WHERE subject = $3 AND issuer = $4))
RETURNING hash;

-- The oldest go when somebody has too many.
-- name: session_delete_oldest :many
DELETE FROM session WHERE id IN (
	SELECT id FROM session WHERE account_id = $1 ORDER BY touched_at_us DESC, id DESC LIMIT 1000 OFFSET $2)
RETURNING hash;

-- name: session_delete_expired :exec
DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at_us <= $1 ORDER BY expires_at_us LIMIT $2);
