-- SPDX-License-Identifier: Apache-2.0
-- Quota: limits, and what is used of them. Scope 1 is a tenant, 2 a project. See the migration for stripes, room and slow.
--
-- A charge is $3 bytes, $4 repositories, $5 tags, $6 artifacts and $7 projects more (or less), and $8 bytes more reserved.

-- part: project
COALESCE((SELECT r.project_id FROM repository r WHERE r.id = $1), CAST($2 AS BIGINT))

-- What of it takes room, and what only a tenant has.
-- part: bytes
(CAST($3 AS BIGINT) + CAST($8 AS BIGINT))

-- part: projects
CASE WHEN quota_stripe.scope = 1 THEN CAST($7 AS BIGINT) ELSE 0 END

-- Lists of repositories and projects are other ones then (see the migration of list_version).
-- part: relisted
CASE WHEN CAST($4 AS BIGINT) <> 0 OR CAST($7 AS BIGINT) <> 0 THEN 1 ELSE 0 END

-- part: apply
used_storage = quota_stripe.used_storage + CAST($3 AS BIGINT),
room_storage = quota_stripe.room_storage - @bytes,
used_repositories = quota_stripe.used_repositories + CAST($4 AS BIGINT),
room_repositories = quota_stripe.room_repositories - CAST($4 AS BIGINT),
used_tags = quota_stripe.used_tags + CAST($5 AS BIGINT),
room_tags = quota_stripe.room_tags - CAST($5 AS BIGINT),
used_artifacts = quota_stripe.used_artifacts + CAST($6 AS BIGINT),
room_artifacts = quota_stripe.room_artifacts - CAST($6 AS BIGINT),
used_projects = quota_stripe.used_projects + @projects,
room_projects = quota_stripe.room_projects - @projects,
reserved = quota_stripe.reserved + CAST($8 AS BIGINT),
list_version = quota_stripe.list_version + @relisted

-- part: has_room
(@bytes <= 0 OR quota_stripe.room_storage >= @bytes)
AND (CAST($4 AS BIGINT) <= 0 OR quota_stripe.room_repositories >= CAST($4 AS BIGINT))
AND (CAST($5 AS BIGINT) <= 0 OR quota_stripe.room_tags >= CAST($5 AS BIGINT))
AND (CAST($6 AS BIGINT) <= 0 OR quota_stripe.room_artifacts >= CAST($6 AS BIGINT))
AND (@projects <= 0 OR quota_stripe.room_projects >= @projects)

-- part: spread_room
room_storage = t.room_storage / t.stripes + CASE WHEN quota_stripe.stripe = 0 THEN t.room_storage % t.stripes ELSE 0 END,
room_repositories = t.room_repositories / t.stripes + CASE WHEN quota_stripe.stripe = 0 THEN t.room_repositories % t.stripes ELSE 0 END,
room_tags = t.room_tags / t.stripes + CASE WHEN quota_stripe.stripe = 0 THEN t.room_tags % t.stripes ELSE 0 END,
room_artifacts = t.room_artifacts / t.stripes + CASE WHEN quota_stripe.stripe = 0 THEN t.room_artifacts % t.stripes ELSE 0 END,
room_projects = t.room_projects / t.stripes + CASE WHEN quota_stripe.stripe = 0 THEN t.room_projects % t.stripes ELSE 0 END,
slow = CASE WHEN t.room_storage < 0 OR t.room_repositories < 0 OR t.room_tags < 0 OR t.room_artifacts < 0
	OR t.room_projects < 0 THEN 1 ELSE 0 END

-- Of the project (of repository $1, or $2 itself) and of its tenant: from a stripe that nobody holds and that has the room.
-- name: quota_charge :many
-- sqlite:
UPDATE quota_stripe SET
@apply
WHERE ((scope = 2 AND holder_id = @project AND stripe = 0)
	OR (scope = 1 AND holder_id = (SELECT p.tenant_id FROM project p WHERE p.id = @project) AND stripe = 0))
AND @has_room
RETURNING scope, limited;
-- postgres:
WITH target AS (SELECT p.id AS project_id, p.tenant_id FROM project p WHERE p.id = @project),
own AS (
	SELECT scope, holder_id, stripe FROM quota_stripe
	WHERE scope = 2 AND holder_id = (SELECT project_id FROM target) AND slow = 0 AND @has_room
	LIMIT 1 FOR UPDATE SKIP LOCKED),
above AS (
	SELECT scope, holder_id, stripe FROM quota_stripe
	WHERE scope = 1 AND holder_id = (SELECT tenant_id FROM target) AND slow = 0 AND @has_room
	LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE quota_stripe SET
@apply
FROM (SELECT scope, holder_id, stripe FROM own UNION ALL SELECT scope, holder_id, stripe FROM above) chosen
WHERE quota_stripe.scope = chosen.scope AND quota_stripe.holder_id = chosen.holder_id AND quota_stripe.stripe = chosen.stripe
RETURNING quota_stripe.scope, quota_stripe.limited;

-- name: quota_holders :one
SELECT p.id, p.tenant_id FROM project p WHERE p.id = @project;

-- From here on $1 is the scope and $2 whose quota it is. When all stripes are held: wait for one of them.
-- name: quota_charge_stripe :one
UPDATE quota_stripe SET
@apply
WHERE scope = $1 AND holder_id = $2 AND stripe = $9 AND slow = 0
AND @has_room
RETURNING limited;

-- When no stripe has the room: all of them.
-- name: quota_lock :many
-- sqlite:
SELECT stripe FROM quota_stripe WHERE scope = $1 AND holder_id = $2 ORDER BY stripe;
-- postgres:
SELECT stripe FROM quota_stripe WHERE scope = $1 AND holder_id = $2 ORDER BY stripe FOR UPDATE;

-- ... if it fits into what all have together, or must be.
-- name: quota_charge_all :many
UPDATE quota_stripe SET
used_storage = quota_stripe.used_storage + CASE WHEN quota_stripe.stripe = 0 THEN CAST($3 AS BIGINT) ELSE 0 END,
used_repositories = quota_stripe.used_repositories + CASE WHEN quota_stripe.stripe = 0 THEN CAST($4 AS BIGINT) ELSE 0 END,
used_tags = quota_stripe.used_tags + CASE WHEN quota_stripe.stripe = 0 THEN CAST($5 AS BIGINT) ELSE 0 END,
used_artifacts = quota_stripe.used_artifacts + CASE WHEN quota_stripe.stripe = 0 THEN CAST($6 AS BIGINT) ELSE 0 END,
used_projects = quota_stripe.used_projects + CASE WHEN quota_stripe.stripe = 0 THEN @projects ELSE 0 END,
reserved = quota_stripe.reserved + CASE WHEN quota_stripe.stripe = 0 THEN CAST($8 AS BIGINT) ELSE 0 END,
list_version = quota_stripe.list_version + CASE WHEN quota_stripe.stripe = 0 THEN @relisted ELSE 0 END,
@spread_room
FROM (SELECT COUNT(*) AS stripes,
	CAST(SUM(s.room_storage) AS BIGINT) - @bytes AS room_storage,
	CAST(SUM(s.room_repositories) AS BIGINT) - CAST($4 AS BIGINT) AS room_repositories,
	CAST(SUM(s.room_tags) AS BIGINT) - CAST($5 AS BIGINT) AS room_tags,
	CAST(SUM(s.room_artifacts) AS BIGINT) - CAST($6 AS BIGINT) AS room_artifacts,
	CAST(SUM(s.room_projects) AS BIGINT) - CASE WHEN CAST($1 AS BIGINT) = 1 THEN CAST($7 AS BIGINT) ELSE 0 END AS room_projects
      FROM quota_stripe s WHERE s.scope = $1 AND s.holder_id = $2) t
WHERE quota_stripe.scope = $1 AND quota_stripe.holder_id = $2
  AND (CAST($9 AS BIGINT) = 1
       OR ((@bytes <= 0 OR t.room_storage >= 0)
       AND (CAST($4 AS BIGINT) <= 0 OR t.room_repositories >= 0)
       AND (CAST($5 AS BIGINT) <= 0 OR t.room_tags >= 0)
       AND (CAST($6 AS BIGINT) <= 0 OR t.room_artifacts >= 0)
       AND (@projects <= 0 OR t.room_projects >= 0)))
RETURNING quota_stripe.limited;

-- name: quota_insert :exec
INSERT INTO quota (scope, holder_id, created_at_us, updated_at_us)
VALUES ($1, $2, $3, $3)
ON CONFLICT (scope, holder_id) DO NOTHING;

-- name: quota_insert_stripes :exec
-- sqlite:
INSERT INTO quota_stripe (scope, holder_id, stripe, limited, slow)
VALUES ($1, $2, 0, 0, 0)
ON CONFLICT (scope, holder_id, stripe) DO NOTHING;
-- postgres:
INSERT INTO quota_stripe (scope, holder_id, stripe, limited, slow)
SELECT $1, $2, n, 0, 0 FROM generate_series(0, 15) AS s (n)
ON CONFLICT (scope, holder_id, stripe) DO NOTHING;

-- part: is_limited
CASE WHEN q.limit_storage >= 0 OR q.limit_repositories >= 0 OR q.limit_tags >= 0 OR q.limit_artifacts >= 0
	OR q.limit_projects >= 0 THEN 1 ELSE 0 END

-- After a change of the limits or of what is used, with all stripes locked.
-- name: quota_settle :exec
UPDATE quota_stripe SET
limited = t.limited,
@spread_room
FROM (SELECT COUNT(*) AS stripes, @is_limited AS limited,
	CASE WHEN q.limit_storage < 0 THEN 1152921504606846976 ELSE q.limit_storage END - CAST(SUM(s.used_storage + s.reserved) AS BIGINT) AS room_storage,
	CASE WHEN q.limit_repositories < 0 THEN 1152921504606846976 ELSE q.limit_repositories END - CAST(SUM(s.used_repositories) AS BIGINT) AS room_repositories,
	CASE WHEN q.limit_tags < 0 THEN 1152921504606846976 ELSE q.limit_tags END - CAST(SUM(s.used_tags) AS BIGINT) AS room_tags,
	CASE WHEN q.limit_artifacts < 0 THEN 1152921504606846976 ELSE q.limit_artifacts END - CAST(SUM(s.used_artifacts) AS BIGINT) AS room_artifacts,
	CASE WHEN q.limit_projects < 0 THEN 1152921504606846976 ELSE q.limit_projects END - CAST(SUM(s.used_projects) AS BIGINT) AS room_projects
      FROM quota q JOIN quota_stripe s ON s.scope = q.scope AND s.holder_id = q.holder_id
      WHERE q.scope = $1 AND q.holder_id = $2
      GROUP BY q.limit_storage, q.limit_repositories, q.limit_tags, q.limit_artifacts, q.limit_projects) t
WHERE quota_stripe.scope = $1 AND quota_stripe.holder_id = $2;

-- What is used, counted anew, with all stripes locked.
-- name: quota_correct :exec
UPDATE quota_stripe SET
	used_storage = CASE WHEN stripe = 0 THEN CAST($3 AS BIGINT) ELSE 0 END,
	used_repositories = CASE WHEN stripe = 0 THEN CAST($4 AS BIGINT) ELSE 0 END,
	used_tags = CASE WHEN stripe = 0 THEN CAST($5 AS BIGINT) ELSE 0 END,
	used_artifacts = CASE WHEN stripe = 0 THEN CAST($6 AS BIGINT) ELSE 0 END,
	used_projects = CASE WHEN stripe = 0 THEN CAST($7 AS BIGINT) ELSE 0 END,
	reserved = CASE WHEN stripe = 0 THEN CAST($8 AS BIGINT) ELSE 0 END
WHERE scope = $1 AND holder_id = $2;

-- name: quota_limit :exec
UPDATE quota SET limit_storage = $3, limit_repositories = $4, limit_tags = $5, limit_artifacts = $6, limit_projects = $7,
	updated_at_us = $8
WHERE scope = $1 AND holder_id = $2;

-- name: quota_delete :exec
DELETE FROM quota WHERE scope = $1 AND holder_id = $2;

-- Which threshold was reported, so that it is reported once.
-- name: quota_warn :exec
UPDATE quota SET warned_percent = $3 WHERE scope = $1 AND holder_id = $2 AND warned_percent = $4;

-- Reading.

-- part: quota_columns
q.scope, q.holder_id, q.limit_storage, q.limit_repositories, q.limit_tags, q.limit_artifacts, q.limit_projects,
	CAST(SUM(s.used_storage) AS BIGINT), CAST(SUM(s.used_repositories) AS BIGINT), CAST(SUM(s.used_tags) AS BIGINT),
	CAST(SUM(s.used_artifacts) AS BIGINT), CAST(SUM(s.used_projects) AS BIGINT), CAST(SUM(s.reserved) AS BIGINT),
	q.warned_percent, q.created_at_us, q.updated_at_us

-- part: quota_groups
q.limit_storage, q.limit_repositories, q.limit_tags, q.limit_artifacts, q.limit_projects, q.warned_percent, q.created_at_us,
	q.updated_at_us

-- name: quota_get :one
SELECT @quota_columns, COALESCE(p.name, t.name), COALESCE(a.name, p.owner_name, ''), COALESCE(p.tenant_id, q.holder_id)
FROM quota q
JOIN quota_stripe s ON s.scope = q.scope AND s.holder_id = q.holder_id
LEFT JOIN project p ON q.scope = 2 AND p.id = q.holder_id
LEFT JOIN account a ON a.id = p.owner_id
LEFT JOIN tenant t ON q.scope = 1 AND t.id = q.holder_id
WHERE q.scope = $1 AND q.holder_id = $2
GROUP BY q.scope, q.holder_id, @quota_groups, p.name, p.tenant_id, t.name, a.name, p.owner_name;

-- part: threshold
CASE WHEN q.limit_storage < 0 THEN 0 WHEN SUM(s.used_storage) >= q.limit_storage THEN 100
     WHEN SUM(s.used_storage) * 100 >= q.limit_storage * CAST($1 AS BIGINT) THEN CAST($1 AS BIGINT) ELSE 0 END

-- Who is at another threshold than was reported.
-- name: quota_passed :many
SELECT @quota_columns, COALESCE(p.name, t.name), '', COALESCE(p.tenant_id, q.holder_id)
FROM quota q
JOIN quota_stripe s ON s.scope = q.scope AND s.holder_id = q.holder_id
LEFT JOIN project p ON q.scope = 2 AND p.id = q.holder_id
LEFT JOIN tenant t ON q.scope = 1 AND t.id = q.holder_id
WHERE q.limit_storage >= 0 OR q.warned_percent > 0
GROUP BY q.scope, q.holder_id, @quota_groups, p.name, p.tenant_id, t.name
HAVING q.warned_percent <> @threshold
LIMIT $2;

-- The projects of a tenant; of one alone if $2 is not 0.
-- name: quota_count :one
SELECT COUNT(*) FROM project p WHERE p.tenant_id = $1 AND p.deleted = 0 AND (CAST($2 AS BIGINT) = 0 OR p.id = $2);

-- part: quota_projects
FROM project p
JOIN quota q ON q.scope = 2 AND q.holder_id = p.id
JOIN quota_stripe s ON s.scope = 2 AND s.holder_id = p.id
LEFT JOIN account a ON a.id = p.owner_id
WHERE p.tenant_id = $1 AND p.deleted = 0 AND (CAST($2 AS BIGINT) = 0 OR p.id = $2)
GROUP BY q.scope, q.holder_id, @quota_groups, p.id, p.name, p.tenant_id, a.name, p.owner_name

-- name: quota_by_{}_up :many
-- each: holder_id created_at_us updated_at_us limit_storage
SELECT @quota_columns, p.name, COALESCE(a.name, p.owner_name), p.tenant_id @quota_projects ORDER BY q.{}, q.holder_id
	LIMIT $3 OFFSET $4;

-- name: quota_by_{}_down :many
-- each: holder_id created_at_us updated_at_us limit_storage
SELECT @quota_columns, p.name, COALESCE(a.name, p.owner_name), p.tenant_id @quota_projects ORDER BY q.{} DESC,
	q.holder_id DESC LIMIT $3 OFFSET $4;

-- name: quota_by_used_up :many
SELECT @quota_columns, p.name, COALESCE(a.name, p.owner_name), p.tenant_id @quota_projects ORDER BY SUM(s.used_storage),
	q.holder_id LIMIT $3 OFFSET $4;

-- name: quota_by_used_down :many
SELECT @quota_columns, p.name, COALESCE(a.name, p.owner_name), p.tenant_id @quota_projects
ORDER BY SUM(s.used_storage) DESC, q.holder_id DESC LIMIT $3 OFFSET $4;

-- Room for bytes, for who is about to send some: what all stripes have together, the smaller of project and tenant.
-- name: quota_room :one
SELECT MIN(x.room), MAX(x.limited)
FROM (SELECT CAST(SUM(s.room_storage) AS BIGINT) AS room, MAX(s.limited) AS limited
      FROM repository r JOIN project p ON p.id = r.project_id
      JOIN quota_stripe s ON (s.scope = 2 AND s.holder_id = p.id) OR (s.scope = 1 AND s.holder_id = p.tenant_id)
      WHERE r.id = $1
      GROUP BY s.scope) x;

-- Counting anew, from what is there: what should be used, by project and by tenant.

-- part: actual_projects
SELECT 2 AS scope, p.id AS holder_id, p.tenant_id, p.name,
	CAST((SELECT COALESCE(SUM(pb.size_bytes), 0) FROM project_blob pb WHERE pb.project_id = p.id)
		+ (SELECT COALESCE(SUM(pm.size_bytes), 0) FROM project_manifest pm WHERE pm.project_id = p.id) AS BIGINT) AS storage,
	CAST((SELECT COUNT(*) FROM repository r WHERE r.project_id = p.id) AS BIGINT) AS repositories,
	CAST((SELECT COUNT(*) FROM tag t JOIN repository r ON r.id = t.repository_id WHERE r.project_id = p.id) AS BIGINT) AS tags,
	CAST((SELECT COUNT(*) FROM manifest m JOIN repository r ON r.id = m.repository_id
		WHERE r.project_id = p.id) AS BIGINT) AS artifacts,
	CAST((SELECT COALESCE(SUM(u.reserved_bytes), 0) FROM upload u JOIN repository r ON r.id = u.repository_id
		WHERE r.project_id = p.id) AS BIGINT) AS reserved,
	0 AS projects
FROM project p WHERE p.deleted = 0

-- part: actual
SELECT scope, holder_id, name, storage, repositories, tags, artifacts, reserved, projects
	FROM (@actual_projects) each_project
UNION ALL
SELECT 1, t.id, t.name, CAST(COALESCE(SUM(x.storage), 0) AS BIGINT), CAST(COALESCE(SUM(x.repositories), 0) AS BIGINT),
	CAST(COALESCE(SUM(x.tags), 0) AS BIGINT), CAST(COALESCE(SUM(x.artifacts), 0) AS BIGINT),
	CAST(COALESCE(SUM(x.reserved), 0) AS BIGINT), COUNT(x.holder_id)
FROM tenant t LEFT JOIN (@actual_projects) x ON x.tenant_id = t.id
GROUP BY t.id, t.name

-- A holder without a quota row has never been charged: nothing is used. Of all, or of holder $2 in scope $1.
-- name: quota_wrong :many
SELECT a.scope, a.holder_id, a.name,
	a.storage, a.repositories, a.tags, a.artifacts, a.projects, a.reserved,
	COALESCE(b.used_storage, 0), COALESCE(b.used_repositories, 0), COALESCE(b.used_tags, 0), COALESCE(b.used_artifacts,
		0), COALESCE(b.used_projects, 0), COALESCE(b.reserved, 0)
FROM (@actual) a
LEFT JOIN (SELECT s.scope, s.holder_id, CAST(SUM(s.used_storage) AS BIGINT) AS used_storage,
	CAST(SUM(s.used_repositories) AS BIGINT) AS used_repositories, CAST(SUM(s.used_tags) AS BIGINT) AS used_tags,
	CAST(SUM(s.used_artifacts) AS BIGINT) AS used_artifacts, CAST(SUM(s.used_projects) AS BIGINT) AS used_projects,
	CAST(SUM(s.reserved) AS BIGINT) AS reserved,
	CAST(SUM(s.room_storage) AS BIGINT) AS room_storage, CAST(SUM(s.room_repositories) AS BIGINT) AS room_repositories,
		CAST(SUM(s.room_tags) AS BIGINT) AS room_tags, CAST(SUM(s.room_artifacts) AS BIGINT) AS room_artifacts,
		CAST(SUM(s.room_projects) AS BIGINT) AS room_projects
      FROM quota_stripe s GROUP BY s.scope, s.holder_id) b ON b.scope = a.scope AND b.holder_id = a.holder_id
LEFT JOIN quota q ON q.scope = a.scope AND q.holder_id = a.holder_id
WHERE (CAST($2 AS BIGINT) = 0 OR (a.scope = $1 AND a.holder_id = $2))
AND (a.storage <> COALESCE(b.used_storage, 0)
   OR a.repositories <> COALESCE(b.used_repositories, 0)
   OR a.tags <> COALESCE(b.used_tags, 0)
   OR a.artifacts <> COALESCE(b.used_artifacts, 0)
   OR a.projects <> COALESCE(b.used_projects, 0)
   OR a.reserved <> COALESCE(b.reserved, 0)
   OR b.room_storage <> CASE WHEN q.limit_storage < 0 THEN 1152921504606846976 ELSE q.limit_storage END - b.used_storage - b.reserved
   OR b.room_repositories <> CASE WHEN q.limit_repositories < 0 THEN 1152921504606846976 ELSE q.limit_repositories END - b.used_repositories
   OR b.room_tags <> CASE WHEN q.limit_tags < 0 THEN 1152921504606846976 ELSE q.limit_tags END - b.used_tags
   OR b.room_artifacts <> CASE WHEN q.limit_artifacts < 0 THEN 1152921504606846976 ELSE q.limit_artifacts END - b.used_artifacts
   OR b.room_projects <> CASE WHEN q.limit_projects < 0 THEN 1152921504606846976 ELSE q.limit_projects END - b.used_projects)
ORDER BY a.scope, a.holder_id
LIMIT $3;
