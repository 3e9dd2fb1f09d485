/* SPDX-License-Identifier: Apache-2.0 */
/* immutable.c - see immutable.h. */
#include "registry/immutable.h"
#include "base/buf.h"
#include "base/clock.h"
#include "codec/reference.h"
#include "db/artifact.h"
#include "db/db.h"
#include "db/immutable.h"
#include "db/repository.h"
#include "immutable_told.h"
#include "internal.h"
#include "registry/repository.h"

#include <string.h>

#include "base/banned.h"

#define TAGS_PAGE      1000
#define KEPT_BYTES_MAX KIB(64)

/* --- from memory ------------------------------------------------------------------------------ */

static struct cache_key key_of(int64_t project_id)
{
	return key_in_repository('u', project_id, STR_NONE);
}

void immutable_forget(struct registry *registry, int64_t project_id)
{
	struct cache_key key = key_of(project_id);
	cache_drop(registry->cache, key_str(&key));
}

/* A value of the cache: the rules, then their texts one after another. A text has its length where
 * it was, and finds its bytes again by the order. */
static str pack(struct ctx *ctx, const struct immutable_rule *rules, size_t count)
{
	CLEANUP(buf_done) struct buf packed = BUF_INIT(KEPT_BYTES_MAX);
	if (count)
		buf_add(&packed, (str){ (const char *)rules, count * sizeof *rules });
	for (size_t i = 0; i < count; i++) {
		struct immutable_rule rule = rules[i];
		for (unsigned at = 0; at < IMMUTABLE_TEXTS; at++)
			buf_add(&packed, *immutable_text(&rule, at));
	}
	return arena_copy(ctx->arena, buf_str(&packed));
}

static void unpack(struct ctx *ctx, str packed, size_t count, struct immutability *ret)
{
	if (!count)
		return;
	struct immutable_rule *rules = ARENA_ARRAY(ctx->arena, struct immutable_rule, count);
	memcpy(rules, packed.ptr, count * sizeof *rules);
	str rest = arena_copy(ctx->arena, str_skip(packed, count * sizeof *rules));
	for (size_t i = 0; i < count; i++) {
		for (unsigned at = 0; at < IMMUTABLE_TEXTS; at++) {
			str *text = immutable_text(&rules[i], at);
			*text = str_take(rest, text->len);
			rest = str_skip(rest, text->len);
		}
	}
	ret->rules = rules;
	ret->count = count;
}

static err_t load(struct ctx *ctx, struct registry *registry, int64_t project_id,
		  struct immutable_rule **ret, size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_immutable_list(ctx, &tx, project_id, ret, ret_count);
}

err_t immutability_find_in(struct ctx *ctx, struct registry *registry, int64_t project_id,
			   str repository, struct immutability *ret)
{
	struct immutability found = { .repository = repository };
	struct cache_key key = key_of(project_id);
	CLEANUP(cache_value_done)
	struct cache_value *value = cache_get(registry->cache, key_str(&key));
	if (value) {
		uint64_t count;
		memcpy(&count, value->bytes.ptr, sizeof count);
		unpack(ctx, str_skip(value->bytes, sizeof count), (size_t)count, &found);
		*ret = found;
		return OK;
	}
	uint64_t ticket = cache_ticket(registry->cache, key_str(&key));
	struct immutable_rule *rules;
	TRY(load(ctx, registry, project_id, &rules, &found.count));
	found.rules = rules;
	uint64_t count = found.count;
	str packed = pack(ctx, rules, found.count);
	char *bytes = arena_alloc(ctx->arena, sizeof count + packed.len);
	memcpy(bytes, &count, sizeof count);
	if (packed.len)
		memcpy(bytes + sizeof count, packed.ptr, packed.len);
	value = cache_fill(registry->cache, key_str(&key), ticket,
			   (str){ bytes, sizeof count + packed.len }, 0);
	*ret = found;
	return OK;
}

err_t immutability_find(struct ctx *ctx, struct registry *registry, str repository,
			struct immutability *ret)
{
	struct repository_place place;
	TRY(repository_place(ctx, registry, repository, &place));
	if (place.project_id)
		return immutability_find_in(ctx, registry, place.project_id, place.name, ret);
	*ret = (struct immutability){ .repository = repository };
	return OK;
}

err_t immutability_find_by_id(struct ctx *ctx, struct registry *registry, int64_t repository_id,
			      struct immutability *ret)
{
	struct repository_row row;
	err_t err;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		TRY(registry_read(ctx, registry, &tx));
		err = db_repository_get(ctx, &tx, repository_id, &row);
	}
	if (err == ERR_ABSENT) {
		*ret = (struct immutability){ .count = 0 };
		return OK;
	}
	TRY(err);
	return immutability_find_in(ctx, registry, row.project_id, row.name, ret);
}

/* --- the question ----------------------------------------------------------------------------- */

static str below_project(str repository)
{
	str project, rest;
	return str_cut(repository, '/', &project, &rest) ? rest : repository;
}

const struct immutable_rule *immutability_rule_of(const struct ctx *ctx,
						  const struct immutability *of,
						  const struct tag_state *state, int64_t to_id)
{
	if (!of->count)
		return NULL;
	const struct immutable_asked asked = {
		.repository = below_project(of->repository),
		.tag = state->name,
		.identity = ctx->actor.name,
		.pushed_at_us = state->pushed_at_us,
		.now_us = clock_wall_us(),
		.same_digest = to_id && to_id == state->manifest_id,
	};
	return immutable_decide(of->rules, of->count, &asked);
}

bool immutability_shows(const struct immutability *of, str tag, int64_t pushed_at_us)
{
	const struct immutable_asked asked = {
		.repository = below_project(of->repository),
		.tag = tag,
		.pushed_at_us = pushed_at_us,
		.now_us = of->count ? clock_wall_us() : 0,
	};
	return immutable_shown(of->rules, of->count, &asked) != NULL;
}

/* In Harbor's words, which its clients look for. */
err_t immutability_check(struct ctx *ctx, const struct immutability *of,
			 const struct tag_state *state, int64_t to_id)
{
	const struct immutable_rule *rule = immutability_rule_of(ctx, of, state, to_id);
	if (!rule)
		return OK;
	if (!to_id)
		return fail(ctx, ERR_IMMUTABLE,
			    "the tag " STR_FMT " configured as immutable, cannot be deleted "
			    "(rule %lld of the project)",
			    STR_ARG(state->name), (long long)rule->id);
	return fail(ctx, ERR_IMMUTABLE,
		    "Failed to process request due to '" STR_FMT ":" STR_FMT
		    "' configured as immutable (rule %lld of the project)",
		    STR_ARG(below_project(of->repository)), STR_ARG(state->name),
		    (long long)rule->id);
}

err_t immutability_keeps(struct ctx *ctx, struct sql_tx *tx, const struct immutability *of,
			 int64_t manifest_id, bool *ret)
{
	struct page page = { TAGS_PAGE, 0 };
	struct artifact_tag *tags;
	size_t count = TAGS_PAGE;
	*ret = false;
	for (; !*ret && count == TAGS_PAGE; page.offset += TAGS_PAGE) {
		TRY(db_artifact_tag_page(ctx, tx, manifest_id, STR_NONE, page, &tags, &count));
		for (size_t i = 0; i < count && !*ret; i++) {
			const struct tag_state state = { tags[i].name, manifest_id,
							 tags[i].pushed_at_us };
			*ret = immutability_rule_of(ctx, of, &state, 0) != NULL;
		}
	}
	return OK;
}

err_t immutability_check_all(struct ctx *ctx, struct sql_tx *tx, const struct immutability *of,
			     int64_t repository_id)
{
	if (!of->count)
		return OK;
	TRY(db_repository_lock(ctx, tx, repository_id));
	str last = STR_NONE;
	for (;;) {
		struct tag_state *tags;
		size_t count;
		TRY(db_tag_state_page(ctx, tx, repository_id, last, TAGS_PAGE, &tags, &count));
		for (size_t i = 0; i < count; i++)
			TRY(immutability_check(ctx, of, &tags[i], 0));
		if (count < TAGS_PAGE)
			return OK;
		last = tags[count - 1].name;
	}
}

/* --- the rules -------------------------------------------------------------------------------- */

err_t immutable_rules(struct ctx *ctx, struct registry *registry, int64_t project_id,
		      struct immutable_rule **ret, size_t *ret_count)
{
	return load(ctx, registry, project_id, ret, ret_count);
}

err_t immutable_rule_get(struct ctx *ctx, struct registry *registry, int64_t project_id, int64_t id,
			 struct immutable_rule *ret)
{
	struct immutable_rule *rules;
	size_t count;
	TRY(load(ctx, registry, project_id, &rules, &count));
	for (size_t i = 0; i < count; i++)
		if (rules[i].id == id) {
			*ret = rules[i];
			return OK;
		}
	return fail(ctx, ERR_NOT_FOUND, "the project has no such rule");
}

struct rule_work {
	int64_t project_id;
	struct immutable_rule *rule;
};

static err_t check_others(struct ctx *ctx, struct sql_tx *tx, const struct rule_work *work)
{
	struct immutable_rule *rules;
	size_t count;
	TRY(db_immutable_list(ctx, tx, work->project_id, &rules, &count));
	if (!work->rule->id && count >= IMMUTABLE_RULES_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "a project has at most %d such rules",
			    IMMUTABLE_RULES_MAX);
	for (size_t i = 0; i < count; i++)
		if (rules[i].id != work->rule->id && immutable_rule_same(&rules[i], work->rule))
			return fail(ctx, ERR_EXISTS, "rule %lld says the same",
				    (long long)rules[i].id);
	return OK;
}

static err_t put(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct rule_work *work = arg;
	TRY(db_immutable_hold(ctx, tx, work->project_id));
	TRY(check_others(ctx, tx, work));
	if (work->rule->id)
		return db_immutable_update(ctx, tx, work->project_id, work->rule);
	return db_immutable_insert(ctx, tx, work->project_id, work->rule, &work->rule->id);
}

static err_t run(struct ctx *ctx, struct registry *registry,
		 err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg),
		 struct rule_work *work)
{
	err_t err = db_run(ctx, registry->db, SQL_WRITE, body, work);
	immutable_forget(registry, work->project_id);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "the project is gone, or has no such rule");
	return err;
}

err_t immutable_rule_put(struct ctx *ctx, struct registry *registry, int64_t project_id,
			 struct immutable_rule *rule)
{
	struct immutable_rule asked = *rule;
	struct rule_work work = { project_id, &asked };
	struct immutable_problem problem;
	if (!immutable_rule_check(rule, &problem))
		return fail(ctx, ERR_REQUEST_INVALID, "%s: %s", problem.member, problem.why);
	TRY(run(ctx, registry, put, &work));
	rule->id = asked.id;
	return OK;
}

static err_t delete_rule(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct rule_work *work = arg;
	TRY(db_immutable_hold(ctx, tx, work->project_id));
	return db_immutable_delete(ctx, tx, work->project_id, work->rule->id);
}

err_t immutable_rule_delete(struct ctx *ctx, struct registry *registry, int64_t project_id,
			    int64_t id)
{
	struct immutable_rule rule = { .id = id };
	struct rule_work work = { project_id, &rule };
	return run(ctx, registry, delete_rule, &work);
}
