/* SPDX-License-Identifier: Apache-2.0 */
/* directory_groups.c - see directory.h: which groups somebody is in, directly and through others.
 */
#include "directory_internal.h"

#include "base/log.h"

#include "base/banned.h"

#define FILTER_BYTES_MAX KIB(64)
#define NAMES_AT_ONCE	 16 /* in one search's filter */

static const char *const no_attributes[] = { "1.1", NULL }; /* RFC 4511 §4.5.1.8 */

struct walk {
	struct ctx *ctx;
	struct ldap_link *link;
	const struct identity_provider *provider;
	struct ldap_dn base;
	bool has_base;
	str filter;
	str groups[EXTERNAL_GROUPS_MAX]; /* in one spelling */
	str names[EXTERNAL_GROUPS_MAX];	 /* as the server spells them */
	size_t count;
	bool too_many;
};

str directory_group_base(const struct identity_provider *provider)
{
	str base = provider_text(provider, PROVIDER_LDAP_GROUP_BASE_DN);
	return base.len ? base : provider_text(provider, PROVIDER_LDAP_BASE_DN);
}

str directory_membership(const struct identity_provider *provider, bool *ret_in_chain)
{
	str attribute = str_trim(provider_text(provider, PROVIDER_LDAP_MEMBERSHIP)), rest;
	*ret_in_chain = str_has_suffix(attribute, STR(":" LDAP_OID_IN_CHAIN ":"));
	(void)str_cut(attribute, ':', &attribute, &rest);
	return attribute;
}

enum ldap_scope directory_scope(const struct identity_provider *provider,
				enum provider_setting setting)
{
	return (enum ldap_scope)provider_i64(provider, setting);
}

void directory_filter_begin(struct ctx *ctx, struct buf *b, str filter)
{
	buf_add(b, STR("(&"));
	buf_add(b, ldap_filter_wrap(ctx, filter));
}

static bool is_known(const struct walk *walk, str group)
{
	for (size_t i = 0; i < walk->count; i++)
		if (str_eq(walk->groups[i], group))
			return true;
	return false;
}

/* Adds a group that is below the base and not there yet. */
static void add_group(struct walk *walk, str name)
{
	struct ldap_dn dn;
	if (!ldap_dn_parse(walk->ctx, name, &dn) ||
	    (walk->has_base && !ldap_dn_is_under(&dn, &walk->base)))
		return;
	str group = ldap_dn_text(walk->ctx, &dn);
	if (is_known(walk, group))
		return;
	if (walk->count == EXTERNAL_GROUPS_MAX) {
		walk->too_many = true;
		return;
	}
	walk->groups[walk->count] = group;
	walk->names[walk->count] = arena_copy(walk->ctx->arena, name);
	walk->count++;
}

static err_t search_groups(struct walk *walk, str base, enum ldap_scope scope, str filter)
{
	const struct ldap_query query = { base, scope, filter, no_attributes,
					  EXTERNAL_GROUPS_MAX + 1 };
	struct ldap_entry *found;
	size_t count;
	bool more;
	TRY(ldap_link_search(walk->ctx, walk->link, &query, &found, &count, &more));
	for (size_t i = 0; i < count; i++)
		add_group(walk, found[i].dn);
	walk->too_many = walk->too_many || more;
	return OK;
}

static err_t search_by(struct walk *walk, const struct buf *filter)
{
	if (buf_overrun(filter))
		return fail(walk->ctx, ERR_LIMIT, "ldap: the filter of groups is too long");
	return search_groups(walk, directory_group_base(walk->provider),
			     directory_scope(walk->provider, PROVIDER_LDAP_GROUP_SCOPE),
			     buf_str(filter));
}

static void add_condition(struct buf *b, const char *attribute, str value)
{
	buf_printf(b, "(%s=", attribute);
	ldap_filter_add(b, value);
	buf_add_byte(b, ')');
}

/* The groups that have these members; `uid` may be empty. */
static err_t search_members(struct walk *walk, const str *names, size_t count, str uid)
{
	CLEANUP(buf_done) struct buf filter = BUF_INIT(FILTER_BYTES_MAX);
	directory_filter_begin(walk->ctx, &filter, walk->filter);
	buf_add(&filter, STR("(|"));
	for (size_t i = 0; i < count; i++) {
		add_condition(&filter, "member", names[i]);
		add_condition(&filter, "uniqueMember", names[i]);
	}
	if (uid.len)
		add_condition(&filter, "memberUid", uid);
	buf_add(&filter, STR("))"));
	return search_by(walk, &filter);
}

static err_t search_in_chain(struct walk *walk, str attribute, str person)
{
	CLEANUP(buf_done) struct buf filter = BUF_INIT(FILTER_BYTES_MAX);
	/* Of people it is called memberOf; of groups, which are searched, member. */
	bool is_default = !attribute.len || str_eq_nocase(attribute, STR("memberof"));
	str name = is_default ? STR("member") : attribute;
	directory_filter_begin(walk->ctx, &filter, walk->filter);
	buf_printf(&filter, "(" STR_FMT ":" LDAP_OID_IN_CHAIN ":=", STR_ARG(name));
	ldap_filter_add(&filter, person);
	buf_add(&filter, STR("))"));
	return search_by(walk, &filter);
}

/* The values of his attribute. Whether one fits the filter only the group itself can tell. */
static err_t take_attribute(struct walk *walk, const struct ldap_entry *person, str attribute,
			    bool *ret_found)
{
	*ret_found = false;
	for (size_t i = 0; i < person->count; i++) {
		const struct ldap_value *value = &person->values[i];
		if (!str_eq_nocase(str_from(value->attribute), attribute))
			continue;
		*ret_found = true;
		if (!walk->filter.len)
			add_group(walk, value->bytes);
		else if (str_is_utf8(value->bytes) && !str_has_byte(value->bytes, '\0'))
			TRY(search_groups(walk, value->bytes, LDAP_BASE, walk->filter));
	}
	return OK;
}

static err_t climb(struct walk *walk)
{
	int64_t levels = provider_i64(walk->provider, PROVIDER_LDAP_NESTING_MAX);
	size_t at = 0;
	for (int64_t level = 0; level < levels && at < walk->count; level++) {
		size_t end = walk->count;
		for (; at < end; at += MIN((size_t)NAMES_AT_ONCE, end - at))
			TRY(search_members(walk, walk->names + at,
					   MIN((size_t)NAMES_AT_ONCE, end - at), STR_NONE));
	}
	return OK;
}

static err_t walk_groups(struct walk *walk, const struct ldap_entry *person, str uid)
{
	bool in_chain, found = false;
	str attribute = directory_membership(walk->provider, &in_chain);
	if (in_chain)
		return search_in_chain(walk, attribute, person->dn);
	if (attribute.len)
		TRY(take_attribute(walk, person, attribute, &found));
	if (!found)
		TRY(search_members(walk, &person->dn, 1, uid));
	return climb(walk);
}

err_t directory_groups_of(struct ctx *ctx, struct ldap_link *link,
			  const struct identity_provider *provider, const struct ldap_entry *person,
			  str uid, const str **ret, size_t *ret_count)
{
	struct walk *walk = ARENA_NEW(ctx->arena, struct walk);
	walk->ctx = ctx;
	walk->link = link;
	walk->provider = provider;
	walk->filter = ldap_filter_wrap(ctx, provider_text(provider, PROVIDER_LDAP_GROUP_FILTER));
	walk->has_base = provider_text(provider, PROVIDER_LDAP_GROUP_BASE_DN).len != 0;
	if (walk->has_base &&
	    !ldap_dn_parse(ctx, provider_text(provider, PROVIDER_LDAP_GROUP_BASE_DN), &walk->base))
		return fail(ctx, ERR_CONFIG, "ldap: group_base_dn is no DN");
	TRY(walk_groups(walk, person, uid));
	if (walk->too_many)
		LOG(LOG_WARN, "somebody is in more groups than are looked at",
		    LOG_STR("dn", person->dn), LOG_I64("groups", EXTERNAL_GROUPS_MAX));
	*ret = walk->groups;
	*ret_count = walk->count;
	return OK;
}
