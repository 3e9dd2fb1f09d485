-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- What other nodes must forget when a row changes is told by triggers, in the transaction of the change: so whoever writes, a node
-- of another version or an operator by hand, tells it, and nobody can forget to. src/db/README.md lists what is told.
--
-- Rows that change all the time (counters, times of use) tell nothing, and neither does a new row where nobody remembers that there
-- was none: pushes of new tags meet at nothing. Notifications order commits: what tells is a change of what somebody may know.
-- Of many rows at once only their repository is told.

-- sqlite:
SELECT 1;

-- postgres:
DO $do$
DECLARE
	t RECORD;
BEGIN
	FOR t IN SELECT * FROM (VALUES
		('tag_moved', 'tag', 'UPDATE OF manifest_id', 'OLD.manifest_id <> NEW.manifest_id', '''t '' || OLD.repository_id || '' '' || OLD.name'),
		('repository_gone', 'repository', 'DELETE', 'TRUE', '''r '' || OLD.tenant_id || '' '' || OLD.id || '' '' || OLD.name'),
		('repository_named', 'repository', 'UPDATE OF name', 'OLD.name <> NEW.name', '''n'''),
		('repository_unaliased', 'repository_alias', 'DELETE', 'pg_trigger_depth() = 0', '''n'''),
		('project_named', 'project', 'UPDATE OF name', 'OLD.name <> NEW.name AND NEW.deleted = 0', '''n'''),
		('project_unaliased', 'project_alias', 'DELETE', 'pg_trigger_depth() = 0', '''n'''),
		('project_changed', 'project', 'UPDATE OF is_public, deleted', 'OLD.is_public <> NEW.is_public OR OLD.deleted <> NEW.deleted',
			'''p '' || OLD.tenant_id || '' '' || OLD.id || '' '' || OLD.name'),
		('account_changed', 'account', 'UPDATE', 'OLD.epoch <> NEW.epoch OR OLD.disabled <> NEW.disabled OR OLD.deleted <> NEW.deleted',
			'''u '' || OLD.id'),
		('robot_changed', 'robot', 'UPDATE', 'OLD.epoch <> NEW.epoch OR OLD.disabled <> NEW.disabled OR OLD.name <> NEW.name', '''o '' || OLD.id'),
		('robot_gone', 'robot', 'DELETE', 'TRUE', '''o '' || OLD.id'),
		('robot_secret_changed', 'robot_secret', 'UPDATE OF expires_at_us', 'OLD.expires_at_us IS DISTINCT FROM NEW.expires_at_us',
			'''e o '' || OLD.id'),
		('robot_secret_gone', 'robot_secret', 'DELETE', 'TRUE', '''e o '' || OLD.id'),
		('access_token_gone', 'access_token', 'DELETE', 'TRUE', '''e u '' || OLD.id'),
		('session_gone', 'session', 'DELETE', 'OLD.expires_at_us > EXTRACT(EPOCH FROM now()) * 1000000', '''s '' || OLD.hash'),
		('member_changed', 'project_member', 'INSERT OR UPDATE OR DELETE', 'TRUE', '''g p '' || COALESCE(NEW.project_id, OLD.project_id)'),
		('grouping_changed', 'account_group', 'INSERT OR DELETE', 'TRUE', '''g a '' || COALESCE(NEW.account_id, OLD.account_id)'),
		('role_changed', 'role', 'UPDATE OR DELETE', 'TRUE', '''g r '' || OLD.id'),
		('group_changed', 'user_group', 'UPDATE OF is_tenant_admin', 'OLD.is_tenant_admin <> NEW.is_tenant_admin', '''l'''),
		('group_gone', 'user_group', 'DELETE', 'TRUE', '''l'''),
		('tenant_changed', 'tenant', 'INSERT OR UPDATE OR DELETE', 'TRUE', '''h'''),
		('tenant_host_changed', 'tenant_host', 'INSERT OR UPDATE OR DELETE', 'TRUE', '''h'''),
		('storage_changed', 'storage', 'UPDATE OR DELETE', 'TRUE', '''c '' || OLD.id || CASE WHEN NEW.erased_at_us IS NULL THEN '''' ELSE '' erased'' END'),
		('setting_changed', 'setting', 'INSERT OR UPDATE OR DELETE', 'TRUE', '''y'''),
		('quota_changed', 'quota', 'UPDATE OF limit_storage', 'OLD.limit_storage <> NEW.limit_storage', '''q''')
	) AS list (name, of, event, condition, payload)
	LOOP
		EXECUTE format('CREATE FUNCTION told_%s() RETURNS trigger LANGUAGE plpgsql AS '
			'$f$ BEGIN PERFORM pg_notify(''berth'', %s); RETURN NULL; END $f$', t.name, t.payload);
		EXECUTE format('CREATE TRIGGER told_%s AFTER %s ON %I FOR EACH ROW %s EXECUTE FUNCTION told_%s()',
			t.name, t.event, t.of, CASE t.condition WHEN 'TRUE' THEN '' ELSE format('WHEN (%s)', t.condition) END, t.name);
	END LOOP;
	FOR t IN SELECT * FROM (VALUES
		('tags_gone', 'tag', '''t '' || g.repository_id || '' '' || g.name', 'gone g'),
		('manifests_gone', 'manifest', '''m '' || g.repository_id || '' '' || g.digest', 'gone g'),
		('links_gone', 'repository_blob', '''b '' || g.repository_id || '' '' || b.digest', 'gone g JOIN blob b ON b.id = g.blob_id')
	) AS list (name, of, payload, source)
	LOOP
		EXECUTE format('CREATE FUNCTION told_%s() RETURNS trigger LANGUAGE plpgsql AS '
			'$f$ BEGIN '
			'IF (SELECT COUNT(*) FROM gone) > 100 THEN '
			'PERFORM pg_notify(''berth'', ''x '' || repository_id) FROM (SELECT DISTINCT repository_id FROM gone) d; '
			'ELSE PERFORM pg_notify(''berth'', %s) FROM %s; END IF; '
			'RETURN NULL; END $f$', t.name, t.payload, t.source);
		EXECUTE format('CREATE TRIGGER told_%s AFTER DELETE ON %I REFERENCING OLD TABLE AS gone '
			'FOR EACH STATEMENT EXECUTE FUNCTION told_%s()', t.name, t.of, t.name);
	END LOOP;
END $do$;
