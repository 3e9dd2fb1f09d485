/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sight.h - which projects somebody sees in a list: the public ones, those he belongs to, and some
 * more.
 *
 * Statements that list across projects join `project p`, say @project_seen (shared.sql) and begin
 * their parameters with SQL_SIGHT(): so no list has its own idea of it.
 *
 *	-- name: repository_count :one
 *	SELECT count(*) FROM repository r JOIN project p ON p.id = r.project_id
 *	WHERE @project_seen AND r.name = $4;
 *
 *	SQL_ARGS(SQL_SIGHT(sight), SQL_TEXT(name))
 */
#pragma once

#include "sql/sql.h"

#define SIGHT_EVERYTHING INT64_C(-1)

struct project_sight {
	int64_t account_id; /* whose memberships count; 0: nobody's; SIGHT_EVERYTHING */
	str more_ids;	    /* a JSON array of further projects; "[]" for none */
	int64_t tenant_id;
};

#define SQL_SIGHT(s) SQL_I64((s)->account_id), SQL_TEXT((s)->more_ids), SQL_I64((s)->tenant_id)
