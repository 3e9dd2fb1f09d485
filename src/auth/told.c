/* SPDX-License-Identifier: Apache-2.0 */
/* told.c - see told.h. */
#include "auth/told.h"
#include "auth/membership.h"
#include "auth/tenant.h"
#include "internal.h"

#include "base/banned.h"

static bool read_id(str text, int64_t *ret)
{
	uint64_t id;
	if (!str_to_u64(text, INT64_MAX, &id))
		return false;
	*ret = (int64_t)id;
	return true;
}

static bool user_told(struct auth *auth, str rest)
{
	int64_t id;
	if (!read_id(rest, &id))
		return false;
	state_drop(auth, SUBJECT_USER, id);
	membership_account_changed(auth, id);
	return true;
}

static bool robot_told(struct auth *auth, str rest)
{
	int64_t id;
	if (!read_id(rest, &id))
		return false;
	state_drop(auth, SUBJECT_ROBOT, id);
	return true;
}

/* `<of what> <id>`, for the words that have kinds. */
static bool read_kind(str rest, char *ret_kind, int64_t *ret_id)
{
	str kind;
	if (!str_cut(rest, ' ', &kind, &rest) || kind.len != 1)
		return false;
	*ret_kind = kind.ptr[0];
	return read_id(rest, ret_id);
}

static bool secret_told(struct auth *auth, str rest)
{
	char kind;
	int64_t id;
	if (!read_kind(rest, &kind, &id))
		return false;
	state_drop_secret(auth, kind == 'o' ? SUBJECT_ROBOT : SUBJECT_USER, id);
	return true;
}

static bool session_told(struct auth *auth, str rest)
{
	session_forget(auth, &rest, 1);
	return true;
}

static bool member_told(struct auth *auth, str rest)
{
	char kind;
	int64_t id;
	if (!read_kind(rest, &kind, &id))
		return false;
	if (kind == 'p')
		membership_project_changed(auth, id);
	else if (kind == 'a')
		membership_account_changed(auth, id);
	else
		membership_all_changed(auth);
	return true;
}

static bool logins_told(struct auth *auth, str rest)
{
	membership_all_changed(auth);
	auth_forget_logins(auth);
	return true;
}

static bool tenants_told(struct auth *auth, str rest)
{
	tenant_forget(auth);
	return true;
}

static const struct {
	const char *word;
	bool (*told)(struct auth *auth, str rest);
} words[] = {
	{ "u", user_told },   { "o", robot_told },  { "e", secret_told }, { "s", session_told },
	{ "g", member_told }, { "l", logins_told }, { "n", logins_told }, { "h", tenants_told },
};

bool auth_told(struct auth *auth, str payload)
{
	str word = payload, rest = STR_NONE;
	(void)str_cut(payload, ' ', &word, &rest);
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_eq(word, str_from(words[i].word)))
			return words[i].told(auth, rest);
	return false;
}

void auth_trust(struct auth *auth, enum cache_trust trust)
{
	cache_trust(auth->cache, trust);
	cache_trust(auth->tenants, trust);
}
