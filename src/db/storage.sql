-- SPDX-License-Identifier: Apache-2.0
-- Storages: where tenants' bytes are.

-- part: columns
id, name, driver, location, settings, secrets, encrypted, data_key, erased_at_us, created_at_us, updated_at_us,
CASE WHEN erased_at_us IS NULL THEN 0 ELSE (SELECT COUNT(*) FROM tenant t
	WHERE t.storage_id = COALESCE(storage.domain_id, storage.id) AND COALESCE(t.place_id, t.storage_id) <> storage.id) END

-- name: storage_find :one
SELECT @columns FROM storage WHERE id = $1;

-- name: storage_page :many
SELECT @columns FROM storage WHERE id > $1 ORDER BY id LIMIT $2;

-- Held to the end of the transaction: of two that make storages at once, the second sees what the first made.
-- name: storage_lock :one
-- sqlite:
SELECT id FROM storage WHERE id = 1;
-- postgres:
SELECT id FROM storage WHERE id = 1 FOR UPDATE;

-- Another one that is, holds, or lies in this place.
-- name: storage_overlap :one
SELECT id FROM storage
WHERE driver = $1 AND location <> ''
	AND (location = CAST($2 AS TEXT)
		OR substr(location, 1, length(CAST($2 AS TEXT)) + 1) = CAST($2 AS TEXT) || '/'
		OR substr(CAST($2 AS TEXT), 1, length(location) + 1) = location || '/')
LIMIT 1;

-- name: storage_insert :one
INSERT INTO storage (name, driver, location, settings, secrets, encrypted, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, '', $5, $6, $6)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: storage_set_secrets :exec
UPDATE storage SET secrets = $2, updated_at_us = $3 WHERE id = $1 AND erased_at_us IS NULL;

-- name: storage_set_data_key :exec
UPDATE storage SET data_key = $2, updated_at_us = $3 WHERE id = $1 AND encrypted = 1 AND data_key IS NULL AND erased_at_us IS NULL;

-- name: storage_set_settings :exec
UPDATE storage SET settings = $2, updated_at_us = $3 WHERE id = $1 AND erased_at_us IS NULL;

-- All that a domain's bytes ever were in: $1 any of them.
-- name: storage_domain :many
SELECT s.id FROM storage s WHERE s.id = @domain
UNION ALL
SELECT s.id FROM storage s WHERE s.domain_id = @domain;

-- Keys and secrets are gone with this.
-- name: storage_erase :exec
UPDATE storage SET data_key = NULL, secrets = '', erased_at_us = $2, updated_at_us = $2
WHERE id = $1 AND encrypted = 1 AND erased_at_us IS NULL;
