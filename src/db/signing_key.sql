-- SPDX-License-Identifier: Apache-2.0
-- Keys that sign tokens, sealed under the master key, newest first.

-- name: signing_key_list :many
SELECT id, sealed, created_at_us FROM signing_key ORDER BY created_at_us DESC, id LIMIT $1;

-- name: signing_key_insert :exec
INSERT INTO signing_key (id, sealed, created_at_us) VALUES ($1, $2, $3);

-- name: signing_key_delete_before :exec
DELETE FROM signing_key WHERE created_at_us < $1;
