-- SPDX-License-Identifier: Apache-2.0
-- Local accounts.

-- name: account_find :one
SELECT id, password, is_admin FROM account WHERE name = $1;

-- name: account_insert :exec
INSERT INTO account (name, password, is_admin, created_at_us)
VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO NOTHING;
