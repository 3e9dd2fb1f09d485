-- SPDX-License-Identifier: Apache-2.0
-- Accounts of people. A deleted one is found by its id only, and by nobody who asks for a user.
-- Its tenant's administrator is who was made one, or is in a group that was.

-- part: account_columns
id, tenant_id, name, password, email, realname, comment, is_admin, is_auditor,
CASE WHEN is_tenant_admin = 1 OR EXISTS (SELECT 1 FROM account_group ag JOIN user_group ug ON ug.id = ag.group_id
	WHERE ag.account_id = account.id AND ug.is_tenant_admin = 1) THEN 1 ELSE 0 END, source, issuer,
subject, admin_elsewhere, disabled, epoch, created_at_us, updated_at_us

-- name: account_get :one
SELECT @account_columns FROM account WHERE tenant_id = $1 AND id = $2 AND deleted = 0;

-- name: account_get_anywhere :one
SELECT @account_columns FROM account WHERE id = $1 AND deleted = 0;

-- name: account_find :one
SELECT @account_columns FROM account WHERE tenant_id = $1 AND name = $2 AND deleted = 0;

-- What somebody types to log in is his name, or his e-mail address when nobody has such a name.
-- name: account_find_login :one
SELECT @account_columns FROM account
WHERE deleted = 0 AND id IN (
	SELECT n.id FROM account n WHERE n.tenant_id = $1 AND n.name = $2
	UNION ALL SELECT e.id FROM account e WHERE e.tenant_id = $1 AND e.email IS NOT NULL AND lower(e.email) = lower($2))
ORDER BY CASE WHEN name = $2 THEN 0 ELSE 1 END
LIMIT 1;

-- name: account_find_subject :one
SELECT @account_columns FROM account WHERE tenant_id = $1 AND issuer = $2 AND subject = $3 AND deleted = 0;

-- name: account_state :one
SELECT epoch, disabled FROM account WHERE id = $1 AND deleted = 0;

-- name: account_insert :one
INSERT INTO account (tenant_id, name, password, email, realname, comment, is_admin, source, issuer, subject,
	created_at_us, updated_at_us, password_changed_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: account_email_taken :one
SELECT id FROM account WHERE tenant_id = $1 AND lower(email) = lower($2) AND id <> $3;

-- name: account_update :exec
UPDATE account SET email = $3, realname = $4, comment = $5, updated_at_us = $6
WHERE tenant_id = $1 AND id = $2 AND deleted = 0;

-- name: account_set_password :exec
UPDATE account SET password = $3, password_changed_at_us = $4, updated_at_us = $4, epoch = epoch + 1
WHERE tenant_id = $1 AND id = $2 AND deleted = 0;

-- name: account_set_{} :exec
-- each: is_admin is_auditor is_tenant_admin disabled
UPDATE account SET {} = $3, updated_at_us = $4, epoch = epoch + 1
WHERE tenant_id = $1 AND id = $2 AND deleted = 0;

-- name: account_set_elsewhere :exec
UPDATE account SET admin_elsewhere = $2, updated_at_us = $3, epoch = epoch + 1
WHERE id = $1 AND deleted = 0;

-- Administrators that no lost server can lock out; locked, so that two of them cannot remove each other at once.
-- name: account_local_admins :many
-- sqlite:
SELECT id FROM account WHERE is_admin = 1 AND source = 'local' AND disabled = 0 AND deleted = 0 ORDER BY id;
-- postgres:
SELECT id FROM account WHERE is_admin = 1 AND source = 'local' AND disabled = 0 AND deleted = 0 ORDER BY id FOR UPDATE;

-- name: account_delete :exec
UPDATE account SET name = name || '#' || CAST(id AS TEXT), email = NULL, subject = NULL, password = '',
	deleted = 1, updated_at_us = $3, epoch = epoch + 1
WHERE tenant_id = $1 AND id = $2 AND deleted = 0;

-- name: account_leave_groups :exec
DELETE FROM account_group WHERE account_id = $1;

-- name: account_leave_projects :exec
DELETE FROM project_member WHERE account_id = $1;

-- part: account_chosen
-- sqlite:
tenant_id = $1 AND deleted = 0 AND name <> $2
AND ($3 IS NULL OR name LIKE $3 ESCAPE '\') AND ($4 IS NULL OR email LIKE $4 ESCAPE '\')
AND ($5 IS NULL OR name = $5) AND ($6 IS NULL OR lower(email) = lower($6))
-- postgres:
tenant_id = $1 AND deleted = 0 AND name <> $2
AND (CAST($3 AS TEXT) IS NULL OR name ILIKE $3 ESCAPE '\') AND (CAST($4 AS TEXT) IS NULL OR email ILIKE $4 ESCAPE '\')
AND (CAST($5 AS TEXT) IS NULL OR name = $5) AND (CAST($6 AS TEXT) IS NULL OR lower(email) = lower($6))

-- name: account_count :one
SELECT count(*) FROM account WHERE @account_chosen;

-- name: account_page_by_{} :many
-- each: id name email
SELECT @account_columns FROM account WHERE @account_chosen ORDER BY {}, id LIMIT $7 OFFSET $8;

-- name: account_page_by_{}_down :many
-- each: id name email
SELECT @account_columns FROM account WHERE @account_chosen ORDER BY {} DESC, id DESC LIMIT $7 OFFSET $8;

-- The nearest names first: what begins and ends soonest.
-- name: account_page_by_length :many
SELECT @account_columns FROM account WHERE @account_chosen ORDER BY length(name), name, id LIMIT $7 OFFSET $8;

-- name: account_any :one
SELECT COUNT(*) FROM (SELECT 1 FROM account LIMIT 1) first_one;
