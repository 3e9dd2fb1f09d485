-- SPDX-License-Identifier: Apache-2.0
-- Searching ten million records by two things at a time: an actor's or a project's events of one type, an actor's in a
-- project. A type is an operation on a kind of resource; either alone is searched as the types it stands for.

-- sqlite:
DROP INDEX audit_record_operation;
DROP INDEX audit_record_resource_type;
CREATE INDEX audit_record_type ON audit_record (operation, resource_type, time_us, id);
CREATE INDEX audit_record_actor_type ON audit_record (actor, operation, resource_type, time_us, id);
CREATE INDEX audit_record_project_type ON audit_record (project_id, operation, resource_type, time_us, id);
CREATE INDEX audit_record_project_actor ON audit_record (project_id, actor, time_us, id);

-- postgres:
DROP INDEX audit_record_operation;
DROP INDEX audit_record_resource_type;
CREATE INDEX audit_record_type ON audit_record (operation, resource_type, time_us, id);
CREATE INDEX audit_record_actor_type ON audit_record (actor, operation, resource_type, time_us, id);
CREATE INDEX audit_record_project_type ON audit_record (project_id, operation, resource_type, time_us, id);
CREATE INDEX audit_record_project_actor ON audit_record (project_id, actor, time_us, id);
