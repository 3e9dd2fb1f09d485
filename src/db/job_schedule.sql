-- SPDX-License-Identifier: Apache-2.0
-- Schedules: which job is asked for when. `next_at_us` is the only thing that says so.

-- name: job_now :one
SELECT @now_us;

-- part: row
id, name, kind, tenant_id, arguments, cron, next_at_us, fired_at_us, enabled, shown_as, created_at_us, updated_at_us

-- name: job_schedule_get :one
SELECT @row FROM job_schedule WHERE name = $1;

-- name: job_schedule_page :many
SELECT @row FROM job_schedule ORDER BY id LIMIT $1 OFFSET $2;

-- name: job_schedule_total :one
SELECT COUNT(*) FROM (SELECT 1 FROM job_schedule LIMIT 10000) c;

-- name: job_schedule_put :exec
INSERT INTO job_schedule (name, kind, tenant_id, arguments, cron, enabled, next_at_us, shown_as, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, @now_us, @now_us)
ON CONFLICT (name) DO UPDATE SET
	kind = excluded.kind, tenant_id = excluded.tenant_id, arguments = excluded.arguments, cron = excluded.cron, enabled = excluded.enabled,
	next_at_us = excluded.next_at_us, shown_as = excluded.shown_as, updated_at_us = excluded.updated_at_us;

-- name: job_schedule_delete :exec
DELETE FROM job_schedule WHERE name = $1;

-- name: job_schedule_due :one
-- sqlite:
SELECT @row, @now_us FROM job_schedule
WHERE enabled = 1 AND next_at_us <= @now_us ORDER BY next_at_us LIMIT 1;
-- postgres:
SELECT @row, @now_us FROM job_schedule
WHERE enabled = 1 AND next_at_us <= @now_us ORDER BY next_at_us LIMIT 1 FOR UPDATE SKIP LOCKED;

-- name: job_schedule_fired :exec
UPDATE job_schedule SET next_at_us = $2, fired_at_us = @now_us WHERE id = $1;

-- Unless it fired, or was changed, meanwhile.
-- name: job_schedule_move :exec
UPDATE job_schedule SET next_at_us = $3 WHERE id = $1 AND next_at_us = $2;

-- name: job_schedule_stop :exec
UPDATE job_schedule SET enabled = 0 WHERE id = $1;
