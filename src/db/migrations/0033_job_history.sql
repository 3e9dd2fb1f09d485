-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- What people ask of jobs and schedules: who asked for one and how (job.cause: 0 something that happened, 1 the clock, 2 a person), the
-- newest of a kind or of a subject by an index, and how a schedule was written (`shown_as`, Harbor's Daily and the like). job_node has a
-- row for each engine that runs, as long as it says so.

-- sqlite:
ALTER TABLE job ADD COLUMN cause INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE job_schedule ADD COLUMN shown_as TEXT NOT NULL DEFAULT '';
ALTER TABLE job_schedule ADD COLUMN updated_at_us INTEGER NOT NULL DEFAULT 0;
CREATE INDEX job_history ON job (kind, id);
CREATE INDEX job_history_of_subject ON job (kind, subject, id);
CREATE TABLE job_node (
	owner TEXT PRIMARY KEY,
	host TEXT NOT NULL,
	pid INTEGER NOT NULL,
	workers INTEGER NOT NULL,
	started_at_us INTEGER NOT NULL,
	seen_at_us INTEGER NOT NULL
) WITHOUT ROWID;

-- postgres:
ALTER TABLE job
	ADD COLUMN cause BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE job_schedule
	ADD COLUMN shown_as TEXT NOT NULL DEFAULT '',
	ADD COLUMN updated_at_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX job_history ON job (kind, id);
CREATE INDEX job_history_of_subject ON job (kind, subject, id);
CREATE TABLE job_node (
	owner TEXT COLLATE "C" PRIMARY KEY,
	host TEXT NOT NULL,
	pid BIGINT NOT NULL,
	workers BIGINT NOT NULL,
	started_at_us BIGINT NOT NULL,
	seen_at_us BIGINT NOT NULL
);
