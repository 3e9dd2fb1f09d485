-- SPDX-License-Identifier: Apache-2.0
-- Storages: where tenants' bytes are.

-- part: columns
id, name, driver, location, settings, secrets, encrypted, data_key, erased_at_us, created_at_us, updated_at_us

-- name: storage_find :one
SELECT @columns FROM storage WHERE id = $1;

-- name: storage_page :many
SELECT @columns FROM storage WHERE id > $1 ORDER BY id LIMIT $2;
