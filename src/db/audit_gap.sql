-- SPDX-License-Identifier: Apache-2.0
-- Purging the audit trail: what is old enough, its removal, and the gaps that it leaves.

-- Of one type, the oldest first, behind ($4, $5). What has no place yet is not old.
-- name: audit_gap_candidates :many
SELECT r.time_us, r.id, s.seq FROM audit_record r JOIN audit_seal s ON s.record_id = r.id
WHERE r.operation = $1 AND r.resource_type = $2 AND r.time_us <= $3 AND (r.time_us, r.id) > ($4, $5)
ORDER BY r.time_us, r.id
LIMIT $6;

-- The last one that begins at or before a place.
-- name: audit_gap_before :one
SELECT first_seq, last_seq, signed FROM audit_gap WHERE first_seq <= $1 ORDER BY first_seq DESC LIMIT 1;

-- name: audit_gap_insert :exec
INSERT INTO audit_gap (first_seq, last_seq, signed) VALUES ($1, $2, $3);

-- name: audit_gap_delete :exec
DELETE FROM audit_gap WHERE first_seq = $1;

-- name: audit_gap_remove_records :exec
DELETE FROM audit_record WHERE id IN (SELECT s.record_id FROM audit_seal s WHERE s.seq >= $1 AND s.seq <= $2);

-- name: audit_gap_remove_places :exec
DELETE FROM audit_seal WHERE seq >= $1 AND seq <= $2;

-- One at the end of a gap is still for a place.
-- name: audit_gap_remove_checkpoints :exec
DELETE FROM audit_checkpoint WHERE seq >= $1 AND seq < $2;
