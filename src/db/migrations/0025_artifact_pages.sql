-- SPDX-License-Identifier: Apache-2.0
-- SQLite looked into the row of each artifact that a page skips, only to see that it is listed.

-- sqlite:
DROP INDEX artifact_newest;
DROP INDEX artifact_newest_of_project;
CREATE INDEX artifact_newest ON artifact (repository_id, pushed_at_us, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_newest_of_project ON artifact (project_id, pushed_at_us, manifest_id, listed) WHERE listed = 1;

-- postgres:
DROP INDEX artifact_newest;
DROP INDEX artifact_newest_of_project;
CREATE INDEX artifact_newest ON artifact (repository_id, pushed_at_us, manifest_id, listed) WHERE listed = 1;
CREATE INDEX artifact_newest_of_project ON artifact (project_id, pushed_at_us, manifest_id, listed) WHERE listed = 1;
