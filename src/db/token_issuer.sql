-- SPDX-License-Identifier: Apache-2.0
-- Whose tokens count in place of a robot's secret, and which of them were used up.

-- part: issuer_columns
id, tenant_id, name, url, keys, ca, audiences, enabled, skip_verify, single_use, created_at_us, updated_at_us

-- name: token_issuer_insert :one
INSERT INTO token_issuer (tenant_id, name, url, keys, ca, audiences, enabled, skip_verify, single_use, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: token_issuer_get :one
SELECT @issuer_columns FROM token_issuer WHERE tenant_id = $1 AND id = $2;

-- name: token_issuer_list :many
SELECT @issuer_columns FROM token_issuer WHERE tenant_id = $1 ORDER BY name LIMIT $2 OFFSET $3;

-- name: token_issuer_count :one
SELECT count(*) FROM token_issuer WHERE tenant_id = $1;

-- Of one tenant or (0) of all.
-- name: token_issuer_of_url :many
SELECT @issuer_columns FROM token_issuer WHERE url = $1 AND enabled = 1 AND (CAST($2 AS BIGINT) = 0 OR tenant_id = $2)
ORDER BY tenant_id, id LIMIT $3;

-- name: token_issuer_update :exec
UPDATE token_issuer SET url = $3, keys = $4, ca = $5, audiences = $6, enabled = $7, skip_verify = $8, single_use = $9,
	updated_at_us = $10
WHERE tenant_id = $1 AND id = $2;

-- name: token_issuer_delete :exec
DELETE FROM token_issuer WHERE tenant_id = $1 AND id = $2;

-- name: token_used_insert :exec
INSERT INTO token_used (issuer_id, hash, expires_at_us) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: token_used_forget :exec
DELETE FROM token_used WHERE expires_at_us < $1;
