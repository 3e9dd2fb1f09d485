-- SPDX-License-Identifier: Apache-2.0
-- What counts for a project's quota: blobs and manifests, each once.
--
-- A claim that finds its row there must know that it stays until the transaction ends: on PostgreSQL it holds the row
-- (FOR KEY SHARE, which many may do at once). Who frees locks the row first, and then sees what all holders did. A claim
-- answers with the size of each row it made, and with -1 when a row vanished while it came: then it is tried again.

-- name: content_claim_link :many
-- sqlite:
INSERT INTO project_blob (project_id, blob_id, size_bytes)
SELECT r.project_id, b.id, b.size_bytes FROM repository r, blob b WHERE r.id = $1 AND b.id = $2
ON CONFLICT (project_id, blob_id) DO NOTHING
RETURNING size_bytes;
-- postgres:
WITH wanted AS (SELECT r.project_id, b.id AS blob_id, b.size_bytes FROM repository r, blob b WHERE r.id = $1 AND b.id = $2),
made AS (
	INSERT INTO project_blob (project_id, blob_id, size_bytes) SELECT project_id, blob_id, size_bytes FROM wanted
	ON CONFLICT (project_id, blob_id) DO NOTHING
	RETURNING size_bytes),
held AS (
	SELECT 1 FROM project_blob pb JOIN wanted w ON w.project_id = pb.project_id AND w.blob_id = pb.blob_id
	FOR KEY SHARE OF pb)
SELECT size_bytes FROM made
UNION ALL
SELECT -1 WHERE (SELECT COUNT(*) FROM wanted) <> (SELECT COUNT(*) FROM made) + (SELECT COUNT(*) FROM held);

-- What a manifest refers to, where its tenant's storage has it. On PostgreSQL by the index, one after the other: with what it
-- knows of a young registry it would look through all blobs of the storage.
-- part: referred_blobs
-- sqlite:
FROM manifest_reference c
JOIN manifest m ON m.id = c.manifest_id
JOIN repository r ON r.id = m.repository_id
JOIN tenant t ON t.id = r.tenant_id
JOIN blob b ON b.digest = c.digest AND b.storage_id = t.storage_id
WHERE c.manifest_id = $1
-- postgres:
FROM (
	SELECT n.manifest_id, n.project_id, n.digest, t.storage_id
	FROM manifest_reference n
	JOIN manifest m ON m.id = n.manifest_id
	JOIN repository r ON r.id = m.repository_id
	JOIN tenant t ON t.id = r.tenant_id
	WHERE n.manifest_id = $1 OFFSET 0) c
CROSS JOIN LATERAL (SELECT x.id, x.size_bytes FROM blob x WHERE x.digest = c.digest AND x.storage_id = c.storage_id OFFSET 0) b
WHERE c.manifest_id = $1

-- part: project_of_manifest
(SELECT r.project_id FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE m.id = $1)

-- part: project_of_repository
(SELECT r.project_id FROM repository r WHERE r.id = $1)

-- name: content_claim_references :many
-- sqlite:
INSERT INTO project_blob (project_id, blob_id, size_bytes)
SELECT c.project_id, b.id, b.size_bytes @referred_blobs
AND EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.blob_id = b.id AND rb.project_id = c.project_id)
ON CONFLICT (project_id, blob_id) DO NOTHING
RETURNING size_bytes;
-- postgres:
WITH wanted AS (
	SELECT DISTINCT c.project_id, b.id AS blob_id, b.size_bytes @referred_blobs
	AND EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.blob_id = b.id AND rb.project_id = c.project_id OFFSET 0)),
made AS (
	INSERT INTO project_blob (project_id, blob_id, size_bytes)
	SELECT project_id, blob_id, size_bytes FROM wanted ORDER BY blob_id
	ON CONFLICT (project_id, blob_id) DO NOTHING
	RETURNING size_bytes),
held AS (
	SELECT 1 FROM project_blob pb JOIN wanted w ON w.project_id = pb.project_id AND w.blob_id = pb.blob_id
	ORDER BY pb.blob_id FOR KEY SHARE OF pb)
SELECT size_bytes FROM made
UNION ALL
SELECT -1 WHERE (SELECT COUNT(*) FROM wanted) <> (SELECT COUNT(*) FROM made) + (SELECT COUNT(*) FROM held);

-- name: content_claim_manifest :one
INSERT INTO project_manifest (project_id, digest, size_bytes, holders)
SELECT r.project_id, m.digest, m.size_bytes, 1
FROM manifest m JOIN repository r ON r.id = m.repository_id
WHERE m.id = $1
ON CONFLICT (project_id, digest) DO UPDATE SET holders = project_manifest.holders + 1
RETURNING CASE WHEN holders = 1 THEN size_bytes ELSE 0 END;

-- Freeing. A link: when no repository of the project has the blob any more.

-- On PostgreSQL each is looked for by the index; rows never change, so their places do not either.
-- part: of_links
-- sqlite:
(project_id, blob_id) IN (SELECT (SELECT r.project_id FROM repository r WHERE r.id = l.of_id), l.blob_id FROM @links l)
-- postgres:
ctid = ANY (ARRAY(SELECT f.ctid FROM @links l CROSS JOIN LATERAL (
	SELECT pb.ctid FROM project_blob pb
	WHERE pb.project_id = (SELECT r.project_id FROM repository r WHERE r.id = l.of_id) AND pb.blob_id = l.blob_id OFFSET 0) f))

-- name: content_lock_links :many
-- sqlite:
SELECT blob_id FROM project_blob WHERE @of_links;
-- postgres:
SELECT blob_id FROM project_blob WHERE @of_links ORDER BY blob_id, project_id FOR UPDATE;

-- name: content_free_links :many
DELETE FROM project_blob
WHERE @of_links
  AND NOT EXISTS (SELECT 1 FROM repository_blob rb
	WHERE rb.blob_id = project_blob.blob_id AND rb.project_id = project_blob.project_id)
RETURNING size_bytes, project_id;

-- A manifest, before its row goes: what no other manifest of the project refers to.

-- name: content_lock_references :many
-- sqlite:
SELECT b.id @referred_blobs;
-- postgres:
SELECT blob_id FROM project_blob WHERE project_id = @project_of_manifest AND blob_id IN (SELECT b.id @referred_blobs)
ORDER BY blob_id FOR UPDATE;

-- name: content_free_references :many
DELETE FROM project_blob
WHERE project_id = @project_of_manifest
  AND blob_id IN (SELECT b.id @referred_blobs AND NOT EXISTS (
	SELECT 1 FROM manifest_reference o
	WHERE o.digest = c.digest AND o.project_id = c.project_id AND o.manifest_id <> c.manifest_id))
RETURNING size_bytes;

-- name: content_release_manifest :exec
UPDATE project_manifest SET holders = holders - 1
WHERE project_id = @project_of_manifest AND digest = (SELECT m.digest FROM manifest m WHERE m.id = $1);

-- name: content_free_manifest :many
DELETE FROM project_manifest
WHERE project_id = @project_of_manifest AND digest = (SELECT m.digest FROM manifest m WHERE m.id = $1) AND holders = 0
RETURNING size_bytes;

-- A repository, before its rows go.

-- part: blobs_of_repository
SELECT rb.blob_id FROM repository_blob rb WHERE rb.repository_id = $1
UNION
SELECT b.id
FROM manifest m
JOIN manifest_reference c ON c.manifest_id = m.id
JOIN repository r ON r.id = m.repository_id
JOIN tenant t ON t.id = r.tenant_id
JOIN blob b ON b.digest = c.digest AND b.storage_id = t.storage_id
WHERE m.repository_id = $1

-- name: content_lock_repository :many
-- sqlite:
SELECT id FROM repository WHERE id = $1;
-- postgres:
SELECT blob_id FROM project_blob WHERE project_id = @project_of_repository AND blob_id IN (@blobs_of_repository)
ORDER BY blob_id FOR UPDATE;

-- name: content_free_repository :many
DELETE FROM project_blob
WHERE project_id = @project_of_repository AND blob_id IN (@blobs_of_repository)
  AND (NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.blob_id = project_blob.blob_id
		AND rb.project_id = project_blob.project_id AND rb.repository_id <> $1)
       OR (EXISTS (SELECT 1 FROM blob b
		JOIN manifest_reference c ON c.digest = b.digest AND c.project_id = project_blob.project_id
		WHERE b.id = project_blob.blob_id)
	   AND NOT EXISTS (SELECT 1 FROM blob b
		JOIN manifest_reference c ON c.digest = b.digest AND c.project_id = project_blob.project_id
		JOIN manifest m ON m.id = c.manifest_id AND m.repository_id <> $1
		WHERE b.id = project_blob.blob_id)))
RETURNING size_bytes;

-- name: content_release_repository :exec
UPDATE project_manifest SET holders = holders - 1
WHERE project_id = @project_of_repository AND digest IN (SELECT m.digest FROM manifest m WHERE m.repository_id = $1);

-- name: content_free_repository_manifests :many
DELETE FROM project_manifest
WHERE project_id = @project_of_repository AND digest IN (SELECT m.digest FROM manifest m WHERE m.repository_id = $1)
  AND holders = 0
RETURNING size_bytes;

-- Whether the project has a blob, so that sending it again needs no room.
-- name: content_has_blob :one
SELECT 1
FROM repository r
JOIN tenant t ON t.id = r.tenant_id
JOIN blob b ON b.digest = $2 AND b.storage_id = t.storage_id
JOIN project_blob pb ON pb.project_id = r.project_id AND pb.blob_id = b.id
WHERE r.id = $1;

-- For fsck: blobs that count and should not, or should and do not, or with another size; then manifests.
-- name: content_wrong_blobs :many
SELECT b.id, p.name, b.digest
FROM (SELECT rb.project_id, rb.blob_id FROM repository_blob rb WHERE rb.blob_id > $1
      UNION
      SELECT pb.project_id, pb.blob_id FROM project_blob pb WHERE pb.blob_id > $1) x
JOIN project p ON p.id = x.project_id
JOIN blob b ON b.id = x.blob_id
LEFT JOIN project_blob pb ON pb.project_id = x.project_id AND pb.blob_id = x.blob_id
WHERE (pb.blob_id IS NULL
	AND EXISTS (SELECT 1 FROM manifest_reference c WHERE c.digest = b.digest AND c.project_id = x.project_id)
	AND EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.blob_id = b.id AND rb.project_id = x.project_id))
   OR (pb.blob_id IS NOT NULL
	AND NOT EXISTS (SELECT 1 FROM manifest_reference c WHERE c.digest = b.digest AND c.project_id = x.project_id)
	AND NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.blob_id = b.id AND rb.project_id = x.project_id))
   OR pb.size_bytes <> b.size_bytes
ORDER BY b.id
LIMIT $2;

-- name: content_wrong_manifests :many
SELECT p.id, p.name, x.digest
FROM (SELECT r.project_id, m.digest, COUNT(*) AS holders, MAX(m.size_bytes) AS size_bytes
      FROM manifest m JOIN repository r ON r.id = m.repository_id
      WHERE r.project_id > $1
      GROUP BY r.project_id, m.digest
      UNION ALL
      SELECT pm.project_id, pm.digest, -pm.holders, -pm.size_bytes FROM project_manifest pm WHERE pm.project_id > $1) x
JOIN project p ON p.id = x.project_id
GROUP BY p.id, p.name, x.digest
HAVING SUM(x.holders) <> 0 OR SUM(x.size_bytes) <> 0
ORDER BY p.id
LIMIT $2;

-- Making it so. What counts and should not, what should and does not; then every manifest whose row is not right.

-- name: content_mend_surplus :exec
DELETE FROM project_blob
WHERE NOT EXISTS (SELECT 1 FROM repository_blob rb
	WHERE rb.blob_id = project_blob.blob_id AND rb.project_id = project_blob.project_id)
  AND NOT EXISTS (SELECT 1 FROM blob b
	JOIN manifest_reference c ON c.digest = b.digest AND c.project_id = project_blob.project_id
	WHERE b.id = project_blob.blob_id);

-- name: content_mend_missing :exec
INSERT INTO project_blob (project_id, blob_id, size_bytes)
SELECT DISTINCT rb.project_id, b.id, b.size_bytes
FROM repository_blob rb JOIN blob b ON b.id = rb.blob_id
WHERE EXISTS (SELECT 1 FROM manifest_reference c WHERE c.digest = b.digest AND c.project_id = rb.project_id)
ON CONFLICT (project_id, blob_id) DO UPDATE SET size_bytes = excluded.size_bytes
WHERE project_blob.size_bytes <> excluded.size_bytes;

-- name: content_mend_manifests :exec
INSERT INTO project_manifest (project_id, digest, size_bytes, holders)
SELECT r.project_id, m.digest, MAX(m.size_bytes), COUNT(*)
FROM manifest m JOIN repository r ON r.id = m.repository_id
WHERE m.id > 0
GROUP BY r.project_id, m.digest
ON CONFLICT (project_id, digest) DO UPDATE SET size_bytes = excluded.size_bytes, holders = excluded.holders
WHERE project_manifest.size_bytes <> excluded.size_bytes OR project_manifest.holders <> excluded.holders;

-- name: content_mend_surplus_manifests :exec
DELETE FROM project_manifest
WHERE NOT EXISTS (SELECT 1 FROM repository r JOIN manifest m ON m.repository_id = r.id AND m.digest = project_manifest.digest
	WHERE r.project_id = project_manifest.project_id);

-- For fsck too: rows that do not say which project they belong to as their repository does.
-- name: content_wrong_projects :many
SELECT r.id, r.name, NULL
FROM repository r
WHERE r.id > $1
  AND (EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = r.id AND rb.project_id <> r.project_id)
       OR EXISTS (SELECT 1 FROM manifest m JOIN manifest_reference c ON c.manifest_id = m.id
		WHERE m.repository_id = r.id AND c.project_id <> r.project_id))
ORDER BY r.id
LIMIT $2;
