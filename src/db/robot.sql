-- SPDX-License-Identifier: Apache-2.0
-- Robots, their permissions and their secrets.

-- part: robot_columns
r.id, r.tenant_id, r.name, r.project_id, r.description, r.duration_days, r.expires_at_s, r.disabled, r.visible,
r.creator_type, r.creator_id, r.epoch, r.created_at_us, r.updated_at_us, r.used_at_us

-- name: robot_insert :one
INSERT INTO robot (tenant_id, name, project_id, description, duration_days, expires_at_s, disabled, visible,
	creator_type, creator_id, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: robot_get :one
SELECT @robot_columns FROM robot r WHERE r.id = $1;

-- Of a secret that counts now; the same name may be there in several tenants.
-- name: robot_find_secret :one
SELECT @robot_columns, s.id FROM robot r JOIN robot_secret s ON s.robot_id = r.id
WHERE r.id = $1 AND s.hash = $2 AND (s.expires_at_us IS NULL OR s.expires_at_us > $3);

-- Of one tenant or (0) of all; also by a name that its project had before: $4 of "$4+$5".
-- name: robot_named :many
SELECT n.id FROM (
	SELECT r.id, r.tenant_id FROM robot r WHERE r.name = $1
	UNION ALL
	SELECT r.id, r.tenant_id FROM project_alias a JOIN project p ON p.id = a.project_id
		JOIN robot r ON r.project_id = p.id AND r.name = p.name || '+' || $5
	WHERE a.name = $4) AS n
WHERE CAST($2 AS BIGINT) = 0 OR n.tenant_id = $2
ORDER BY n.tenant_id, n.id LIMIT $3;

-- part: robot_chosen
-- sqlite:
r.visible = 1 AND r.tenant_id = $1 AND COALESCE(r.project_id, 0) = $2
AND ($3 IS NULL OR r.name LIKE $3 ESCAPE '\') AND ($4 IS NULL OR r.name = $4)
-- postgres:
r.visible = 1 AND r.tenant_id = $1 AND COALESCE(r.project_id, 0) = $2
AND (CAST($3 AS TEXT) IS NULL OR r.name ILIKE $3 ESCAPE '\') AND (CAST($4 AS TEXT) IS NULL OR r.name = $4)

-- name: robot_count :one
SELECT count(*) FROM robot r WHERE @robot_chosen;

-- name: robot_page_by_{} :many
-- each: name id expires_at_s
SELECT @robot_columns FROM robot r WHERE @robot_chosen ORDER BY r.{}, r.id LIMIT $5 OFFSET $6;

-- name: robot_page_by_{}_down :many
-- each: name id expires_at_s
SELECT @robot_columns FROM robot r WHERE @robot_chosen ORDER BY r.{} DESC, r.id DESC LIMIT $5 OFFSET $6;

-- name: robot_update :exec
UPDATE robot SET description = $2, duration_days = $3, expires_at_s = $4, disabled = $5, updated_at_us = $6, epoch = epoch + 1
WHERE id = $1;

-- What was obtained with an older epoch is worth nothing.
-- name: robot_changed :exec
UPDATE robot SET updated_at_us = $2, epoch = epoch + 1 WHERE id = $1;

-- For who changes its secrets: two wait for each other.
-- name: robot_touch :exec
UPDATE robot SET updated_at_us = $2 WHERE id = $1;

-- name: robot_used :exec
UPDATE robot SET used_at_us = $2 WHERE id = $1 AND COALESCE(used_at_us, 0) < $2;

-- name: robot_delete :exec
DELETE FROM robot WHERE id = $1;

-- name: robot_delete_of_project :many
DELETE FROM robot WHERE project_id = $1 RETURNING id;

-- A permission whose project is gone is none.
-- name: robot_permission_list :many
SELECT p.place, p.project_id, COALESCE(j.name, ''), p.repository_glob, p.allowed, p.denied
FROM robot_permission p LEFT JOIN project j ON j.id = p.project_id
WHERE p.robot_id = $1 AND (p.project_id IS NULL OR j.deleted = 0) ORDER BY p.position;

-- name: robot_permission_insert :exec
INSERT INTO robot_permission (robot_id, position, place, project_id, repository_glob, allowed, denied)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: robot_permission_delete_all :exec
DELETE FROM robot_permission WHERE robot_id = $1;

-- part: secret_columns
id, robot_id, hint, created_at_us, expires_at_us, used_at_us

-- name: robot_secret_insert :one
INSERT INTO robot_secret (robot_id, hash, hint, created_at_us, expires_at_us) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: robot_secret_get :one
SELECT @secret_columns FROM robot_secret WHERE robot_id = $1 AND id = $2;

-- name: robot_secret_list :many
SELECT @secret_columns FROM robot_secret
WHERE robot_id = $1 AND (expires_at_us IS NULL OR expires_at_us > $2) ORDER BY id LIMIT $3;

-- Gives the others at most until then.
-- name: robot_secret_expire_others :exec
UPDATE robot_secret SET expires_at_us = $3
WHERE robot_id = $1 AND id <> $2 AND (expires_at_us IS NULL OR expires_at_us > $3);

-- name: robot_secret_delete :exec
DELETE FROM robot_secret WHERE robot_id = $1 AND id = $2;

-- name: robot_secret_delete_all :exec
DELETE FROM robot_secret WHERE robot_id = $1;

-- name: robot_secret_used :exec
UPDATE robot_secret SET used_at_us = $2 WHERE id = $1 AND COALESCE(used_at_us, 0) < $2;

-- name: robot_secret_delete_expired :exec
DELETE FROM robot_secret WHERE robot_id = $1 AND expires_at_us <= $2;
