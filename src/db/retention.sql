-- SPDX-License-Identifier: Apache-2.0
-- Retention: policies, what runs did, and what they decide by. See the migration 0037.

-- part: policy
q.id, q.project_id, p.name, q.rules, q.cron, q.version, q.tried_version, q.created_at_us, q.updated_at_us

-- name: retention_policy_get :one
SELECT @policy FROM retention_policy q JOIN project p ON p.id = q.project_id
WHERE q.id = $1 AND p.tenant_id = $2 AND p.deleted = 0;

-- name: retention_policy_of_project :one
SELECT @policy FROM retention_policy q JOIN project p ON p.id = q.project_id
WHERE q.project_id = $1 AND p.tenant_id = $2 AND p.deleted = 0;

-- name: retention_policy_insert :one
INSERT INTO retention_policy (project_id, rules, cron, created_at_us, updated_at_us)
SELECT p.id, $2, $3, $4, $4 FROM project p WHERE p.id = $1 AND p.deleted = 0
ON CONFLICT (project_id) DO NOTHING
RETURNING id;

-- name: retention_policy_update :exec
UPDATE retention_policy SET version = version + CASE WHEN rules = $2 THEN 0 ELSE 1 END, rules = $2, cron = $3, updated_at_us = $4
WHERE id = $1;

-- The same rules, once more without deleting.
-- name: retention_policy_tried :exec
UPDATE retention_policy SET tried_version = version WHERE project_id = $1 AND rules = $2;

-- name: retention_policy_delete :exec
DELETE FROM retention_policy WHERE id = $1;

-- name: retention_policy_delete_of_project :exec
DELETE FROM retention_policy WHERE project_id = $1;

-- What a run did.

-- name: retention_task_insert :one
INSERT INTO retention_task (job_id, repository, state, started_at_us) VALUES ($1, $2, $3, $4) RETURNING id;

-- name: retention_task_finish :exec
UPDATE retention_task SET state = $2, total = $3, retained = $4, finished_at_us = $5 WHERE id = $1;

-- name: retention_task_delete_of_job :exec
DELETE FROM retention_task WHERE job_id = $1;

-- part: task
id, job_id, repository, state, total, retained, started_at_us, finished_at_us

-- name: retention_task_get :one
SELECT @task FROM retention_task WHERE id = $1 AND job_id = $2;

-- name: retention_task_page :many
SELECT @task FROM retention_task WHERE job_id = $1 ORDER BY id LIMIT $2 OFFSET $3;

-- name: retention_task_total :one
SELECT COUNT(*) FROM retention_task WHERE job_id = $1;

-- name: retention_page_insert :exec
INSERT INTO retention_page (task_id, number, lines) VALUES ($1, $2, $3);

-- name: retention_page_get :one
SELECT lines FROM retention_page WHERE task_id = $1 AND number = $2;

-- What a run decides by: all of a repository.

-- name: retention_repositories :many
SELECT id, name FROM repository WHERE project_id = $1 AND name > $2 ORDER BY name LIMIT $3;

-- name: retention_repository_count :one
SELECT COUNT(*) FROM repository WHERE project_id = $1;

-- name: retention_artifacts :many
SELECT a.manifest_id, m.digest, a.parent_count, a.pushed_at_us, a.pulled_at_us
FROM artifact a JOIN manifest m ON m.id = a.manifest_id
WHERE a.repository_id = $1 AND a.listed = 1;

-- name: retention_tags :many
SELECT t.id, t.manifest_id, t.name, t.updated_at_us, t.pulled_at_us FROM tag t WHERE t.repository_id = $1;

-- name: retention_labels :many
SELECT h.manifest_id, l.name
FROM artifact a JOIN artifact_label h ON h.manifest_id = a.manifest_id JOIN label l ON l.id = h.label_id
WHERE a.repository_id = $1 AND a.listed = 1;

-- name: retention_signed :many
SELECT m.id
FROM artifact a JOIN manifest m ON m.repository_id = a.repository_id AND m.digest = a.subject
WHERE a.repository_id = $1 AND a.accessory IS NOT NULL AND a.accessory IN ('signature.cosign', 'signature.notation');

-- What runs, and the indexes that lead to it.
-- name: retention_running :many
WITH RECURSIVE kept (id, digest) AS (
	SELECT m.id, m.digest
	FROM inventory i JOIN manifest m ON m.repository_id = $1 AND m.digest = i.digest
	WHERE i.tenant_id = $2 AND i.expires_at_us > $3
	UNION
	SELECT p.id, p.digest
	FROM kept k
	JOIN manifest_reference c ON c.digest = k.digest AND c.role = 2
	JOIN manifest p ON p.id = c.manifest_id AND p.repository_id = $1)
SELECT id FROM kept;

-- As it is now that its manifest is locked: what was decided may be about what it was before.
-- name: retention_state :one
SELECT a.parent_count, a.pushed_at_us, a.pulled_at_us,
	(SELECT COUNT(*) FROM tag t WHERE t.manifest_id = a.manifest_id),
	CAST((SELECT COALESCE(SUM(t.id), 0) FROM tag t WHERE t.manifest_id = a.manifest_id) AS BIGINT),
	CAST((SELECT COALESCE(MAX(t.updated_at_us), 0) FROM tag t WHERE t.manifest_id = a.manifest_id) AS BIGINT),
	CAST((SELECT COALESCE(MAX(t.pulled_at_us), 0) FROM tag t WHERE t.manifest_id = a.manifest_id) AS BIGINT),
	CASE WHEN EXISTS (SELECT 1 FROM inventory i
			WHERE i.tenant_id = $2 AND i.digest = m.digest AND i.expires_at_us > $3)
		OR EXISTS (SELECT 1 FROM manifest_reference c
			JOIN inventory i ON i.tenant_id = $2 AND i.digest = c.digest AND i.expires_at_us > $3
			WHERE c.manifest_id = m.id AND c.role = 2)
		THEN 1 ELSE 0 END
FROM artifact a JOIN manifest m ON m.id = a.manifest_id
WHERE a.manifest_id = $1;

-- name: retention_tag_state :one
-- sqlite:
SELECT manifest_id, updated_at_us, pulled_at_us FROM tag WHERE repository_id = $1 AND name = $2;
-- postgres:
SELECT manifest_id, updated_at_us, pulled_at_us FROM tag WHERE repository_id = $1 AND name = $2 FOR UPDATE;
