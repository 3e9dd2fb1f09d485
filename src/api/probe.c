/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.c - what a cluster asks of its nodes. See probe.h.
 *
 *	/livez     this process answers: 200, whatever is behind it. Who restarts by more than that
 *	           restarts everybody when the database is gone
 *	/startupz  the same: it listens once it has started
 *	/readyz    200, or 503 with what is not well
 *
 * With `?verbose` a line for each part. What is wrong is in the log; here only which part it is.
 */
#include "api/probe.h"
#include "api/handlers.h"

#include "base/banned.h"

bool probe_is_ready(struct ctx *ctx, struct api *api, struct readiness *ret)
{
	ret->draining = atomic_load(&api->draining);
	registry_health(ctx, api->options.registry, &ret->health);
	return !ret->draining && ret->health.database == OK && ret->health.storage == OK;
}

static err_t answer(struct request *rq, bool good, const struct buf *lines)
{
	exchange_header(rq->x, STR("Cache-Control"), STR("no-store"));
	return answer_text(rq, good ? 200 : 503, buf_str(lines));
}

err_t probe_live(struct ctx *ctx, struct request *rq)
{
	CLEANUP(buf_done) struct buf lines = BUF_INIT(KIB(1));
	buf_add(&lines,
		request_has_query(rq, STR("verbose")) ? STR("[+] process\nok\n") : STR("ok\n"));
	return answer(rq, true, &lines);
}

err_t probe_ready(struct ctx *ctx, struct request *rq)
{
	struct readiness now;
	bool good = probe_is_ready(ctx, rq->api, &now);
	const struct {
		const char *name;
		bool good;
	} parts[] = { { "database", now.health.database == OK },
		      { "storage", now.health.storage == OK },
		      { "not draining", !now.draining } };
	CLEANUP(buf_done) struct buf lines = BUF_INIT(KIB(1));
	bool verbose = request_has_query(rq, STR("verbose"));
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (verbose || !parts[i].good)
			buf_printf(&lines, "[%c] %s\n", parts[i].good ? '+' : '-', parts[i].name);
	buf_add(&lines, good ? STR("ok\n") : STR("not ready\n"));
	return answer(rq, good, &lines);
}
