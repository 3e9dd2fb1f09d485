-- SPDX-License-Identifier: Apache-2.0
-- A robot that logs in by a name from before its project was renamed does not say which tenant it belongs to.

-- sqlite:
CREATE INDEX project_alias_name ON project_alias (name);

-- postgres:
CREATE INDEX project_alias_name ON project_alias (name);
