-- SPDX-License-Identifier: Apache-2.0
-- Looking for projects by a part of their name, and counting what somebody may see.

-- Of a project: its quota counts them.
-- part: repositories
(SELECT CAST(COALESCE(SUM(s.used_repositories), 0) AS BIGINT) FROM quota_stripe s WHERE s.scope = 2 AND s.holder_id = p.id)

-- name: search_projects :many
SELECT p.id, p.name, p.owner_name, p.is_public, p.created_at_us, p.updated_at_us, @repositories
FROM project p
WHERE @project_seen AND (CAST($4 AS TEXT) = '' OR p.name LIKE $4 ESCAPE '\')
ORDER BY p.name
LIMIT $5;

-- name: search_count :many
SELECT p.is_public, COUNT(*), CAST(SUM(@repositories) AS BIGINT)
FROM project p
WHERE @project_seen
GROUP BY p.is_public;

-- Of each project what Harbor's exporter says of it.
-- name: search_tallies :many
SELECT p.name, p.is_public, @repositories,
	(SELECT COUNT(*) FROM project_member m WHERE m.project_id = p.id AND m.account_id IS NOT NULL),
	(SELECT CAST(COALESCE(SUM(r.pull_count), 0) AS BIGINT) FROM repository r WHERE r.project_id = p.id)
FROM project p
WHERE p.tenant_id = $1 AND p.deleted = 0
ORDER BY p.name
LIMIT $2;

-- name: search_stored_bytes :one
SELECT CAST(COALESCE(SUM(b.size_bytes), 0) AS BIGINT)
FROM tenant t JOIN blob b ON b.storage_id = t.storage_id
WHERE t.id = $1;
