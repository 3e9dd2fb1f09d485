-- SPDX-License-Identifier: Apache-2.0
-- Other names: what is renamed, and the names that led to it before.
--
-- Who renames writes the new name first and looks for an alias of that name after, each in a statement of its own: so it sees
-- what somebody else has committed while it waited for him.

-- Of two who rename the same one waits for the other.
-- name: alias_hold_{} :one
-- each: project repository
-- sqlite:
SELECT name FROM {} WHERE id = $1;
-- postgres:
SELECT name FROM {} WHERE id = $1 FOR UPDATE;

-- Who renames a project locks its repositories before it: a push has locked its repository when it comes to lock the project.
-- name: alias_hold_repositories :one
-- sqlite:
SELECT count(*) FROM repository WHERE project_id = $1;
-- postgres:
SELECT count(*) FROM (SELECT id FROM repository WHERE project_id = $1 ORDER BY id FOR UPDATE) AS held;

-- name: alias_rename_{} :exec
-- each: project repository
UPDATE {} SET name = $2, updated_at_us = $3 WHERE id = $1;

-- What begins with a project's old name ($3) begins with its new one ($2).
-- part: renamed
CAST($2 AS TEXT) || substr(name, length(CAST($3 AS TEXT)) + 1)

-- name: alias_rename_repositories :exec
UPDATE repository SET name = @renamed WHERE project_id = $1;

-- name: alias_rename_repository_aliases :exec
UPDATE repository_alias SET name = @renamed
WHERE repository_id IN (SELECT id FROM repository WHERE project_id = $1);

-- Lists by name of the project and of its tenant are other ones now.
-- name: alias_relist :exec
UPDATE quota_stripe SET list_version = list_version + 1
WHERE (scope = 2 AND holder_id = $1 AND stripe = 0)
   OR (scope = 1 AND holder_id = (SELECT p.tenant_id FROM project p WHERE p.id = $1) AND stripe = 0);

-- name: alias_rename_robots :many
UPDATE robot SET name = @renamed WHERE project_id = $1 RETURNING id;

-- name: alias_longest_repository :one
SELECT CAST(COALESCE(MAX(length(n.name)), 0) AS BIGINT) FROM (
	SELECT name FROM repository WHERE project_id = $1
	UNION ALL
	SELECT a.name FROM repository_alias a JOIN repository r ON r.id = a.repository_id WHERE r.project_id = $1) AS n;

-- name: alias_longest_robot :one
SELECT CAST(COALESCE(MAX(length(name)), 0) AS BIGINT) FROM robot WHERE project_id = $1;

-- name: alias_owner_{} :one
-- each: project repository
SELECT {}_id FROM {}_alias WHERE tenant_id = $1 AND name = $2;

-- name: alias_insert_{} :exec
-- each: project repository
INSERT INTO {}_alias (tenant_id, name, {}_id, created_at_us) VALUES ($1, $2, $3, $4);

-- name: alias_delete_{} :exec
-- each: project repository
DELETE FROM {}_alias WHERE tenant_id = $1 AND name = $2 AND {}_id = $3;

-- name: alias_count_{} :one
-- each: project repository
SELECT count(*) FROM {}_alias WHERE {}_id = $1;

-- name: alias_page_{} :many
-- each: project repository
SELECT name, created_at_us FROM {}_alias WHERE {}_id = $1 ORDER BY name LIMIT $2 OFFSET $3;

-- For fsck: a repository's name, or a name it had, that does not begin with its project's; an alias of a name that is somebody's
-- now, or of what is gone.
-- name: alias_wrong :many
SELECT r.name FROM repository r JOIN project p ON p.id = r.project_id
WHERE substr(r.name, 1, length(p.name) + 1) <> p.name || '/' OR r.tenant_id <> p.tenant_id
UNION ALL
SELECT a.name FROM repository_alias a JOIN repository r ON r.id = a.repository_id JOIN project p ON p.id = r.project_id
WHERE substr(a.name, 1, length(p.name) + 1) <> p.name || '/' OR a.tenant_id <> r.tenant_id
UNION ALL
SELECT a.name FROM project_alias a JOIN project p ON p.id = a.project_id WHERE p.deleted <> 0 OR a.tenant_id <> p.tenant_id
UNION ALL
SELECT a.name FROM project_alias a JOIN project p ON p.tenant_id = a.tenant_id AND p.name = a.name
UNION ALL
SELECT a.name FROM repository_alias a JOIN repository r ON r.tenant_id = a.tenant_id AND r.name = a.name
ORDER BY 1 LIMIT $1;
