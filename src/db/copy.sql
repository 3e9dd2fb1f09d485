-- SPDX-License-Identifier: Apache-2.0
-- What each engine has in its own way, after all other rows were copied into a database: see copy.h.

-- name: copy_unsealed_count :one
SELECT COUNT(*) FROM audit_unsealed;

-- name: copy_floor :one
SELECT id FROM repository_floor;

-- Records get their places in another order where many write: SQLite only remembers the last.
-- name: copy_audit :exec
-- sqlite:
UPDATE audit_chain SET record_id = (SELECT COALESCE(MAX(record_id), 0) FROM audit_seal) WHERE id = 1;
-- postgres:
INSERT INTO audit_unsealed (record_id)
SELECT r.id FROM audit_record r WHERE NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.record_id = r.id);

-- What is used and what room there is: counted anew.
-- name: copy_stripes :exec
-- sqlite:
INSERT INTO quota_stripe (scope, holder_id, stripe, limited, slow) SELECT scope, holder_id, 0, 0, 0 FROM quota;
-- postgres:
INSERT INTO quota_stripe (scope, holder_id, stripe, limited, slow)
SELECT q.scope, q.holder_id, n, 0, 0 FROM quota q CROSS JOIN generate_series(0, 15) AS s (n);

-- name: copy_quotas :many
SELECT holder_id FROM quota WHERE scope = $1;
