/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sight.h - which projects the asker sees in lists that go across them: of projects, repositories,
 * artifacts, searches, records.
 *
 *	struct project_sight sight;
 *	TRY(request_sight(ctx, rq, &sight));
 *	… a query with SQL_SIGHT(&sight) …
 */
#pragma once

#include "api/request.h"

/*
 * Everything for who may list all projects; else the public ones and those he belongs to, by rows,
 * by his identity provider's word, or by a robot's permissions. A token counts as a stranger here.
 */
err_t request_sight(struct ctx *ctx, struct request *rq, struct project_sight *ret);
