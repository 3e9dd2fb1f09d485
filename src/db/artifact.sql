-- SPDX-License-Identifier: Apache-2.0
-- Artifacts: what lists show of manifests, and the counters that say which ones they show.

-- Upkeep. Each change of a counter locks its rows, and the statement that follows it decides by what is true then.

-- name: artifact_insert :one
INSERT INTO artifact (manifest_id, repository_id, project_id, type, media_type, size_bytes, accessory, subject,
	tag_count, parent_count, listed, described, pushed_at_us, icon, extra_attrs, children)
SELECT n.id, n.repository_id, n.project_id, $2, $3, CAST($4 AS BIGINT) + n.children_bytes, $5, $6, CAST($7 AS BIGINT), n.parents,
	CASE WHEN CAST($5 AS TEXT) IS NULL AND ($7 > 0 OR n.parents = 0) THEN 1 ELSE 0 END,
	$8, n.created_at_us, $9, $10, $11
FROM (SELECT m.id, m.repository_id, r.project_id, m.created_at_us,
	CAST((SELECT COALESCE(SUM(ca.size_bytes), 0)
		FROM manifest_reference c
		JOIN manifest cm ON cm.repository_id = m.repository_id AND cm.digest = c.digest
		JOIN artifact ca ON ca.manifest_id = cm.id
		WHERE c.manifest_id = m.id AND c.role = 2) AS BIGINT) AS children_bytes,
	(SELECT COUNT(*)
		FROM manifest_reference c
		JOIN manifest p ON p.id = c.manifest_id AND p.repository_id = m.repository_id
		WHERE c.digest = m.digest AND c.role = 2) AS parents
      FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE m.id = $1) n
RETURNING listed;

-- name: artifact_describe :exec
UPDATE artifact SET type = $2, media_type = $3,
	size_bytes = CAST($4 AS BIGINT) + CAST((SELECT COALESCE(SUM(ca.size_bytes), 0)
		FROM manifest_reference c
		JOIN manifest cm ON cm.repository_id = artifact.repository_id AND cm.digest = c.digest
		JOIN artifact ca ON ca.manifest_id = cm.id
		WHERE c.manifest_id = artifact.manifest_id AND c.role = 2) AS BIGINT),
	accessory = COALESCE($5, accessory), icon = $6, extra_attrs = $7, children = $8, described = 1
WHERE manifest_id = $1;

-- name: artifact_count_tags :exec
UPDATE artifact SET tag_count = tag_count + CAST($2 AS BIGINT), untagged_at_us = CASE WHEN $2 < 0 THEN @now_us ELSE untagged_at_us END
WHERE manifest_id = $1;

-- name: artifact_still_untagged :exec
UPDATE artifact SET untagged_at_us = @now_us WHERE manifest_id = $1 AND tag_count = 0;

-- name: artifact_count_parents :exec
UPDATE artifact SET parent_count = CASE WHEN parent_count + $2 < 0 THEN 0 ELSE parent_count + $2 END
WHERE manifest_id IN (
	SELECT m.id
	FROM manifest p
	JOIN manifest_reference c ON c.manifest_id = p.id AND c.role = 2
	JOIN manifest m ON m.repository_id = p.repository_id AND m.digest = c.digest
	WHERE p.id = $1);

-- name: artifact_mark_accessory :exec
UPDATE artifact SET accessory = $2, subject = $3 WHERE manifest_id = $1 AND accessory IS NULL;

-- name: artifact_list :exec
UPDATE artifact SET listed = 1
WHERE manifest_id = $1 AND listed = 0 AND accessory IS NULL AND (tag_count > 0 OR parent_count = 0);

-- name: artifact_unlist :exec
UPDATE artifact SET listed = 0
WHERE manifest_id = $1 AND listed = 1 AND (accessory IS NOT NULL OR (tag_count = 0 AND parent_count > 0));

-- name: artifact_unlist_children :exec
UPDATE artifact SET listed = 0
WHERE listed = 1 AND tag_count = 0 AND manifest_id IN (
	SELECT m.id
	FROM manifest p
	JOIN manifest_reference c ON c.manifest_id = p.id AND c.role = 2
	JOIN manifest m ON m.repository_id = p.repository_id AND m.digest = c.digest
	WHERE p.id = $1);

-- name: artifact_delete :one
DELETE FROM artifact WHERE manifest_id = $1 RETURNING listed;

-- What goes with a manifest: its accessories, and what only this index named.
-- name: artifact_followers :many
SELECT a.manifest_id, am.digest
FROM manifest m
JOIN artifact a ON a.repository_id = m.repository_id AND a.subject = m.digest AND a.accessory IS NOT NULL
JOIN manifest am ON am.id = a.manifest_id
WHERE m.id = $1
UNION
SELECT a.manifest_id, cm.digest
FROM manifest m
JOIN manifest_reference c ON c.manifest_id = m.id AND c.role = 2
JOIN manifest cm ON cm.repository_id = m.repository_id AND cm.digest = c.digest
JOIN artifact a ON a.manifest_id = cm.id AND a.tag_count = 0 AND a.parent_count <= 1
WHERE m.id = $1;

-- name: artifact_parent_count :one
SELECT parent_count FROM artifact WHERE manifest_id = $1;

-- name: artifact_undescribed :many
SELECT a.manifest_id, a.repository_id, r.name, m.digest, m.media_type, m.content
FROM artifact a
JOIN manifest m ON m.id = a.manifest_id
JOIN repository r ON r.id = a.repository_id
WHERE a.described = 0 AND a.manifest_id > $1
ORDER BY a.manifest_id
LIMIT $2;

-- For fsck: where counters and rows disagree.
-- name: artifact_wrong :many
SELECT m.id, r.name, m.digest
FROM manifest m
JOIN repository r ON r.id = m.repository_id
LEFT JOIN artifact a ON a.manifest_id = m.id
WHERE m.id > $1 AND (a.manifest_id IS NULL
	OR a.tag_count <> (SELECT COUNT(*) FROM tag t WHERE t.manifest_id = m.id)
	OR a.parent_count <> (SELECT COUNT(*) FROM manifest_reference c JOIN manifest p ON p.id = c.manifest_id
		WHERE c.digest = m.digest AND c.role = 2 AND p.repository_id = m.repository_id)
	OR a.listed <> CASE WHEN a.accessory IS NULL AND (a.tag_count > 0 OR a.parent_count = 0) THEN 1 ELSE 0 END)
ORDER BY m.id
LIMIT $2;

-- name: artifact_wrong_counts :many
SELECT r.id, r.name, NULL
FROM repository r
WHERE r.id > $1
  AND r.artifact_count <> (SELECT COUNT(*) FROM artifact a WHERE a.repository_id = r.id AND a.listed = 1)
ORDER BY r.id
LIMIT $2;

-- Lists.

-- part: columns
a.manifest_id, a.repository_id, a.project_id, r.name, m.digest, m.media_type, m.artifact_type, m.annotations,
a.type, a.media_type, a.size_bytes, a.icon, a.extra_attrs, a.children, a.accessory, a.subject, a.tag_count,
a.pushed_at_us, a.pulled_at_us, a.pull_count

-- part: joined
JOIN manifest m ON m.id = a.manifest_id
JOIN repository r ON r.id = a.repository_id

-- name: artifact_get :one
SELECT @columns
FROM artifact a @joined
WHERE a.manifest_id = $1;

-- The lists that are asked for most: an index gives the page, and what it shows is fetched for the page alone. A page begins at
-- the row $4, $5, or wherever one would stand that comes after it.

-- part: shown
JOIN artifact a ON a.manifest_id = page.id @joined

-- part: down
ORDER BY a.{} DESC, a.manifest_id DESC

-- part: up
ORDER BY a.{}, a.manifest_id

-- part: newest
ORDER BY a.pushed_at_us DESC, a.manifest_id DESC

-- part: oldest
ORDER BY a.pushed_at_us, a.manifest_id

-- part: from_newest
(a.pushed_at_us, a.manifest_id) <= ($4, $5)

-- part: from_oldest
(a.pushed_at_us, a.manifest_id) >= ($4, $5)

-- name: artifact_newest_of_{} :many
-- each: repository project
SELECT @columns
FROM (SELECT a.manifest_id AS id FROM artifact a WHERE a.{}_id = $1 AND a.listed = 1 AND @from_newest @newest
      LIMIT $2 OFFSET $3) page @shown @newest;

-- name: artifact_oldest_of_{} :many
-- each: repository project
SELECT @columns
FROM (SELECT a.manifest_id AS id FROM artifact a WHERE a.{}_id = $1 AND a.listed = 1 AND @from_oldest @oldest
      LIMIT $2 OFFSET $3) page @shown @oldest;

-- name: artifact_by_{}_down :many
-- each: pulled_at_us size_bytes
SELECT @columns
FROM (SELECT a.manifest_id AS id FROM artifact a
      WHERE a.repository_id = $1 AND a.listed = 1 AND (a.{}, a.manifest_id) <= ($4, $5) @down
      LIMIT $2 OFFSET $3) page @shown @down;

-- name: artifact_by_{}_up :many
-- each: pulled_at_us size_bytes
SELECT @columns
FROM (SELECT a.manifest_id AS id FROM artifact a
      WHERE a.repository_id = $1 AND a.listed = 1 AND (a.{}, a.manifest_id) >= ($4, $5) @up
      LIMIT $2 OFFSET $3) page @shown @up;

-- part: of_type
a.listed = 1 AND a.type = $6

-- part: of_media_type
a.listed = 1 AND a.media_type = $6

-- name: artifact_newest_{} :many
-- each: of_type of_media_type
SELECT @columns
FROM (SELECT a.manifest_id AS id FROM artifact a WHERE a.repository_id = $1 AND @{} AND @from_newest @newest
      LIMIT $2 OFFSET $3) page @shown @newest;

-- name: artifact_oldest_{} :many
-- each: of_type of_media_type
SELECT @columns
FROM (SELECT a.manifest_id AS id FROM artifact a WHERE a.repository_id = $1 AND @{} AND @from_oldest @oldest
      LIMIT $2 OFFSET $3) page @shown @oldest;

-- name: artifact_{}_untagged :many
-- each: newest oldest
SELECT @columns
FROM (SELECT a.manifest_id AS id FROM artifact a
      WHERE a.repository_id = $1 AND a.listed = 1 AND a.tag_count = 0 AND @from_{} @{}
      LIMIT $2 OFFSET $3) page @shown @{};

-- A CROSS JOIN tells SQLite which table comes first.
-- part: labelled
artifact_label l CROSS JOIN artifact a
	WHERE l.label_id = $6 AND l.repository_id = $1 AND a.manifest_id = l.manifest_id AND a.listed = 1

-- name: artifact_newest_labelled :many
SELECT @columns
FROM (SELECT l.manifest_id AS id FROM @labelled AND (l.pushed_at_us, l.manifest_id) <= ($4, $5)
      ORDER BY l.pushed_at_us DESC, l.manifest_id DESC
      LIMIT $2 OFFSET $3) page @shown @newest;

-- name: artifact_oldest_labelled :many
SELECT @columns
FROM (SELECT l.manifest_id AS id FROM @labelled AND (l.pushed_at_us, l.manifest_id) >= ($4, $5)
      ORDER BY l.pushed_at_us, l.manifest_id
      LIMIT $2 OFFSET $3) page @shown @oldest;

-- All there are, in the order of their ids, which is that of their pushes.
-- name: artifact_newest_of_all :many
SELECT @columns
FROM (SELECT a.manifest_id AS id FROM artifact a WHERE a.repository_id = $1 AND a.manifest_id <= $4
      ORDER BY a.manifest_id DESC
      LIMIT $2 OFFSET $3) page @shown
ORDER BY a.manifest_id DESC;

-- name: artifact_oldest_of_all :many
SELECT @columns
FROM (SELECT a.manifest_id AS id FROM artifact a WHERE a.repository_id = $1 AND a.manifest_id >= $4
      ORDER BY a.manifest_id
      LIMIT $2 OFFSET $3) page @shown
ORDER BY a.manifest_id;

-- name: artifact_count_of_{} :one
-- each: type media_type
SELECT COUNT(*) FROM artifact WHERE repository_id = $1 AND listed = 1 AND {} = $2;

-- name: artifact_count_untagged :one
SELECT COUNT(*) FROM artifact WHERE repository_id = $1 AND listed = 1 AND tag_count = 0;

-- name: artifact_count_labelled :one
SELECT COUNT(*) FROM artifact_label l CROSS JOIN artifact a
WHERE l.label_id = $2 AND l.repository_id = $1 AND a.manifest_id = l.manifest_id AND a.listed = 1;

-- name: artifact_count_of_all :one
SELECT COUNT(*) FROM artifact WHERE repository_id = $1;

-- All other lists: an index gives the order at best, and every artifact is looked at on the way.
-- Tags: 0 whatever, 1 without, 2 with; one like $6: 3 looks at each artifact's, 4 at all of the repository first. Labels: all of the
-- $10 ids in $11, which is ",1,2,".
-- part: fits
(CAST($2 AS TEXT) = '' OR a.type = $2)
AND (CAST($3 AS TEXT) = '' OR a.media_type = $3)
AND (CAST($4 AS BIGINT) = 0 OR a.manifest_id = $4)
AND (CAST($5 AS BIGINT) = 0 OR ($5 = 1 AND a.tag_count = 0) OR ($5 = 2 AND a.tag_count > 0)
	OR ($5 = 3 AND EXISTS (SELECT 1 FROM tag t WHERE t.manifest_id = a.manifest_id AND t.name LIKE $6 ESCAPE '\'))
	OR ($5 = 4 AND a.manifest_id IN (SELECT t.manifest_id FROM tag t WHERE t.repository_id = $1 AND t.name LIKE $6 ESCAPE '\')))
AND a.pushed_at_us BETWEEN $7 AND $8
AND (CAST($9 AS BIGINT) = 0 OR NOT EXISTS (SELECT 1 FROM artifact n
	WHERE n.repository_id = a.repository_id AND n.listed = 1 AND n.pushed_at_us >= a.pushed_at_us
	  AND (n.pushed_at_us > a.pushed_at_us OR n.manifest_id > a.manifest_id)))
AND (CAST($10 AS BIGINT) = 0 OR $10 = (SELECT COUNT(*) FROM artifact_label l
	WHERE l.manifest_id = a.manifest_id AND CAST($11 AS TEXT) LIKE '%,' || CAST(l.label_id AS TEXT) || ',%'))

-- part: listed
a.listed = 1 AND @fits

-- part: whatever
a.listed IN (0, 1) AND @fits

-- name: artifact_count_{}_of_repository :one custom
-- each: listed whatever
SELECT COUNT(*) FROM artifact a WHERE a.repository_id = $1 AND @{};

-- name: artifact_count_{}_of_project :one custom
-- each: listed whatever
SELECT COUNT(*) FROM artifact a WHERE a.project_id = $1 AND @{};

-- One artifact that is named, if it fits.
-- name: artifact_count_{}_named :one
-- each: listed whatever
SELECT COUNT(*) FROM artifact a WHERE a.manifest_id = CAST($4 AS BIGINT) AND a.repository_id = $1 AND @{};

-- name: artifact_named_{} :many
-- each: listed whatever
SELECT @columns
FROM artifact a @joined
WHERE a.manifest_id = CAST($4 AS BIGINT) AND a.repository_id = $1 AND @{}
LIMIT $12 OFFSET $13;

-- part: chosen
SELECT @columns FROM (SELECT a.manifest_id AS id FROM artifact a WHERE

-- part: page_down
AND (a.{}, a.manifest_id) <= ($14, $15) @down LIMIT $12 OFFSET $13) page @shown @down

-- part: page_up
AND (a.{}, a.manifest_id) >= ($14, $15) @up LIMIT $12 OFFSET $13) page @shown @up

-- name: artifact_listed_of_repository_by_{}_up :many custom
-- each: pushed_at_us pulled_at_us size_bytes
@chosen a.repository_id = $1 AND @listed @page_up;

-- name: artifact_listed_of_repository_by_{}_down :many custom
-- each: pushed_at_us pulled_at_us size_bytes
@chosen a.repository_id = $1 AND @listed @page_down;

-- name: artifact_whatever_of_repository_by_{}_up :many custom
-- each: pushed_at_us pulled_at_us size_bytes
@chosen a.repository_id = $1 AND @whatever @page_up;

-- name: artifact_whatever_of_repository_by_{}_down :many custom
-- each: pushed_at_us pulled_at_us size_bytes
@chosen a.repository_id = $1 AND @whatever @page_down;

-- name: artifact_listed_of_project_by_{}_up :many custom
-- each: pushed_at_us pulled_at_us size_bytes
@chosen a.project_id = $1 AND @listed @page_up;

-- name: artifact_listed_of_project_by_{}_down :many custom
-- each: pushed_at_us pulled_at_us size_bytes
@chosen a.project_id = $1 AND @listed @page_down;

-- name: artifact_whatever_of_project_by_{}_up :many custom
-- each: pushed_at_us pulled_at_us size_bytes
@chosen a.project_id = $1 AND @whatever @page_up;

-- name: artifact_whatever_of_project_by_{}_down :many custom
-- each: pushed_at_us pulled_at_us size_bytes
@chosen a.project_id = $1 AND @whatever @page_down;

-- What belongs to the artifacts of a page, whose ids come as "1,2,3".

-- name: artifact_tags :many
-- sqlite:
SELECT t.id, t.repository_id, t.manifest_id, t.name, t.updated_at_us, t.pulled_at_us
FROM tag t WHERE t.manifest_id IN (SELECT value FROM json_each('[' || $1 || ']'))
ORDER BY t.manifest_id, t.name
LIMIT $2;
-- postgres:
SELECT t.id, t.repository_id, t.manifest_id, t.name, t.updated_at_us, t.pulled_at_us
FROM tag t WHERE t.manifest_id = ANY(CAST(string_to_array($1, ',') AS BIGINT[]))
ORDER BY t.manifest_id, t.name
LIMIT $2;

-- name: artifact_child_ids :many
-- sqlite:
SELECT c.manifest_id, m.id, m.digest
FROM manifest_reference c
JOIN manifest p ON p.id = c.manifest_id
JOIN manifest m ON m.repository_id = p.repository_id AND m.digest = c.digest
WHERE c.manifest_id IN (SELECT value FROM json_each('[' || $1 || ']')) AND c.role = 2
LIMIT $2;
-- postgres:
SELECT c.manifest_id, m.id, m.digest
FROM manifest_reference c
JOIN manifest p ON p.id = c.manifest_id
JOIN manifest m ON m.repository_id = p.repository_id AND m.digest = c.digest
WHERE c.manifest_id = ANY(CAST(string_to_array($1, ',') AS BIGINT[])) AND c.role = 2
LIMIT $2;

-- Tags and accessories of one artifact.

-- name: artifact_tag_page :many
SELECT t.id, t.repository_id, t.manifest_id, t.name, t.updated_at_us, t.pulled_at_us
FROM tag t
WHERE t.manifest_id = $1 AND (CAST($2 AS TEXT) = '' OR t.name LIKE $2 ESCAPE '\')
ORDER BY t.name
LIMIT $3 OFFSET $4;

-- name: artifact_tag_count :one
SELECT COUNT(*) FROM tag t WHERE t.manifest_id = $1 AND (CAST($2 AS TEXT) = '' OR t.name LIKE $2 ESCAPE '\');

-- name: artifact_accessories :many
SELECT @columns
FROM artifact a @joined
WHERE a.repository_id = $1 AND a.subject = $2 AND a.accessory IS NOT NULL
  AND (CAST($3 AS TEXT) = '' OR a.accessory = $3)
ORDER BY a.manifest_id
LIMIT $4 OFFSET $5;

-- name: artifact_accessory_count :one
SELECT COUNT(*)
FROM artifact a
WHERE a.repository_id = $1 AND a.subject = $2 AND a.accessory IS NOT NULL
  AND (CAST($3 AS TEXT) = '' OR a.accessory = $3);

-- name: artifact_icon_holders :many
SELECT DISTINCT r.name
FROM artifact a JOIN repository r ON r.id = a.repository_id
WHERE a.icon = $1 AND r.tenant_id = $2
LIMIT $3;
