/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.c - see resolve.h. */
#include "os/resolve.h"
#include "base/clock.h"
#include "base/mem.h"
#include "os/fault.h"
#include "os/thread.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "base/banned.h"

/* How long one wait lasts before cancellation is looked at again. */
#define WAIT_SLICE_NS (200 * CLOCK_MS)
/* What has gone on for longer may be lost: who asks then is not made to wait for the same loss. */
#define JOIN_NS (1 * CLOCK_S)

/* Held by its thread and by everybody who waits for it; the last one frees it. */
struct lookup {
	struct lookup *next;
	char *host;
	int64_t owner;
	int64_t since_ns;
	unsigned holders;
	bool done;
	int error; /* of getaddrinfo */
	struct resolved found;
};

/* Threads that were left behind may still come here when everything else is closed. */
static struct {
	pthread_once_t once;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct lookup *running; /* not done */
} lookups = { .once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER };

static void init(void)
{
	thread_condition_init(&lookups.changed);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void take_addresses(const struct addrinfo *list, struct resolved *ret)
{
	ret->count = 0;
	for (const struct addrinfo *a = list; a && ret->count < RESOLVE_ADDRESSES_MAX;
	     a = a->ai_next) {
		if ((a->ai_family != AF_INET && a->ai_family != AF_INET6) ||
		    a->ai_addrlen > sizeof ret->at[0])
			continue;
		memset(&ret->at[ret->count], 0, sizeof ret->at[0]);
		memcpy(&ret->at[ret->count++], a->ai_addr, a->ai_addrlen);
	}
}

/* An error of getaddrinfo; EAI_NONAME for a name without addresses. */
static int ask(const char *host, int flags, struct resolved *ret)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = flags };
	struct addrinfo *list = NULL;
	int error = getaddrinfo(host, NULL, &hints, &list);
	if (error)
		return error;
	take_addresses(list, ret);
	freeaddrinfo(list);
	return ret->count ? 0 : EAI_NONAME;
}

static void set_port(struct resolved *found, uint16_t port)
{
	for (size_t i = 0; i < found->count; i++) {
		if (found->at[i].ss_family == AF_INET)
			((struct sockaddr_in *)(void *)&found->at[i])->sin_port = htons(port);
		else
			((struct sockaddr_in6 *)(void *)&found->at[i])->sin6_port = htons(port);
	}
}

/* --- the table of look-ups: all with the lock held -------------------------------------------- */

static void let_go(struct lookup *lookup)
{
	if (--lookup->holders)
		return;
	free(lookup->host);
	free(lookup);
}

static struct lookup *find(str host, int64_t owner)
{
	int64_t oldest_ns = clock_now_ns() - JOIN_NS;
	struct lookup *lookup = lookups.running;
	while (lookup && (lookup->owner != owner || lookup->since_ns < oldest_ns ||
			  !str_eq(host, str_from(lookup->host))))
		lookup = lookup->next;
	return lookup;
}

static bool has_room(int64_t owner)
{
	unsigned all = 0, owners = 0;
	for (const struct lookup *l = lookups.running; l; l = l->next) {
		all++;
		owners += l->owner == owner;
	}
	return all < RESOLVE_LOOKUPS_MAX && owners < RESOLVE_OWNER_MAX;
}

static void forget(struct lookup *lookup)
{
	struct lookup **at = &lookups.running;
	while (*at != lookup)
		at = &(*at)->next;
	*at = lookup->next;
}

static void *look_up(void *arg)
{
	struct lookup *lookup = arg;
	struct resolved found = { .count = 0 };
	int error = FAULT("resolve.lookup") ? EAI_AGAIN : ask(lookup->host, 0, &found);
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&lookups.lock);
	lookup->error = error;
	lookup->found = found;
	lookup->done = true;
	forget(lookup);
	pthread_cond_broadcast(&lookups.changed);
	let_go(lookup);
	return NULL;
}

static err_t start(struct ctx *ctx, str host, int64_t owner, struct lookup **ret)
{
	pthread_t thread;
	struct lookup *lookup = NEW(struct lookup);
	lookup->host = mem_copy(host);
	lookup->owner = owner;
	lookup->since_ns = clock_now_ns();
	lookup->holders = 1;
	lookup->next = lookups.running;
	lookups.running = lookup;
	err_t err = thread_start(ctx, "resolve", look_up, lookup, &thread);
	if (err != OK) {
		forget(lookup);
		let_go(lookup);
		return err;
	}
	pthread_detach(thread);
	*ret = lookup;
	return OK;
}

/* Until something has changed, or it is time to look around. */
static err_t wait_a_while(struct ctx *ctx, int64_t until_ns, bool *ret_late)
{
	int64_t slice_ns = clock_now_ns() + WAIT_SLICE_NS;
	(void)thread_wait_until(&lookups.changed, &lookups.lock, MIN(until_ns, slice_ns));
	*ret_late = clock_now_ns() >= until_ns;
	return ctx_check(ctx);
}

/* The look-up that is under way already, or a new one when there is room. */
static err_t join(struct ctx *ctx, str host, const struct resolve_query *query, struct lookup **ret)
{
	for (bool late = false;;) {
		struct lookup *lookup = find(host, query->owner);
		if (!lookup && has_room(query->owner))
			TRY(start(ctx, host, query->owner, &lookup));
		if (lookup) {
			lookup->holders++;
			*ret = lookup;
			return OK;
		}
		if (late)
			return fail(ctx, ERR_UPSTREAM_UNREACHABLE,
				    "too many names that nobody answers for: no turn for " STR_FMT,
				    STR_ARG(host));
		TRY(wait_a_while(ctx, query->until_ns, &late));
	}
}

static err_t wait_for(struct ctx *ctx, struct lookup *lookup, int64_t until_ns)
{
	for (bool late = false; !lookup->done;) {
		if (late)
			return fail(ctx, ERR_UPSTREAM_UNREACHABLE,
				    "no name server answers for %s in time", lookup->host);
		TRY(wait_a_while(ctx, until_ns, &late));
	}
	if (lookup->error)
		return fail(ctx, ERR_UPSTREAM_UNREACHABLE, "%s: %s", lookup->host,
			    gai_strerror(lookup->error));
	return OK;
}

static err_t look_up_in_time(struct ctx *ctx, str host, const struct resolve_query *query,
			     struct resolved *ret)
{
	struct lookup *lookup;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&lookups.lock);
	TRY(join(ctx, host, query, &lookup));
	err_t err = wait_for(ctx, lookup, query->until_ns);
	if (err == OK)
		*ret = lookup->found;
	let_go(lookup);
	return err;
}

/* --- calls ------------------------------------------------------------------------------------ */

err_t resolve(struct ctx *ctx, const struct resolve_query *query, struct resolved *ret)
{
	char text[RESOLVE_NAME_MAX + 1];
	struct resolved found = { .count = 0 };
	str host = query->host;
	if (str_has_prefix(host, STR("[")) && str_has_suffix(host, STR("]")))
		host = str_take(str_skip(host, 1), host.len - 2);
	if (!host.len || host.len > RESOLVE_NAME_MAX || str_has_byte(host, '\0'))
		return fail(ctx, ERR_REQUEST_INVALID, "no name of a host");
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	TRY(ctx_check(ctx));
	if (ask(text, AI_NUMERICHOST, &found) != 0) {
		ctx_waits(ctx);
		pthread_once(&lookups.once, init);
		TRY(look_up_in_time(ctx, host, query, &found));
	}
	set_port(&found, query->port);
	*ret = found;
	return OK;
}

socklen_t resolved_len(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

str resolved_text(const struct sockaddr_storage *address, char into[RESOLVE_TEXT_MAX])
{
	int error = getnameinfo((const struct sockaddr *)address, resolved_len(address), into,
				RESOLVE_TEXT_MAX, NULL, 0, NI_NUMERICHOST);
	return error ? STR_NONE : str_from(into);
}
