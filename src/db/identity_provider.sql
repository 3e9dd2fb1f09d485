-- SPDX-License-Identifier: Apache-2.0
-- Who vouches for users besides ourselves.

-- name: identity_provider_list :many
SELECT id, tenant_id, name, kind, position, enabled, settings, secrets, created_at_us, updated_at_us
FROM identity_provider
WHERE tenant_id = $1
ORDER BY position, id;

-- name: identity_provider_find :one
SELECT id, tenant_id, name, kind, position, enabled, settings, secrets, created_at_us, updated_at_us
FROM identity_provider
WHERE tenant_id = $1 AND id = $2;

-- name: identity_provider_insert :one
INSERT INTO identity_provider
	(tenant_id, name, kind, position, enabled, settings, secrets, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
ON CONFLICT (tenant_id, name) DO NOTHING
RETURNING id;

-- name: identity_provider_update :exec
UPDATE identity_provider
SET name = $3, position = $4, enabled = $5, settings = $6, secrets = $7, updated_at_us = $8
WHERE tenant_id = $1 AND id = $2;

-- name: identity_provider_delete :exec
DELETE FROM identity_provider WHERE tenant_id = $1 AND id = $2;
