-- SPDX-License-Identifier: Apache-2.0
-- Why a tenant is held, in words for its clients; and groups whose people administrate their tenant.

-- sqlite:
ALTER TABLE tenant ADD COLUMN state_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE user_group ADD COLUMN is_tenant_admin INTEGER NOT NULL DEFAULT 0;
CREATE INDEX user_group_tenant_admin ON user_group (tenant_id, id) WHERE is_tenant_admin = 1;
CREATE INDEX account_tenant_admin ON account (tenant_id, id) WHERE is_tenant_admin = 1;

-- postgres:
ALTER TABLE tenant ADD COLUMN state_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE user_group ADD COLUMN is_tenant_admin BIGINT NOT NULL DEFAULT 0;
CREATE INDEX user_group_tenant_admin ON user_group (tenant_id, id) WHERE is_tenant_admin = 1;
CREATE INDEX account_tenant_admin ON account (tenant_id, id) WHERE is_tenant_admin = 1;
