-- SPDX-License-Identifier: Apache-2.0
-- Webhooks: policies, what they tell, and how that went: see the migration 0036.

-- part: policy
id, tenant_id, project_id, name, description, creator, enabled, events, filters, targets, secrets, created_at_us, updated_at_us

-- name: webhook_policy_insert :one
INSERT INTO webhook_policy (tenant_id, project_id, name, description, creator, enabled, events, filters, targets, secrets, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, @now_us, @now_us)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: webhook_policy_same_name :one
SELECT id FROM webhook_policy WHERE tenant_id = $1 AND project_id = $2 AND name = $3;

-- name: webhook_policy_update :exec
UPDATE webhook_policy SET name = $2, description = $3, enabled = $4, events = $5, filters = $6, targets = $7, secrets = $8, updated_at_us = @now_us
WHERE id = $1;

-- name: webhook_policy_find :one
SELECT @policy FROM webhook_policy WHERE tenant_id = $1 AND project_id = $2 AND id = $3;

-- name: webhook_policy_get :one
SELECT @policy FROM webhook_policy WHERE id = $1;

-- name: webhook_policy_list :many
SELECT @policy FROM webhook_policy WHERE tenant_id = $1 AND project_id = $2 ORDER BY name LIMIT $3 OFFSET $4;

-- name: webhook_policy_count :one
SELECT COUNT(*) FROM webhook_policy WHERE tenant_id = $1 AND project_id = $2;

-- name: webhook_policy_delete :exec
DELETE FROM webhook_policy WHERE id = $1;

-- name: webhook_policy_delete_of_project :exec
DELETE FROM webhook_policy WHERE tenant_id = (SELECT p.tenant_id FROM project p WHERE p.id = $1) AND project_id = $1;

-- Those that may want to know what happens in a project.
-- name: webhook_policy_about :many
SELECT @policy FROM webhook_policy
WHERE ((tenant_id = $1 AND project_id = $2) OR (tenant_id = $1 AND project_id = 0) OR (tenant_id = 0 AND project_id = 0)) AND enabled = 1;

-- What a payload says of a repository besides its name.
-- name: webhook_repository :one
SELECT r.created_at_us, p.is_public FROM repository r JOIN project p ON p.id = r.project_id WHERE r.id = $1;

-- What goes with a repository, page by page.
-- name: webhook_artifacts :many
SELECT a.manifest_id, m.digest, m.media_type, COALESCE((SELECT MIN(t.name) FROM tag t WHERE t.manifest_id = a.manifest_id), '')
FROM artifact a JOIN manifest m ON m.id = a.manifest_id
WHERE a.repository_id = $1 AND a.listed = 1 AND a.manifest_id > $2
ORDER BY a.repository_id, a.manifest_id LIMIT $3;

-- name: webhook_delivery_insert :one
INSERT INTO webhook_delivery (policy_id, target, subject, event, payload, extra, created_at_us, queued_at_us)
VALUES ($1, $2, $3, $4, $5, $6, @now_us, @now_us)
RETURNING id;

-- What is sent at once and waits in no queue: until it is known what came of it, it has failed.
-- name: webhook_delivery_insert_ping :one
INSERT INTO webhook_delivery (policy_id, target, subject, event, payload, extra, state, error, created_at_us, queued_at_us, finished_at_us)
VALUES ($1, $2, $3, $4, $5, $6, 2, 'it was not finished', @now_us, @now_us, @now_us)
RETURNING id;

-- part: delivery
id, policy_id, target, subject, event, payload, extra, state, attempts, status, error, created_at_us, queued_at_us, tried_at_us, finished_at_us

-- name: webhook_delivery_get :one
SELECT @delivery, @now_us FROM webhook_delivery WHERE id = $1;

-- name: webhook_delivery_page :many
SELECT @delivery, 0 FROM webhook_delivery WHERE policy_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3;

-- name: webhook_delivery_page_in_state :many
SELECT @delivery, 0 FROM webhook_delivery WHERE policy_id = $1 AND state = $2 ORDER BY id DESC LIMIT $3 OFFSET $4;

-- As many as are kept, 10,000 at most.
-- name: webhook_delivery_count :one
SELECT COUNT(*) FROM (SELECT 1 FROM webhook_delivery WHERE policy_id = $1 LIMIT 10000) c;

-- name: webhook_delivery_count_in_state :one
SELECT COUNT(*) FROM (SELECT 1 FROM webhook_delivery WHERE policy_id = $1 AND state = $2 LIMIT 10000) c;

-- name: webhook_delivery_last :one
SELECT created_at_us FROM webhook_delivery WHERE policy_id = $1 AND event = $2 ORDER BY id DESC LIMIT 1;

-- An attempt was made: $2 what is the state now.
-- name: webhook_delivery_tried :one
UPDATE webhook_delivery SET state = $2, attempts = attempts + 1, status = $3, error = $4, tried_at_us = @now_us,
	finished_at_us = CASE WHEN CAST($2 AS BIGINT) > 0 THEN @now_us ELSE 0 END
WHERE id = $1
RETURNING attempts;

-- name: webhook_delivery_again :exec
UPDATE webhook_delivery SET state = 0, queued_at_us = @now_us, finished_at_us = 0 WHERE id = $1 AND state > 0;

-- Given up without an attempt.
-- name: webhook_delivery_drop :exec
UPDATE webhook_delivery SET state = 2, error = $2, finished_at_us = @now_us WHERE id = $1 AND state = 0;

-- name: webhook_delivery_purge :exec
-- sqlite:
DELETE FROM webhook_delivery
WHERE id IN (SELECT f.id FROM webhook_delivery f WHERE f.state > 0 AND f.finished_at_us < @now_us - CAST($1 AS BIGINT) ORDER BY f.finished_at_us LIMIT $2);
-- postgres:
DELETE FROM webhook_delivery
WHERE id = ANY (ARRAY(SELECT f.id FROM webhook_delivery f WHERE f.state > 0 AND f.finished_at_us < @now_us - CAST($1 AS BIGINT)
	ORDER BY f.finished_at_us LIMIT $2));

-- name: webhook_attempt_add :exec
INSERT INTO webhook_attempt (delivery_id, number, at_us, took_us, status, request, response, error)
VALUES ($1, $2, @now_us - CAST($3 AS BIGINT), $3, $4, $5, $6, $7);

-- name: webhook_attempt_forget :exec
DELETE FROM webhook_attempt WHERE delivery_id = $1 AND number <= $2;

-- name: webhook_attempt_list :many
SELECT number, at_us, took_us, status, request, response, error FROM webhook_attempt WHERE delivery_id = $1 ORDER BY number;
