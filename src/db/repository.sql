-- SPDX-License-Identifier: Apache-2.0
-- Repositories. A name is a row, never a path.

-- name: repository_find :one
SELECT r.id, r.project_id, p.is_public, r.name
FROM repository r JOIN project p ON p.id = r.project_id
WHERE r.id = COALESCE((SELECT n.id FROM repository n WHERE n.tenant_id = $1 AND n.name = $2),
	(SELECT l.repository_id FROM repository_alias l WHERE l.tenant_id = $1 AND l.name = $2));

-- name: repository_name :one
SELECT r.name, r.project_id FROM repository r WHERE r.tenant_id = $1 AND r.id = $2;

-- What a project is called while a repository is put into it: who renames or deletes the project waits, or is waited for.
-- name: repository_hold_project :one
-- sqlite:
SELECT name FROM project WHERE id = $1 AND deleted = 0;
-- postgres:
SELECT name FROM project WHERE id = $1 AND deleted = 0 FOR KEY SHARE;

-- Caches know repositories by their ids, so SQLite too must not give one twice.
-- name: repository_insert :exec
-- sqlite:
INSERT INTO repository (id, tenant_id, project_id, name, created_at_us, updated_at_us)
SELECT 1 + MAX((SELECT COALESCE(MAX(id), 0) FROM repository), (SELECT id FROM repository_floor)), p.tenant_id, p.id, $2, $3, $3
FROM project p WHERE p.id = $1 AND p.deleted = 0
ON CONFLICT (tenant_id, name) DO NOTHING;
-- postgres:
INSERT INTO repository (tenant_id, project_id, name, created_at_us, updated_at_us)
SELECT p.tenant_id, p.id, $2, $3, $3 FROM project p WHERE p.id = $1 AND p.deleted = 0
ON CONFLICT (tenant_id, name) DO NOTHING;

-- name: repository_raise_floor :exec
UPDATE repository_floor SET id = $1 WHERE id < $1;

-- name: repository_count :exec
UPDATE repository SET artifact_count = artifact_count + $2, updated_at_us = $3 WHERE id = $1;

-- name: repository_describe :exec
UPDATE repository SET description = $2, updated_at_us = $3 WHERE id = $1;

-- Deleting one: nobody adds to it from now on, then row by row what it holds.
-- name: repository_lock :one
-- sqlite:
SELECT project_id, name FROM repository WHERE id = $1;
-- postgres:
SELECT project_id, name FROM repository WHERE id = $1 FOR UPDATE;

-- Changing what is in it: it is there until this transaction ends.
-- name: repository_hold :one
-- sqlite:
SELECT id FROM repository WHERE id = $1;
-- postgres:
SELECT id FROM repository WHERE id = $1 FOR KEY SHARE;

-- name: repository_manifest :one
SELECT id FROM manifest WHERE repository_id = $1 LIMIT 1;

-- name: repository_uploads :many
SELECT id FROM upload WHERE repository_id = $1 LIMIT $2;

-- name: repository_delete_tags :exec
DELETE FROM tag WHERE repository_id = $1;

-- name: repository_delete_artifacts :exec
DELETE FROM artifact WHERE repository_id = $1;

-- name: repository_delete_references :exec
DELETE FROM manifest_reference WHERE manifest_id IN (SELECT id FROM manifest WHERE repository_id = $1);

-- name: repository_delete_manifests :exec
DELETE FROM manifest WHERE repository_id = $1;

-- name: repository_delete_blobs :exec
DELETE FROM repository_blob WHERE repository_id = $1;

-- name: repository_delete :exec
DELETE FROM repository WHERE id = $1;

-- Lists for people: of one project, or of all that somebody may see.

-- part: columns
r.id, r.project_id, r.name, r.description, r.artifact_count, r.pull_count, r.created_at_us, r.updated_at_us,
p.name, p.is_public

-- part: joined
JOIN project p ON p.id = r.project_id

-- part: fits
(CAST($1 AS TEXT) = '' OR r.name LIKE $1 ESCAPE '\')
AND (CAST($2 AS TEXT) = '' OR r.name = $2)
AND (CAST($3 AS TEXT) = '' OR EXISTS (SELECT 1 FROM blob b JOIN repository_blob rb ON rb.blob_id = b.id
	WHERE b.digest = $3 AND rb.repository_id = r.id))

-- part: seen
p.tenant_id = $4 AND (CAST($5 AS BIGINT) = 1 OR p.is_public = 1
	OR CAST($8 AS TEXT) LIKE '%,' || CAST(p.id AS TEXT) || ',%'
	OR EXISTS (SELECT 1 FROM project_member pm
		WHERE pm.project_id = p.id AND (pm.expires_at_us IS NULL OR pm.expires_at_us > $7)
		  AND (pm.account_id = $6
		       OR pm.group_id IN (SELECT ag.group_id FROM account_group ag WHERE ag.account_id = $6))))

-- name: repository_get :one
SELECT @columns FROM repository r @joined WHERE r.id = $1;

-- name: repository_list_count :one
SELECT COUNT(*) FROM repository r @joined WHERE @seen AND @fits;

-- name: repository_list_by_{}_up :many
-- each: name created_at_us updated_at_us pull_count artifact_count
SELECT @columns FROM repository r @joined WHERE @seen AND @fits
ORDER BY r.{}, r.id
LIMIT $9 OFFSET $10;

-- name: repository_list_by_{}_down :many
-- each: name created_at_us updated_at_us pull_count artifact_count
SELECT @columns FROM repository r @joined WHERE @seen AND @fits
ORDER BY r.{} DESC, r.id DESC
LIMIT $9 OFFSET $10;

-- name: repository_count_in_project :one
SELECT COUNT(*) FROM repository r WHERE r.project_id = $4 AND @fits;

-- All of a project: its quota counts them, with every one that comes or goes.
-- name: repository_count_of_project :one
SELECT CAST(COALESCE(SUM(used_repositories), 0) AS BIGINT) FROM quota_stripe WHERE scope = 2 AND holder_id = $1;

-- name: repository_in_project_by_{}_up :many
-- each: name created_at_us updated_at_us pull_count artifact_count
SELECT @columns
FROM (SELECT r.id AS id FROM repository r
      WHERE r.project_id = $4 AND @fits
      ORDER BY r.{}, r.id
      LIMIT $5 OFFSET $6) page
JOIN repository r ON r.id = page.id @joined
ORDER BY r.{}, r.id;

-- name: repository_in_project_by_{}_down :many
-- each: name created_at_us updated_at_us pull_count artifact_count
SELECT @columns
FROM (SELECT r.id AS id FROM repository r
      WHERE r.project_id = $4 AND @fits
      ORDER BY r.{} DESC, r.id DESC
      LIMIT $5 OFFSET $6) page
JOIN repository r ON r.id = page.id @joined
ORDER BY r.{} DESC, r.id DESC;

-- name: repository_artifacts_in_project :one
SELECT CAST(COALESCE(SUM(artifact_count), 0) AS BIGINT) FROM repository WHERE project_id = $1;

-- The catalog lists what can be pulled: repositories with at least one manifest.
-- name: repository_page :many
SELECT r.name
FROM repository r JOIN project p ON p.id = r.project_id
WHERE r.tenant_id = $1 AND r.name > $2 AND (p.is_public = 1 OR $3 = 1)
  AND EXISTS (SELECT 1 FROM manifest m WHERE m.repository_id = r.id)
ORDER BY r.name
LIMIT $4;
