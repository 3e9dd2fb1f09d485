/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.h - webhook policies, what they tell, and how that went: rows of notify/webhook.h. */
#pragma once

#include "sql/sql.h"

struct webhook_policy_row {
	int64_t id;
	int64_t tenant_id;  /* 0: of the whole system */
	int64_t project_id; /* 0: all projects */
	str name, description, creator;
	bool enabled;
	int64_t events; /* a bit for each type */
	str filters, targets, secrets;
	int64_t created_at_us, updated_at_us;
};

/* ERR_EXISTS when there is one of that name. */
err_t db_webhook_policy_insert(struct ctx *ctx, struct sql_tx *tx,
			       const struct webhook_policy_row *row, int64_t *ret_id);
err_t db_webhook_policy_update(struct ctx *ctx, struct sql_tx *tx,
			       const struct webhook_policy_row *row);
err_t db_webhook_policy_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);
err_t db_webhook_policy_delete_of_project(struct ctx *ctx, struct sql_tx *tx, int64_t project_id);

struct webhook_place {
	int64_t tenant_id, project_id;
};
/* ERR_ABSENT when it is of another place. */
err_t db_webhook_policy_find(struct ctx *ctx, struct sql_tx *tx, struct webhook_place place,
			     int64_t id, struct webhook_policy_row *ret);
err_t db_webhook_policy_get(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			    struct webhook_policy_row *ret);
struct webhook_page {
	int64_t max, offset;
};
err_t db_webhook_policy_list(struct ctx *ctx, struct sql_tx *tx, struct webhook_place place,
			     struct webhook_page page, struct webhook_policy_row **ret,
			     size_t *ret_count);
err_t db_webhook_policy_count(struct ctx *ctx, struct sql_tx *tx, struct webhook_place place,
			      int64_t *ret);
/* Those that are enabled and may want to know of what happens there. */
err_t db_webhook_policy_about(struct ctx *ctx, struct sql_tx *tx, struct webhook_place place,
			      struct webhook_policy_row **ret, size_t *ret_count);

/* ERR_ABSENT. */
err_t db_webhook_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			    int64_t *ret_created_at_us, bool *ret_public);

/* What lists show of a repository, with the first tag of each, by ids after `after_id`. */
struct webhook_artifact {
	int64_t id;
	str digest_text, media_type;
	str tag; /* may be empty */
};
err_t db_webhook_artifacts(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			   int64_t after_id, int64_t max, struct webhook_artifact **ret,
			   size_t *ret_count);

/* --- deliveries ------------------------------------------------------------------------------- */

enum webhook_state { /* as in the rows */
		     WEBHOOK_WAITS,
		     WEBHOOK_TOLD,
		     WEBHOOK_DEAD,
		     WEBHOOK_STATE_COUNT
};

struct webhook_delivery {
	int64_t id, policy_id, target;
	str subject; /* of its letter in the outbox */
	int64_t event;
	str payload, extra;
	enum webhook_state state;
	int64_t attempts, status;
	str error; /* of the last attempt */
	int64_t created_at_us, queued_at_us, tried_at_us, finished_at_us;
	int64_t now_us; /* of db_webhook_delivery_get() */
};

err_t db_webhook_delivery_insert(struct ctx *ctx, struct sql_tx *tx,
				 const struct webhook_delivery *delivery, int64_t *ret_id);
/* One that waits for nobody; until db_webhook_tried() says otherwise it is dead. */
err_t db_webhook_delivery_insert_ping(struct ctx *ctx, struct sql_tx *tx,
				      const struct webhook_delivery *delivery, int64_t *ret_id);
err_t db_webhook_delivery_get(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			      struct webhook_delivery *ret);

/* The newest first; `state` WEBHOOK_STATE_COUNT: all. And how many, up to 10,000. */
struct webhook_delivery_query {
	int64_t policy_id;
	enum webhook_state state;
	struct webhook_page page;
};
err_t db_webhook_delivery_page(struct ctx *ctx, struct sql_tx *tx,
			       const struct webhook_delivery_query *query,
			       struct webhook_delivery **ret, size_t *ret_count);
err_t db_webhook_delivery_count(struct ctx *ctx, struct sql_tx *tx,
				const struct webhook_delivery_query *query, int64_t *ret);
/* When it was last told of such an event; 0: never. */
err_t db_webhook_delivery_last(struct ctx *ctx, struct sql_tx *tx, int64_t policy_id, int64_t event,
			       int64_t *ret_us);

struct webhook_attempt {
	int64_t number, at_us, took_us, status;
	str request, response, error;
};
/* The attempt is numbered here, and those before the last `keep` are forgotten. ERR_ABSENT: the
 * delivery is gone. */
err_t db_webhook_tried(struct ctx *ctx, struct sql_tx *tx, int64_t id, enum webhook_state state,
		       const struct webhook_attempt *attempt, int64_t keep);
/* ERR_ABSENT: it waits already, or is gone. */
err_t db_webhook_delivery_again(struct ctx *ctx, struct sql_tx *tx, int64_t id);
/* What waits is given up; what does not stays as it is. */
err_t db_webhook_delivery_drop(struct ctx *ctx, struct sql_tx *tx, int64_t id, str why);
err_t db_webhook_attempts(struct ctx *ctx, struct sql_tx *tx, int64_t delivery_id,
			  struct webhook_attempt **ret, size_t *ret_count);

/* At most `max` of those that ended so long ago. */
err_t db_webhook_purge(struct ctx *ctx, struct sql_tx *tx, int64_t age_us, int64_t max,
		       int64_t *ret_count);
