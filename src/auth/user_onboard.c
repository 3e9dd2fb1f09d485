/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_onboard.c - people from elsewhere: who an identity provider vouches for becomes an account,
 * and the account becomes what the provider says of him now.
 *
 * Somebody is known by issuer and subject alone. A name or an e-mail address that he brings never
 * makes him somebody who is here already: whoever runs a provider could then be anybody.
 */
#include "auth/user.h"
#include "internal.h"

#include "auth/membership.h"
#include "auth/outside.h"

#include "crypto/random.h"
#include "db/db.h"
#include "db/user_group.h"

#include <string.h>

#include "base/banned.h"

#define WISH_BYTES_MAX 200 /* of a wanted name, so that an ending still fits */
#define ENDINGS_MAX    20  /* name, name_2, …, then a random one */
#define ENDING_LEN     8

struct onboard {
	const struct external_user *from;
	str name;     /* wanted */
	bool chosen;  /* by himself: this name or none */
	bool writing; /* in a transaction that may; otherwise `stale` says that one is needed */
	bool stale;
	struct account account;
};

static const char *const kind_sources[PROVIDER_KIND_COUNT] = {
	[PROVIDER_OIDC] = "oidc",
	[PROVIDER_LDAP] = "ldap",
	[PROVIDER_KEYSTONE] = "keystone",
};

static const enum group_type kind_groups[PROVIDER_KIND_COUNT] = {
	[PROVIDER_OIDC] = GROUP_OIDC,
	[PROVIDER_LDAP] = GROUP_LDAP,
	[PROVIDER_KEYSTONE] = GROUP_HTTP,
};

/* --- the account ------------------------------------------------------------------------------ */

/* A name that can be one here, as near as may be to the one he wants. */
static str fit_name(struct ctx *ctx, str wanted)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(WISH_BYTES_MAX + 4);
	str text = str_trim(auth_is_text(wanted) ? wanted : STR_NONE);
	for (size_t i = 0; i < text.len && b.len < WISH_BYTES_MAX; i++) {
		char one = text.ptr[i];
		bool fits = user_check_name(ctx, (str){ &one, 1 }) == OK || (one & 0x80);
		buf_add_byte(&b, fits || one == ' ' ? one : '_');
		ctx_forgive(ctx);
	}
	str name = arena_copy(ctx->arena, str_trim(buf_str(&b)));
	while (name.len && !str_is_utf8(name)) /* cut inside a character */
		name.len--;
	return name.len ? name : STR("user");
}

static str with_ending(struct ctx *ctx, str name, int attempt)
{
	if (attempt == 1)
		return name;
	if (attempt < ENDINGS_MAX)
		return arena_printf(ctx->arena, STR_FMT "_%d", STR_ARG(name), attempt);
	str ending = random_password(ctx->arena, ENDING_LEN);
	return arena_printf(ctx->arena, STR_FMT "_" STR_FMT, STR_ARG(name), STR_ARG(ending));
}

static err_t find(struct ctx *ctx, struct sql_tx *tx, struct onboard *work)
{
	const struct external_user *from = work->from;
	return db_account_find_subject(ctx, tx, from->tenant_id, from->issuer, from->subject,
				       &work->account);
}

/* An address that somebody here has already stays his. */
static err_t free_email(struct ctx *ctx, struct sql_tx *tx, const struct external_user *from,
			str *ret)
{
	bool taken = from->email.len > USER_EMAIL_BYTES_MAX || !auth_is_text(from->email);
	if (from->email.len && !taken)
		TRY(db_account_email_taken(ctx, tx, from->tenant_id, from->email, 0, &taken));
	*ret = taken ? STR_NONE : from->email;
	return OK;
}

static err_t insert(struct ctx *ctx, struct sql_tx *tx, struct onboard *work)
{
	const struct external_user *from = work->from;
	bool fits = from->real_name.len <= USER_REALNAME_BYTES_MAX && auth_is_text(from->real_name);
	struct account account = { .tenant_id = from->tenant_id,
				   .password = STR(""),
				   .realname = fits ? from->real_name : STR(""),
				   .comment = STR(""),
				   .source = str_from(kind_sources[from->kind]),
				   .issuer = from->issuer,
				   .subject = from->subject };
	err_t err = ERR_EXISTS;
	TRY(free_email(ctx, tx, from, &account.email));
	for (int attempt = 1; err == ERR_EXISTS && attempt <= ENDINGS_MAX; attempt++) {
		account.name = with_ending(ctx, work->name, attempt);
		err = db_account_insert(ctx, tx, &account, &account.id);
		if (err == ERR_EXISTS && find(ctx, tx, work) == OK)
			return OK; /* he was here a moment ago, in another window */
		if (err == ERR_EXISTS && work->chosen)
			return err;
	}
	TRY(err);
	return find(ctx, tx, work);
}

/* --- groups ----------------------------------------------------------------------------------- */

/* The first value of a DN: "developers" of "cn=developers,ou=groups,dc=example". */
static str name_of_dn(str dn)
{
	str before, value = dn;
	size_t end = 0;
	str_cut(dn, '=', &before, &value);
	while (end < value.len && (value.ptr[end] != ',' || (end && value.ptr[end - 1] == '\\')))
		end++;
	return str_take(value, end);
}

static struct user_group group_of(const struct external_user *from, str name)
{
	bool by_dn = from->kind == PROVIDER_LDAP;
	return (struct user_group){ .tenant_id = from->tenant_id,
				    .type = kind_groups[from->kind],
				    .name = by_dn ? name_of_dn(name) : name,
				    .dn = by_dn ? name : STR("") };
}

/* DNs ignore case, names do not. */
static bool is_group(const struct user_group *a, const struct user_group *b)
{
	if (a->type != b->type)
		return false;
	return a->dn.len ? str_eq_nocase(a->dn, b->dn) : str_eq(a->name, b->name);
}

static bool has_group(const struct external_user *from, const struct user_group *group)
{
	for (size_t i = 0; i < from->group_count; i++) {
		struct user_group one = group_of(from, from->groups[i]);
		if (is_group(&one, group))
			return true;
	}
	return false;
}

static err_t join_group(struct ctx *ctx, struct sql_tx *tx, int64_t account_id,
			struct user_group *group)
{
	struct user_group found;
	err_t err = db_user_group_find(ctx, tx, group, &found);
	if (err == ERR_ABSENT) {
		err = db_user_group_insert(ctx, tx, group);
		found = *group;
	}
	if (err == ERR_EXISTS) /* another login made it just now */
		err = db_user_group_find(ctx, tx, group, &found);
	TRY(err);
	return db_account_group_insert(ctx, tx, account_id, found.id);
}

struct belonging {
	struct user_group *have;
	size_t count;
	bool changed;
};

static bool is_member(const struct belonging *m, const struct user_group *group)
{
	for (size_t i = 0; i < m->count; i++)
		if (is_group(&m->have[i], group))
			return true;
	return false;
}

static err_t leave_groups(struct ctx *ctx, struct sql_tx *tx, const struct onboard *work,
			  struct belonging *m)
{
	for (size_t i = 0; i < m->count; i++) {
		if (has_group(work->from, &m->have[i]))
			continue;
		m->changed = true;
		if (work->writing)
			TRY(db_account_group_delete(ctx, tx, work->account.id, m->have[i].id));
	}
	return OK;
}

static err_t join_groups(struct ctx *ctx, struct sql_tx *tx, const struct onboard *work,
			 struct belonging *m)
{
	for (size_t i = 0; i < work->from->group_count; i++) {
		struct user_group group = group_of(work->from, work->from->groups[i]);
		if (!group.name.len || !auth_is_text(group.name) || is_member(m, &group))
			continue;
		m->changed = true;
		if (work->writing)
			TRY(join_group(ctx, tx, work->account.id, &group));
	}
	return OK;
}

/* What he is elsewhere, he is here. Any difference raises his epoch. */
static err_t follow_provider(struct ctx *ctx, struct sql_tx *tx, struct onboard *work)
{
	struct belonging m = { .changed = false };
	TRY(db_account_group_elsewhere(ctx, tx, work->account.id, &m.have, &m.count));
	TRY(leave_groups(ctx, tx, work, &m));
	TRY(join_groups(ctx, tx, work, &m));
	if (!m.changed && work->account.admin_elsewhere == work->from->is_admin)
		return OK;
	work->stale = true;
	if (!work->writing)
		return OK;
	TRY(db_account_set_elsewhere(ctx, tx, work->account.id, work->from->is_admin));
	return find(ctx, tx, work);
}

/* --- all of it -------------------------------------------------------------------------------- */

static err_t onboard_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct onboard *work = arg;
	err_t err = find(ctx, tx, work);
	work->stale = err == ERR_ABSENT && (work->from->may_onboard || work->chosen);
	if (work->stale && work->writing)
		err = insert(ctx, tx, work);
	else if (work->stale)
		return OK;
	TRY(err);
	return follow_provider(ctx, tx, work);
}

/* Most logins change nothing, and those write nothing. */
static err_t onboard(struct ctx *ctx, struct auth *auth, struct onboard *work, struct identity *ret)
{
	const struct external_user *from = work->from;
	if (!from->issuer.len || !from->subject.len)
		return fail(ctx, ERR_UPSTREAM_INVALID, "identity provider names nobody");
	TRY(db_run(ctx, auth->db, SQL_READ, onboard_body, work));
	if (work->stale) {
		work->writing = true;
		TRY(db_run(ctx, auth->db, SQL_WRITE, onboard_body, work));
		state_drop(auth, SUBJECT_USER, work->account.id);
		membership_account_changed(auth, work->account.id);
	}
	if (work->account.disabled)
		return fail(ctx, ERR_UNAUTHORIZED, "account is blocked");
	identity_of_account(&work->account, ret);
	ret->external_roles = from->roles;
	ret->external_role_count = from->role_count;
	ret->on_behalf_of = from->on_behalf_of;
	return OK;
}

err_t user_onboard(struct ctx *ctx, struct auth *auth, const struct external_user *from,
		   struct identity *ret)
{
	struct onboard work = { .from = from, .name = fit_name(ctx, from->name) };
	return onboard(ctx, auth, &work, ret);
}

err_t user_onboard_as(struct ctx *ctx, struct auth *auth, const struct external_user *from,
		      str name, struct identity *ret)
{
	struct onboard work = { .from = from, .name = name, .chosen = true };
	TRY(user_check_name(ctx, name));
	return onboard(ctx, auth, &work, ret);
}

/* --- as methods of the chain ------------------------------------------------------------------ */

err_t providers_identify(struct ctx *ctx, struct auth *auth, str user, str password,
			 struct identity *ret)
{
	struct external_user who;
	TRY(outside_identify_password(ctx, auth->outside, ctx->tenant_id, user, password, &who));
	err_t err = user_onboard(ctx, auth, &who, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UNAUTHORIZED, "no account yet, and none is to be made");
	return err;
}

err_t providers_identify_bearer(struct ctx *ctx, struct auth *auth, str token, struct identity *ret)
{
	struct external_user who;
	TRY(outside_identify_bearer(ctx, auth->outside, ctx->tenant_id, token, &who));
	err_t err = user_onboard(ctx, auth, &who, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UNAUTHORIZED, "nobody with this id token has an account");
	return err;
}
