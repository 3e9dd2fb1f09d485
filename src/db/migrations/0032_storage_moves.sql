-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- A tenant's bytes can move to another storage while it is used. `blob.storage_id` stays what it was: in which domain a digest is
-- stored once. Where the bytes are is `blob.place_id`, a storage of that domain (`storage.domain_id`), or the domain's own where it is NULL. A tenant's new bytes go to
-- `tenant.place_id`; while it moves, `left_id` is the storage that is left, and `mover` names the process that does it: its uploads have that id.

-- sqlite:
ALTER TABLE storage ADD COLUMN domain_id INTEGER REFERENCES storage (id);
ALTER TABLE blob ADD COLUMN place_id INTEGER REFERENCES storage (id);
ALTER TABLE tenant ADD COLUMN place_id INTEGER REFERENCES storage (id);
ALTER TABLE tenant ADD COLUMN left_id INTEGER REFERENCES storage (id);
ALTER TABLE tenant ADD COLUMN mover TEXT;
CREATE INDEX storage_of_domain ON storage (domain_id) WHERE domain_id IS NOT NULL;
CREATE INDEX tenant_moving ON tenant (left_id) WHERE left_id IS NOT NULL;

-- postgres:
ALTER TABLE storage ADD COLUMN domain_id BIGINT REFERENCES storage (id);
ALTER TABLE blob ADD COLUMN place_id BIGINT REFERENCES storage (id);
ALTER TABLE tenant ADD COLUMN place_id BIGINT REFERENCES storage (id);
ALTER TABLE tenant ADD COLUMN left_id BIGINT REFERENCES storage (id);
ALTER TABLE tenant ADD COLUMN mover TEXT;
CREATE INDEX storage_of_domain ON storage (domain_id) WHERE domain_id IS NOT NULL;
CREATE INDEX tenant_moving ON tenant (left_id) WHERE left_id IS NOT NULL;
