/* SPDX-License-Identifier: Apache-2.0 */
/* membership.c - see membership.h. What is remembered is a head, the custom grants, then their
 * globs. */
#include "auth/membership.h"

#include "auth/role_grants.h"
#include "internal.h"

#include "base/clock.h"
#include "db/db.h"
#include "db/project_member.h"

#include <string.h>

#include "base/banned.h"

struct image_head {
	uint32_t roles, custom_count;
	int64_t until_us; /* 16 bytes, so that the grants are aligned */
};

struct image_grant {
	struct action_set actions;
	uint64_t glob_len;
};

struct membership_key {
	char kind;
	unsigned char unused[3];
	uint32_t marks[3];
	int64_t account_id, epoch, project_id;
};

static uint32_t mark_of(_Atomic(uint32_t) *marks, int64_t id)
{
	return atomic_load(&marks[(uint64_t)id % MEMBERSHIP_MARKS]);
}

static void make_key(struct auth *auth, const struct identity *who, int64_t project_id,
		     struct membership_key *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->kind = 'M';
	ret->marks[0] = mark_of(auth->memberships.projects, project_id);
	ret->marks[1] = mark_of(auth->memberships.accounts, who->id);
	ret->marks[2] = atomic_load(&auth->memberships.all);
	ret->account_id = who->id;
	ret->epoch = who->epoch;
	ret->project_id = project_id;
}

static void grow(_Atomic(uint32_t) *marks, int64_t id)
{
	atomic_fetch_add(&marks[(uint64_t)id % MEMBERSHIP_MARKS], 1);
}

void membership_project_changed(struct auth *auth, int64_t project_id)
{
	grow(auth->memberships.projects, project_id);
}

void membership_account_changed(struct auth *auth, int64_t account_id)
{
	grow(auth->memberships.accounts, account_id);
}

void membership_all_changed(struct auth *auth)
{
	atomic_fetch_add(&auth->memberships.all, 1);
}

/* --- reading ---------------------------------------------------------------------------------- */

struct held_work {
	int64_t project_id, account_id, now_us;
	struct member_role *held;
	size_t count;
};

static err_t read_held(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct held_work *work = arg;
	return db_member_held(ctx, tx, work->project_id, work->account_id, &work->held,
			      &work->count);
}

/* Puts together what the rows say. */
static err_t add_up(struct ctx *ctx, const struct held_work *work, struct membership *ret)
{
	struct membership sum = { .until_us = INT64_MAX };
	struct role_grants grants = { 0 };
	for (size_t i = 0; i < work->count; i++) {
		const struct member_role *held = &work->held[i];
		if (held->expires_at_us && held->expires_at_us <= work->now_us)
			continue; /* by our clock; the database has looked at its own */
		if (project_role_is_known(held->role_id))
			sum.roles |= PROJECT_ROLE_BIT(held->role_id);
		else
			TRY(role_grants_read(ctx, held->grants, &grants));
		if (held->expires_at_us)
			sum.until_us = MIN(sum.until_us, held->expires_at_us);
	}
	sum.custom = grants.items;
	sum.custom_count = grants.count;
	*ret = sum;
	return OK;
}

static str make_image(struct arena *arena, const struct membership *m)
{
	size_t grants_at = sizeof(struct image_head);
	size_t texts_at = grants_at + m->custom_count * sizeof(struct image_grant), len = texts_at;
	for (size_t i = 0; i < m->custom_count; i++)
		len += m->custom[i].repository_glob.len;
	char *image = arena_alloc(arena, len), *at = image + texts_at;
	*(struct image_head *)(void *)image =
		(struct image_head){ m->roles, (uint32_t)m->custom_count, m->until_us };
	struct image_grant *grants = (void *)(image + grants_at);
	for (size_t i = 0; i < m->custom_count; i++) {
		str glob = m->custom[i].repository_glob;
		grants[i] = (struct image_grant){ m->custom[i].actions, glob.len };
		if (glob.len)
			memcpy(at, glob.ptr, glob.len);
		at += glob.len;
	}
	return (str){ image, len };
}

static void view_image(struct arena *arena, str image, struct membership *ret)
{
	const struct image_head *head = (const void *)image.ptr; /* cache values are aligned */
	*ret = (struct membership){ .roles = head->roles,
				    .custom_count = head->custom_count,
				    .until_us = head->until_us };
	if (!head->custom_count)
		return;
	image = arena_copy(arena, image); /* the value need not be pinned */
	const struct image_grant *grants = (const void *)(image.ptr + sizeof *head);
	struct custom_grant *custom = ARENA_ARRAY(arena, struct custom_grant, ret->custom_count);
	const char *at = (const char *)(grants + ret->custom_count);
	for (size_t i = 0; i < ret->custom_count; i++) {
		custom[i] = (struct custom_grant){ grants[i].actions, { at, grants[i].glob_len } };
		at += grants[i].glob_len;
	}
	ret->custom = custom;
}

static err_t read_image(struct ctx *ctx, struct auth *auth, const struct identity *who,
			int64_t project_id, str *ret, int64_t *ret_expires_ns)
{
	/* Before the other clock, and before what takes its time: no grant outlives its end. */
	int64_t began_ns = clock_now_ns();
	struct held_work work = { .project_id = project_id,
				  .account_id = who->id,
				  .now_us = clock_wall_us() };
	struct membership sum;
	TRY(db_run(ctx, auth->db, SQL_READ, read_held, &work));
	TRY(add_up(ctx, &work, &sum));
	int64_t left_us = MIN(sum.until_us - work.now_us, MEMBERSHIP_REMEMBER_S * INT64_C(1000000));
	*ret_expires_ns = began_ns + MAX(left_us, 1) * CLOCK_US;
	*ret = make_image(ctx->arena, &sum);
	return OK;
}

err_t membership_find(struct ctx *ctx, struct auth *auth, const struct identity *who,
		      int64_t project_id, struct membership *ret)
{
	*ret = (struct membership){ .until_us = INT64_MAX };
	if (who->subject != SUBJECT_USER || !who->id || who->by_token)
		return OK;
	struct membership_key key_bytes;
	make_key(auth, who, project_id, &key_bytes);
	str key = { (const char *)&key_bytes, sizeof key_bytes };
	CLEANUP(cache_value_done) struct cache_value *value = cache_get(auth->cache, key);
	if (!value) {
		uint64_t ticket = cache_ticket(auth->cache, key);
		str image;
		int64_t expires_ns;
		TRY(read_image(ctx, auth, who, project_id, &image, &expires_ns));
		value = cache_fill(auth->cache, key, ticket, image, expires_ns);
	}
	view_image(ctx->arena, value->bytes, ret);
	return OK;
}

struct anywhere_work {
	int64_t account_id;
	bool found;
};

static err_t find_anywhere(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct anywhere_work *work = arg;
	return db_member_holds_anywhere(ctx, tx, PROJECT_ADMIN, work->account_id, &work->found);
}

err_t membership_administers_any(struct ctx *ctx, struct auth *auth, const struct identity *who,
				 bool *ret)
{
	struct anywhere_work work = { .account_id = who->id };
	if (who->subject == SUBJECT_USER && who->id && !who->by_token)
		TRY(db_run(ctx, auth->db, SQL_READ, find_anywhere, &work));
	*ret = work.found;
	return OK;
}

struct projects_work {
	int64_t account_id;
	size_t max;
	int64_t *ids;
	size_t count;
};

static err_t list_projects(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct projects_work *work = arg;
	return db_member_projects(ctx, tx, work->account_id, clock_wall_us(), work->max, &work->ids,
				  &work->count);
}

err_t membership_projects(struct ctx *ctx, struct auth *auth, const struct identity *who,
			  size_t max, int64_t **ret, size_t *ret_count)
{
	struct projects_work work = { .account_id = who->id, .max = max };
	if (who->subject == SUBJECT_USER && who->id && !who->by_token)
		TRY(db_run(ctx, auth->db, SQL_READ, list_projects, &work));
	*ret = work.ids;
	*ret_count = work.count;
	return OK;
}
