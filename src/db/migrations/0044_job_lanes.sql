-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- Jobs of a kind that share something slow, as all that are told to one receiver, have the same lane (src/jobs/jobs.h): of those a kind
-- may run fewer at once than of a tenant. Those of before, and of the version before, are in the lane ''.

-- sqlite:
ALTER TABLE job ADD COLUMN lane TEXT NOT NULL DEFAULT '';
CREATE INDEX job_of_lane ON job (kind, tenant_id, lane, id) WHERE state = 1;
CREATE INDEX job_lane_runs ON job (kind, lane) WHERE state = 2;

-- postgres:
ALTER TABLE job ADD COLUMN lane TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX job_of_lane ON job (kind, tenant_id, lane, id) WHERE state = 1;
CREATE INDEX job_lane_runs ON job (kind, lane) WHERE state = 2;
