-- SPDX-License-Identifier: Apache-2.0
-- Garbage: what was let go, what of it is garbage indeed, and what was removed. See the migration 0034 and registry/collect.h.
--
-- On PostgreSQL who relies on a link in a transaction holds it (FOR KEY SHARE), and who removes one has it alone before he looks whether
-- anything refers to it: in a statement of its own, so that he sees what those did who held it. With blobs and who publishes them it is the same.

-- Each of these: looked at again not before $2 microseconds from now.
-- part: not_before
@now_us + CAST($2 AS BIGINT)

-- part: at_the_earliest
ON CONFLICT (blob_id, repository_id) DO UPDATE SET due_at_us = excluded.due_at_us

-- name: garbage_add_link :exec
INSERT INTO garbage (blob_id, repository_id, due_at_us) VALUES ($3, $1, @not_before) @at_the_earliest;

-- The links of its repository to what a manifest refers to.
-- part: referred_links
FROM manifest_reference c
JOIN manifest m ON m.id = c.manifest_id
JOIN repository r ON r.id = m.repository_id
JOIN tenant t ON t.id = r.tenant_id
JOIN blob b ON b.digest = c.digest AND b.storage_id = t.storage_id
JOIN repository_blob rb ON rb.repository_id = m.repository_id AND rb.blob_id = b.id

-- name: garbage_add_manifest :exec
INSERT INTO garbage (blob_id, repository_id, due_at_us)
SELECT DISTINCT rb.blob_id, rb.repository_id, @not_before @referred_links
WHERE c.manifest_id = $1
ORDER BY rb.blob_id
@at_the_earliest;

-- name: garbage_add_repository :exec
INSERT INTO garbage (blob_id, repository_id, due_at_us)
SELECT rb.blob_id, 0, @not_before FROM repository_blob rb WHERE rb.repository_id = $1 ORDER BY rb.blob_id
@at_the_earliest;

-- name: garbage_find :one
SELECT g.due_at_us - @now_us
FROM repository r
JOIN tenant t ON t.id = r.tenant_id
JOIN blob b ON b.digest = $2 AND b.storage_id = t.storage_id
JOIN garbage g ON g.blob_id = b.id AND g.repository_id = r.id
WHERE r.id = $1;

-- Inserts, because an update would not see what a collector that has just taken it puts back.
-- name: garbage_put_off :exec
INSERT INTO garbage (blob_id, repository_id, due_at_us)
SELECT rb.blob_id, rb.repository_id, @not_before
FROM repository r
JOIN tenant t ON t.id = r.tenant_id
JOIN blob b ON b.digest = $3 AND b.storage_id = t.storage_id
JOIN repository_blob rb ON rb.repository_id = r.id AND rb.blob_id = b.id
WHERE r.id = $1
@at_the_earliest;

-- Taken off the queue: the transaction that does it finds out what becomes of them.
-- name: garbage_take :many
-- sqlite:
DELETE FROM garbage WHERE (blob_id, repository_id) IN (
	SELECT g.blob_id, g.repository_id FROM garbage g WHERE g.due_at_us <= @now_us ORDER BY g.due_at_us, g.blob_id, g.repository_id LIMIT $1)
RETURNING blob_id, repository_id;
-- postgres:
DELETE FROM garbage WHERE ctid = ANY (ARRAY(
	SELECT g.ctid FROM garbage g WHERE g.due_at_us <= @now_us ORDER BY g.due_at_us, g.blob_id, g.repository_id LIMIT $1
	FOR UPDATE SKIP LOCKED))
RETURNING blob_id, repository_id;

-- On PostgreSQL what is inside is looked for one by one, by the index: blobs may be in very many repositories.
-- name: garbage_has_links :many
-- sqlite:
SELECT rb.blob_id, rb.repository_id FROM repository_blob rb WHERE (rb.blob_id, rb.repository_id) IN (SELECT l.blob_id, l.of_id FROM @links l);
-- postgres:
SELECT f.blob_id, f.repository_id FROM @links l CROSS JOIN LATERAL (
	SELECT rb.blob_id, rb.repository_id FROM repository_blob rb WHERE rb.blob_id = l.blob_id AND rb.repository_id = l.of_id OFFSET 0) f;

-- name: garbage_lock_links :many
-- sqlite:
SELECT rb.blob_id, rb.repository_id FROM repository_blob rb WHERE (rb.blob_id, rb.repository_id) IN (SELECT l.blob_id, l.of_id FROM @links l);
-- postgres:
SELECT f.blob_id, f.repository_id FROM @links l CROSS JOIN LATERAL (
	SELECT rb.blob_id, rb.repository_id FROM repository_blob rb WHERE rb.blob_id = l.blob_id AND rb.repository_id = l.of_id
	FOR UPDATE SKIP LOCKED) f;

-- part: referred_in_repository
EXISTS (SELECT 1 FROM blob b
	JOIN manifest_reference c ON c.digest = b.digest AND c.project_id = repository_blob.project_id
	JOIN manifest m ON m.id = c.manifest_id AND m.repository_id = repository_blob.repository_id
	WHERE b.id = repository_blob.blob_id)

-- On PostgreSQL they are held already, so their places do not change.
-- part: is_one_of_links
-- sqlite:
(blob_id, repository_id) IN (SELECT l.blob_id, l.of_id FROM @links l)
-- postgres:
ctid = ANY (ARRAY(SELECT f.ctid FROM @links l CROSS JOIN LATERAL (
	SELECT rb.ctid FROM repository_blob rb WHERE rb.blob_id = l.blob_id AND rb.repository_id = l.of_id OFFSET 0) f))

-- name: garbage_unlink :many
DELETE FROM repository_blob
WHERE @is_one_of_links AND NOT @referred_in_repository
RETURNING blob_id, repository_id, (SELECT x.digest FROM blob x WHERE x.id = repository_blob.blob_id);

-- name: garbage_lock_blobs :many
-- sqlite:
SELECT b.id, 0 FROM blob b WHERE b.id @ids_of_links;
-- postgres:
SELECT b.id, 0 FROM blob b WHERE b.id @ids_of_links FOR UPDATE SKIP LOCKED;

-- Found once for all of them: there are few, in a table of much coming and going.
-- part: being_published
SELECT u.publishing, u.storage_id FROM upload u WHERE u.publishing IS NOT NULL
UNION ALL
SELECT u.publishing, s.domain_id FROM upload u JOIN storage s ON s.id = u.storage_id WHERE u.publishing IS NOT NULL AND s.domain_id IS NOT NULL

-- What nobody has, and nobody is about to have. While its tenant moves to another storage it stays.
-- name: garbage_condemn :many
UPDATE blob SET condemned_at_us = @now_us, condemned_by = $2
WHERE id @ids_of_links AND condemned_at_us IS NULL
	AND NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.blob_id = blob.id)
	AND NOT EXISTS (SELECT 1 FROM trash_blob k WHERE k.blob_id = blob.id)
	AND (digest, storage_id) NOT IN (@being_published)
	AND NOT EXISTS (SELECT 1 FROM tenant t WHERE t.left_id IS NOT NULL AND t.storage_id = blob.storage_id)
RETURNING id, 0;

-- Those of them that nobody has, and of which it cannot be said yet whether they may go.
-- name: garbage_undecided :many
SELECT b.id, 0 FROM blob b WHERE b.id @ids_of_links AND b.condemned_at_us IS NULL
	AND NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.blob_id = b.id)
	AND NOT EXISTS (SELECT 1 FROM trash_blob k WHERE k.blob_id = b.id);

-- name: garbage_condemned :many
SELECT b.id, COALESCE(b.place_id, b.storage_id), b.digest, b.size_bytes, b.edition FROM blob b WHERE b.condemned_by = $1;

-- Those that somebody condemned and did not remove: now they are $1's.
-- name: garbage_inherit :exec
-- sqlite:
UPDATE blob SET condemned_at_us = @now_us, condemned_by = $1
WHERE id IN (SELECT b.id FROM blob b WHERE b.condemned_at_us < @now_us - CAST($2 AS BIGINT) ORDER BY b.condemned_at_us LIMIT $3);
-- postgres:
UPDATE blob SET condemned_at_us = @now_us, condemned_by = $1
WHERE id = ANY (ARRAY(SELECT b.id FROM blob b WHERE b.condemned_at_us < @now_us - CAST($2 AS BIGINT) ORDER BY b.condemned_at_us LIMIT $3
	FOR UPDATE SKIP LOCKED));

-- Who condemned them may go on at any time, and then removes what has the name that he knows.
-- name: garbage_next_edition :exec
INSERT INTO blob_edition (storage_id, digest, next)
SELECT b.storage_id, b.digest, b.edition + 1 FROM blob b WHERE b.condemned_by = $1
ON CONFLICT (storage_id, digest) DO UPDATE SET next = excluded.next;

-- Not where its tenant moved to another storage meanwhile: bytes may be there.
-- part: removed
condemned_by = $2 AND (id, COALESCE(place_id, storage_id)) IN (SELECT l.blob_id, l.of_id FROM @links l)

-- name: garbage_report_removed :exec
INSERT INTO garbage_freed (job_id, kind, tenant_id, repository, digest, size_bytes, why)
SELECT CAST($3 AS BIGINT), 'blob', 0, '', digest, size_bytes, $4 FROM blob WHERE @removed;

-- name: garbage_bury :exec
DELETE FROM blob WHERE @removed;

-- Whether the bytes of a digest are about to be removed, and which edition it is or would be; whoever asks holds the row, so that they will
-- not be. Where somebody buries it at this moment no row comes: then blob_insert refuses what is not the next edition.
-- name: garbage_is_condemned :one
-- sqlite:
SELECT condemned_at_us, edition FROM blob WHERE digest = $2 AND storage_id = @domain
UNION ALL
SELECT NULL, e.next FROM blob_edition e WHERE e.digest = $2 AND e.storage_id = @domain
	AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.digest = $2 AND b.storage_id = @domain);
-- postgres:
SELECT h.condemned_at_us, h.edition
FROM (SELECT b.condemned_at_us, b.edition FROM blob b WHERE b.digest = $2 AND b.storage_id = @domain FOR KEY SHARE) h
UNION ALL
SELECT NULL, e.next FROM blob_edition e WHERE e.digest = $2 AND e.storage_id = @domain
	AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.digest = $2 AND b.storage_id = @domain);

-- A dry run writes down what would go with an untagged artifact, so that all that it finds counts together. $1: the job's.
-- name: garbage_doom_manifest :exec
INSERT INTO doomed_manifest (job_id, manifest_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: garbage_doom_links :exec
INSERT INTO doomed_link (job_id, blob_id, repository_id)
SELECT CAST($1 AS BIGINT), rb.blob_id, rb.repository_id @referred_links
WHERE c.manifest_id = $2
ON CONFLICT DO NOTHING;

-- What goes when manifest $2 goes, as artifact_followers says it of what is there: accessories, and children without a tag whose parents
-- all go.
-- name: garbage_doom_followers :many
SELECT a.manifest_id, a.tag_count
FROM manifest m
JOIN artifact a ON a.repository_id = m.repository_id AND a.subject = m.digest AND a.accessory IS NOT NULL
WHERE m.id = $2
UNION ALL
SELECT a.manifest_id, a.tag_count
FROM manifest m
JOIN manifest_reference c ON c.manifest_id = m.id AND c.role = 2
JOIN manifest n ON n.repository_id = m.repository_id AND n.digest = c.digest
JOIN artifact a ON a.manifest_id = n.id AND a.tag_count = 0
WHERE m.id = $2 AND NOT EXISTS (SELECT 1 FROM manifest_reference o
	JOIN manifest p ON p.id = o.manifest_id AND p.repository_id = n.repository_id
	WHERE o.digest = n.digest AND o.project_id = c.project_id AND o.role = 2
		AND NOT EXISTS (SELECT 1 FROM doomed_manifest d WHERE d.job_id = $1 AND d.manifest_id = p.id));

-- name: garbage_forget_doomed_manifests :exec
DELETE FROM doomed_manifest WHERE job_id = $1 AND manifest_id IN (
	SELECT d.manifest_id FROM doomed_manifest d WHERE d.job_id = $1 ORDER BY d.manifest_id LIMIT $2);

-- name: garbage_forget_doomed_links :exec
DELETE FROM doomed_link WHERE job_id = $1 AND (blob_id, repository_id) IN (
	SELECT d.blob_id, d.repository_id FROM doomed_link d WHERE d.job_id = $1 ORDER BY d.blob_id, d.repository_id LIMIT $2);

-- Blobs that would go: those with no link but such that would go too. By the blobs' ids; first those of which somebody let go before, then
-- those of which only what is doomed would.
-- part: would_due
garbage g JOIN blob b ON b.id = g.blob_id
WHERE g.blob_id > $1 AND g.due_at_us <= @now_us
	AND NOT EXISTS (SELECT 1 FROM garbage x
		WHERE x.blob_id = g.blob_id AND x.repository_id < g.repository_id AND x.due_at_us <= @now_us)

-- part: would_doomed
doomed_link g JOIN blob b ON b.id = g.blob_id
WHERE g.blob_id > $1 AND g.job_id = $3
	AND NOT EXISTS (SELECT 1 FROM doomed_link x WHERE x.job_id = $3 AND x.blob_id = g.blob_id AND x.repository_id < g.repository_id)
	AND NOT EXISTS (SELECT 1 FROM garbage x WHERE x.blob_id = g.blob_id AND x.due_at_us <= @now_us)

-- name: garbage_would_free_{} :many
-- each: due doomed
SELECT b.id, COALESCE(b.place_id, b.storage_id), b.digest, b.size_bytes, b.edition,
	CASE WHEN EXISTS (SELECT 1 FROM doomed_link d WHERE d.job_id = $3 AND d.blob_id = b.id) THEN 1 ELSE 0 END
FROM @would_{}
	AND b.condemned_at_us IS NULL
	AND NOT EXISTS (SELECT 1 FROM trash_blob k WHERE k.blob_id = b.id)
	AND NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.blob_id = b.id AND (
		EXISTS (SELECT 1 FROM manifest_reference c
			JOIN manifest m ON m.id = c.manifest_id AND m.repository_id = rb.repository_id
			WHERE c.digest = b.digest AND c.project_id = rb.project_id
				AND NOT EXISTS (SELECT 1 FROM doomed_manifest d WHERE d.job_id = $3 AND d.manifest_id = m.id))
		OR NOT EXISTS (SELECT 1 FROM garbage o
			WHERE o.blob_id = rb.blob_id AND o.repository_id = rb.repository_id AND o.due_at_us <= @now_us)
		AND NOT EXISTS (SELECT 1 FROM doomed_link d
			WHERE d.job_id = $3 AND d.blob_id = rb.blob_id AND d.repository_id = rb.repository_id)))
ORDER BY g.blob_id
LIMIT $2;

-- Artifacts that have stood for nothing since before: no tag, no index that names them, nobody's accessory; and no cluster runs them or what
-- goes with them.
-- part: loose
a.listed = 1 AND a.tag_count = 0 AND COALESCE(a.untagged_at_us, a.pushed_at_us) <= @now_us - CAST($2 AS BIGINT)
	AND NOT EXISTS (
		WITH RECURSIVE held (id, digest) AS (
			SELECT x.id, x.digest FROM manifest x WHERE x.id = a.manifest_id
			UNION
			SELECT n.id, n.digest FROM held h
			JOIN manifest_reference c ON c.manifest_id = h.id AND c.role = 2
			JOIN manifest n ON n.repository_id = a.repository_id AND n.digest = c.digest)
		SELECT 1 FROM held h JOIN inventory i ON i.digest = h.digest AND i.expires_at_us > @now_us
			AND i.tenant_id = (SELECT o.tenant_id FROM repository o WHERE o.id = a.repository_id))

-- name: garbage_loose_page :many
SELECT a.manifest_id, r.name, m.digest, r.tenant_id, m.size_bytes, r.id, r.project_id
FROM artifact a
JOIN manifest m ON m.id = a.manifest_id
JOIN repository r ON r.id = a.repository_id
WHERE a.manifest_id > $1 AND @loose
ORDER BY a.manifest_id
LIMIT $3;

-- name: garbage_is_loose :one
SELECT 1 FROM artifact a WHERE a.manifest_id = $1 AND @loose;

-- name: garbage_report :exec
INSERT INTO garbage_freed (job_id, kind, tenant_id, repository, digest, size_bytes, why)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: garbage_freed_page :many
SELECT id, kind, repository, digest, size_bytes, why FROM garbage_freed WHERE job_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- How many are due, $1 at most, and how long the oldest has been.
-- name: garbage_count :one
SELECT COUNT(*), COALESCE(MAX(@now_us - c.due_at_us), 0)
FROM (SELECT g.due_at_us FROM garbage g WHERE g.due_at_us <= @now_us ORDER BY g.due_at_us LIMIT $1) c;
