-- SPDX-License-Identifier: Apache-2.0
-- compatible
--
-- PostgreSQL commits transactions that notify one after another: each holds one lock of the whole server while its WAL goes to the disk. So
-- a change of content does not notify in its transaction any more. It leaves a row here, and who committed it tells that in a transaction of
-- its own that writes nothing to the WAL, and removes the row (src/sql/postgres_tell.h). A row that stays, because whoever was to tell it
-- died, is told by any node that finds it.
--
-- Only connections that say berth.tells do so. Everybody else, a node of the version before or an operator by hand, would not tell: there the
-- notification is sent in the transaction, as ever (0030_told.sql). So is what administrators change, by whomever.
--
-- Unlogged: a crash of the server forgets these rows, and ends the connections of all nodes, which then forget all they remember.

-- sqlite:
SELECT 1;

-- postgres:
CREATE UNLOGGED TABLE untold (
	xact BIGINT NOT NULL,
	at_us BIGINT NOT NULL,
	payload TEXT COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX untold_xact ON untold (xact);

-- What the triggers call. The number of the transaction is said to the connection, in a message that is always sent.
CREATE FUNCTION tell(payload TEXT) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE
	own BIGINT;
BEGIN
	IF current_setting('berth.tells', true) IS DISTINCT FROM 'on' THEN
		PERFORM pg_notify('berth', payload);
		RETURN;
	END IF;
	own := CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT);
	INSERT INTO untold (xact, at_us, payload) VALUES (own, EXTRACT(EPOCH FROM clock_timestamp()) * 1000000, tell.payload);
	RAISE INFO USING ERRCODE = 'BERTH', MESSAGE = own;
END $f$;

-- Of one transaction that was committed. If somebody else is just telling its rows this waits until he has.
CREATE FUNCTION tell_untold(own BIGINT) RETURNS void LANGUAGE plpgsql SET enable_seqscan TO off AS $f$
DECLARE
	gone RECORD;
BEGIN
	IF pg_xact_status(CAST(CAST(own AS TEXT) AS xid8)) IS DISTINCT FROM 'committed' THEN
		RAISE 'transaction % was not committed', own;
	END IF;
	PERFORM set_config('synchronous_commit', 'off', true);
	FOR gone IN DELETE FROM untold WHERE xact = own RETURNING payload LOOP
		PERFORM pg_notify('berth', gone.payload);
	END LOOP;
END $f$;

-- What is left from transactions from `seen_twice` on: those below `seen_once` were over when somebody looked before, others are a second
-- old. Returns the oldest transaction that is not over, or NULL when there is more.
CREATE FUNCTION tell_left(seen_twice BIGINT, seen_once BIGINT) RETURNS BIGINT LANGUAGE plpgsql SET enable_seqscan TO off AS $f$
DECLARE
	oldest BIGINT := CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT);
	old_us BIGINT := EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 - 1000000;
	gone RECORD;
	told BIGINT := 0;
BEGIN
	PERFORM set_config('synchronous_commit', 'off', true);
	FOR gone IN DELETE FROM untold WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM untold WHERE xact >= seen_twice AND (xact < seen_once OR at_us < old_us) ORDER BY xact LIMIT 1000))
		RETURNING payload
	LOOP
		PERFORM pg_notify('berth', gone.payload);
		told := told + 1;
	END LOOP;
	RETURN CASE WHEN told < 1000 THEN oldest END;
END $f$;

CREATE OR REPLACE FUNCTION told_tag_moved() RETURNS trigger LANGUAGE plpgsql AS
	$f$ BEGIN PERFORM tell('t ' || OLD.repository_id || ' ' || OLD.name); RETURN NULL; END $f$;
CREATE OR REPLACE FUNCTION told_repository_gone() RETURNS trigger LANGUAGE plpgsql AS
	$f$ BEGIN PERFORM tell('r ' || OLD.tenant_id || ' ' || OLD.id || ' ' || OLD.name); RETURN NULL; END $f$;
DO $do$
DECLARE
	t RECORD;
BEGIN
	FOR t IN SELECT * FROM (VALUES
		('tags_gone', '''t '' || g.repository_id || '' '' || g.name', 'gone g'),
		('manifests_gone', '''m '' || g.repository_id || '' '' || g.digest', 'gone g'),
		('links_gone', '''b '' || g.repository_id || '' '' || b.digest', 'gone g JOIN blob b ON b.id = g.blob_id')
	) AS list (name, payload, source)
	LOOP
		EXECUTE format('CREATE OR REPLACE FUNCTION told_%s() RETURNS trigger LANGUAGE plpgsql AS '
			'$f$ BEGIN '
			'IF (SELECT COUNT(*) FROM gone) > 100 THEN '
			'PERFORM tell(''x '' || repository_id) FROM (SELECT DISTINCT repository_id FROM gone) d; '
			'ELSE PERFORM tell(%s) FROM %s; END IF; '
			'RETURN NULL; END $f$', t.name, t.payload, t.source);
	END LOOP;
END $do$;
