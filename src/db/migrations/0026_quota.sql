-- SPDX-License-Identifier: Apache-2.0
-- Quota: what a tenant (scope 1) and a project (scope 2) may hold and hold now.
--
-- `project_blob` and `project_manifest` say what counts for a project, each once however many of its repositories have it.
-- A blob counts from the moment a repository gets it until nothing in the project refers to it any more; `holders` is how many
-- repositories have a manifest. Both stores' sizes are copied here because they never change.
--
-- The sums are spread over stripes, so that many may write at once: 1 on SQLite, which has one writer, 16 on PostgreSQL. Of each
-- resource the room of all stripes together is the limit less what is used and reserved; without a limit (-1) it is 2^60. `slow`
-- says that there is less than no room, as a limit may be set below what is used: then nobody takes from one stripe alone.
--
-- What an earlier version left linked though its manifests were deleted does not count: who pushes a manifest that refers to it
-- counts it then.

-- sqlite:
ALTER TABLE repository_blob ADD COLUMN project_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manifest_reference ADD COLUMN project_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE upload ADD COLUMN reserved_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE repository_blob SET project_id = (SELECT r.project_id FROM repository r WHERE r.id = repository_blob.repository_id);
DROP INDEX repository_blob_holder;
CREATE INDEX repository_blob_holder ON repository_blob (blob_id, project_id, repository_id);
UPDATE manifest_reference SET project_id = (
	SELECT r.project_id FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE m.id = manifest_reference.manifest_id);
DROP INDEX manifest_reference_digest;
CREATE INDEX manifest_reference_digest ON manifest_reference (digest, project_id, manifest_id);
CREATE TABLE quota (
	scope INTEGER NOT NULL,
	holder_id INTEGER NOT NULL,
	limit_storage INTEGER NOT NULL DEFAULT -1,
	limit_repositories INTEGER NOT NULL DEFAULT -1,
	limit_tags INTEGER NOT NULL DEFAULT -1,
	limit_artifacts INTEGER NOT NULL DEFAULT -1,
	limit_projects INTEGER NOT NULL DEFAULT -1,
	warned_percent INTEGER NOT NULL DEFAULT 0,
	created_at_us INTEGER NOT NULL,
	updated_at_us INTEGER NOT NULL,
	PRIMARY KEY (scope, holder_id)
) WITHOUT ROWID;
CREATE TABLE quota_stripe (
	scope INTEGER NOT NULL,
	holder_id INTEGER NOT NULL,
	stripe INTEGER NOT NULL,
	limited INTEGER NOT NULL,
	slow INTEGER NOT NULL,
	used_storage INTEGER NOT NULL DEFAULT 0,
	used_repositories INTEGER NOT NULL DEFAULT 0,
	used_tags INTEGER NOT NULL DEFAULT 0,
	used_artifacts INTEGER NOT NULL DEFAULT 0,
	used_projects INTEGER NOT NULL DEFAULT 0,
	reserved INTEGER NOT NULL DEFAULT 0,
	room_storage INTEGER NOT NULL DEFAULT 0,
	room_repositories INTEGER NOT NULL DEFAULT 0,
	room_tags INTEGER NOT NULL DEFAULT 0,
	room_artifacts INTEGER NOT NULL DEFAULT 0,
	room_projects INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (scope, holder_id, stripe),
	FOREIGN KEY (scope, holder_id) REFERENCES quota (scope, holder_id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE project_blob (
	project_id INTEGER NOT NULL,
	blob_id INTEGER NOT NULL,
	size_bytes INTEGER NOT NULL,
	PRIMARY KEY (project_id, blob_id)
) WITHOUT ROWID;
CREATE TABLE project_manifest (
	project_id INTEGER NOT NULL,
	digest TEXT NOT NULL,
	size_bytes INTEGER NOT NULL,
	holders INTEGER NOT NULL,
	PRIMARY KEY (project_id, digest)
) WITHOUT ROWID;
INSERT INTO project_blob (project_id, blob_id, size_bytes)
SELECT DISTINCT rb.project_id, b.id, b.size_bytes
FROM repository_blob rb JOIN blob b ON b.id = rb.blob_id
WHERE EXISTS (SELECT 1 FROM manifest_reference c WHERE c.digest = b.digest AND c.project_id = rb.project_id);
INSERT INTO project_manifest (project_id, digest, size_bytes, holders)
SELECT r.project_id, m.digest, MAX(m.size_bytes), COUNT(*)
FROM manifest m JOIN repository r ON r.id = m.repository_id
GROUP BY r.project_id, m.digest;
INSERT INTO quota (scope, holder_id, created_at_us, updated_at_us)
SELECT 1, t.id, t.created_at_us, strftime('%s', 'now') * 1000000 FROM tenant t;
INSERT INTO quota (scope, holder_id, limit_storage, created_at_us, updated_at_us)
SELECT 2, p.id, p.storage_limit_bytes, p.created_at_us, strftime('%s', 'now') * 1000000 FROM project p WHERE p.deleted = 0;
INSERT INTO quota_stripe (scope, holder_id, stripe, limited, slow)
SELECT scope, holder_id, 0, CASE WHEN limit_storage < 0 THEN 0 ELSE 1 END, 0 FROM quota;
UPDATE quota_stripe SET
	used_storage = (SELECT COALESCE(SUM(b.size_bytes), 0) FROM project_blob b WHERE b.project_id = quota_stripe.holder_id)
		+ (SELECT COALESCE(SUM(m.size_bytes), 0) FROM project_manifest m WHERE m.project_id = quota_stripe.holder_id),
	used_repositories = (SELECT COUNT(*) FROM repository r WHERE r.project_id = quota_stripe.holder_id),
	used_tags = (SELECT COUNT(*) FROM tag t JOIN repository r ON r.id = t.repository_id WHERE r.project_id = quota_stripe.holder_id),
	used_artifacts = (SELECT COUNT(*) FROM manifest m JOIN repository r ON r.id = m.repository_id
		WHERE r.project_id = quota_stripe.holder_id)
WHERE scope = 2 AND stripe = 0;
UPDATE quota_stripe SET
	used_storage = (SELECT COALESCE(SUM(s.used_storage), 0) FROM quota_stripe s JOIN project p ON p.id = s.holder_id
		WHERE s.scope = 2 AND p.tenant_id = quota_stripe.holder_id),
	used_repositories = (SELECT COALESCE(SUM(s.used_repositories), 0) FROM quota_stripe s JOIN project p ON p.id = s.holder_id
		WHERE s.scope = 2 AND p.tenant_id = quota_stripe.holder_id),
	used_tags = (SELECT COALESCE(SUM(s.used_tags), 0) FROM quota_stripe s JOIN project p ON p.id = s.holder_id
		WHERE s.scope = 2 AND p.tenant_id = quota_stripe.holder_id),
	used_artifacts = (SELECT COALESCE(SUM(s.used_artifacts), 0) FROM quota_stripe s JOIN project p ON p.id = s.holder_id
		WHERE s.scope = 2 AND p.tenant_id = quota_stripe.holder_id),
	used_projects = (SELECT COUNT(*) FROM project p WHERE p.tenant_id = quota_stripe.holder_id AND p.deleted = 0)
WHERE scope = 1 AND stripe = 0;
UPDATE quota_stripe SET
	room_storage = (SELECT CASE WHEN q.limit_storage < 0 THEN 1152921504606846976 ELSE q.limit_storage END FROM quota q
		WHERE q.scope = quota_stripe.scope AND q.holder_id = quota_stripe.holder_id) - used_storage,
	room_repositories = (SELECT CASE WHEN q.limit_repositories < 0 THEN 1152921504606846976 ELSE q.limit_repositories END FROM quota q
		WHERE q.scope = quota_stripe.scope AND q.holder_id = quota_stripe.holder_id) - used_repositories,
	room_tags = (SELECT CASE WHEN q.limit_tags < 0 THEN 1152921504606846976 ELSE q.limit_tags END FROM quota q
		WHERE q.scope = quota_stripe.scope AND q.holder_id = quota_stripe.holder_id) - used_tags,
	room_artifacts = (SELECT CASE WHEN q.limit_artifacts < 0 THEN 1152921504606846976 ELSE q.limit_artifacts END FROM quota q
		WHERE q.scope = quota_stripe.scope AND q.holder_id = quota_stripe.holder_id) - used_artifacts,
	room_projects = (SELECT CASE WHEN q.limit_projects < 0 THEN 1152921504606846976 ELSE q.limit_projects END FROM quota q
		WHERE q.scope = quota_stripe.scope AND q.holder_id = quota_stripe.holder_id) - used_projects;
ALTER TABLE project DROP COLUMN storage_limit_bytes;

-- postgres:
ALTER TABLE repository_blob ADD COLUMN project_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE manifest_reference ADD COLUMN project_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE upload ADD COLUMN reserved_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE repository_blob SET project_id = (SELECT r.project_id FROM repository r WHERE r.id = repository_blob.repository_id);
DROP INDEX repository_blob_holder;
CREATE INDEX repository_blob_holder ON repository_blob (blob_id, project_id, repository_id);
UPDATE manifest_reference SET project_id = (
	SELECT r.project_id FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE m.id = manifest_reference.manifest_id);
DROP INDEX manifest_reference_digest;
CREATE INDEX manifest_reference_digest ON manifest_reference (digest, project_id, manifest_id);
CREATE TABLE quota (
	scope BIGINT NOT NULL,
	holder_id BIGINT NOT NULL,
	limit_storage BIGINT NOT NULL DEFAULT -1,
	limit_repositories BIGINT NOT NULL DEFAULT -1,
	limit_tags BIGINT NOT NULL DEFAULT -1,
	limit_artifacts BIGINT NOT NULL DEFAULT -1,
	limit_projects BIGINT NOT NULL DEFAULT -1,
	warned_percent BIGINT NOT NULL DEFAULT 0,
	created_at_us BIGINT NOT NULL,
	updated_at_us BIGINT NOT NULL,
	PRIMARY KEY (scope, holder_id)
);
CREATE TABLE quota_stripe (
	scope BIGINT NOT NULL,
	holder_id BIGINT NOT NULL,
	stripe BIGINT NOT NULL,
	limited BIGINT NOT NULL,
	slow BIGINT NOT NULL,
	used_storage BIGINT NOT NULL DEFAULT 0,
	used_repositories BIGINT NOT NULL DEFAULT 0,
	used_tags BIGINT NOT NULL DEFAULT 0,
	used_artifacts BIGINT NOT NULL DEFAULT 0,
	used_projects BIGINT NOT NULL DEFAULT 0,
	reserved BIGINT NOT NULL DEFAULT 0,
	room_storage BIGINT NOT NULL DEFAULT 0,
	room_repositories BIGINT NOT NULL DEFAULT 0,
	room_tags BIGINT NOT NULL DEFAULT 0,
	room_artifacts BIGINT NOT NULL DEFAULT 0,
	room_projects BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (scope, holder_id, stripe),
	FOREIGN KEY (scope, holder_id) REFERENCES quota (scope, holder_id) ON DELETE CASCADE
) WITH (fillfactor = 50);
CREATE TABLE project_blob (
	project_id BIGINT NOT NULL,
	blob_id BIGINT NOT NULL,
	size_bytes BIGINT NOT NULL,
	PRIMARY KEY (project_id, blob_id)
);
CREATE TABLE project_manifest (
	project_id BIGINT NOT NULL,
	digest TEXT COLLATE "C" NOT NULL,
	size_bytes BIGINT NOT NULL,
	holders BIGINT NOT NULL,
	PRIMARY KEY (project_id, digest)
);
INSERT INTO project_blob (project_id, blob_id, size_bytes)
SELECT DISTINCT rb.project_id, b.id, b.size_bytes
FROM repository_blob rb JOIN blob b ON b.id = rb.blob_id
WHERE EXISTS (SELECT 1 FROM manifest_reference c WHERE c.digest = b.digest AND c.project_id = rb.project_id);
INSERT INTO project_manifest (project_id, digest, size_bytes, holders)
SELECT r.project_id, m.digest, MAX(m.size_bytes), COUNT(*)
FROM manifest m JOIN repository r ON r.id = m.repository_id
GROUP BY r.project_id, m.digest;
INSERT INTO quota (scope, holder_id, created_at_us, updated_at_us)
SELECT 1, t.id, t.created_at_us, CAST(EXTRACT(EPOCH FROM now()) * 1000000 AS BIGINT) FROM tenant t;
INSERT INTO quota (scope, holder_id, limit_storage, created_at_us, updated_at_us)
SELECT 2, p.id, p.storage_limit_bytes, p.created_at_us, CAST(EXTRACT(EPOCH FROM now()) * 1000000 AS BIGINT) FROM project p WHERE p.deleted = 0;
INSERT INTO quota_stripe (scope, holder_id, stripe, limited, slow)
SELECT scope, holder_id, s.stripe, CASE WHEN limit_storage < 0 THEN 0 ELSE 1 END, CASE WHEN limit_storage < 0 THEN 0 ELSE 1 END
FROM quota, generate_series(0, 15) AS s (stripe);
UPDATE quota_stripe SET
	used_storage = (SELECT COALESCE(SUM(b.size_bytes), 0) FROM project_blob b WHERE b.project_id = quota_stripe.holder_id)
		+ (SELECT COALESCE(SUM(m.size_bytes), 0) FROM project_manifest m WHERE m.project_id = quota_stripe.holder_id),
	used_repositories = (SELECT COUNT(*) FROM repository r WHERE r.project_id = quota_stripe.holder_id),
	used_tags = (SELECT COUNT(*) FROM tag t JOIN repository r ON r.id = t.repository_id WHERE r.project_id = quota_stripe.holder_id),
	used_artifacts = (SELECT COUNT(*) FROM manifest m JOIN repository r ON r.id = m.repository_id
		WHERE r.project_id = quota_stripe.holder_id)
WHERE scope = 2 AND stripe = 0;
UPDATE quota_stripe SET
	used_storage = (SELECT COALESCE(SUM(s.used_storage), 0) FROM quota_stripe s JOIN project p ON p.id = s.holder_id
		WHERE s.scope = 2 AND p.tenant_id = quota_stripe.holder_id),
	used_repositories = (SELECT COALESCE(SUM(s.used_repositories), 0) FROM quota_stripe s JOIN project p ON p.id = s.holder_id
		WHERE s.scope = 2 AND p.tenant_id = quota_stripe.holder_id),
	used_tags = (SELECT COALESCE(SUM(s.used_tags), 0) FROM quota_stripe s JOIN project p ON p.id = s.holder_id
		WHERE s.scope = 2 AND p.tenant_id = quota_stripe.holder_id),
	used_artifacts = (SELECT COALESCE(SUM(s.used_artifacts), 0) FROM quota_stripe s JOIN project p ON p.id = s.holder_id
		WHERE s.scope = 2 AND p.tenant_id = quota_stripe.holder_id),
	used_projects = (SELECT COUNT(*) FROM project p WHERE p.tenant_id = quota_stripe.holder_id AND p.deleted = 0)
WHERE scope = 1 AND stripe = 0;
UPDATE quota_stripe SET
	room_storage = (q.lim_storage) / 16 + CASE WHEN stripe = 0 THEN q.lim_storage % 16 - used_storage ELSE 0 END,
	room_repositories = (q.lim_repositories) / 16 + CASE WHEN stripe = 0 THEN q.lim_repositories % 16 - used_repositories ELSE 0 END,
	room_tags = (q.lim_tags) / 16 + CASE WHEN stripe = 0 THEN q.lim_tags % 16 - used_tags ELSE 0 END,
	room_artifacts = (q.lim_artifacts) / 16 + CASE WHEN stripe = 0 THEN q.lim_artifacts % 16 - used_artifacts ELSE 0 END,
	room_projects = (q.lim_projects) / 16 + CASE WHEN stripe = 0 THEN q.lim_projects % 16 - used_projects ELSE 0 END
FROM (SELECT scope, holder_id,
	CASE WHEN limit_storage < 0 THEN 1152921504606846976 ELSE limit_storage END AS lim_storage,
	CASE WHEN limit_repositories < 0 THEN 1152921504606846976 ELSE limit_repositories END AS lim_repositories,
	CASE WHEN limit_tags < 0 THEN 1152921504606846976 ELSE limit_tags END AS lim_tags,
	CASE WHEN limit_artifacts < 0 THEN 1152921504606846976 ELSE limit_artifacts END AS lim_artifacts,
	CASE WHEN limit_projects < 0 THEN 1152921504606846976 ELSE limit_projects END AS lim_projects
      FROM quota) q
WHERE q.scope = quota_stripe.scope AND q.holder_id = quota_stripe.holder_id;
ALTER TABLE project DROP COLUMN storage_limit_bytes;
