-- SPDX-License-Identifier: Apache-2.0
-- How often artifacts and repositories were pulled, and when last. Only ever more and later.

-- SQLite may have given the id of a deleted manifest to one that was pushed since.
-- name: pull_add_artifact :exec
-- sqlite:
UPDATE artifact SET pull_count = pull_count + $2, pulled_at_us = MAX(pulled_at_us, $3)
WHERE manifest_id = $1 AND pushed_at_us <= $4;
-- postgres:
UPDATE artifact SET pull_count = pull_count + $2, pulled_at_us = GREATEST(pulled_at_us, $3)
WHERE manifest_id = $1 AND pushed_at_us <= $4;

-- name: pull_add_repository :exec
-- sqlite:
UPDATE repository SET pull_count = pull_count + $2, pulled_at_us = MAX(pulled_at_us, $3) WHERE id = $1;
-- postgres:
UPDATE repository SET pull_count = pull_count + $2, pulled_at_us = GREATEST(pulled_at_us, $3) WHERE id = $1;

-- name: pull_note_tag :exec
UPDATE tag SET pulled_at_us = $3 WHERE repository_id = $1 AND name = $2 AND pulled_at_us < $3;
