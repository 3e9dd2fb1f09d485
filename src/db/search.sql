-- SPDX-License-Identifier: Apache-2.0
-- Looking for projects by a part of their name, and counting what somebody may see.

-- part: seen
p.tenant_id = $1 AND p.deleted = 0 AND (CAST($2 AS BIGINT) = 1 OR p.is_public = 1
	OR CAST($5 AS TEXT) LIKE '%,' || CAST(p.id AS TEXT) || ',%'
	OR EXISTS (SELECT 1 FROM project_member pm
		WHERE pm.project_id = p.id AND (pm.expires_at_us IS NULL OR pm.expires_at_us > $4)
		  AND (pm.account_id = $3
		       OR pm.group_id IN (SELECT ag.group_id FROM account_group ag WHERE ag.account_id = $3))))

-- name: search_projects :many
SELECT p.id, p.name, p.owner_name, p.is_public, p.created_at_us, p.updated_at_us,
	(SELECT COUNT(*) FROM repository r WHERE r.project_id = p.id)
FROM project p
WHERE @seen AND (CAST($6 AS TEXT) = '' OR p.name LIKE $6 ESCAPE '\')
ORDER BY p.name
LIMIT $7;

-- name: search_count :many
SELECT p.is_public, COUNT(*), CAST(SUM((SELECT COUNT(*) FROM repository r WHERE r.project_id = p.id)) AS BIGINT)
FROM project p
WHERE @seen
GROUP BY p.is_public;

-- name: search_stored_bytes :one
SELECT CAST(COALESCE(SUM(b.size_bytes), 0) AS BIGINT)
FROM tenant t JOIN blob b ON b.storage_id = t.storage_id
WHERE t.id = $1;
