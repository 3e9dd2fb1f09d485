-- SPDX-License-Identifier: Apache-2.0
-- Tenants and the hosts by which they are called.

-- part: tenant_columns
t.id, t.name, t.title, t.state, t.state_reason, t.storage_id, t.created_at_us, t.updated_at_us

-- name: tenant_get :one
SELECT @tenant_columns FROM tenant t WHERE t.id = $1;

-- name: tenant_find :one
SELECT @tenant_columns FROM tenant t WHERE t.name = $1;

-- name: tenant_of_host :one
SELECT @tenant_columns FROM tenant_host h JOIN tenant t ON t.id = h.tenant_id WHERE h.host = $1;
