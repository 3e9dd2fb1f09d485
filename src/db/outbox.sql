-- SPDX-License-Identifier: Apache-2.0
-- The outbox: see src/jobs/outbox.h.

-- name: outbox_insert :one
INSERT INTO outbox (kind, subject, payload, created_at_us) VALUES ($1, $2, $3, @now_us) RETURNING id;

-- name: outbox_page :many
SELECT id, payload, created_at_us FROM outbox WHERE kind = $1 AND subject = $2 ORDER BY id LIMIT $3;

-- The next subjects with letters, each by a jump in the index however many letters it has, and whether a job of theirs is under way.
-- name: outbox_subjects :many
WITH RECURSIVE s (subject, number) AS (
	SELECT (SELECT f.subject FROM outbox f WHERE f.kind = $1 AND f.subject > $2 ORDER BY f.subject LIMIT 1), CAST(1 AS BIGINT)
	UNION ALL
	SELECT (SELECT n.subject FROM outbox n WHERE n.kind = $1 AND n.subject > s.subject ORDER BY n.subject LIMIT 1), s.number + 1
	FROM s WHERE s.subject IS NOT NULL AND s.number < CAST($3 AS BIGINT)
)
SELECT s.subject, (SELECT COUNT(*) FROM job j WHERE j.kind = $1 AND j.once = s.subject) FROM s WHERE s.subject IS NOT NULL;

-- What waits, of one kind among the oldest 10,000 of all, and for how long. By id, from the first on: so the index is walked and nothing sorted.
-- name: outbox_count :one
SELECT COUNT(*), COALESCE(MAX(@now_us - c.created_at_us), 0) FROM (SELECT o.kind, o.created_at_us FROM outbox o WHERE o.id > 0 ORDER BY o.id LIMIT 10000) c WHERE c.kind = $1;

-- name: outbox_delete :exec
DELETE FROM outbox WHERE id = $1;
