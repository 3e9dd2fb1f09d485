-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- Since when an artifact may have had nothing that it stands for: when it lost its last tag, came back from the trash, or was pushed again
-- without a tag. NULL: since it was pushed, and so does what programs before this one untag. It means nothing while it has a tag.

-- sqlite:
ALTER TABLE artifact ADD COLUMN untagged_at_us INTEGER;

-- postgres:
ALTER TABLE artifact ADD COLUMN untagged_at_us BIGINT;
