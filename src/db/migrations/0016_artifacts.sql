-- SPDX-License-Identifier: Apache-2.0
-- What lists show of manifests, so that a page costs a page: an `artifact` row beside each manifest, counters on both, labels.
--
-- An artifact is `listed` when it stands for itself: it is no accessory, and has a tag or no index that names it.
-- `tag_count` and `parent_count` decide that and change with the rows they count; `artifact_count` of a repository
-- counts its listed ones. What was pushed before this script is `described` later, from its manifest and config.
--
-- SQLite would give the id of a deleted repository to the next one, and caches know repositories by it: `repository_floor`.

-- sqlite:
ALTER TABLE repository ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE repository ADD COLUMN updated_at_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repository ADD COLUMN pulled_at_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repository ADD COLUMN pull_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repository ADD COLUMN artifact_count INTEGER NOT NULL DEFAULT 0;
CREATE TABLE repository_floor (
	id INTEGER NOT NULL
);
INSERT INTO repository_floor (id) VALUES (0);
CREATE TABLE tag_new (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	repository_id INTEGER NOT NULL REFERENCES repository (id),
	name TEXT NOT NULL,
	manifest_id INTEGER NOT NULL REFERENCES manifest (id),
	updated_at_us INTEGER NOT NULL,
	pulled_at_us INTEGER NOT NULL DEFAULT 0,
	UNIQUE (repository_id, name)
);
INSERT INTO tag_new (repository_id, name, manifest_id, updated_at_us)
SELECT repository_id, name, manifest_id, updated_at_us FROM tag;
DROP TABLE tag;
ALTER TABLE tag_new RENAME TO tag;
CREATE INDEX tag_manifest ON tag (manifest_id, name);
CREATE TABLE artifact (
	manifest_id INTEGER PRIMARY KEY REFERENCES manifest (id) ON DELETE CASCADE,
	repository_id INTEGER NOT NULL REFERENCES repository (id),
	project_id INTEGER NOT NULL REFERENCES project (id),
	type TEXT NOT NULL,
	media_type TEXT NOT NULL,
	size_bytes INTEGER NOT NULL,
	accessory TEXT,
	subject TEXT,
	tag_count INTEGER NOT NULL,
	parent_count INTEGER NOT NULL,
	listed INTEGER NOT NULL,
	described INTEGER NOT NULL,
	pushed_at_us INTEGER NOT NULL,
	pulled_at_us INTEGER NOT NULL DEFAULT 0,
	pull_count INTEGER NOT NULL DEFAULT 0,
	icon TEXT,
	extra_attrs TEXT,
	children TEXT
);
CREATE TABLE label (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	tenant_id INTEGER NOT NULL,
	project_id INTEGER REFERENCES project (id),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	color TEXT NOT NULL,
	created_at_us INTEGER NOT NULL,
	updated_at_us INTEGER NOT NULL
);
CREATE TABLE artifact_label (
	manifest_id INTEGER NOT NULL REFERENCES artifact (manifest_id) ON DELETE CASCADE,
	label_id INTEGER NOT NULL REFERENCES label (id) ON DELETE CASCADE,
	PRIMARY KEY (manifest_id, label_id)
) WITHOUT ROWID;
CREATE INDEX artifact_newest ON artifact (repository_id, pushed_at_us, manifest_id) WHERE listed = 1;
CREATE INDEX artifact_newest_of_project ON artifact (project_id, pushed_at_us, manifest_id) WHERE listed = 1;
CREATE INDEX artifact_repository ON artifact (repository_id, manifest_id);
CREATE INDEX artifact_accessory ON artifact (repository_id, subject, manifest_id) WHERE accessory IS NOT NULL;
CREATE INDEX artifact_undescribed ON artifact (manifest_id) WHERE described = 0;
CREATE INDEX repository_name_in_project ON repository (project_id, name);
CREATE INDEX blob_sizes ON blob (storage_id, size_bytes);
CREATE INDEX upload_repository ON upload (repository_id);
CREATE INDEX artifact_icon ON artifact (icon) WHERE icon IS NOT NULL;
CREATE UNIQUE INDEX label_name ON label (tenant_id, COALESCE(project_id, 0), name);
CREATE INDEX label_project ON label (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX artifact_label_holders ON artifact_label (label_id, manifest_id);
INSERT INTO artifact (manifest_id, repository_id, project_id, type, media_type, size_bytes, accessory, subject,
	tag_count, parent_count, listed, described, pushed_at_us)
SELECT m.id, m.repository_id, r.project_id, 'UNKNOWN', m.media_type, m.size_bytes,
	CASE WHEN m.subject IS NULL THEN NULL ELSE 'subject.accessory' END, m.subject,
	(SELECT COUNT(*) FROM tag t WHERE t.manifest_id = m.id),
	(SELECT COUNT(*) FROM manifest_reference c JOIN manifest p ON p.id = c.manifest_id
	 WHERE c.digest = m.digest AND c.role = 2 AND p.repository_id = m.repository_id),
	0, 0, m.created_at_us
FROM manifest m JOIN repository r ON r.id = m.repository_id;
UPDATE artifact SET listed = 1 WHERE accessory IS NULL AND (tag_count > 0 OR parent_count = 0);
UPDATE repository SET updated_at_us = created_at_us,
	artifact_count = (SELECT COUNT(*) FROM artifact a WHERE a.repository_id = repository.id AND a.listed = 1);

-- postgres:
ALTER TABLE repository
	ADD COLUMN description TEXT NOT NULL DEFAULT '',
	ADD COLUMN updated_at_us BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN pulled_at_us BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN pull_count BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN artifact_count BIGINT NOT NULL DEFAULT 0;
CREATE TABLE repository_floor (
	id BIGINT NOT NULL
);
INSERT INTO repository_floor (id) VALUES (0);
ALTER TABLE tag
	ADD COLUMN id BIGINT GENERATED BY DEFAULT AS IDENTITY UNIQUE,
	ADD COLUMN pulled_at_us BIGINT NOT NULL DEFAULT 0;
CREATE TABLE artifact (
	manifest_id BIGINT PRIMARY KEY REFERENCES manifest (id) ON DELETE CASCADE,
	repository_id BIGINT NOT NULL REFERENCES repository (id),
	project_id BIGINT NOT NULL REFERENCES project (id),
	type TEXT COLLATE "C" NOT NULL,
	media_type TEXT COLLATE "C" NOT NULL,
	size_bytes BIGINT NOT NULL,
	accessory TEXT COLLATE "C",
	subject TEXT COLLATE "C",
	tag_count BIGINT NOT NULL,
	parent_count BIGINT NOT NULL,
	listed BIGINT NOT NULL,
	described BIGINT NOT NULL,
	pushed_at_us BIGINT NOT NULL,
	pulled_at_us BIGINT NOT NULL DEFAULT 0,
	pull_count BIGINT NOT NULL DEFAULT 0,
	icon TEXT COLLATE "C",
	extra_attrs TEXT,
	children TEXT
);
CREATE TABLE label (
	id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	tenant_id BIGINT NOT NULL,
	project_id BIGINT REFERENCES project (id),
	name TEXT COLLATE "C" NOT NULL,
	description TEXT NOT NULL,
	color TEXT NOT NULL,
	created_at_us BIGINT NOT NULL,
	updated_at_us BIGINT NOT NULL
);
CREATE TABLE artifact_label (
	manifest_id BIGINT NOT NULL REFERENCES artifact (manifest_id) ON DELETE CASCADE,
	label_id BIGINT NOT NULL REFERENCES label (id) ON DELETE CASCADE,
	PRIMARY KEY (manifest_id, label_id)
);
CREATE INDEX artifact_newest ON artifact (repository_id, pushed_at_us, manifest_id) WHERE listed = 1;
CREATE INDEX artifact_newest_of_project ON artifact (project_id, pushed_at_us, manifest_id) WHERE listed = 1;
CREATE INDEX artifact_repository ON artifact (repository_id, manifest_id);
CREATE INDEX artifact_accessory ON artifact (repository_id, subject, manifest_id) WHERE accessory IS NOT NULL;
CREATE INDEX artifact_undescribed ON artifact (manifest_id) WHERE described = 0;
CREATE INDEX repository_name_in_project ON repository (project_id, name);
CREATE INDEX blob_sizes ON blob (storage_id, size_bytes);
CREATE INDEX upload_repository ON upload (repository_id);
CREATE INDEX artifact_icon ON artifact (icon) WHERE icon IS NOT NULL;
CREATE UNIQUE INDEX label_name ON label (tenant_id, COALESCE(project_id, 0), name);
CREATE INDEX label_project ON label (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX artifact_label_holders ON artifact_label (label_id, manifest_id);
INSERT INTO artifact (manifest_id, repository_id, project_id, type, media_type, size_bytes, accessory, subject,
	tag_count, parent_count, listed, described, pushed_at_us)
SELECT m.id, m.repository_id, r.project_id, 'UNKNOWN', m.media_type, m.size_bytes,
	CASE WHEN m.subject IS NULL THEN NULL ELSE 'subject.accessory' END, m.subject,
	(SELECT COUNT(*) FROM tag t WHERE t.manifest_id = m.id),
	(SELECT COUNT(*) FROM manifest_reference c JOIN manifest p ON p.id = c.manifest_id
	 WHERE c.digest = m.digest AND c.role = 2 AND p.repository_id = m.repository_id),
	0, 0, m.created_at_us
FROM manifest m JOIN repository r ON r.id = m.repository_id;
UPDATE artifact SET listed = 1 WHERE accessory IS NULL AND (tag_count > 0 OR parent_count = 0);
UPDATE repository SET updated_at_us = created_at_us,
	artifact_count = (SELECT COUNT(*) FROM artifact a WHERE a.repository_id = repository.id AND a.listed = 1);
