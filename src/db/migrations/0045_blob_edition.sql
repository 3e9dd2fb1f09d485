-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- The bytes of a blob lie under its digest, and in later editions under another name. Who finds that a collector has not ended removing some
-- cannot know whether that one is gone or only stands still: what is published of that digest afterwards has a name that he does not know.
-- `next` is the first edition of a digest in a domain that nobody may be removing.
--
-- The program before this one reads the first edition only: while both run, what it does not find it says it does not have.

-- sqlite:
ALTER TABLE blob ADD COLUMN edition INTEGER NOT NULL DEFAULT 0;
CREATE TABLE blob_edition (
	storage_id INTEGER NOT NULL REFERENCES storage (id),
	digest TEXT NOT NULL,
	next INTEGER NOT NULL,
	PRIMARY KEY (storage_id, digest)
) WITHOUT ROWID;

-- postgres:
ALTER TABLE blob ADD COLUMN edition BIGINT NOT NULL DEFAULT 0;
CREATE TABLE blob_edition (
	storage_id BIGINT NOT NULL REFERENCES storage (id),
	digest TEXT COLLATE "C" NOT NULL,
	next BIGINT NOT NULL,
	PRIMARY KEY (storage_id, digest)
);
