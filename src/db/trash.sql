-- SPDX-License-Identifier: Apache-2.0
-- The trash: see the migration 0038 and registry/trash.h.

-- How long a deletion in project p can be undone; $1 unless somebody says otherwise.
-- part: window_us
COALESCE((SELECT w.window_us FROM trash_window w WHERE w.tenant_id = p.tenant_id AND w.project_id = p.id),
	(SELECT w.window_us FROM trash_window w WHERE w.tenant_id = p.tenant_id AND w.project_id = 0), CAST($1 AS BIGINT))

-- Opening an entry, of kind $2 on behalf of $3. Where the window is zero there is none, and nothing is written.

-- part: open
INSERT INTO trash_entry (tenant_id, project_id, kind, deleted_by, deleted_at_us, ends_at_us, size_bytes, artifact_count, tag_count,
	repository_id, repository, digest, name, description, made_at_us, pulled_at_us, pull_count)
SELECT p.tenant_id, p.id, CAST($2 AS BIGINT), CAST($3 AS TEXT), @now_us, @now_us + @window_us, 0, 0

-- part: path
substr(r.name, length(p.name) + 2)

-- name: trash_open :one
@open, 0, r.id, @path, CAST($5 AS TEXT), '', r.description, r.created_at_us, r.pulled_at_us, r.pull_count
FROM repository r JOIN project p ON p.id = r.project_id
WHERE r.id = $4 AND @window_us > 0
RETURNING id;

-- name: trash_open_tag :one
@open, 1, r.id, @path, m.digest, t.name, '', t.updated_at_us, t.pulled_at_us, 0
FROM tag t
JOIN manifest m ON m.id = t.manifest_id
JOIN repository r ON r.id = t.repository_id
JOIN project p ON p.id = r.project_id
WHERE t.repository_id = $4 AND t.name = $5 AND @window_us > 0
RETURNING id;

-- name: trash_open_project :one
@open, 0, 0, '', '', p.name, '', p.created_at_us, 0, 0
FROM project p
WHERE p.id = $4 AND p.deleted = 0 AND @window_us > 0
RETURNING id;

-- What goes: a manifest, or all of a repository.

-- name: trash_take_of_{} :exec
-- each: id repository_id
-- sqlite:
INSERT INTO trash_manifest (entry_id, digest, media_type, artifact_type, subject, annotations, content_bytes, created_at_us, content,
	type, config_type, size_bytes, accessory, accessory_subject, described, pushed_at_us, pulled_at_us, pull_count, icon, extra_attrs,
	children, refs, tags, labels)
SELECT $1, m.digest, m.media_type, m.artifact_type, m.subject, m.annotations, m.size_bytes, m.created_at_us, m.content,
	a.type, a.media_type, a.size_bytes, a.accessory, a.subject, a.described, a.pushed_at_us, a.pulled_at_us, a.pull_count, a.icon,
	a.extra_attrs, a.children,
	(SELECT json_group_array(json_array(c.digest, c.role)) FROM manifest_reference c WHERE c.manifest_id = m.id),
	(SELECT json_group_array(json_array(t.name, t.updated_at_us, t.pulled_at_us)) FROM tag t WHERE t.manifest_id = m.id),
	(SELECT json_group_array(l.label_id) FROM artifact_label l WHERE l.manifest_id = m.id)
FROM manifest m JOIN artifact a ON a.manifest_id = m.id
WHERE m.{} = $2;
-- postgres:
INSERT INTO trash_manifest (entry_id, digest, media_type, artifact_type, subject, annotations, content_bytes, created_at_us, content,
	type, config_type, size_bytes, accessory, accessory_subject, described, pushed_at_us, pulled_at_us, pull_count, icon, extra_attrs,
	children, refs, tags, labels)
SELECT $1, m.digest, m.media_type, m.artifact_type, m.subject, m.annotations, m.size_bytes, m.created_at_us, m.content,
	a.type, a.media_type, a.size_bytes, a.accessory, a.subject, a.described, a.pushed_at_us, a.pulled_at_us, a.pull_count, a.icon,
	a.extra_attrs, a.children,
	COALESCE((SELECT CAST(json_agg(json_build_array(c.digest, c.role)) AS TEXT) FROM manifest_reference c
		WHERE c.manifest_id = m.id), '[]'),
	COALESCE((SELECT CAST(json_agg(json_build_array(t.name, t.updated_at_us, t.pulled_at_us)) AS TEXT) FROM tag t
		WHERE t.manifest_id = m.id), '[]'),
	COALESCE((SELECT CAST(json_agg(l.label_id) AS TEXT) FROM artifact_label l WHERE l.manifest_id = m.id), '[]')
FROM manifest m JOIN artifact a ON a.manifest_id = m.id
WHERE m.{} = $2;

-- name: trash_keep_blobs_of_{} :exec
-- each: id repository_id
INSERT INTO trash_blob (entry_id, blob_id)
SELECT DISTINCT CAST($1 AS BIGINT), rb.blob_id
FROM manifest m
JOIN manifest_reference c ON c.manifest_id = m.id
JOIN repository r ON r.id = m.repository_id
JOIN tenant t ON t.id = r.tenant_id
JOIN blob b ON b.digest = c.digest AND b.storage_id = t.storage_id
JOIN repository_blob rb ON rb.repository_id = r.id AND rb.blob_id = b.id
WHERE m.{} = $2
ON CONFLICT (entry_id, blob_id) DO NOTHING;

-- name: trash_keep_project :exec
INSERT INTO trash_project (entry_id, is_public, limit_storage, limit_repositories, limit_tags, limit_artifacts, limit_projects,
	allowlist_expires_at_s, allowlist_items)
SELECT CAST($1 AS BIGINT), p.is_public, COALESCE(q.limit_storage, -1), COALESCE(q.limit_repositories, -1), COALESCE(q.limit_tags, -1),
	COALESCE(q.limit_artifacts, -1), COALESCE(q.limit_projects, -1), c.expires_at_s, c.items
FROM project p
LEFT JOIN quota q ON q.scope = 2 AND q.holder_id = p.id
LEFT JOIN cve_allowlist c ON c.project_id = p.id
WHERE p.id = $2;

-- name: trash_keep_settings :exec
INSERT INTO trash_setting (entry_id, name, value)
SELECT CAST($1 AS BIGINT), s.name, s.value FROM project_metadata s WHERE s.project_id = $2;

-- name: trash_keep_members :exec
INSERT INTO trash_member (entry_id, member_id, account_id, group_id, role_id, expires_at_us, created_at_us)
SELECT CAST($1 AS BIGINT), m.id, m.account_id, m.group_id, m.role_id, m.expires_at_us, m.created_at_us
FROM project_member m WHERE m.project_id = $2;

-- name: trash_weigh :exec
UPDATE trash_entry SET size_bytes = $2, artifact_count = $3, tag_count = $4 WHERE id = $1;

-- Restoring. Of two who do it at once the second one finds nothing; nor does who comes when the window is over.

-- part: entry
e.id, e.project_id, e.kind, e.deleted_by, e.deleted_at_us, e.ends_at_us, e.repository_id, e.repository, e.digest, e.name, e.size_bytes,
e.artifact_count, e.tag_count, p.name, p.deleted

-- part: found
FROM trash_entry e JOIN project p ON p.id = e.project_id
WHERE e.id = $3 AND e.tenant_id = $1 AND (CAST($2 AS BIGINT) = 0 OR e.project_id = $2) AND e.ends_at_us > @now_us

-- name: trash_find :one
SELECT @entry @found;

-- name: trash_lock :one
-- sqlite:
SELECT @entry @found;
-- postgres:
SELECT @entry @found FOR UPDATE OF e;

-- What the entry's manifests refer to, and their tags.

-- part: referred
-- sqlite:
(SELECT tm.digest AS manifest, json_extract(j.value, '$[0]') AS digest, json_extract(j.value, '$[1]') AS role
 FROM trash_manifest tm, json_each(tm.refs) j WHERE tm.entry_id = $1)
-- postgres:
(SELECT tm.digest AS manifest, j->>0 AS digest, CAST(j->>1 AS BIGINT) AS role
 FROM trash_manifest tm, json_array_elements(CAST(tm.refs AS json)) j WHERE tm.entry_id = $1)

-- part: tagged
-- sqlite:
(SELECT tm.digest AS manifest, json_extract(j.value, '$[0]') AS name, json_extract(j.value, '$[1]') AS updated_at_us,
	json_extract(j.value, '$[2]') AS pulled_at_us
 FROM trash_manifest tm, json_each(tm.tags) j WHERE tm.entry_id = $1)
-- postgres:
(SELECT tm.digest AS manifest, j->>0 AS name, CAST(j->>1 AS BIGINT) AS updated_at_us, CAST(j->>2 AS BIGINT) AS pulled_at_us
 FROM trash_manifest tm, json_array_elements(CAST(tm.tags AS json)) j WHERE tm.entry_id = $1)

-- Those that are made just now: they have no artifact yet.
-- part: fresh
FROM trash_manifest tm
JOIN manifest m ON m.repository_id = $2 AND m.digest = tm.digest
JOIN repository r ON r.id = m.repository_id
WHERE tm.entry_id = $1 AND NOT EXISTS (SELECT 1 FROM artifact a WHERE a.manifest_id = m.id)

-- name: trash_put_manifests :exec
INSERT INTO manifest (repository_id, digest, media_type, artifact_type, subject, annotations, size_bytes, created_at_us, content)
SELECT CAST($2 AS BIGINT), tm.digest, tm.media_type, tm.artifact_type, tm.subject, tm.annotations, tm.content_bytes, tm.created_at_us,
	tm.content
FROM trash_manifest tm WHERE tm.entry_id = $1 ORDER BY tm.digest
ON CONFLICT (repository_id, digest) DO NOTHING;

-- name: trash_put_references :exec
INSERT INTO manifest_reference (manifest_id, digest, role, project_id)
SELECT m.id, x.digest, x.role, r.project_id
FROM @referred x
JOIN manifest m ON m.repository_id = $2 AND m.digest = x.manifest
JOIN repository r ON r.id = m.repository_id
WHERE NOT EXISTS (SELECT 1 FROM artifact a WHERE a.manifest_id = m.id)
ON CONFLICT (manifest_id, digest, role) DO NOTHING;

-- name: trash_put_links :exec
INSERT INTO repository_blob (repository_id, blob_id, created_at_us, project_id)
SELECT r.id, tb.blob_id, @now_us, r.project_id
FROM trash_blob tb JOIN repository r ON r.id = $2
WHERE tb.entry_id = $1 ORDER BY tb.blob_id
ON CONFLICT (repository_id, blob_id) DO NOTHING;

-- As content_claim_references, for all of them.
-- part: wanted
SELECT DISTINCT r.project_id, b.id AS blob_id, b.size_bytes
FROM @referred x
JOIN repository r ON r.id = $2
JOIN tenant t ON t.id = r.tenant_id
JOIN blob b ON b.digest = x.digest AND b.storage_id = t.storage_id
WHERE EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.blob_id = b.id AND rb.project_id = r.project_id)

-- name: trash_claim_blobs :many
-- sqlite:
INSERT INTO project_blob (project_id, blob_id, size_bytes) @wanted
ON CONFLICT (project_id, blob_id) DO NOTHING
RETURNING size_bytes;
-- postgres:
WITH wanted AS (@wanted),
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

-- name: trash_claim_manifests :many
INSERT INTO project_manifest (project_id, digest, size_bytes, holders)
SELECT r.project_id, m.digest, m.size_bytes, 1 @fresh
ORDER BY tm.digest
ON CONFLICT (project_id, digest) DO UPDATE SET holders = project_manifest.holders + 1
RETURNING CASE WHEN holders = 1 THEN size_bytes ELSE 0 END;

-- name: trash_put_artifacts :exec
INSERT INTO artifact (manifest_id, repository_id, project_id, type, media_type, size_bytes, accessory, subject, tag_count, parent_count,
	listed, described, untagged_at_us, pushed_at_us, pulled_at_us, pull_count, icon, extra_attrs, children)
SELECT m.id, r.id, r.project_id, tm.type, tm.config_type, tm.size_bytes, tm.accessory, tm.accessory_subject, 0, 0, 0, tm.described,
	@now_us, tm.pushed_at_us, tm.pulled_at_us, tm.pull_count, tm.icon, tm.extra_attrs, tm.children
@fresh;

-- name: trash_put_labels :exec
-- sqlite:
INSERT INTO artifact_label (manifest_id, label_id, repository_id, pushed_at_us)
SELECT m.id, l.id, m.repository_id, a.pushed_at_us
FROM trash_manifest tm, json_each(tm.labels) j
JOIN label l ON l.id = j.value
JOIN manifest m ON m.repository_id = $2 AND m.digest = tm.digest
JOIN artifact a ON a.manifest_id = m.id
WHERE tm.entry_id = $1
ON CONFLICT (manifest_id, label_id) DO NOTHING;
-- postgres:
INSERT INTO artifact_label (manifest_id, label_id, repository_id, pushed_at_us)
SELECT m.id, l.id, m.repository_id, a.pushed_at_us
FROM trash_manifest tm
CROSS JOIN LATERAL json_array_elements_text(CAST(tm.labels AS json)) j
JOIN label l ON l.id = CAST(j AS BIGINT)
JOIN manifest m ON m.repository_id = $2 AND m.digest = tm.digest
JOIN artifact a ON a.manifest_id = m.id
WHERE tm.entry_id = $1
ON CONFLICT (manifest_id, label_id) DO NOTHING;

-- For the tags' history, before they are there.
-- name: trash_record_tags :exec
INSERT INTO tag_event (repository_id, tag, at_us, how, actor_type, actor, from_digest, to_digest)
SELECT CAST($2 AS BIGINT), x.name, @now_us, 'restore', CAST($3 AS TEXT), CAST($4 AS TEXT), NULL, x.manifest
FROM @tagged x
WHERE NOT EXISTS (SELECT 1 FROM tag t WHERE t.repository_id = $2 AND t.name = x.name);

-- name: trash_put_tags :exec
INSERT INTO tag (repository_id, name, manifest_id, updated_at_us, pulled_at_us)
SELECT m.repository_id, x.name, m.id, x.updated_at_us, x.pulled_at_us
FROM @tagged x JOIN manifest m ON m.repository_id = $2 AND m.digest = x.manifest
WHERE m.id > 0
ORDER BY x.name
ON CONFLICT (repository_id, name) DO NOTHING;

-- Names that lead elsewhere by now.
-- name: trash_taken_tags :many
SELECT x.name, m.id
FROM @tagged x
JOIN manifest m ON m.repository_id = $2 AND m.digest = x.manifest
JOIN tag t ON t.repository_id = $2 AND t.name = x.name
WHERE t.manifest_id <> m.id
LIMIT $3;

-- The artifacts whose counters are others now: those that came back, and children of indexes among them.
-- part: affected
SELECT m.id FROM manifest m
WHERE m.repository_id = $2 AND m.digest IN (
	SELECT tm.digest FROM trash_manifest tm WHERE tm.entry_id = $1
	UNION
	SELECT x.digest FROM @referred x WHERE x.role = 2)

-- name: trash_lock_artifacts :many
-- sqlite:
SELECT listed FROM artifact WHERE manifest_id IN (@affected);
-- postgres:
SELECT listed FROM artifact WHERE manifest_id IN (@affected) ORDER BY manifest_id FOR UPDATE;

-- name: trash_recount :exec
UPDATE artifact SET
	tag_count = (SELECT COUNT(*) FROM tag t WHERE t.manifest_id = artifact.manifest_id),
	parent_count = (SELECT COUNT(*)
		FROM manifest o
		JOIN manifest_reference c ON c.digest = o.digest AND c.project_id = artifact.project_id AND c.role = 2
		JOIN manifest p ON p.id = c.manifest_id AND p.repository_id = o.repository_id
		WHERE o.id = artifact.manifest_id)
WHERE manifest_id IN (@affected);

-- name: trash_relist :many
UPDATE artifact SET listed = CASE WHEN accessory IS NULL AND (tag_count > 0 OR parent_count = 0) THEN 1 ELSE 0 END
WHERE manifest_id IN (@affected)
RETURNING listed;

-- name: trash_put_repository :exec
UPDATE repository SET
	description = (SELECT e.description FROM trash_entry e WHERE e.id = $1),
	created_at_us = (SELECT e.made_at_us FROM trash_entry e WHERE e.id = $1),
	pulled_at_us = (SELECT e.pulled_at_us FROM trash_entry e WHERE e.id = $1),
	pull_count = (SELECT e.pull_count FROM trash_entry e WHERE e.id = $1)
WHERE id = $2;

-- A project is a row that was kept: it gets its name back, or $3.
-- name: trash_put_project :exec
UPDATE project SET name = $3, deleted = 0, updated_at_us = @now_us,
	is_public = (SELECT t.is_public FROM trash_project t WHERE t.entry_id = $1)
WHERE id = $2 AND deleted = 1;

-- name: trash_project_named :one
SELECT id FROM project WHERE tenant_id = $1 AND name = $2;

-- name: trash_put_settings :exec
INSERT INTO project_metadata (project_id, name, value)
SELECT CAST($2 AS BIGINT), s.name, s.value FROM trash_setting s WHERE s.entry_id = $1;

-- name: trash_put_allowlist :exec
INSERT INTO cve_allowlist (project_id, expires_at_s, items, created_at_us, updated_at_us)
SELECT CAST($2 AS BIGINT), t.allowlist_expires_at_s, t.allowlist_items, @now_us, @now_us
FROM trash_project t WHERE t.entry_id = $1 AND t.allowlist_items IS NOT NULL;

-- Those who are there, as what is there.
-- name: trash_put_members :exec
INSERT INTO project_member (project_id, account_id, group_id, role_id, expires_at_us, created_at_us, updated_at_us)
SELECT CAST($2 AS BIGINT), m.account_id, m.group_id, m.role_id, m.expires_at_us, m.created_at_us, @now_us
FROM trash_member m
WHERE m.entry_id = $1
  AND EXISTS (SELECT 1 FROM role o WHERE o.id = m.role_id)
  AND (EXISTS (SELECT 1 FROM account a WHERE a.id = m.account_id AND a.deleted = 0)
       OR EXISTS (SELECT 1 FROM user_group g WHERE g.id = m.group_id));

-- name: trash_limits :one
SELECT limit_storage, limit_repositories, limit_tags, limit_artifacts, limit_projects FROM trash_project WHERE entry_id = $1;

-- name: trash_forget :exec
DELETE FROM trash_entry WHERE id = $1;

-- Lists, the newest first: of a project (its id), or of all of a tenant.

-- part: chosen
(CAST($2 AS BIGINT) = 0 OR e.kind = $2) AND e.ends_at_us > @now_us

-- name: trash_page_of_{} :many
-- each: project tenant
SELECT @entry
FROM (SELECT e.id AS id FROM trash_entry e WHERE e.{}_id = $1 AND @chosen ORDER BY e.id DESC LIMIT $3 OFFSET $4) page
JOIN trash_entry e ON e.id = page.id
JOIN project p ON p.id = e.project_id
ORDER BY e.id DESC;

-- name: trash_page_of_repository :many
SELECT @entry
FROM (SELECT e.id AS id FROM trash_entry e WHERE e.project_id = $1 AND e.repository = $5 AND @chosen ORDER BY e.id DESC LIMIT $3 OFFSET $4) page
JOIN trash_entry e ON e.id = page.id
JOIN project p ON p.id = e.project_id
ORDER BY e.id DESC;

-- name: trash_count_of_{} :one
-- each: project tenant
SELECT COUNT(*), CAST(COALESCE(SUM(e.size_bytes), 0) AS BIGINT) FROM trash_entry e WHERE e.{}_id = $1 AND @chosen;

-- name: trash_count_of_repository :one
SELECT COUNT(*), CAST(COALESCE(SUM(e.size_bytes), 0) AS BIGINT) FROM trash_entry e
WHERE e.project_id = $1 AND e.repository = $3 AND @chosen;

-- The end: of one entry, or of all that a tenant has.

-- name: trash_end :exec
UPDATE trash_entry SET ends_at_us = @now_us WHERE id = $1;

-- name: trash_end_all :exec
UPDATE trash_entry SET ends_at_us = @now_us WHERE tenant_id = $1 AND ends_at_us > @now_us;

-- name: trash_end_storage :exec
UPDATE trash_entry SET ends_at_us = @now_us
WHERE ends_at_us > @now_us AND tenant_id IN (
	SELECT t.id FROM tenant t WHERE t.storage_id = (SELECT COALESCE(s.domain_id, s.id) FROM storage s WHERE s.id = $1));

-- name: trash_due :many
-- sqlite:
SELECT id FROM trash_entry WHERE ends_at_us <= @now_us ORDER BY ends_at_us, id LIMIT $1;
-- postgres:
SELECT id FROM trash_entry WHERE ends_at_us <= @now_us ORDER BY ends_at_us, id LIMIT $1 FOR UPDATE SKIP LOCKED;

-- Garbage collection looks at them at once.
-- name: trash_let_go :exec
INSERT INTO garbage (blob_id, repository_id, due_at_us)
SELECT b.blob_id, 0, @now_us FROM trash_blob b WHERE b.entry_id = $1 ORDER BY b.blob_id LIMIT $2
ON CONFLICT (blob_id, repository_id) DO UPDATE SET due_at_us = excluded.due_at_us;

-- name: trash_drop_blobs :exec
DELETE FROM trash_blob WHERE entry_id = $1
	AND blob_id IN (SELECT b.blob_id FROM trash_blob b WHERE b.entry_id = $1 ORDER BY b.blob_id LIMIT $2);

-- name: trash_drop_manifests :exec
DELETE FROM trash_manifest WHERE entry_id = $1
	AND digest IN (SELECT m.digest FROM trash_manifest m WHERE m.entry_id = $1 ORDER BY m.digest LIMIT $2);

-- Windows.

-- name: trash_window_get :one
SELECT window_us FROM trash_window WHERE tenant_id = $1 AND project_id = $2;

-- name: trash_window_put :exec
INSERT INTO trash_window (tenant_id, project_id, window_us) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, project_id) DO UPDATE SET window_us = excluded.window_us;

-- name: trash_window_delete :exec
DELETE FROM trash_window WHERE tenant_id = $1 AND project_id = $2;

-- For fsck: manifests in the trash, after the entry $1 and the digest $2; entries that say another number of them than there are.

-- Both begin at $1: of the entries alone nobody would know, and read those before for each page.
-- name: trash_manifest_page :many
SELECT tm.entry_id, p.name || '/' || e.repository, tm.digest, tm.content
FROM trash_manifest tm JOIN trash_entry e ON e.id = tm.entry_id JOIN project p ON p.id = e.project_id
WHERE (tm.entry_id, tm.digest) > (CAST($1 AS BIGINT), CAST($2 AS TEXT)) AND e.id >= $1
ORDER BY tm.entry_id, tm.digest
LIMIT $3;

-- name: trash_wrong :many
SELECT e.id, p.name || '/' || e.repository, NULL
FROM trash_entry e JOIN project p ON p.id = e.project_id
WHERE e.id > $1 AND e.ends_at_us > @now_us
  AND e.artifact_count <> (SELECT COUNT(*) FROM trash_manifest m WHERE m.entry_id = e.id)
ORDER BY e.id
LIMIT $2;
