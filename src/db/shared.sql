-- SPDX-License-Identifier: Apache-2.0
-- What statements of several entities say in the same words (see tools/sqlgen).

-- Which projects somebody sees in lists: $1, $2 and $3 are those of SQL_SIGHT() in sight.h. `p` is the project.
-- part: project_seen
-- sqlite:
p.tenant_id = $3 AND p.deleted = 0 AND (CAST($1 AS BIGINT) = -1 OR p.is_public = 1
	OR p.id IN (SELECT h.project_id FROM project_holder h WHERE h.account_id = $1)
	OR p.id IN (SELECT j.value FROM json_each($2) j))
-- postgres:
p.tenant_id = $3 AND p.deleted = 0 AND (CAST($1 AS BIGINT) = -1 OR p.is_public = 1
	OR p.id IN (SELECT h.project_id FROM project_holder h WHERE h.account_id = $1)
	OR p.id IN (SELECT CAST(j AS BIGINT) FROM json_array_elements_text(CAST($2 AS json)) j))

-- Blobs, each in a repository or a storage: of db_links() in rows.h, as $1.
-- part: links
-- sqlite:
(SELECT CAST(j.value ->> 0 AS INTEGER) AS blob_id, CAST(j.value ->> 1 AS INTEGER) AS of_id FROM json_each($1) j)
-- postgres:
(SELECT CAST(j ->> 0 AS BIGINT) AS blob_id, CAST(j ->> 1 AS BIGINT) AS of_id FROM json_array_elements(CAST($1 AS json)) j)

-- The blobs among them.
-- part: ids_of_links
-- sqlite:
IN (SELECT l.blob_id FROM @links l)
-- postgres:
= ANY (ARRAY(SELECT l.blob_id FROM @links l))

-- The time of the database, which is the same for all nodes: what leases and schedules go by.
-- part: now_us
-- sqlite:
CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
-- postgres:
CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)

-- In which digests are once: that of a storage, $1.
-- part: domain
(SELECT COALESCE(d.domain_id, d.id) FROM storage d WHERE d.id = $1)
