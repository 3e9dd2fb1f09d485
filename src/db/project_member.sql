-- SPDX-License-Identifier: Apache-2.0
-- Members of projects: accounts and groups, each with one role, perhaps for a time.
-- The memberships of a deleted account are nobody's.

-- What an account holds in a project now, by itself and by its groups.
-- name: member_held :many
SELECT h.role_id, h.expires_at_us, r.grants
FROM project_holder h JOIN role r ON r.id = h.role_id
WHERE h.project_id = $1 AND h.account_id = $2
ORDER BY h.role_id;

-- Whether it holds a role in any project.
-- name: member_holds_anywhere :one
SELECT h.project_id FROM project_holder h WHERE h.role_id = $1 AND h.account_id = $2 LIMIT 1;

-- The projects in which it holds any role.
-- name: member_projects :many
SELECT DISTINCT m.project_id
FROM project_member m
WHERE (m.account_id = $1 OR m.group_id IN (SELECT g.group_id FROM account_group g WHERE g.account_id = $1))
  AND (m.expires_at_us IS NULL OR m.expires_at_us > $2)
ORDER BY m.project_id
LIMIT $3;

-- part: member_columns
m.id, m.project_id, m.account_id, m.group_id, COALESCE(a.name, g.name, ''), m.role_id, r.name, m.expires_at_us,
m.created_at_us, m.updated_at_us

-- part: member_tables
project_member m
JOIN role r ON r.id = m.role_id
LEFT JOIN account a ON a.id = m.account_id
LEFT JOIN user_group g ON g.id = m.group_id

-- name: member_get :one
SELECT @member_columns FROM @member_tables
WHERE m.project_id = $1 AND m.id = $2 AND COALESCE(a.deleted, 0) = 0;

-- part: member_chosen
-- sqlite:
m.project_id = $1 AND COALESCE(a.deleted, 0) = 0 AND ($2 IS NULL OR COALESCE(a.name, g.name) LIKE $2 ESCAPE '\')
-- postgres:
m.project_id = $1 AND COALESCE(a.deleted, 0) = 0
AND (CAST($2 AS TEXT) IS NULL OR COALESCE(a.name, g.name) ILIKE $2 ESCAPE '\')

-- name: member_count :one
SELECT count(*) FROM @member_tables WHERE @member_chosen;

-- name: member_page :many
SELECT @member_columns FROM @member_tables WHERE @member_chosen
ORDER BY COALESCE(a.name, g.name, ''), m.id LIMIT $3 OFFSET $4;

-- name: member_count_by_role :many
SELECT m.role_id, count(*)
FROM project_member m LEFT JOIN account a ON a.id = m.account_id
WHERE m.project_id = $1 AND COALESCE(a.deleted, 0) = 0
GROUP BY m.role_id;

-- name: member_insert :one
INSERT INTO project_member (project_id, account_id, group_id, role_id, expires_at_us, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: member_update :exec
UPDATE project_member SET role_id = $3, expires_at_us = $4, updated_at_us = $5 WHERE project_id = $1 AND id = $2;

-- name: member_delete :exec
DELETE FROM project_member WHERE project_id = $1 AND id = $2;

-- name: member_delete_all :exec
DELETE FROM project_member WHERE project_id = $1;

-- Whom a change concerns. What they proved before it counts no more: their tokens say what they held then.
-- name: member_accounts_of_group :many
UPDATE account SET epoch = epoch + 1
WHERE id IN (SELECT account_id FROM account_group WHERE group_id = $1)
RETURNING id;

-- name: member_accounts_of_account :many
UPDATE account SET epoch = epoch + 1 WHERE id = $1 RETURNING id;

-- name: member_accounts_of_role :many
UPDATE account SET epoch = epoch + 1
WHERE id IN (
	SELECT m.account_id FROM project_member m WHERE m.role_id = $1 AND m.account_id IS NOT NULL
	UNION
	SELECT g.account_id FROM project_member m JOIN account_group g ON g.group_id = m.group_id WHERE m.role_id = $1)
RETURNING id;

-- name: member_accounts_of_project :many
UPDATE account SET epoch = epoch + 1
WHERE id IN (
	SELECT m.account_id FROM project_member m WHERE m.project_id = $1 AND m.account_id IS NOT NULL
	UNION
	SELECT g.account_id FROM project_member m JOIN account_group g ON g.group_id = m.group_id WHERE m.project_id = $1)
RETURNING id;
