-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- What a dry run of garbage collection has found to go with untagged artifacts: manifests, and the blobs that repositories would let go of
-- with them. Rows of a job, which it removes when it is done; one that was stopped leaves them until its own row goes.

-- sqlite:
CREATE TABLE doomed_manifest (
	job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	manifest_id INTEGER NOT NULL,
	PRIMARY KEY (job_id, manifest_id)
) WITHOUT ROWID;
CREATE TABLE doomed_link (
	job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	blob_id INTEGER NOT NULL,
	repository_id INTEGER NOT NULL,
	PRIMARY KEY (job_id, blob_id, repository_id)
) WITHOUT ROWID;

-- postgres:
CREATE TABLE doomed_manifest (
	job_id BIGINT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	manifest_id BIGINT NOT NULL,
	PRIMARY KEY (job_id, manifest_id)
);
CREATE TABLE doomed_link (
	job_id BIGINT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	blob_id BIGINT NOT NULL,
	repository_id BIGINT NOT NULL,
	PRIMARY KEY (job_id, blob_id, repository_id)
);
