-- SPDX-License-Identifier: Apache-2.0
-- What an earlier version left of tenants that were deleted. Records of the audit trail stay, and the ids that they name.

DELETE FROM session WHERE account_id IN (SELECT a.id FROM account a JOIN tenant t ON t.id = a.tenant_id WHERE t.state = 3);
DELETE FROM access_token WHERE account_id IN (SELECT a.id FROM account a JOIN tenant t ON t.id = a.tenant_id WHERE t.state = 3);
DELETE FROM account_group WHERE account_id IN (SELECT a.id FROM account a JOIN tenant t ON t.id = a.tenant_id WHERE t.state = 3);
DELETE FROM binding WHERE tenant_id IN (SELECT id FROM tenant WHERE state = 3);
DELETE FROM token_issuer WHERE tenant_id IN (SELECT id FROM tenant WHERE state = 3);
DELETE FROM robot WHERE tenant_id IN (SELECT id FROM tenant WHERE state = 3);
DELETE FROM label WHERE tenant_id IN (SELECT id FROM tenant WHERE state = 3);
DELETE FROM user_group WHERE tenant_id IN (SELECT id FROM tenant WHERE state = 3);
DELETE FROM role WHERE tenant_id IN (SELECT id FROM tenant WHERE state = 3);
DELETE FROM identity_provider WHERE tenant_id IN (SELECT id FROM tenant WHERE state = 3);
DELETE FROM quota WHERE scope = 1 AND holder_id IN (SELECT id FROM tenant WHERE state = 3);
UPDATE project SET owner_id = NULL, owner_name = '' WHERE tenant_id IN (SELECT id FROM tenant WHERE state = 3);
UPDATE account SET name = '#' || CAST(id AS TEXT), email = NULL, realname = '', comment = '', password = '',
	source = 'local', issuer = '', subject = NULL, is_admin = 0, is_auditor = 0, is_tenant_admin = 0, admin_elsewhere = 0,
	deleted = 1, epoch = epoch + 1
WHERE tenant_id IN (SELECT id FROM tenant WHERE state = 3);
