-- SPDX-License-Identifier: Apache-2.0
-- Jobs: see the migration 0031 for states, and src/jobs/jobs.h for what they mean.

-- part: row
id, kind, tenant_id, subject, arguments, state, due_at_us, ready_at_us, deadline_at_us, attempts, losses, again, cancel, fence, owner,
lease_until_us, progress_done, progress_total, error, created_at_us, started_at_us, finished_at_us, cause, asked_by, lane,
asked_request, asked_trace

-- Of its holder, as long as it is.
-- part: held
id = $1 AND owner = $2 AND fence = $3 AND state = 2

-- name: job_insert :one
INSERT INTO job (kind, tenant_id, subject, once, arguments, state, due_at_us, ready_at_us, deadline_at_us, created_at_us, cause, asked_by, lane, asked_request, asked_trace)
VALUES ($1, $2, $3, CASE WHEN $3 = '' THEN NULL ELSE $3 END, $4, CASE WHEN CAST($5 AS BIGINT) > 0 THEN 0 ELSE 1 END,
	@now_us + CAST($5 AS BIGINT), @now_us,
	CASE WHEN CAST($6 AS BIGINT) > 0 THEN @now_us + CAST($6 AS BIGINT) ELSE 0 END, @now_us, $7, $8, $9, $10, $11)
ON CONFLICT (kind, once) DO UPDATE SET again = job.again + 1
RETURNING id;

-- name: job_get :one
SELECT @row FROM job WHERE id = $1;

-- The newest of a kind, and those about one subject. Written so that the order itself asks for the index: of a rare kind the newest of
-- all would be gone through.
-- name: job_page :many
SELECT @row FROM job WHERE kind BETWEEN $1 AND $1 ORDER BY kind DESC, id DESC LIMIT $2 OFFSET $3;

-- name: job_page_of_subject :many
SELECT @row FROM job WHERE kind = $1 AND subject = $2 ORDER BY id DESC LIMIT $3 OFFSET $4;

-- As many as are kept, 10,000 at most.
-- name: job_total :one
SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE kind = $1 LIMIT 10000) c;

-- name: job_total_of_subject :one
SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE kind = $1 AND subject = $2 LIMIT 10000) c;

-- All that a node wants to know to find out what is to be done.
-- name: job_look :one
SELECT @now_us,
	COALESCE((SELECT MIN(s.due_at_us) FROM job s WHERE s.state = 0), 0),
	COALESCE((SELECT MIN(l.lease_until_us) FROM job l WHERE l.state = 2), 0),
	COALESCE((SELECT MIN(t.next_at_us) FROM job_schedule t WHERE t.enabled = 1), 0),
	(SELECT COUNT(*) FROM job o WHERE o.owner = $1 AND o.state = 2 AND o.cancel = 1);

-- name: job_wake :exec
-- sqlite:
UPDATE job SET state = 1, ready_at_us = @now_us
WHERE id IN (SELECT s.id FROM job s WHERE s.state = 0 AND s.due_at_us <= @now_us ORDER BY s.due_at_us LIMIT $1);
-- postgres:
UPDATE job SET state = 1, ready_at_us = @now_us
WHERE id = ANY (ARRAY(SELECT s.id FROM job s WHERE s.state = 0 AND s.due_at_us <= @now_us ORDER BY s.due_at_us LIMIT $1 FOR UPDATE SKIP LOCKED));

-- name: job_kind_put :exec
INSERT INTO job_kind (kind) VALUES ($1) ON CONFLICT (kind) DO NOTHING;

-- name: job_kind_lock :one
-- sqlite:
SELECT paused, last_tenant_id FROM job_kind WHERE kind = $1;
-- postgres:
SELECT paused, last_tenant_id FROM job_kind WHERE kind = $1 FOR UPDATE;

-- name: job_kind_paused :one
SELECT paused FROM job_kind WHERE kind = $1;

-- name: job_kind_turn :exec
UPDATE job_kind SET last_tenant_id = $2 WHERE kind = $1;

-- name: job_kind_pause :exec
INSERT INTO job_kind (kind, paused) VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET paused = excluded.paused;

-- name: job_running :one
SELECT COUNT(*) FROM job WHERE kind = $1 AND state = 2;

-- name: job_running_of_tenant :one
SELECT COUNT(*) FROM job WHERE kind = $1 AND state = 2 AND tenant_id = $2;

-- The next tenant after $2 with something to do.
-- name: job_next_tenant :one
SELECT tenant_id FROM job WHERE kind = $1 AND state = 1 AND tenant_id > $2 ORDER BY tenant_id LIMIT 1;

-- One of a tenant's lanes in which a job is ready and fewer than $3 run; any of them, so that none waits for another one's end. An index
-- leads from lane to lane.
-- name: job_any_lane :one
WITH RECURSIVE lanes (lane) AS (
	SELECT (SELECT MIN(f.lane) FROM job f WHERE f.kind = $1 AND f.state = 1 AND f.tenant_id = $2)
	UNION ALL
	SELECT (SELECT MIN(n.lane) FROM job n WHERE n.kind = $1 AND n.state = 1 AND n.tenant_id = $2 AND n.lane > l.lane)
	FROM lanes l WHERE l.lane IS NOT NULL
)
SELECT l.lane FROM lanes l
WHERE l.lane IS NOT NULL AND (SELECT COUNT(*) FROM job r WHERE r.kind = $1 AND r.lane = l.lane AND r.state = 2) < CAST($3 AS BIGINT)
ORDER BY random() LIMIT 1;

-- part: take
UPDATE job SET state = 2, owner = $3, fence = fence + 1, attempts = attempts + 1, again = 0, started_at_us = @now_us,
	lease_until_us = @now_us + CAST($4 AS BIGINT)

-- name: job_take :one
-- sqlite:
@take
WHERE id = (SELECT r.id FROM job r WHERE r.kind = $1 AND r.state = 1 AND r.tenant_id = $2 ORDER BY r.id LIMIT 1)
RETURNING @row;
-- postgres:
@take
WHERE id = (SELECT r.id FROM job r WHERE r.kind = $1 AND r.state = 1 AND r.tenant_id = $2 ORDER BY r.id LIMIT 1
	FOR UPDATE SKIP LOCKED)
RETURNING @row;

-- name: job_take_of_lane :one
-- sqlite:
@take
WHERE id = (SELECT r.id FROM job r WHERE r.kind = $1 AND r.state = 1 AND r.tenant_id = $2 AND r.lane = $5 ORDER BY r.id LIMIT 1)
RETURNING @row;
-- postgres:
@take
WHERE id = (SELECT r.id FROM job r WHERE r.kind = $1 AND r.state = 1 AND r.tenant_id = $2 AND r.lane = $5 ORDER BY r.id LIMIT 1
	FOR UPDATE SKIP LOCKED)
RETURNING @row;

-- name: job_renew :many
UPDATE job SET lease_until_us = @now_us + CAST($2 AS BIGINT) WHERE owner = $1 AND state = 2 RETURNING id, fence, cancel;

-- Nobody else can have it before this transaction ends.
-- name: job_hold :one
-- sqlite:
SELECT id FROM job WHERE @held;
-- postgres:
SELECT id FROM job WHERE @held FOR NO KEY UPDATE;

-- name: job_progress :exec
UPDATE job SET progress_done = $4, progress_total = $5 WHERE @held;

-- It got on, so what failed before counts no more.
-- name: job_got_on :exec
UPDATE job SET attempts = 1, losses = 0 WHERE @held;

-- What a wish for $4 comes to: who asked meanwhile gets it once more, and who was to be cancelled is, unless he is done.
-- part: after
CASE WHEN cancel = 1 THEN CASE WHEN CAST($4 AS BIGINT) = 3 THEN 3 ELSE 5 END WHEN CAST($4 AS BIGINT) > 2 AND again > 0 THEN 1 ELSE CAST($4 AS BIGINT) END

-- part: repeats
cancel = 0 AND CAST($4 AS BIGINT) > 2 AND again > 0

-- name: job_end :one
UPDATE job SET
	state = @after,
	once = CASE WHEN @after > 2 THEN NULL ELSE once END,
	due_at_us = @now_us + CAST($5 AS BIGINT),
	ready_at_us = @now_us,
	attempts = CASE WHEN @repeats THEN 0 ELSE attempts - CAST($6 AS BIGINT) END,
	losses = CASE WHEN @repeats THEN 0 ELSE losses END,
	error = $7,
	owner = '',
	finished_at_us = CASE WHEN @after > 2 THEN @now_us ELSE 0 END,
	keep_until_us = CASE WHEN @after > 2 THEN @now_us + CAST($8 AS BIGINT) ELSE 0 END
WHERE @held
RETURNING state;

-- Those whose node went away: again, or parked when that has happened $1 times.
-- part: lost
UPDATE job SET
	state = CASE WHEN cancel = 1 THEN 5 WHEN losses + 1 >= CAST($1 AS BIGINT) THEN 4 ELSE 1 END,
	once = CASE WHEN cancel = 1 OR losses + 1 >= CAST($1 AS BIGINT) THEN NULL ELSE once END,
	losses = losses + 1,
	ready_at_us = @now_us,
	error = 'its node went away while it ran',
	owner = '',
	finished_at_us = CASE WHEN cancel = 1 OR losses + 1 >= CAST($1 AS BIGINT) THEN @now_us ELSE 0 END,
	keep_until_us = CASE WHEN cancel = 1 OR losses + 1 >= CAST($1 AS BIGINT) THEN @now_us + CAST($2 AS BIGINT) ELSE 0 END

-- name: job_reclaim :many
-- sqlite:
@lost
WHERE id IN (SELECT l.id FROM job l WHERE l.state = 2 AND l.lease_until_us < @now_us ORDER BY l.lease_until_us LIMIT 100)
RETURNING id, kind, state;
-- postgres:
@lost
WHERE id = ANY (ARRAY(SELECT l.id FROM job l WHERE l.state = 2 AND l.lease_until_us < @now_us ORDER BY l.lease_until_us LIMIT 100
	FOR UPDATE SKIP LOCKED))
RETURNING id, kind, state;

-- After the clock was set back by more than $1: leases of before are no longer than $2, and nobody waits for a time of then.
-- name: job_set_back_leases :exec
UPDATE job SET lease_until_us = @now_us + CAST($2 AS BIGINT) WHERE state = 2 AND lease_until_us > @now_us + CAST($1 AS BIGINT);

-- name: job_set_back_asleep :exec
UPDATE job SET due_at_us = @now_us
WHERE state = 0 AND due_at_us > @now_us + CAST($1 AS BIGINT)
  AND (created_at_us > @now_us + CAST($1 AS BIGINT) OR started_at_us > @now_us + CAST($1 AS BIGINT));

-- Where there is one node: all that an earlier run of it left.
-- name: job_expire_others :exec
UPDATE job SET lease_until_us = 1 WHERE state = 2 AND lease_until_us > 1 AND owner <> $1;

-- name: job_cancel :one
UPDATE job SET
	cancel = 1,
	state = CASE WHEN state < 2 THEN 5 ELSE state END,
	once = CASE WHEN state < 2 THEN NULL ELSE once END,
	finished_at_us = CASE WHEN state < 2 THEN @now_us ELSE 0 END,
	keep_until_us = CASE WHEN state < 2 THEN @now_us + CAST($2 AS BIGINT) ELSE 0 END
WHERE id = $1 AND state < 3
RETURNING id, kind, state;

-- All of a kind that wait.
-- name: job_cancel_waiting :exec
-- sqlite:
UPDATE job SET cancel = 1, state = 5, once = NULL, finished_at_us = @now_us, keep_until_us = @now_us + CAST($2 AS BIGINT)
WHERE id IN (SELECT w.id FROM job w WHERE w.kind = $1 AND w.state < 2 ORDER BY w.state, w.tenant_id, w.id LIMIT $3);
-- postgres:
UPDATE job SET cancel = 1, state = 5, once = NULL, finished_at_us = @now_us, keep_until_us = @now_us + CAST($2 AS BIGINT)
WHERE id = ANY (ARRAY(SELECT w.id FROM job w WHERE w.kind = $1 AND w.state < 2 ORDER BY w.state, w.tenant_id, w.id LIMIT $3 FOR UPDATE SKIP LOCKED));

-- name: job_running_of_owner :many
SELECT @row FROM job WHERE owner = $1 AND state = 2;

-- Nodes, while they say that they are there.
-- name: job_node_put :exec
INSERT INTO job_node (owner, host, pid, workers, started_at_us, seen_at_us)
VALUES ($1, $2, $3, $4, @now_us, @now_us)
ON CONFLICT (owner) DO UPDATE SET seen_at_us = excluded.seen_at_us;

-- name: job_node_delete :exec
DELETE FROM job_node WHERE owner = $1;

-- name: job_node_forget :exec
DELETE FROM job_node WHERE seen_at_us < @now_us - CAST($1 AS BIGINT);

-- name: job_node_list :many
SELECT owner, host, pid, workers, started_at_us, seen_at_us FROM job_node ORDER BY owner;

-- How many of a kind are in a state, 10,000 at most, and since when the oldest waits.
-- name: job_count :one
SELECT COUNT(*), COALESCE(MIN(c.ready_at_us), 0), @now_us
FROM (SELECT u.ready_at_us FROM job u WHERE u.kind = $1 AND u.state = $2 LIMIT 10000) c;

-- name: job_purge :exec
-- sqlite:
DELETE FROM job WHERE id IN (SELECT f.id FROM job f WHERE f.state > 2 AND f.keep_until_us < @now_us ORDER BY f.keep_until_us LIMIT $1);
-- postgres:
DELETE FROM job
WHERE id = ANY (ARRAY(SELECT f.id FROM job f WHERE f.state > 2 AND f.keep_until_us < @now_us ORDER BY f.keep_until_us LIMIT $1));

-- name: job_log_last :one
SELECT COALESCE(MAX(part), 0) FROM job_log WHERE job_id = $1;

-- name: job_log_add :exec
INSERT INTO job_log (job_id, part, text) VALUES ($1, $2, $3);

-- All but the first, up to $2.
-- name: job_log_rotate :exec
DELETE FROM job_log WHERE job_id = $1 AND part > 1 AND part <= $2;

-- name: job_log_page :many
SELECT part, text FROM job_log WHERE job_id = $1 AND part > $2 ORDER BY part LIMIT $3;
