-- SPDX-License-Identifier: Apache-2.0
-- Projects: the first path segment of every repository name. A deleted one is found by nobody. Who looks for a name finds
-- the project that has it, or else the one that had it and kept it as an alias.

-- part: project_columns
p.id, p.tenant_id, p.name, p.is_public, p.owner_id, COALESCE(a.name, p.owner_name),
p.created_at_us, p.updated_at_us

-- part: project_tables
project p LEFT JOIN account a ON a.id = p.owner_id

-- name: project_find :one
SELECT @project_columns FROM @project_tables
WHERE p.id = COALESCE((SELECT n.id FROM project n WHERE n.tenant_id = $1 AND n.name = $2),
	(SELECT l.project_id FROM project_alias l WHERE l.tenant_id = $1 AND l.name = $2)) AND p.deleted = 0;

-- name: project_find_id :one
SELECT @project_columns FROM @project_tables WHERE p.tenant_id = $1 AND p.id = $2 AND p.deleted = 0;

-- name: project_insert :one
INSERT INTO project (tenant_id, name, is_public, owner_id, owner_name, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (tenant_id, name) DO NOTHING
RETURNING id;

-- name: project_update :exec
UPDATE project SET is_public = $2, updated_at_us = $3 WHERE id = $1 AND deleted = 0;

-- name: project_delete :exec
UPDATE project SET name = name || '#' || CAST(id AS TEXT), is_public = 0, deleted = 1, updated_at_us = $2
WHERE id = $1 AND deleted = 0;

-- name: project_delete_aliases :exec
DELETE FROM project_alias WHERE project_id = $1;

-- Names by their beginning, from $2 to $3.
-- name: project_names :many
SELECT id, name FROM project WHERE tenant_id = $1 AND name >= $2 AND name < $3 AND deleted = 0
ORDER BY name LIMIT $4;

-- Lists: what somebody sees, and of that what he asks for.

-- part: project_chosen
-- sqlite:
@project_seen
AND ($4 IS NULL OR p.name LIKE $4 ESCAPE '\')
AND ($5 IS NULL OR p.name IN (SELECT j.value FROM json_each($5) j))
AND ($6 IS NULL OR COALESCE((SELECT o.name FROM account o WHERE o.id = p.owner_id), p.owner_name) = $6)
AND ($7 IS NULL OR p.is_public = $7)
-- postgres:
@project_seen
AND (CAST($4 AS TEXT) IS NULL OR p.name LIKE $4 ESCAPE '\')
AND (CAST($5 AS TEXT) IS NULL OR p.name IN (SELECT json_array_elements_text(CAST($5 AS json))))
AND (CAST($6 AS TEXT) IS NULL OR COALESCE((SELECT o.name FROM account o WHERE o.id = p.owner_id), p.owner_name) = $6)
AND (CAST($7 AS BIGINT) IS NULL OR p.is_public = $7)

-- name: project_count :one
SELECT count(*) FROM project p WHERE @project_chosen;

-- An index gives the order, and has what most lists choose by; what a page shows is fetched for the page alone.
-- part: project_page
SELECT @project_columns FROM (SELECT p.id AS page_id FROM project p WHERE @project_chosen

-- part: project_shown
page JOIN project p ON p.id = page.page_id LEFT JOIN account a ON a.id = p.owner_id

-- name: project_page_by_{} :many
-- each: name id updated_at_us
@project_page ORDER BY p.{}, p.id LIMIT $8 OFFSET $9) @project_shown ORDER BY p.{}, p.id;

-- name: project_page_by_{}_down :many
-- each: name id updated_at_us
@project_page ORDER BY p.{} DESC, p.id DESC LIMIT $8 OFFSET $9) @project_shown ORDER BY p.{} DESC, p.id DESC;

-- name: project_repository_count :one
SELECT count(*) FROM repository r
WHERE r.project_id = $1 AND EXISTS (SELECT 1 FROM manifest m WHERE m.repository_id = r.id);

-- All repositories, also those that an upload made and in which there is nothing.
-- name: project_repositories :many
SELECT r.id, r.name FROM repository r WHERE r.project_id = $1 ORDER BY r.id LIMIT $2;

-- Settings by name.

-- name: project_metadata_list :many
SELECT name, value FROM project_metadata WHERE project_id = $1 ORDER BY name;

-- name: project_metadata_of :many
-- sqlite:
SELECT project_id, name, value FROM project_metadata
WHERE project_id IN (SELECT j.value FROM json_each($1) j) ORDER BY project_id, name;
-- postgres:
SELECT project_id, name, value FROM project_metadata
WHERE project_id IN (SELECT CAST(j AS BIGINT) FROM json_array_elements_text(CAST($1 AS json)) j) ORDER BY project_id, name;

-- name: project_metadata_put :exec
INSERT INTO project_metadata (project_id, name, value) VALUES ($1, $2, $3)
ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value;

-- name: project_metadata_delete :exec
DELETE FROM project_metadata WHERE project_id = $1 AND name = $2;

-- name: project_metadata_delete_all :exec
DELETE FROM project_metadata WHERE project_id = $1;
