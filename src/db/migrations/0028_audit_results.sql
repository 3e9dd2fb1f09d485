-- SPDX-License-Identifier: Apache-2.0
-- Nearly every record is of something that was allowed, and an index by the result held them all for nothing. What was
-- denied or failed is found by its type, too: the deletions that failed were looked for among all deletions.

-- sqlite:
DROP INDEX audit_record_result;
CREATE INDEX audit_record_result ON audit_record (result, time_us, id) WHERE result <> 0;
CREATE INDEX audit_record_result_type ON audit_record (result, operation, resource_type, time_us, id) WHERE result <> 0;

-- postgres:
DROP INDEX audit_record_result;
CREATE INDEX audit_record_result ON audit_record (result, time_us, id) WHERE result <> 0;
CREATE INDEX audit_record_result_type ON audit_record (result, operation, resource_type, time_us, id) WHERE result <> 0;
