-- SPDX-License-Identifier: Apache-2.0
-- What happened to tags: each row one change.

-- The manifests are those that the tag pointed to and points to; they are there in the transaction of the change.
-- name: tag_event_insert :exec
INSERT INTO tag_event (repository_id, tag, at_us, how, actor_type, actor, from_digest, to_digest)
VALUES ($1, $2, $3, $4, $5, $6, (SELECT m.digest FROM manifest m WHERE m.id = $7), (SELECT m.digest FROM manifest m WHERE m.id = $8));

-- name: tag_event_page :many
SELECT id, at_us, how, actor_type, actor, from_digest, to_digest
FROM tag_event WHERE repository_id = $1 AND tag = $2 AND id < $3
ORDER BY id DESC LIMIT $4;

-- Oldest first: numbers grow with time.
-- name: tag_event_oldest :many
SELECT id, at_us FROM tag_event WHERE id > 0 ORDER BY id LIMIT $1;

-- name: tag_event_purge :exec
DELETE FROM tag_event WHERE id <= $1;
