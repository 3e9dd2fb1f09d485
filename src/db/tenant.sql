-- SPDX-License-Identifier: Apache-2.0
-- Tenants, the hosts by which they are called, and who administrates them. A tenant of state 3 is deleted, and found by nobody.

-- part: tenant_columns
t.id, t.name, t.title, t.state, t.state_reason, COALESCE(t.place_id, t.storage_id), t.created_at_us, t.updated_at_us,
COALESCE(t.left_id, 0)

-- name: tenant_get :one
SELECT @tenant_columns FROM tenant t WHERE t.id = $1 AND t.state <> 3;

-- name: tenant_find :one
SELECT @tenant_columns FROM tenant t WHERE t.name = $1 AND t.state <> 3;

-- name: tenant_of_host :one
SELECT @tenant_columns FROM tenant_host h JOIN tenant t ON t.id = h.tenant_id WHERE h.host = $1;

-- Lists: $1 a pattern over names, $2 a state.
-- part: tenant_chosen
t.state <> 3 AND (CAST($1 AS TEXT) = '' OR t.name LIKE $1 ESCAPE '\')
AND (CAST($2 AS BIGINT) < 0 OR t.state = $2)

-- name: tenant_count :one
SELECT count(*) FROM tenant t WHERE @tenant_chosen;

-- name: tenant_page_by_{}_up :many
-- each: id name created_at_us
SELECT @tenant_columns FROM tenant t WHERE @tenant_chosen ORDER BY t.{}, t.id LIMIT $3 OFFSET $4;

-- name: tenant_page_by_{}_down :many
-- each: id name created_at_us
SELECT @tenant_columns FROM tenant t WHERE @tenant_chosen ORDER BY t.{} DESC, t.id DESC LIMIT $3 OFFSET $4;

-- name: tenant_insert :one
INSERT INTO tenant (name, title, state, state_reason, storage_id, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: tenant_update :exec
UPDATE tenant SET title = $2, state = $3, state_reason = $4, updated_at_us = $5
WHERE id = $1 AND state <> 3;

-- For who needs that nothing about a tenant changes meanwhile.
-- name: tenant_touch :exec
UPDATE tenant SET updated_at_us = $2 WHERE id = $1 AND state <> 3;

-- For who makes something in it: so long it is not deleted.
-- name: tenant_hold :one
-- sqlite:
SELECT id FROM tenant WHERE id = $1 AND state <> 3;
-- postgres:
SELECT id FROM tenant WHERE id = $1 AND state <> 3 FOR KEY SHARE;

-- Projects refer to it for as long as they are kept, so the row stays, under a name that cannot be asked for.
-- name: tenant_delete :exec
UPDATE tenant SET name = name || '#' || CAST(id AS TEXT), state = 3, updated_at_us = $2
WHERE id = $1 AND state <> 3;

-- name: tenant_any_project :one
SELECT id FROM project WHERE tenant_id = $1 AND deleted = 0 LIMIT 1;

-- What goes with it. Its records stay in the audit trail; so do the ids that they name, as rows that say nothing more.

-- name: tenant_clear_{} :exec
-- each: session access_token account_group
DELETE FROM {} WHERE account_id IN (SELECT id FROM account WHERE tenant_id = $1);

-- name: tenant_clear_{} :exec
-- each: tenant_host binding token_issuer robot label user_group role identity_provider job job_schedule inventory webhook_policy trash_window
DELETE FROM {} WHERE tenant_id = $1;

-- name: tenant_clear_garbage_freed :exec
DELETE FROM garbage_freed WHERE tenant_id = $1 AND tenant_id > 0;

-- name: tenant_clear_quota :exec
DELETE FROM quota WHERE scope = 1 AND holder_id = $1;

-- name: tenant_clear_project :exec
UPDATE project SET owner_id = NULL, owner_name = '' WHERE tenant_id = $1;

-- name: tenant_clear_account :exec
UPDATE account SET name = '#' || CAST(id AS TEXT), email = NULL, realname = '', comment = '', password = '',
	source = 'local', issuer = '', subject = NULL, is_admin = 0, is_auditor = 0, is_tenant_admin = 0, admin_elsewhere = 0,
	deleted = 1, epoch = epoch + 1
WHERE tenant_id = $1;

-- Hosts.

-- name: tenant_host_list :many
SELECT host FROM tenant_host WHERE tenant_id = $1 ORDER BY host LIMIT $2;

-- name: tenant_host_insert :exec
INSERT INTO tenant_host (host, tenant_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: tenant_host_delete :exec
DELETE FROM tenant_host WHERE tenant_id = $1 AND host = $2;

-- Administrators: people by themselves (type 0) and groups (type 1).
-- part: tenant_admins
SELECT 0 AS type, a.id, a.name FROM account a WHERE a.tenant_id = $1 AND a.is_tenant_admin = 1 AND a.deleted = 0
UNION ALL
SELECT 1 AS type, g.id, g.name FROM user_group g WHERE g.tenant_id = $1 AND g.is_tenant_admin = 1

-- name: tenant_admin_count :one
SELECT count(*) FROM (@tenant_admins) AS found;

-- name: tenant_admin_page :many
SELECT type, id, name FROM (@tenant_admins) AS found ORDER BY type, name, id LIMIT $2 OFFSET $3;
