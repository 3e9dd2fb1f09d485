/* SPDX-License-Identifier: Apache-2.0 */
/* directory.c - see directory.h: connections, people, and what administrators search for. */
#include "directory_internal.h"
#include "provider_internal.h"

#include "base/cache.h"
#include "base/clock.h"
#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/hmac.h"
#include "crypto/random.h"
#include "os/thread.h"

#include <string.h>

#include "base/banned.h"

#define KEY_BYTES	  32
#define CACHE_BYTES_MAX	  MIB(4)
#define USER_BYTES_MAX	  255
#define FILTER_BYTES_MAX  KIB(40)
#define ANSWERS_PER_LOGIN 3 /* a whole login may take so many timeouts */

struct kept_link {
	struct ldap_link *link; /* NULL: free */
	char *key;
	int64_t since_ns;
};

struct directory {
	const struct outbound *outbound;
	struct cache *cache;	   /* keyed hash: what is known of somebody, as JSON */
	char cache_key[KEY_BYTES]; /* of this process only */
	pthread_mutex_t lock;
	struct kept_link kept[DIRECTORY_LINKS_MAX];
};

struct directory *directory_new(const struct outbound *outbound)
{
	struct directory *directory = NEW(struct directory);
	directory->outbound = outbound;
	/* Else libldap takes settings from files of the machine and the home. Nobody else runs yet.
	 */
	setenv("LDAPNOINIT", "1", 1);
	directory->cache = cache_new(CACHE_BYTES_MAX);
	random_bytes(directory->cache_key, sizeof directory->cache_key);
	pthread_mutex_init(&directory->lock, NULL);
	return directory;
}

static void forget_link(struct kept_link *kept)
{
	ldap_link_close(kept->link);
	free(kept->key);
	*kept = (struct kept_link){ 0 };
}

void directory_free(struct directory *directory)
{
	if (!directory)
		return;
	for (size_t i = 0; i < DIRECTORY_LINKS_MAX; i++)
		forget_link(&directory->kept[i]);
	pthread_mutex_destroy(&directory->lock);
	cache_free(directory->cache);
	explicit_bzero(directory->cache_key, sizeof directory->cache_key);
	free(directory);
}

/* --- connections ---------------------------------------------------------------------------- */

static struct ldap_server server_of(struct ctx *ctx, const struct identity_provider *provider)
{
	str url = str_trim(provider_text(provider, PROVIDER_LDAP_URL));
	size_t at;
	if (url.len && !str_find(url, STR("://"), &at)) /* as Harbor takes it */
		url = arena_printf(ctx->arena, "ldap://" STR_FMT, STR_ARG(url));
	return (struct ldap_server){
		.url = url,
		.starttls = provider_bool(provider, PROVIDER_LDAP_STARTTLS),
		.verify_cert = provider_bool(provider, PROVIDER_LDAP_VERIFY_CERT),
		.ca_pem = provider_text(provider, PROVIDER_LDAP_CA),
		.timeout_s = provider_i64(provider, PROVIDER_LDAP_TIMEOUT_S),
		.tenant_id = provider->tenant_id,
	};
}

/* Who trusts differently, speaks to somebody else, or may not go everywhere needs another
 * connection. */
static str link_key(struct ctx *ctx, const struct ldap_server *server)
{
	return arena_printf(ctx->arena, STR_FMT "\n%d%d %lld %lld\n" STR_FMT, STR_ARG(server->url),
			    server->starttls, server->verify_cert, (long long)server->timeout_s,
			    (long long)server->tenant_id, STR_ARG(server->ca_pem));
}

static struct ldap_link *take_kept(struct directory *directory, str key)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&directory->lock);
	int64_t oldest_ns = clock_now_ns() - DIRECTORY_LINK_LIFE_S * CLOCK_S;
	struct ldap_link *found = NULL;
	for (size_t i = 0; i < DIRECTORY_LINKS_MAX; i++) {
		struct kept_link *kept = &directory->kept[i];
		if (!kept->link)
			continue;
		if (kept->since_ns < oldest_ns) {
			forget_link(kept);
		} else if (!found && str_eq(str_from(kept->key), key)) {
			found = take(kept->link);
			free(kept->key);
			*kept = (struct kept_link){ 0 };
		}
	}
	return found;
}

static void keep(struct directory *directory, str key, struct ldap_link *link)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&directory->lock);
	for (size_t i = 0; link && !ldap_link_is_dead(link) && i < DIRECTORY_LINKS_MAX; i++)
		if (!directory->kept[i].link) {
			directory->kept[i] =
				(struct kept_link){ link, mem_copy(key), clock_now_ns() };
			return;
		}
	ldap_link_close(link);
}

static err_t bind_own(struct ctx *ctx, struct ldap_link *link,
		      const struct identity_provider *provider)
{
	err_t err = ldap_link_bind(ctx, link, provider_text(provider, PROVIDER_LDAP_SEARCH_DN),
				   provider_text(provider, PROVIDER_LDAP_SEARCH_PASSWORD));
	if (err != ERR_UNAUTHORIZED)
		return err;
	ctx_forgive(ctx);
	return fail(ctx, ERR_UPSTREAM_INVALID, "ldap: the search DN or its password is wrong");
}

/* A conversation with the directory: a connection bound with the provider's own name, by a deadline
 * of its own. */
struct talk {
	struct ctx *ctx;
	struct directory *directory; /* NULL: the connection is not kept */
	str key;
	struct ldap_link *link;
	int64_t deadline_before_ns;
};
#define TALK_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}

static void talk_done(struct talk *talk)
{
	if (!talk->ctx)
		return;
	talk->ctx->deadline_ns = talk->deadline_before_ns;
	if (talk->directory)
		keep(talk->directory, talk->key, talk->link);
	else
		ldap_link_close(talk->link);
}

static err_t talk_begin(struct ctx *ctx, struct directory *directory, bool keeps,
			const struct identity_provider *provider, struct talk *ret)
{
	struct ldap_server server = server_of(ctx, provider);
	server.outbound = directory->outbound;
	int64_t timeout_s = MIN(MAX(server.timeout_s, 1), LDAP_TIMEOUT_S_MAX);
	int64_t until_ns = clock_now_ns() + ANSWERS_PER_LOGIN * timeout_s * CLOCK_S;
	*ret = (struct talk){ .ctx = ctx,
			      .directory = keeps ? directory : NULL,
			      .key = link_key(ctx, &server),
			      .deadline_before_ns = ctx->deadline_ns };
	if (!ctx->deadline_ns || until_ns < ctx->deadline_ns)
		ctx->deadline_ns = until_ns;
	ret->link = keeps ? take_kept(directory, ret->key) : NULL;
	if (ret->link) {
		if (bind_own(ctx, ret->link, provider) == OK)
			return OK;
		/* Servers close what is idle; whatever else it was shows again. */
		ctx_forgive(ctx);
		ldap_link_close(take(ret->link));
	}
	TRY(ldap_link_open(ctx, &server, &ret->link));
	return bind_own(ctx, ret->link, provider);
}

/* Our own deadline has passed, not the request's: the directory is slow. */
static err_t slow_is_unreachable(struct ctx *ctx, const struct talk *talk, err_t err)
{
	int64_t before_ns = talk->deadline_before_ns;
	if (err != ERR_DEADLINE || (before_ns && before_ns <= clock_now_ns()))
		return err;
	ctx_forgive(ctx);
	return fail(ctx, ERR_UPSTREAM_UNREACHABLE, "ldap: no answer in time");
}

/* --- people --------------------------------------------------------------------------------- */

/* What a directory never gives to a second entry; the name of the entry where it has none. */
static str subject_of(struct ctx *ctx, const struct ldap_entry *entry)
{
	static const str ids[] = { STR_INIT("entryUUID"), STR_INIT("objectGUID"),
				   STR_INIT("ipaUniqueID"), STR_INIT("nsUniqueId") };
	struct ldap_dn dn;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		str id = ldap_entry_get(entry, ids[i]);
		if (!id.len || id.len > USER_BYTES_MAX / 2)
			continue;
		if (!str_eq(ids[i], STR("objectGUID")))
			return id;
		char *hex = arena_alloc(ctx->arena, 2 * id.len + 1);
		hex_encode(id, hex);
		return (str){ hex, 2 * id.len };
	}
	return ldap_dn_parse(ctx, entry->dn, &dn) ? ldap_dn_text(ctx, &dn) : STR_NONE;
}

static str first_text(const struct ldap_entry *entry, const str *attributes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		str text = ldap_entry_get(entry, attributes[i]);
		if (text.len && str_is_utf8(text) && !str_has_byte(text, '\0'))
			return text;
	}
	return STR_NONE;
}

/* The value of the attribute that is what he typed, as the directory spells it. Directories find
 * more, for to them blanks at the ends and many letters of Unicode are alike; but wrong passwords
 * are counted by what was typed, and one person must not have a hundred names to be tried under. */
static str name_of(const struct ldap_entry *entry, str attribute, str typed)
{
	for (size_t i = 0; i < entry->count; i++)
		if (str_eq_nocase(str_from(entry->values[i].attribute), attribute) &&
		    str_eq_nocase(entry->values[i].bytes, typed))
			return entry->values[i].bytes;
	return STR_NONE;
}

static void describe(struct ctx *ctx, const struct identity_provider *provider,
		     const struct ldap_entry *entry, str typed, struct external_user *ret)
{
	static const str mail[] = { STR_INIT("mail"), STR_INIT("email") };
	str uid = provider_text(provider, PROVIDER_LDAP_UID);
	static const str real[] = { STR_INIT("displayName"), STR_INIT("cn"), STR_INIT("uid") };
	*ret = (struct external_user){
		.kind = PROVIDER_LDAP,
		.provider_id = provider->id,
		.tenant_id = provider->tenant_id,
		.issuer = provider_text(provider, PROVIDER_LDAP_URL),
		.subject = subject_of(ctx, entry),
		.name = typed.len ? name_of(entry, uid, typed) : first_text(entry, &uid, 1),
		.email = first_text(entry, mail, COUNT_OF(mail)),
		.real_name = first_text(entry, real, COUNT_OF(real)),
		.may_onboard = true,
	};
}

static err_t search_people(struct ctx *ctx, struct talk *talk,
			   const struct identity_provider *provider, str user, size_t max,
			   struct ldap_entry **ret, size_t *ret_count)
{
	CLEANUP(buf_done) struct buf filter = BUF_INIT(FILTER_BYTES_MAX);
	bool in_chain, more;
	str uid = provider_text(provider, PROVIDER_LDAP_UID);
	str membership = directory_membership(provider, &in_chain);
	const char *attributes[] = { arena_cstr(ctx->arena, uid),
				     "cn",
				     "uid",
				     "displayName",
				     "mail",
				     "email",
				     "entryUUID",
				     "objectGUID",
				     "ipaUniqueID",
				     "nsUniqueId",
				     membership.len && !in_chain
					     ? arena_cstr(ctx->arena, membership)
					     : NULL,
				     NULL };
	directory_filter_begin(ctx, &filter, provider_text(provider, PROVIDER_LDAP_FILTER));
	buf_printf(&filter, "(" STR_FMT "=", STR_ARG(uid));
	if (user.len)
		ldap_filter_add(&filter, user);
	else
		buf_add_byte(&filter, '*');
	buf_add(&filter, STR("))"));
	if (buf_overrun(&filter))
		return fail(ctx, ERR_CONFIG, "ldap: the filter of people is too long");
	const struct ldap_query query = { provider_text(provider, PROVIDER_LDAP_BASE_DN),
					  directory_scope(provider, PROVIDER_LDAP_SCOPE),
					  buf_str(&filter), attributes, max };
	return ldap_link_search(ctx, talk->link, &query, ret, ret_count, &more);
}

/* Exactly one: whose password would it be otherwise? */
static err_t find_person(struct ctx *ctx, struct talk *talk,
			 const struct identity_provider *provider, str user, struct ldap_entry *ret)
{
	struct ldap_entry *found;
	size_t count;
	TRY(search_people(ctx, talk, provider, user, 2, &found, &count));
	if (!count)
		return ERR_ABSENT;
	if (count > 1)
		return fail(ctx, ERR_UNAUTHORIZED, "ldap: several entries have this name");
	if (!found[0].dn.len)
		return fail(ctx, ERR_UPSTREAM_INVALID, "ldap: an entry without a name");
	*ret = found[0];
	return OK;
}

static err_t add_groups(struct ctx *ctx, struct talk *talk,
			const struct identity_provider *provider, const struct ldap_entry *entry,
			struct external_user *user)
{
	struct ldap_dn admins;
	str admin_dn = provider_text(provider, PROVIDER_LDAP_GROUP_ADMIN_DN);
	TRY(directory_groups_of(ctx, talk->link, provider, entry, user->name, &user->groups,
				&user->group_count));
	if (!admin_dn.len)
		return OK;
	if (!ldap_dn_parse(ctx, admin_dn, &admins))
		return fail(ctx, ERR_CONFIG, "ldap: group_admin_dn is no DN");
	str name = ldap_dn_text(ctx, &admins);
	for (size_t i = 0; i < user->group_count; i++)
		user->is_admin = user->is_admin || str_eq(user->groups[i], name);
	return OK;
}

static bool is_name(str user)
{
	return user.len && user.len <= USER_BYTES_MAX && str_is_utf8(user) &&
	       !str_has_byte(user, '\0');
}

static err_t identify_in(struct ctx *ctx, struct talk *talk,
			 const struct identity_provider *provider, str user, str password,
			 struct external_user *ret)
{
	struct ldap_entry entry;
	TRY(find_person(ctx, talk, provider, user, &entry));
	describe(ctx, provider, &entry, user, ret);
	if (!ret->name.len)
		return ERR_ABSENT;
	if (!ret->subject.len)
		return fail(ctx, ERR_UPSTREAM_INVALID, "ldap: an entry without a name of its own");
	if (password.ptr) {
		TRY(ldap_link_bind(ctx, talk->link, entry.dn, password));
		TRY(bind_own(ctx, talk->link, provider));
	}
	return add_groups(ctx, talk, provider, &entry, ret);
}

err_t directory_describe(struct ctx *ctx, struct directory *directory,
			 const struct identity_provider *provider, str user,
			 struct external_user *ret)
{
	CLEANUP(talk_done) struct talk talk = TALK_INIT;
	if (!is_name(user))
		return ERR_ABSENT;
	err_t err = talk_begin(ctx, directory, true, provider, &talk);
	if (err == OK)
		err = identify_in(ctx, &talk, provider, user, STR_NONE, ret);
	return slow_is_unreachable(ctx, &talk, err);
}

/* --- what is remembered --------------------------------------------------------------------- */

/* Lengths in front, so that no two sets of settings, names and passwords look alike. */
static str cache_key_of(struct ctx *ctx, const struct directory *directory,
			const struct identity_provider *provider, str user, str password)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(PROVIDER_SETTINGS_MAX + KIB(64));
	char *mac = arena_alloc(ctx->arena, HMAC_SHA256_BYTES);
	const str parts[] = { user, password };
	buf_printf(&b, "%lld ", (long long)provider->id);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		buf_printf(&b, "%zu ", parts[i].len);
		buf_add(&b, parts[i]);
	}
	for (size_t i = 0; i < PROVIDER_SETTING_COUNT; i++) {
		buf_printf(&b, "%zu ", provider->values[i].len);
		buf_add(&b, provider->values[i]);
	}
	hmac_sha256((str){ directory->cache_key, KEY_BYTES }, buf_str(&b), (unsigned char *)mac);
	bool whole = !buf_overrun(&b);
	explicit_bzero(b.ptr, b.len);
	return whole ? (str){ mac, HMAC_SHA256_BYTES } : STR_NONE;
}

static void remember(struct directory *directory, str key, uint64_t ticket,
		     const struct external_user *user)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(1));
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "subject", user->subject);
	json_write_str(&w, "name", user->name);
	json_write_str(&w, "email", user->email);
	json_write_str(&w, "real_name", user->real_name);
	json_write_bool(&w, "is_admin", user->is_admin);
	json_write_array_begin(&w, "groups");
	for (size_t i = 0; i < user->group_count; i++)
		json_write_str(&w, NULL, user->groups[i]);
	json_write_array_end(&w);
	json_write_object_end(&w);
	if (!buf_overrun(&b))
		cache_put(cache_fill(directory->cache, key, ticket, buf_str(&b),
				     clock_now_ns() + DIRECTORY_REMEMBER_S * CLOCK_S));
}

static bool recall(struct ctx *ctx, const struct identity_provider *provider, str bytes,
		   struct external_user *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const struct json_value *groups;
	struct external_user user = { .kind = PROVIDER_LDAP,
				      .provider_id = provider->id,
				      .tenant_id = provider->tenant_id,
				      .issuer = provider_text(provider, PROVIDER_LDAP_URL),
				      .may_onboard = true };
	str *const texts[] = { &user.subject, &user.name, &user.email, &user.real_name };
	static const char *const keys[] = { "subject", "name", "email", "real_name" };
	if (!json_parse(bytes, JSON_LIMITS_SMALL, &doc, &problem) ||
	    json_get_bool(doc.root, "is_admin", &user.is_admin) != JSON_FOUND ||
	    json_get_array(doc.root, "groups", &groups) != JSON_FOUND)
		return false;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (json_get_str(doc.root, keys[i], texts[i]) != JSON_FOUND)
			return false;
		*texts[i] = arena_copy(ctx->arena, *texts[i]);
	}
	str *names = ARENA_ARRAY(ctx->arena, str, json_count(groups));
	for (size_t i = 0; i < json_count(groups); i++)
		names[i] = arena_copy(ctx->arena, json_value_str(json_element(groups, i)));
	user.groups = names;
	user.group_count = json_count(groups);
	*ret = user;
	return true;
}

err_t directory_identify(struct ctx *ctx, struct directory *directory,
			 const struct identity_provider *provider, str user, str password,
			 struct external_user *ret)
{
	CLEANUP(talk_done) struct talk talk = TALK_INIT;
	if (!is_name(user))
		return ERR_ABSENT;
	/* A bind with a name and no password is answered with success (RFC 4513 §5.1.2). */
	if (!password.len || str_has_byte(password, '\0'))
		return fail(ctx, ERR_UNAUTHORIZED, "ldap: no password");
	str key = cache_key_of(ctx, directory, provider, user, password);
	if (!key.len)
		return fail(ctx, ERR_UNAUTHORIZED, "ldap: name or password too long");
	CLEANUP(cache_value_done) struct cache_value *known = cache_get(directory->cache, key);
	if (known && recall(ctx, provider, known->bytes, ret))
		return OK;
	uint64_t ticket = cache_ticket(directory->cache, key);
	err_t err = talk_begin(ctx, directory, true, provider, &talk);
	if (err == OK)
		err = identify_in(ctx, &talk, provider, user, password, ret);
	if (err == OK)
		remember(directory, key, ticket, ret);
	return slow_is_unreachable(ctx, &talk, err);
}

/* --- for administrators --------------------------------------------------------------------- */

err_t directory_people(struct ctx *ctx, struct directory *directory,
		       const struct identity_provider *provider, str user,
		       struct external_user **ret, size_t *ret_count)
{
	CLEANUP(talk_done) struct talk talk = TALK_INIT;
	struct ldap_entry *found = NULL;
	size_t count = 0;
	err_t err = talk_begin(ctx, directory, true, provider, &talk);
	if (err == OK)
		err = search_people(ctx, &talk, provider, user, DIRECTORY_FOUND_MAX, &found,
				    &count);
	TRY(slow_is_unreachable(ctx, &talk, err));
	*ret = ARENA_ARRAY(ctx->arena, struct external_user, count);
	for (size_t i = 0; i < count; i++)
		describe(ctx, provider, &found[i], user, *ret + i);
	*ret_count = count;
	return OK;
}

static err_t search_named_groups(struct ctx *ctx, struct talk *talk,
				 const struct identity_provider *provider, str name, str dn,
				 struct directory_group **ret, size_t *ret_count)
{
	CLEANUP(buf_done) struct buf filter = BUF_INIT(FILTER_BYTES_MAX);
	str attribute = provider_text(provider, PROVIDER_LDAP_GROUP_NAME);
	if (!attribute.len)
		attribute = STR("cn");
	directory_filter_begin(ctx, &filter, provider_text(provider, PROVIDER_LDAP_GROUP_FILTER));
	buf_printf(&filter, "(" STR_FMT "=*", STR_ARG(attribute));
	if (name.len) {
		ldap_filter_add(&filter, name);
		buf_add_byte(&filter, '*');
	}
	buf_add(&filter, STR("))"));
	if (buf_overrun(&filter))
		return fail(ctx, ERR_REQUEST_INVALID, "ldap: the name of the group is too long");
	const char *const attributes[] = { arena_cstr(ctx->arena, attribute), NULL };
	const struct ldap_query query = {
		dn.len ? dn : directory_group_base(provider),
		dn.len ? LDAP_BASE : directory_scope(provider, PROVIDER_LDAP_GROUP_SCOPE),
		buf_str(&filter), attributes, DIRECTORY_FOUND_MAX
	};
	struct ldap_entry *found;
	bool more;
	TRY(ldap_link_search(ctx, talk->link, &query, &found, ret_count, &more));
	*ret = ARENA_ARRAY(ctx->arena, struct directory_group, *ret_count);
	for (size_t i = 0; i < *ret_count; i++)
		(*ret)[i] = (struct directory_group){ first_text(&found[i], &attribute, 1),
						      found[i].dn };
	return OK;
}

err_t directory_groups(struct ctx *ctx, struct directory *directory,
		       const struct identity_provider *provider, str name, str dn,
		       struct directory_group **ret, size_t *ret_count)
{
	CLEANUP(talk_done) struct talk talk = TALK_INIT;
	struct ldap_dn parsed;
	if (dn.len && !ldap_dn_parse(ctx, dn, &parsed))
		return fail(ctx, ERR_REQUEST_INVALID, "the group's DN is none");
	err_t err = talk_begin(ctx, directory, true, provider, &talk);
	if (err == OK)
		err = search_named_groups(ctx, &talk, provider, name, dn, ret, ret_count);
	return slow_is_unreachable(ctx, &talk, err);
}

err_t directory_ping(struct ctx *ctx, struct directory *directory,
		     const struct identity_provider *provider)
{
	static const char *const nothing[] = { "1.1", NULL };
	CLEANUP(talk_done) struct talk talk = TALK_INIT;
	const struct ldap_query query = { provider_text(provider, PROVIDER_LDAP_BASE_DN), LDAP_BASE,
					  STR("(objectClass=*)"), nothing, 1 };
	struct ldap_entry *found;
	size_t count = 0;
	bool more;
	err_t err = talk_begin(ctx, directory, false, provider, &talk);
	if (err == OK)
		err = ldap_link_search(ctx, talk.link, &query, &found, &count, &more);
	TRY(slow_is_unreachable(ctx, &talk, err));
	if (!count)
		return fail(ctx, ERR_UPSTREAM_INVALID, "ldap: the base DN is not there");
	return OK;
}

static err_t check_dn(struct ctx *ctx, const struct identity_provider *provider,
		      enum provider_setting setting, const char *what)
{
	struct ldap_dn dn;
	str text = provider_text(provider, setting);
	if (text.len && !ldap_dn_parse(ctx, text, &dn))
		return fail(ctx, ERR_REQUEST_INVALID, "%s is no DN", what);
	return OK;
}

/* The name of an attribute becomes part of filters: RFC 4512 §1.4, or a number. */
static err_t check_attribute(struct ctx *ctx, str name, const char *what)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ';';
		if (!fits)
			return fail(ctx, ERR_REQUEST_INVALID, "%s is no attribute", what);
	}
	return OK;
}

err_t directory_check(struct ctx *ctx, const struct identity_provider *provider)
{
	bool in_chain;
	struct ldap_server server = server_of(ctx, provider);
	if (server.url.len || provider->enabled)
		TRY(ldap_server_check(ctx, &server));
	TRY(check_dn(ctx, provider, PROVIDER_LDAP_BASE_DN, "base_dn"));
	TRY(check_dn(ctx, provider, PROVIDER_LDAP_SEARCH_DN, "search_dn"));
	TRY(check_dn(ctx, provider, PROVIDER_LDAP_GROUP_BASE_DN, "group_base_dn"));
	TRY(check_dn(ctx, provider, PROVIDER_LDAP_GROUP_ADMIN_DN, "group_admin_dn"));
	TRY(check_attribute(ctx, provider_text(provider, PROVIDER_LDAP_UID), "uid"));
	TRY(check_attribute(ctx, provider_text(provider, PROVIDER_LDAP_GROUP_NAME),
			    "group_attribute_name"));
	return check_attribute(ctx, directory_membership(provider, &in_chain),
			       "group_membership_attribute");
}
