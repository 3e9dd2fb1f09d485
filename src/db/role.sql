-- SPDX-License-Identifier: Apache-2.0
-- Roles. Those of tenant 0 are Harbor's five and cannot be changed.

-- part: role_columns
id, tenant_id, name, description, grants, created_at_us, updated_at_us

-- name: role_get :one
SELECT @role_columns FROM role WHERE id = $2 AND tenant_id IN (0, $1);

-- name: role_find :one
SELECT @role_columns FROM role WHERE name = $2 AND tenant_id IN (0, $1);

-- name: role_count :one
SELECT count(*) FROM role WHERE tenant_id IN (0, $1);

-- name: role_page :many
SELECT @role_columns FROM role WHERE tenant_id IN (0, $1) ORDER BY id LIMIT $2 OFFSET $3;

-- name: role_insert :one
INSERT INTO role (tenant_id, name, description, grants, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: role_update :exec
UPDATE role SET name = $3, description = $4, grants = $5, updated_at_us = $6 WHERE tenant_id = $1 AND id = $2;

-- name: role_delete :exec
DELETE FROM role WHERE tenant_id = $1 AND id = $2;

-- name: role_member :one
SELECT id FROM project_member WHERE role_id = $1 LIMIT 1;
