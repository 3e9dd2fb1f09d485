-- SPDX-License-Identifier: Apache-2.0
-- Labels of a tenant or of a project, and the artifacts that wear them.

-- part: columns
l.id, l.tenant_id, l.project_id, l.name, l.description, l.color, l.created_at_us, l.updated_at_us

-- name: label_insert :one
INSERT INTO label (tenant_id, project_id, name, description, color, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: label_get :one
SELECT @columns FROM label l WHERE l.tenant_id = $1 AND l.id = $2;

-- name: label_update :exec
UPDATE label SET name = $2, description = $3, color = $4, updated_at_us = $5 WHERE id = $1;

-- name: label_delete :exec
DELETE FROM label WHERE id = $1;

-- part: fits
l.tenant_id = $1 AND COALESCE(l.project_id, 0) = $2
AND (CAST($3 AS TEXT) = '' OR l.name LIKE $3 ESCAPE '\')

-- name: label_count :one
SELECT COUNT(*) FROM label l WHERE @fits;

-- name: label_page_by_{}_up :many
-- each: name created_at_us updated_at_us id
SELECT @columns FROM label l WHERE @fits ORDER BY l.{}, l.id LIMIT $4 OFFSET $5;

-- name: label_page_by_{}_down :many
-- each: name created_at_us updated_at_us id
SELECT @columns FROM label l WHERE @fits ORDER BY l.{} DESC, l.id DESC LIMIT $4 OFFSET $5;

-- name: label_put_on :exec
INSERT INTO artifact_label (manifest_id, label_id, repository_id, pushed_at_us)
SELECT a.manifest_id, $2, a.repository_id, a.pushed_at_us FROM artifact a WHERE a.manifest_id = $1
ON CONFLICT DO NOTHING;

-- Who changes what is in a repository takes its row first.
-- name: label_hold_repository :one
-- sqlite:
SELECT repository_id FROM artifact WHERE manifest_id = $1;
-- postgres:
SELECT r.id FROM artifact a JOIN repository r ON r.id = a.repository_id WHERE a.manifest_id = $1 FOR KEY SHARE OF r;

-- Lists of all repositories whose artifacts wear it are other ones without it.
-- name: label_relist_all :exec
UPDATE repository SET list_version = list_version + 1
WHERE id IN (SELECT l.repository_id FROM artifact_label l WHERE l.label_id = $1);

-- name: label_take_off :exec
DELETE FROM artifact_label WHERE manifest_id = $1 AND label_id = $2;

-- name: label_count_on :one
SELECT COUNT(*) FROM artifact_label WHERE manifest_id = $1;

-- Of the artifacts of a page, whose ids come as "1,2,3".
-- name: label_on_artifacts :many
-- sqlite:
SELECT @columns, al.manifest_id
FROM artifact_label al JOIN label l ON l.id = al.label_id
WHERE al.manifest_id IN (SELECT value FROM json_each('[' || $1 || ']'))
ORDER BY al.manifest_id, l.name
LIMIT $2;
-- postgres:
SELECT @columns, al.manifest_id
FROM artifact_label al JOIN label l ON l.id = al.label_id
WHERE al.manifest_id = ANY(CAST(string_to_array($1, ',') AS BIGINT[]))
ORDER BY al.manifest_id, l.name
LIMIT $2;
