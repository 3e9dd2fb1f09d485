-- SPDX-License-Identifier: Apache-2.0
-- Pages of lists that are filtered, or sorted by something else than the push.
--
-- `list_version` of a repository grows with every change of what lists of its artifacts may show, but for pulls, which its
-- `pull_count` tells; that of a quota's stripes, all together, with every repository or project that comes, goes or is
-- renamed. While it stays, so do the totals and the places of pages that were found. A label's artifacts are found in
-- their order, so `artifact_label` repeats what never changes of them.

-- sqlite:
ALTER TABLE repository ADD COLUMN list_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quota_stripe ADD COLUMN list_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE artifact_label ADD COLUMN repository_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE artifact_label ADD COLUMN pushed_at_us INTEGER NOT NULL DEFAULT 0;
UPDATE artifact_label SET
	repository_id = (SELECT a.repository_id FROM artifact a WHERE a.manifest_id = artifact_label.manifest_id),
	pushed_at_us = (SELECT a.pushed_at_us FROM artifact a WHERE a.manifest_id = artifact_label.manifest_id);
DROP INDEX artifact_label_holders;
CREATE INDEX artifact_label_newest ON artifact_label (label_id, repository_id, pushed_at_us, manifest_id);
CREATE INDEX artifact_by_type ON artifact (repository_id, type, pushed_at_us, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_by_media_type ON artifact (repository_id, media_type, pushed_at_us, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_by_pull ON artifact (repository_id, pulled_at_us, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_by_size ON artifact (repository_id, size_bytes, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_untagged ON artifact (repository_id, pushed_at_us, manifest_id, listed, tag_count)
	WHERE listed = 1 AND tag_count = 0;
DROP INDEX repository_project;
CREATE INDEX repository_project ON repository (project_id);
CREATE INDEX repository_tenant ON repository (tenant_id);
CREATE INDEX repository_by_update ON repository (project_id, updated_at_us, id);
CREATE INDEX repository_by_pulls ON repository (project_id, pull_count, id);
CREATE INDEX repository_by_artifacts ON repository (project_id, artifact_count, id);
CREATE INDEX project_member_project ON project_member (project_id, id);
CREATE INDEX project_by_name ON project (tenant_id, name, id, is_public, deleted) WHERE deleted = 0;
CREATE INDEX project_by_id ON project (tenant_id, id, is_public, deleted) WHERE deleted = 0;
CREATE INDEX project_by_update ON project (tenant_id, updated_at_us, id, is_public, deleted) WHERE deleted = 0;

-- postgres:
ALTER TABLE repository ADD COLUMN list_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quota_stripe ADD COLUMN list_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE artifact_label ADD COLUMN repository_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE artifact_label ADD COLUMN pushed_at_us BIGINT NOT NULL DEFAULT 0;
UPDATE artifact_label SET
	repository_id = (SELECT a.repository_id FROM artifact a WHERE a.manifest_id = artifact_label.manifest_id),
	pushed_at_us = (SELECT a.pushed_at_us FROM artifact a WHERE a.manifest_id = artifact_label.manifest_id);
DROP INDEX artifact_label_holders;
CREATE INDEX artifact_label_newest ON artifact_label (label_id, repository_id, pushed_at_us, manifest_id);
CREATE INDEX artifact_by_type ON artifact (repository_id, type, pushed_at_us, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_by_media_type ON artifact (repository_id, media_type, pushed_at_us, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_by_pull ON artifact (repository_id, pulled_at_us, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_by_size ON artifact (repository_id, size_bytes, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_untagged ON artifact (repository_id, pushed_at_us, manifest_id, listed, tag_count)
	WHERE listed = 1 AND tag_count = 0;
DROP INDEX repository_project;
CREATE INDEX repository_project ON repository (project_id, id);
CREATE INDEX repository_tenant ON repository (tenant_id, id);
CREATE INDEX repository_by_update ON repository (project_id, updated_at_us, id);
CREATE INDEX repository_by_pulls ON repository (project_id, pull_count, id);
CREATE INDEX repository_by_artifacts ON repository (project_id, artifact_count, id);
CREATE INDEX project_member_project ON project_member (project_id, id);
CREATE INDEX project_by_name ON project (tenant_id, name, id, is_public, deleted) WHERE deleted = 0;
CREATE INDEX project_by_id ON project (tenant_id, id, is_public, deleted) WHERE deleted = 0;
CREATE INDEX project_by_update ON project (tenant_id, updated_at_us, id, is_public, deleted) WHERE deleted = 0;
