-- SPDX-License-Identifier: Apache-2.0
-- What administrators change while the program runs.

-- name: setting_list :many
SELECT name, value FROM setting ORDER BY name;

-- name: setting_put :exec
INSERT INTO setting (name, value, updated_at_us)
VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at_us = excluded.updated_at_us;
