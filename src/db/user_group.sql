-- SPDX-License-Identifier: Apache-2.0
-- Groups of people, and who is in them.

-- part: group_columns
id, tenant_id, type, name, dn

-- name: user_group_insert :one
INSERT INTO user_group (tenant_id, type, name, dn, created_at_us) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: user_group_get :one
SELECT @group_columns FROM user_group WHERE tenant_id = $1 AND id = $2;

-- Of a directory's group the DN says which it is, of others the name.
-- name: user_group_find :one
SELECT @group_columns FROM user_group
WHERE tenant_id = $1 AND type = $2 AND (CAST($4 AS TEXT) <> '' OR name = $3) AND dn = $4
ORDER BY id LIMIT 1;

-- name: user_group_rename :exec
UPDATE user_group SET name = $3 WHERE tenant_id = $1 AND id = $2;

-- name: user_group_set_tenant_admin :exec
UPDATE user_group SET is_tenant_admin = $3 WHERE tenant_id = $1 AND id = $2;

-- What its members were given by it ends: tokens of theirs from before are worth nothing.
-- name: user_group_age_members :exec
UPDATE account SET epoch = epoch + 1 WHERE id IN (SELECT account_id FROM account_group WHERE group_id = $1);

-- name: user_group_delete :exec
DELETE FROM user_group WHERE tenant_id = $1 AND id = $2;

-- part: group_chosen
-- sqlite:
tenant_id = $1 AND ($2 IS NULL OR name LIKE $2 ESCAPE '\') AND ($3 IS NULL OR dn = $3)
-- postgres:
tenant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR name ILIKE $2 ESCAPE '\') AND (CAST($3 AS TEXT) IS NULL OR dn = $3)

-- name: user_group_count :one
SELECT count(*) FROM user_group WHERE @group_chosen;

-- name: user_group_page :many
SELECT @group_columns FROM user_group WHERE @group_chosen ORDER BY id LIMIT $4 OFFSET $5;

-- name: user_group_page_by_length :many
SELECT @group_columns FROM user_group WHERE @group_chosen ORDER BY length(name), name, id LIMIT $4 OFFSET $5;

-- Membership. Local groups (type 4) are what administrators say; all others what the provider said at login.
-- name: account_group_elsewhere :many
SELECT g.id, g.tenant_id, g.type, g.name, g.dn FROM account_group a JOIN user_group g ON g.id = a.group_id
WHERE a.account_id = $1 AND g.type <> 4 ORDER BY g.id;

-- name: account_group_insert :exec
INSERT INTO account_group (account_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: account_group_delete :exec
DELETE FROM account_group WHERE account_id = $1 AND group_id = $2;

-- name: user_group_member_count :one
SELECT count(*) FROM account_group WHERE group_id = $1;

-- name: user_group_member_page :many
SELECT a.id, a.name FROM account_group m JOIN account a ON a.id = m.account_id
WHERE m.group_id = $1 ORDER BY a.id LIMIT $2 OFFSET $3;
