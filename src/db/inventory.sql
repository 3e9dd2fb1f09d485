-- SPDX-License-Identifier: Apache-2.0
-- What clusters report as running there: see registry/inventory.h.

-- name: inventory_put :exec
INSERT INTO inventory (tenant_id, cluster, digest, reported_at_us, expires_at_us) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, cluster, digest) DO UPDATE SET reported_at_us = excluded.reported_at_us, expires_at_us = excluded.expires_at_us;

-- What the same cluster reported before and not now.
-- name: inventory_drop_older :exec
DELETE FROM inventory WHERE tenant_id = $1 AND cluster = $2 AND reported_at_us < $3;

-- name: inventory_delete :exec
DELETE FROM inventory WHERE tenant_id = $1 AND cluster = $2;

-- name: inventory_delete_expired :exec
DELETE FROM inventory WHERE expires_at_us <= $1;

-- name: inventory_page :many
SELECT cluster, digest, reported_at_us, expires_at_us FROM inventory
WHERE tenant_id = $1 AND (cluster, digest) > ($2, $3)
ORDER BY cluster, digest LIMIT $4;
