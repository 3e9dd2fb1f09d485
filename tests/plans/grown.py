# SPDX-License-Identifier: Apache-2.0
"""A filled catalogue, made to look as if it had millions of rows to those who plan.

PostgreSQL reckons with how large a table's and an index's file is, and with how many rows were on each page when it was analysed. So the
files of a small catalogue are made longer, with holes that take no place, and the counts of pg_class are raised in the same measure.
What is in a column is told by a sample; of a column in which there are more values the more rows there are, that is said. Nothing may
read such a table: what the files have gained are no pages.

SQLite knows sizes from sqlite_stat1 alone, and only where somebody has run ANALYZE.
"""
from plans import catalogue

ROWS, AUDIT_ROWS = 10_000_000, 100_000_000
AUDIT = ("audit_record", "audit_seal")
SEGMENT_PAGES = 2**30 // 8192  # a file of PostgreSQL has a gibibyte at most; the next is called .1

def grows(table):
    return table not in catalogue.BOUNDED


def rows_of(table, share=1):
    return (AUDIT_ROWS if table in AUDIT else ROWS) // share


def distinct(column, rows):
    """A line that tells ANALYZE that the more rows, the more values; None where a sample tells enough."""
    expression = column.expression(rows, "x")
    tenth = max(rows // 10, 1)
    if f"% {tenth}" in expression:
        return f"ALTER TABLE {column.table} ALTER COLUMN {column.name} SET (n_distinct = -0.1);"
    return None


def prepare(found, rows):
    """Before the catalogue is filled and analysed."""
    for table, columns in found.items():
        yield f"ALTER TABLE {table} SET (autovacuum_enabled = false);"  # which would read what is not there
        yield from filter(None, (distinct(column, rows) for column in columns if grows(table)))


# Of each table that grows, and of its indexes: how many rows and pages it would have, and the files of those.
GROW = """
CREATE TEMP TABLE grown AS
SELECT c.oid, pg_relation_filepath(c.oid) AS path, c.reltuples * g.rows / t.reltuples AS rows,
	CAST(CEIL(GREATEST(c.relpages, 1) * g.rows / t.reltuples) AS BIGINT) AS pages
FROM (VALUES {wanted}) AS g (name, rows)
JOIN pg_class t ON t.relname = g.name AND t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
JOIN pg_class c ON c.oid = t.oid OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = t.oid)
WHERE t.reltuples > 0;
DO $do$
DECLARE
	f RECORD;
BEGIN
	FOR f IN
		SELECT 'truncate -s ' || LEAST({segment}, pages - s * {segment}) * 8192 || ' ' || path || CASE s WHEN 0 THEN '' ELSE '.' || s END AS command
		FROM grown, LATERAL generate_series(0, (pages - 1) / {segment}) AS s
	LOOP
		EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'cat >/dev/null; ' || f.command);
	END LOOP;
END $do$;
UPDATE pg_class c SET reltuples = g.rows, relpages = g.pages, relallvisible = CASE c.relkind WHEN 'r' THEN g.pages ELSE 0 END
FROM grown g WHERE c.oid = g.oid;
DROP TABLE grown;
"""


def grow(found, share=1):
    """What makes a filled catalogue one of the largest, or a part of it: each may only be larger than the one before."""
    wanted = ", ".join(f"('{table}', {rows_of(table, share)}::float8)" for table in found if grows(table))
    return GROW.format(wanted=wanted, segment=SEGMENT_PAGES)


def filled(connection, found, rows):
    """{(table, index): words} of sqlite_stat1 with so many rows."""
    for statement in catalogue.filling(found, rows, "x'00'"):
        connection.execute(statement)
    connection.execute("ANALYZE")
    lines = connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall()
    return {(table, index): stat.split(" ") for table, index, stat in lines}


def larger(few, more, sizes, rows, least):
    """Of a number at two sizes: at the third, whether it grows with the rows or not."""
    steps = (float(more) - float(few)) / (sizes[1] - sizes[0])
    return str(max(round(float(more) + steps * (rows - sizes[1])), least))


def grow_sqlite(connection, found, sizes):
    """Fills a catalogue at both sizes and writes down what ANALYZE would find in the largest."""
    few, more = (filled(connection, found, rows) for rows in sizes)
    for (table, index), numbers in more.items():
        # That there is one row for each beginning of a key is chance, which SQLite would rely on: it sorts what is one row.
        least = [2] * (len(numbers) - 1) + [1]
        words = [larger(*pair, sizes, rows_of(table), at_least) if pair[1].isdigit() else pair[1] for *pair, at_least in zip(few[table, index], numbers, least)]
        if grows(table):
            connection.execute("UPDATE sqlite_stat1 SET stat = ? WHERE tbl = ? AND idx IS ?", (" ".join(words), table, index))
    connection.execute("ANALYZE sqlite_schema")  # which reads them anew
