-- SPDX-License-Identifier: Apache-2.0
-- The audit trail: records, their places in the hash chain, checkpoints and the keys that sign them.

-- name: audit_insert :exec
-- sqlite:
INSERT INTO audit_record (time_us, tenant_id, project_id, project, actor_type, actor_id, actor, operation,
	resource_type, resource, digest, address, request_id, result, detail)
VALUES ($1, $2, CASE WHEN $3 <> 0 OR $4 = '' THEN $3 ELSE
		COALESCE((SELECT id FROM project WHERE name = $4), 0) END,
	$4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);
-- postgres:
WITH made AS (
	INSERT INTO audit_record (time_us, tenant_id, project_id, project, actor_type, actor_id, actor, operation,
		resource_type, resource, digest, address, request_id, result, detail)
	VALUES ($1, $2, CASE WHEN $3 <> 0 OR $4 = '' THEN $3 ELSE
			COALESCE((SELECT id FROM project WHERE name = $4), 0) END,
		$4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
	RETURNING id)
INSERT INTO audit_unsealed (record_id) SELECT id FROM made;
