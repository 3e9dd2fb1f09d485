-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- What purges removed from the audit trail: records and their places in the chain, all from `first_seq` to `last_seq`. `signed` says so, and what
-- the chain's hash is before and at the end of them (notify/audit_gap.h). Gaps that meet are one.

-- sqlite:
CREATE TABLE audit_gap (
	first_seq INTEGER PRIMARY KEY,
	last_seq INTEGER NOT NULL,
	signed TEXT NOT NULL
);

-- postgres:
CREATE TABLE audit_gap (
	first_seq BIGINT PRIMARY KEY,
	last_seq BIGINT NOT NULL,
	signed TEXT NOT NULL
);
