-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- Manifests that say when they want to be gone (src/codec/expiry.h): so long after a tag was set, or at a time. due_at_us is when
-- somebody is to look again: never later than the first of its tags expires.

-- sqlite:
CREATE TABLE expiry (
	manifest_id INTEGER PRIMARY KEY REFERENCES manifest (id) ON DELETE CASCADE,
	project_id INTEGER NOT NULL REFERENCES project (id),
	after_s INTEGER NOT NULL,
	at_us INTEGER NOT NULL,
	due_at_us INTEGER NOT NULL
);
CREATE INDEX expiry_due ON expiry (due_at_us);
CREATE INDEX expiry_of_project ON expiry (project_id, due_at_us, manifest_id);

-- postgres:
CREATE TABLE expiry (
	manifest_id BIGINT PRIMARY KEY REFERENCES manifest (id) ON DELETE CASCADE,
	project_id BIGINT NOT NULL REFERENCES project (id),
	after_s BIGINT NOT NULL,
	at_us BIGINT NOT NULL,
	due_at_us BIGINT NOT NULL
);
CREATE INDEX expiry_due ON expiry (due_at_us);
CREATE INDEX expiry_of_project ON expiry (project_id, due_at_us, manifest_id);
