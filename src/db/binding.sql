-- SPDX-License-Identifier: Apache-2.0
-- Which robot somebody else's token (of an issuer) or certificate (issuer NULL) stands for, and under which conditions.

-- part: binding_columns
b.id, b.tenant_id, b.issuer_id, b.robot_id, b.name, b.position, b.enabled, b.conditions, b.lifetime_s, b.created_at_us,
b.updated_at_us, b.used_at_us, r.name, r.visible

-- name: binding_insert :one
INSERT INTO binding (tenant_id, issuer_id, robot_id, name, position, enabled, conditions, lifetime_s, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: binding_get :one
SELECT @binding_columns FROM binding b JOIN robot r ON r.id = b.robot_id
WHERE b.tenant_id = $1 AND COALESCE(b.issuer_id, 0) = $2 AND b.id = $3;

-- In the order in which they are tried.
-- name: binding_list :many
SELECT @binding_columns FROM binding b JOIN robot r ON r.id = b.robot_id
WHERE b.tenant_id = $1 AND COALESCE(b.issuer_id, 0) = $2 ORDER BY b.position, b.id LIMIT $3 OFFSET $4;

-- name: binding_count :one
SELECT count(*) FROM binding WHERE tenant_id = $1 AND COALESCE(issuer_id, 0) = $2;

-- Those of certificates, of one tenant or (0) of all.
-- name: binding_of_certificates :many
SELECT @binding_columns FROM binding b JOIN robot r ON r.id = b.robot_id
WHERE b.issuer_id IS NULL AND b.enabled = 1 AND (CAST($1 AS BIGINT) = 0 OR b.tenant_id = $1)
ORDER BY b.tenant_id, b.position, b.id LIMIT $2;

-- name: binding_update :exec
UPDATE binding SET position = $2, enabled = $3, conditions = $4, lifetime_s = $5, robot_id = $6, updated_at_us = $7 WHERE id = $1;

-- name: binding_delete :exec
DELETE FROM binding WHERE id = $1;

-- name: binding_used :exec
UPDATE binding SET used_at_us = $2 WHERE id = $1 AND COALESCE(used_at_us, 0) < $2;
