-- SPDX-License-Identifier: Apache-2.0
-- The audit trail: records, their places in the hash chain, checkpoints and the keys that sign them.

-- part: insert_record
INSERT INTO audit_record (time_us, tenant_id, project_id, project, actor_type, actor_id, actor, operation,
	resource_type, resource, digest, address, request_id, result, detail)
VALUES ($1, $2, CASE WHEN CAST($3 AS BIGINT) <> 0 OR CAST($4 AS TEXT) = '' THEN CAST($3 AS BIGINT)
		ELSE COALESCE((SELECT id FROM project WHERE tenant_id = $2 AND name = $4), 0) END,
	$4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: audit_insert :exec
-- sqlite:
@insert_record;
-- postgres:
WITH made AS (@insert_record RETURNING id)
INSERT INTO audit_unsealed (record_id) SELECT id FROM made;

-- part: record_columns
r.id, r.time_us, r.tenant_id, r.project_id, r.project, r.actor_type, r.actor_id, r.actor, r.operation,
r.resource_type, r.resource, r.digest, r.address, r.request_id, r.result, r.detail

-- part: chain
SELECT seq, hash, checkpoint_seq, checkpoint_at_us FROM audit_chain WHERE id = 1

-- Sealing. One sealer at a time: on PostgreSQL who finds the row taken leaves it; SQLite has one writer.
-- name: audit_chain_take :one
-- sqlite:
@chain;
-- postgres:
@chain FOR UPDATE SKIP LOCKED;

-- Waits for who has it.
-- name: audit_chain_wait :one
-- sqlite:
@chain;
-- postgres:
@chain FOR UPDATE;

-- name: audit_chain :one
@chain;

-- name: audit_chain_set :exec
UPDATE audit_chain SET seq = $1, hash = $2, record_id = $3 WHERE id = 1;

-- name: audit_chain_set_checkpoint :exec
UPDATE audit_chain SET checkpoint_seq = $1, checkpoint_at_us = $2 WHERE id = 1;

-- name: audit_unsealed_any :one
SELECT 1 FROM audit_unsealed LIMIT 1;

-- SQLite would read all that is sealed on its way through the view.
-- name: audit_unsealed_page :many
-- sqlite:
SELECT @record_columns
FROM audit_record r WHERE r.id > (SELECT c.record_id FROM audit_chain c WHERE c.id = 1)
ORDER BY r.id
LIMIT $1;
-- postgres:
SELECT @record_columns
FROM audit_unsealed u JOIN audit_record r ON r.id = u.record_id
ORDER BY u.record_id
LIMIT $1;

-- On SQLite audit_chain_set says up to which record all are sealed.
-- name: audit_seal_insert :exec
-- sqlite:
INSERT INTO audit_seal (seq, record_id, salt, personal, hash) VALUES ($1, $2, $3, $4, $5);
-- postgres:
WITH sealed AS (DELETE FROM audit_unsealed WHERE record_id = $2)
INSERT INTO audit_seal (seq, record_id, salt, personal, hash) VALUES ($1, $2, $3, $4, $5);

-- A record that was only passed on.
-- name: audit_delete :exec
-- sqlite:
DELETE FROM audit_record WHERE id = $1;
-- postgres:
WITH gone AS (DELETE FROM audit_unsealed WHERE record_id = $1)
DELETE FROM audit_record WHERE id = $1;

-- name: audit_checkpoint_insert :exec
INSERT INTO audit_checkpoint (seq, signed) VALUES ($1, $2);

-- Verifying. The place comes first, and the record only if it is there.
-- name: audit_seal_page :many
SELECT @record_columns, s.seq, s.record_id, s.salt, s.personal, s.hash
FROM audit_seal s LEFT JOIN audit_record r ON r.id = s.record_id
WHERE s.seq > $1
ORDER BY s.seq
LIMIT $2;

-- name: audit_checkpoint_last :one
SELECT seq, signed FROM audit_checkpoint ORDER BY seq DESC LIMIT 1;

-- name: audit_checkpoint_page :many
SELECT seq, signed FROM audit_checkpoint WHERE seq > $1 ORDER BY seq LIMIT $2;

-- Records with no place that do not wait for one, and places that wait for a record that is gone.
-- name: audit_stray_record :one
SELECT r.id FROM audit_record r
WHERE NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.record_id = r.id)
  AND NOT EXISTS (SELECT 1 FROM audit_unsealed u WHERE u.record_id = r.id)
ORDER BY r.id
LIMIT 1;

-- name: audit_stray_unsealed :one
SELECT u.record_id FROM audit_unsealed u LEFT JOIN audit_record r ON r.id = u.record_id
WHERE r.id IS NULL
ORDER BY u.record_id
LIMIT 1;

-- name: audit_stray_seal :one
SELECT s.seq FROM audit_seal s WHERE s.seq > (SELECT c.seq FROM audit_chain c WHERE c.id = 1) ORDER BY s.seq LIMIT 1;

-- name: audit_unsealed_count :one
SELECT COUNT(*) FROM audit_unsealed;

-- Keys that sign checkpoints, sealed under the master key. They are kept for ever.
-- name: audit_key_list :many
SELECT id, sealed, created_at_us FROM audit_key ORDER BY created_at_us DESC, id LIMIT $1;

-- name: audit_key_insert :exec
INSERT INTO audit_key (id, sealed, created_at_us) VALUES ($1, $2, $3);

-- Searching. The statement is chosen by the filters that are likely to be the narrowest: they stand as equalities in front, so
-- that their index gives the rows in their order; the others, patterns for LIKE where they are texts, only drop some.
-- $12, $13 is the place to go on from, $3, $16 the other end, included.
-- part: record_filter
(CAST($1 AS BIGINT) IS NULL OR r.tenant_id = $1) AND (CAST($2 AS BIGINT) IS NULL OR r.project_id = $2)
AND (CAST($4 AS TEXT) IS NULL OR r.operation LIKE $4 ESCAPE '\')
AND (CAST($5 AS TEXT) IS NULL OR r.resource_type LIKE $5 ESCAPE '\')
AND (CAST($6 AS TEXT) IS NULL OR r.resource LIKE $6 ESCAPE '\')
AND (CAST($7 AS TEXT) IS NULL OR r.actor LIKE $7 ESCAPE '\')
AND (CAST($8 AS TEXT) IS NULL OR r.digest LIKE $8 ESCAPE '\')
AND (CAST($9 AS TEXT) IS NULL OR r.address LIKE $9 ESCAPE '\')
AND (CAST($10 AS TEXT) IS NULL OR r.request_id LIKE $10 ESCAPE '\')
AND (CAST($11 AS BIGINT) IS NULL OR r.result = $11)

-- part: newest_first
r.time_us >= $3 AND (r.time_us, r.id) >= ($3, $16) AND (r.time_us, r.id) < ($12, $13)
ORDER BY r.time_us DESC, r.id DESC LIMIT $14 OFFSET $15

-- part: oldest_first
r.time_us <= $3 AND (r.time_us, r.id) <= ($3, $16) AND (r.time_us, r.id) > ($12, $13)
ORDER BY r.time_us, r.id LIMIT $14 OFFSET $15

-- SQLite, which counts no rows, would take an actor's own index and walk through all of his.
-- part: project_actor_index
audit_record r INDEXED BY audit_record_project_actor

-- Nearly everything was allowed, which narrows nothing: the indexes of results have the rest, and this tells so.
-- part: not_allowed
r.result <> 0

-- Where a walk of $4 + 1 rows ends.
-- part: newest_edge
SELECT r.time_us, r.id FROM audit_record r WHERE r.time_us >= $1 AND (r.time_us, r.id) < ($2, $3)

-- part: oldest_edge
SELECT r.time_us, r.id FROM audit_record r WHERE r.time_us <= $1 AND (r.time_us, r.id) > ($2, $3)

-- part: newest_end
ORDER BY r.time_us DESC, r.id DESC LIMIT 1 OFFSET $4

-- part: oldest_end
ORDER BY r.time_us, r.id LIMIT 1 OFFSET $4

-- name: audit_{}_by_time :many custom
-- each: newest oldest
SELECT @record_columns FROM audit_record r WHERE @record_filter AND @{}_first;

-- name: audit_newest_by_{} :many custom
-- each: request_id digest resource actor address project_id tenant_id
SELECT @record_columns FROM audit_record r WHERE r.{} = $17 AND @record_filter AND @newest_first;

-- name: audit_{}_by_result :many custom
-- each: newest oldest
SELECT @record_columns FROM audit_record r WHERE r.result = $17 AND @not_allowed AND @record_filter AND @{}_first;

-- name: audit_{}_by_result_type :many custom
-- each: newest oldest
SELECT @record_columns FROM audit_record r
WHERE r.result = $17 AND @not_allowed AND r.operation = $18 AND r.resource_type = $19 AND @record_filter AND @{}_first;

-- name: audit_{}_by_type :many custom
-- each: newest oldest
SELECT @record_columns FROM audit_record r WHERE r.operation = $17 AND r.resource_type = $18 AND @record_filter AND @{}_first;

-- name: audit_{}_by_actor_type :many custom
-- each: newest oldest
SELECT @record_columns FROM audit_record r WHERE r.actor = $17 AND r.operation = $18 AND r.resource_type = $19 AND @record_filter AND @{}_first;

-- name: audit_{}_by_project_type :many custom
-- each: newest oldest
SELECT @record_columns FROM audit_record r WHERE r.project_id = $17 AND r.operation = $18 AND r.resource_type = $19 AND @record_filter AND @{}_first;

-- name: audit_{}_by_project_actor :many custom
-- each: newest oldest
-- sqlite:
SELECT @record_columns FROM @project_actor_index WHERE r.project_id = $17 AND r.actor = $18 AND @record_filter AND @{}_first;
-- postgres:
SELECT @record_columns FROM audit_record r WHERE r.project_id = $17 AND r.actor = $18 AND @record_filter AND @{}_first;

-- name: audit_{}_edge_by_time :one
-- each: newest oldest
@{}_edge @{}_end;

-- name: audit_newest_edge_by_{} :one
-- each: request_id digest resource actor address project_id tenant_id
@newest_edge AND r.{} = $5 @newest_end;

-- name: audit_{}_edge_by_result :one
-- each: newest oldest
@{}_edge AND r.result = $5 AND @not_allowed @{}_end;

-- name: audit_{}_edge_by_result_type :one
-- each: newest oldest
@{}_edge AND r.result = $5 AND @not_allowed AND r.operation = $6 AND r.resource_type = $7 @{}_end;

-- name: audit_{}_edge_by_type :one
-- each: newest oldest
@{}_edge AND r.operation = $5 AND r.resource_type = $6 @{}_end;

-- name: audit_{}_edge_by_actor_type :one
-- each: newest oldest
@{}_edge AND r.actor = $5 AND r.operation = $6 AND r.resource_type = $7 @{}_end;

-- name: audit_{}_edge_by_project_type :one
-- each: newest oldest
@{}_edge AND r.project_id = $5 AND r.operation = $6 AND r.resource_type = $7 @{}_end;

-- name: audit_newest_edge_by_project_actor :one
-- sqlite:
SELECT r.time_us, r.id FROM @project_actor_index
WHERE r.time_us >= $1 AND (r.time_us, r.id) < ($2, $3) AND r.project_id = $5 AND r.actor = $6 @newest_end;
-- postgres:
@newest_edge AND r.project_id = $5 AND r.actor = $6 @newest_end;

-- name: audit_oldest_by_{} :many custom
-- each: request_id digest resource actor address project_id tenant_id
SELECT @record_columns FROM audit_record r WHERE r.{} = $17 AND @record_filter AND @oldest_first;

-- name: audit_oldest_edge_by_{} :one
-- each: request_id digest resource actor address project_id tenant_id
@oldest_edge AND r.{} = $5 @oldest_end;

-- name: audit_oldest_edge_by_project_actor :one
-- sqlite:
SELECT r.time_us, r.id FROM @project_actor_index
WHERE r.time_us <= $1 AND (r.time_us, r.id) > ($2, $3) AND r.project_id = $5 AND r.actor = $6 @oldest_end;
-- postgres:
@oldest_edge AND r.project_id = $5 AND r.actor = $6 @oldest_end;

-- How many there are, up to $14.
-- name: audit_count_by_time :one custom
SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_record r WHERE @record_filter AND @newest_first) AS found;

-- name: audit_count_by_{} :one custom
-- each: request_id digest resource actor address project_id tenant_id
SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_record r WHERE r.{} = $17 AND @record_filter AND @newest_first) AS found;

-- name: audit_count_by_result :one custom
SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_record r WHERE r.result = $17 AND @not_allowed AND @record_filter AND @newest_first) AS found;

-- name: audit_count_by_result_type :one custom
SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_record r
	WHERE r.result = $17 AND @not_allowed AND r.operation = $18 AND r.resource_type = $19 AND @record_filter AND @newest_first) AS found;

-- name: audit_count_by_type :one custom
SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_record r WHERE r.operation = $17 AND r.resource_type = $18 AND @record_filter AND @newest_first) AS found;

-- name: audit_count_by_actor_type :one custom
SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_record r WHERE r.actor = $17 AND r.operation = $18 AND r.resource_type = $19 AND @record_filter AND @newest_first) AS found;

-- name: audit_count_by_project_type :one custom
SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_record r WHERE r.project_id = $17 AND r.operation = $18 AND r.resource_type = $19 AND @record_filter AND @newest_first) AS found;

-- name: audit_count_by_project_actor :one custom
-- sqlite:
SELECT COUNT(*) FROM (SELECT 1 AS one FROM @project_actor_index WHERE r.project_id = $17 AND r.actor = $18 AND @record_filter AND @newest_first) AS found;
-- postgres:
SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_record r WHERE r.project_id = $17 AND r.actor = $18 AND @record_filter AND @newest_first) AS found;

-- The names of actors, one look-up each, $2 at most.
-- name: audit_actor_list :many
WITH RECURSIVE names(name, number) AS (
	SELECT MIN(r.actor), CAST(1 AS BIGINT) FROM audit_record r
	UNION ALL
	SELECT (SELECT MIN(r.actor) FROM audit_record r WHERE r.actor > names.name), names.number + 1
	FROM names WHERE names.name IS NOT NULL AND names.number <= $2)
SELECT name, number FROM names WHERE name IS NULL OR number > $2 OR name LIKE $1 ESCAPE '\' ORDER BY number;

-- Erasing personal data. The place keeps the hash, but loses the salt by which the erased texts could be guessed.
-- name: audit_erase_page :many
SELECT @record_columns FROM audit_record r
WHERE r.id > $2
  AND (r.actor = $1 OR (r.resource = $1 AND r.resource_type IN ('user', 'login', 'member', 'user_group')))
ORDER BY r.id
LIMIT $3;

-- name: audit_erase_record :exec
UPDATE audit_record SET actor_id = $2, actor = $3, resource = $4, address = $5, detail = $6 WHERE id = $1;

-- name: audit_erase_salt :exec
UPDATE audit_seal SET salt = NULL WHERE record_id = $1;
