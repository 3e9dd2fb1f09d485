-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- What a job was asked for in: the id of the request, and its trace as W3C Trace Context writes it. NULL where there is none, as in jobs
-- of before and of the version before.

-- sqlite:
ALTER TABLE job ADD COLUMN asked_request TEXT;
ALTER TABLE job ADD COLUMN asked_trace TEXT;

-- postgres:
ALTER TABLE job ADD COLUMN asked_request TEXT;
ALTER TABLE job ADD COLUMN asked_trace TEXT;
