-- SPDX-License-Identifier: Apache-2.0
-- Rules by which tags of a project may not move or go.

-- part: columns
id, priority, disabled, tag_excludes, repository_excludes, allow_same, signatures, after_h,
tags, repositories, except_tags, except_repositories, except_identities

-- name: immutable_list :many
SELECT @columns FROM immutable_rule WHERE project_id = $1 ORDER BY id LIMIT $2;

-- Who makes or changes one holds the project, so that nobody else does and it is not deleted meanwhile.
-- name: immutable_hold_project :one
-- sqlite:
SELECT id FROM project WHERE id = $1 AND deleted = 0;
-- postgres:
SELECT id FROM project WHERE id = $1 AND deleted = 0 FOR NO KEY UPDATE;

-- name: immutable_insert :one
INSERT INTO immutable_rule (project_id, priority, disabled, tag_excludes, repository_excludes, allow_same, signatures, after_h,
	tags, repositories, except_tags, except_repositories, except_identities)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
RETURNING id;

-- name: immutable_update :exec
UPDATE immutable_rule SET priority = $2, disabled = $3, tag_excludes = $4, repository_excludes = $5, allow_same = $6, signatures = $7,
	after_h = $8, tags = $9, repositories = $10, except_tags = $11, except_repositories = $12, except_identities = $13
WHERE project_id = $1 AND id = $14;

-- name: immutable_delete :exec
DELETE FROM immutable_rule WHERE project_id = $1 AND id = $2;

-- name: immutable_delete_all :exec
DELETE FROM immutable_rule WHERE project_id = $1;
