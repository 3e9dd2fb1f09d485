-- SPDX-License-Identifier: Apache-2.0
-- Repositories. A name is a row, never a path.

-- By its name, by one that it had, or in a project by one that that had: $3 is the project's in $2, and $4 what is behind it, with
-- the slash. All of it in one statement, so that who is renamed meanwhile is found by the one name or by the other.
-- part: repository_of_name
COALESCE((SELECT n.id FROM repository n WHERE n.tenant_id = $1 AND n.name = $2),
	(SELECT l.repository_id FROM repository_alias l WHERE l.tenant_id = $1 AND l.name = $2),
	(SELECT n.id FROM project_alias a JOIN project p ON p.id = a.project_id
		JOIN repository n ON n.tenant_id = $1 AND n.name = p.name || $4
		WHERE a.tenant_id = $1 AND a.name = $3 AND p.deleted = 0),
	(SELECT l.repository_id FROM project_alias a JOIN project p ON p.id = a.project_id
		JOIN repository_alias l ON l.tenant_id = $1 AND l.name = p.name || $4
		WHERE a.tenant_id = $1 AND a.name = $3 AND p.deleted = 0))

-- part: repository_manifest
m.id, m.digest, m.media_type, m.content

-- name: repository_find :one
SELECT r.id, r.project_id, r.name FROM repository r WHERE r.id = @repository_of_name;

-- The same with a manifest of it, by its tag $5 or (that empty) its digest $6: one way to the database and back.
-- name: repository_find_wanting :one
SELECT r.id, r.project_id, r.name, @repository_manifest
FROM repository r
LEFT JOIN manifest m ON m.id = COALESCE(
	(SELECT t.manifest_id FROM tag t WHERE t.repository_id = r.id AND t.name = $5),
	(SELECT d.id FROM manifest d WHERE d.repository_id = r.id AND d.digest = $6))
WHERE r.id = @repository_of_name;

-- Nearly always it is called as it was asked for: then these are two or three look-ups by a key, and half as long under way.
-- name: repository_named_with_tag :one
SELECT r.id, r.project_id, r.name, @repository_manifest
FROM repository r
LEFT JOIN tag t ON t.repository_id = r.id AND t.name = $3
LEFT JOIN manifest m ON m.id = t.manifest_id
WHERE r.tenant_id = $1 AND r.name = $2;

-- name: repository_named_with_digest :one
SELECT r.id, r.project_id, r.name, @repository_manifest
FROM repository r
LEFT JOIN manifest m ON m.repository_id = r.id AND m.digest = $3
WHERE r.tenant_id = $1 AND r.name = $2;

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
UPDATE repository SET artifact_count = artifact_count + $2, updated_at_us = $3, list_version = list_version + 1 WHERE id = $1;

-- As many artifacts as before, but lists of them may be other ones now.
-- name: repository_relist :exec
UPDATE repository SET list_version = list_version + 1 WHERE id = $1;

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
p.name, p.is_public, r.list_version, r.pulled_at_us

-- part: joined
JOIN project p ON p.id = r.project_id

-- name: repository_get :one
SELECT @columns FROM repository r @joined WHERE r.id = $1;

-- How many there are in a project (scope 2) or a tenant (1), which quotas count with every one that comes or goes, and the state
-- in which their lists are (see the migration).
-- name: repository_total :one
SELECT CAST(COALESCE(SUM(used_repositories), 0) AS BIGINT), CAST(COALESCE(SUM(list_version), 0) AS BIGINT)
FROM quota_stripe WHERE scope = $1 AND holder_id = $2;

-- The lists of a project or a tenant: an index gives the page, and what it shows is fetched for the page alone. It begins at the
-- repository $4, or at the list's beginning if there is none. No name is before '' or after '~'.
-- part: shown
JOIN repository r ON r.id = page.id @joined

-- part: from_name
r.name >= COALESCE((SELECT n.name FROM repository n WHERE n.id = $4), '')

-- part: until_name
r.name <= COALESCE((SELECT n.name FROM repository n WHERE n.id = $4), '~')

-- name: repository_by_name_of_{}_up :many
-- each: project tenant
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE r.{}_id = $1 AND @from_name ORDER BY r.name LIMIT $2 OFFSET $3) page @shown
ORDER BY r.name;

-- name: repository_by_name_of_{}_down :many
-- each: project tenant
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE r.{}_id = $1 AND @until_name ORDER BY r.name DESC LIMIT $2 OFFSET $3) page @shown
ORDER BY r.name DESC;

-- Their ids are in the order in which they were made.
-- name: repository_by_id_of_{}_up :many
-- each: project tenant
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE r.{}_id = $1 AND r.id >= $4 ORDER BY r.id LIMIT $2 OFFSET $3) page @shown
ORDER BY r.id;

-- name: repository_by_id_of_{}_down :many
-- each: project tenant
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE r.{}_id = $1 AND r.id <= $4 ORDER BY r.id DESC LIMIT $2 OFFSET $3) page @shown
ORDER BY r.id DESC;

-- With a part of the name: the index has the names.
-- name: repository_named_like_of_{}_up :many custom
-- each: project tenant
SELECT @columns
FROM (SELECT r.id AS id FROM repository r
      WHERE r.{}_id = $1 AND @from_name AND r.name LIKE $5 ESCAPE '\'
      ORDER BY r.name LIMIT $2 OFFSET $3) page @shown
ORDER BY r.name;

-- name: repository_named_like_of_{}_down :many custom
-- each: project tenant
SELECT @columns
FROM (SELECT r.id AS id FROM repository r
      WHERE r.{}_id = $1 AND @until_name AND r.name LIKE $5 ESCAPE '\'
      ORDER BY r.name DESC LIMIT $2 OFFSET $3) page @shown
ORDER BY r.name DESC;

-- name: repository_count_like_of_{} :one custom
-- each: project tenant
SELECT COUNT(*) FROM repository r WHERE r.{}_id = $1 AND r.name LIKE $2 ESCAPE '\';

-- The one that has a name.
-- name: repository_named_of_{} :many
-- each: project tenant
SELECT @columns FROM repository r @joined WHERE r.{}_id = $1 AND r.name = $2 LIMIT $3 OFFSET $4;

-- name: repository_named_seen :many
SELECT @columns FROM repository r @joined WHERE @project_seen AND r.tenant_id = $3 AND r.name = $4 LIMIT $5 OFFSET $6;

-- In the other orders of a project the index gives the page, too.
-- name: repository_of_project_by_{}_up :many
-- each: updated_at_us pull_count artifact_count
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE r.project_id = $1 ORDER BY r.{}, r.id LIMIT $2 OFFSET $3) page @shown
ORDER BY r.{}, r.id;

-- name: repository_of_project_by_{}_down :many
-- each: updated_at_us pull_count artifact_count
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE r.project_id = $1 ORDER BY r.{} DESC, r.id DESC LIMIT $2 OFFSET $3) page @shown
ORDER BY r.{} DESC, r.id DESC;

-- All other lists look at every repository of the project, or of all projects that are seen.
-- part: fits
(CAST($4 AS TEXT) = '' OR r.name LIKE $4 ESCAPE '\')
AND (CAST($5 AS TEXT) = '' OR r.id IN (SELECT rb.repository_id FROM blob b JOIN repository_blob rb ON rb.blob_id = b.id
	WHERE b.digest = $5))

-- part: in_project
r.project_id = $1 AND @fits

-- part: seen
r.project_id IN (SELECT p.id FROM project p WHERE @project_seen) AND @fits

-- name: repository_fitting_in_project_by_{}_up :many custom
-- each: name id updated_at_us pull_count artifact_count
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE @in_project ORDER BY r.{}, r.id LIMIT $2 OFFSET $3) page @shown
ORDER BY r.{}, r.id;

-- name: repository_fitting_in_project_by_{}_down :many custom
-- each: name id updated_at_us pull_count artifact_count
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE @in_project ORDER BY r.{} DESC, r.id DESC LIMIT $2 OFFSET $3) page @shown
ORDER BY r.{} DESC, r.id DESC;

-- name: repository_fitting_seen_by_{}_up :many custom
-- each: name id updated_at_us pull_count artifact_count
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE @seen ORDER BY r.{}, r.id LIMIT $6 OFFSET $7) page @shown
ORDER BY r.{}, r.id;

-- name: repository_fitting_seen_by_{}_down :many custom
-- each: name id updated_at_us pull_count artifact_count
SELECT @columns
FROM (SELECT r.id AS id FROM repository r WHERE @seen ORDER BY r.{} DESC, r.id DESC LIMIT $6 OFFSET $7) page @shown
ORDER BY r.{} DESC, r.id DESC;

-- How many there are, up to $2 and without the first $3.
-- name: repository_count_fitting_in_project :one custom
SELECT COUNT(*) FROM (SELECT r.id FROM repository r WHERE @in_project LIMIT $2 OFFSET $3) AS found;

-- name: repository_count_fitting_seen :one custom
SELECT COUNT(*) FROM repository r WHERE @seen;

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
