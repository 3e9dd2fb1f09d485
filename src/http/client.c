/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - see client.h: the pool of connections, turns, URLs, and reading an answer's fields. */
#include "client_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "os/thread.h"

#include <string.h>

#include "base/banned.h"

#define IDLE_NS		  (60 * CLOCK_S)
#define RETRY_AFTER_S_MAX 86400

/* --- URLs and proxies ----------------------------------------------------------------------- */

static void url_done(CURLU **url)
{
	libcurl.curl_url_cleanup(*url);
}

static bool is_url_text(str text)
{
	if (text.len == 0 || text.len > CLIENT_URL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return false;
	return true;
}

/* A part in the arena, STR_NONE when the URL has none. */
static str url_part(struct arena *arena, CURLU *url, CURLUPart part)
{
	char *text = NULL;
	str copy = STR_NONE;
	if (libcurl.curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK && text)
		copy = arena_copy(arena, str_from(text));
	libcurl.curl_free(text);
	return copy;
}

/* Without libcurl there are no valid URLs; who wants to know why has asked curl_open() himself. */
static bool has_curl(struct arena *arena)
{
	struct ctx ctx;
	ctx_init(&ctx, arena);
	return curl_open(&ctx) == OK;
}

bool client_url_parse(struct arena *arena, str text, struct client_url *ret)
{
	if (!is_url_text(text) || !has_curl(arena))
		return false;
	CLEANUP(url_done) CURLU *url = libcurl.curl_url();
	char *copy = arena_cstr(arena, text);
	if (!url || libcurl.curl_url_set(url, CURLUPART_URL, copy, 0) != CURLUE_OK)
		return false;
	str scheme = url_part(arena, url, CURLUPART_SCHEME);
	str host = url_part(arena, url, CURLUPART_HOST);
	str port = url_part(arena, url, CURLUPART_PORT);
	bool https = str_eq(scheme, STR("https"));
	if ((!https && !str_eq(scheme, STR("http"))) || !host.len ||
	    url_part(arena, url, CURLUPART_USER).ptr ||
	    url_part(arena, url, CURLUPART_PASSWORD).ptr)
		return false;
	*ret = (struct client_url){
		.text = copy,
		.host = host,
		.target = arena_printf(arena, STR_FMT "://" STR_FMT ":" STR_FMT, STR_ARG(scheme),
				       STR_ARG(host), STR_ARG(port)),
		.https = https,
	};
	return true;
}

bool client_url_is_valid(str url)
{
	CLEANUP(arena_done) struct arena arena;
	struct client_url parsed;
	arena_init(&arena, KIB(64));
	return client_url_parse(&arena, url, &parsed);
}

const char *client_proxy_of(const struct client *client, const struct client_url *url)
{
	return url->https ? client->proxy.https : client->proxy.http;
}

/* The first of two spellings of a variable that says something. */
static char *environment(struct arena *arena, const char *lower, const char *upper)
{
	const char *value = getenv(lower);
	if ((!value || !*value) && upper)
		value = getenv(upper);
	return value && *value ? arena_cstr(arena, str_from(value)) : NULL;
}

/* As curl reads them: HTTP_PROXY in capitals is what a CGI's client says, so nobody believes it. */
static void read_proxies(struct client *client)
{
	char *all = environment(&client->memory, "all_proxy", "ALL_PROXY");
	char *http = environment(&client->memory, "http_proxy", NULL);
	char *https = environment(&client->memory, "https_proxy", "HTTPS_PROXY");
	client->proxy.http = http ? http : all;
	client->proxy.https = https ? https : all;
	client->proxy.none = environment(&client->memory, "no_proxy", "NO_PROXY");
}

/* --- life ----------------------------------------------------------------------------------- */

static void set_defaults(struct client_options *o)
{
	static const struct {
		size_t offset;
		unsigned fallback;
	} numbers[] = {
		{ offsetof(struct client_options, requests_max), 64 },
		{ offsetof(struct client_options, target_requests_max), 8 },
		{ offsetof(struct client_options, target_waiting_max), 32 },
		{ offsetof(struct client_options, idle_max), 16 },
		{ offsetof(struct client_options, connect_timeout_ms), 5000 },
		{ offsetof(struct client_options, request_timeout_ms), 30000 },
		{ offsetof(struct client_options, silence_timeout_ms), 30000 },
	};
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		unsigned *number = (unsigned *)(void *)((char *)o + numbers[i].offset);
		*number = *number ? *number : numbers[i].fallback;
	}
	o->user_agent = o->user_agent.len ? o->user_agent : STR("berth");
}

static void client_done(struct client **client)
{
	client_free(*client);
}

err_t client_new(struct ctx *ctx, const struct client_options *options, struct client **ret)
{
	CLEANUP(client_done) struct client *client = NEW(struct client);
	arena_init(&client->memory, KIB(256));
	pthread_mutex_init(&client->lock, NULL);
	thread_condition_init(&client->turn);
	client->options = *options;
	set_defaults(&client->options);
	client->options.user_agent = arena_copy(&client->memory, client->options.user_agent);
	if (!cidr_list_parse(&client->memory, options->allow, &client->allow))
		return fail(ctx, ERR_CONFIG, "list of networks does not parse: " STR_FMT,
			    STR_ARG(options->allow));
	if (!options->ignore_proxy)
		read_proxies(client);
	*ret = take(client);
	return OK;
}

static void handle_free(struct client_handle *handle)
{
	libcurl.curl_easy_cleanup(handle->curl);
	if (handle->pulls)
		libcurl.curl_multi_cleanup(handle->pulls);
	free(handle->target);
	free(handle);
}

void client_free(struct client *client)
{
	if (!client)
		return;
	CHECK(client->running == 0 && !client->targets);
	while (client->idle) {
		struct client_handle *handle = client->idle;
		client->idle = handle->next;
		handle_free(handle);
	}
	pthread_cond_destroy(&client->turn);
	pthread_mutex_destroy(&client->lock);
	arena_done(&client->memory);
	free(client);
}

/* --- turns: all with the lock held ------------------------------------------------------------ */

static struct client_target *target_find(struct client *client, str name)
{
	for (struct client_target *t = client->targets; t; t = t->next)
		if (str_eq(name, str_from(t->name)))
			return t;
	struct client_target *made = NEW(struct client_target);
	made->name = mem_copy(name);
	made->next = client->targets;
	client->targets = made;
	return made;
}

static void target_forget_unused(struct client *client, struct client_target *target)
{
	if (target->running || target->waiting)
		return;
	struct client_target **at = &client->targets;
	while (*at != target)
		at = &(*at)->next;
	*at = target->next;
	free(target->name);
	free(target);
}

static bool has_room(const struct client *client, const struct client_target *target)
{
	return client->running < client->options.requests_max &&
	       target->running < client->options.target_requests_max;
}

/* Waits as long as a request may take: then those ahead have had their time. */
static err_t wait_for_turn(struct ctx *ctx, struct client *client, struct client_target *target)
{
	int64_t until_ns =
		clock_now_ns() + ctx_left_ms(ctx, client->options.request_timeout_ms) * CLOCK_MS;
	if (target->waiting >= client->options.target_waiting_max)
		return fail(ctx, ERR_BUSY, "%u requests wait for %s", target->waiting,
			    target->name);
	target->waiting++;
	bool in_time = true;
	while (!has_room(client, target) && in_time)
		in_time = thread_wait_until(&client->turn, &client->lock, until_ns);
	target->waiting--;
	if (!has_room(client, target))
		return fail(ctx, ERR_BUSY, "no turn at %s in time", target->name);
	return OK;
}

static err_t take_turn(struct ctx *ctx, struct client *client, str name, struct client_target **ret)
{
	struct client_target *target = target_find(client, name);
	err_t err = has_room(client, target) ? OK : wait_for_turn(ctx, client, target);
	if (err != OK) {
		target_forget_unused(client, target);
		return err;
	}
	target->running++;
	client->running++;
	*ret = target;
	return OK;
}

static void give_turn(struct client *client, struct client_target *target)
{
	target->running--;
	client->running--;
	target_forget_unused(client, target);
	pthread_cond_broadcast(&client->turn);
}

/* --- the pool: all with the lock held -----------------------------------------------------------
 */

/* The handle that last asked this target; or the oldest one if there is no room for one more. */
static struct client_handle *pool_take(struct client *client, str target)
{
	struct client_handle **at = &client->idle;
	while (*at && !str_eq(target, str_from((*at)->target)) &&
	       ((*at)->next || client->idle_count < client->options.idle_max))
		at = &(*at)->next;
	struct client_handle *handle = *at;
	if (handle) {
		*at = handle->next;
		client->idle_count--;
	}
	return handle;
}

/* Unlinks what has been idle for long, and what is too many; the caller frees it. */
static struct client_handle *pool_prune(struct client *client, int64_t now_ns)
{
	struct client_handle **at = &client->idle;
	unsigned kept = 0;
	while (*at && kept < client->options.idle_max && now_ns - (*at)->idle_since_ns < IDLE_NS) {
		at = &(*at)->next;
		kept++;
	}
	struct client_handle *rest = *at;
	*at = NULL;
	client->idle_count = kept;
	return rest;
}

/* --- sending -------------------------------------------------------------------------------- */

err_t client_borrow(struct ctx *ctx, struct client *client, const struct client_url *url,
		    struct client_target **ret_target, struct client_handle **ret)
{
	str target = url->target;
	pthread_mutex_lock(&client->lock);
	err_t err = take_turn(ctx, client, target, ret_target);
	struct client_handle *handle = err == OK ? pool_take(client, target) : NULL;
	pthread_mutex_unlock(&client->lock);
	TRY(err);
	if (!handle) {
		handle = NEW(struct client_handle);
		handle->curl = libcurl.curl_easy_init();
		CHECK(handle->curl);
	}
	free(handle->target);
	handle->target = mem_copy(target);
	*ret = handle;
	return OK;
}

void client_give_back(struct client *client, struct client_target *target,
		      struct client_handle *handle)
{
	int64_t now_ns = clock_now_ns();
	libcurl.curl_easy_reset(handle->curl); /* keeps its connections, forgets all that was set */
	pthread_mutex_lock(&client->lock);
	handle->idle_since_ns = now_ns;
	handle->next = client->idle;
	client->idle = handle;
	client->idle_count++;
	struct client_handle *rest = pool_prune(client, now_ns);
	give_turn(client, target);
	pthread_mutex_unlock(&client->lock);
	while (rest) {
		struct client_handle *next = rest->next;
		handle_free(rest);
		rest = next;
	}
}

static err_t check_fields(struct ctx *ctx, const struct client_request *request)
{
	for (size_t i = 0; i < request->field_count; i++) {
		const struct client_field *field = &request->fields[i];
		bool bad = field->name.len == 0 || str_has_byte(field->name, ':');
		for (const char *c = "\r\n"; *c; c++)
			bad = bad || str_has_byte(field->name, *c) ||
			      str_has_byte(field->value, *c);
		if (bad || str_has_byte(field->name, '\0') || str_has_byte(field->value, '\0'))
			return fail(ctx, ERR_REQUEST_INVALID, "header field %zu is malformed", i);
	}
	return OK;
}

err_t client_check(struct ctx *ctx, struct client *client, const struct client_request *request,
		   struct client_url *ret)
{
	ctx_waits(ctx);
	CHECK(ctx->holds == 0);
	CHECK(request->redirects_max == 0 || strcmp(request->method, "GET") == 0 ||
	      strcmp(request->method, "HEAD") == 0);
	TRY(ctx_check(ctx));
	TRY(check_fields(ctx, request));
	TRY(curl_open(ctx));
	if (!client_url_parse(ctx->arena, request->url, ret))
		return fail(ctx, ERR_REQUEST_INVALID, "not a URL to ask: " STR_FMT,
			    STR_ARG(str_take(request->url, 120)));
	if (client_proxy_of(client, ret) && !client_may_name(client, ret->host))
		return fail(ctx, ERR_UPSTREAM_FORBIDDEN, STR_FMT " is not to be asked",
			    STR_ARG(ret->host));
	return OK;
}

struct step client_step(struct ctx *ctx, const struct client *client)
{
	static const char *const purposes[CLIENT_PURPOSE_COUNT] = {
#define NAME(list, name, text) [list##_##name] = text,
		CLIENT_PURPOSE_TABLE(NAME, CLIENT_FOR)
#undef NAME
	};
	enum client_purpose purpose = client->options.purpose;
	return step_begin(ctx, STEP_UPSTREAM, purpose, purposes[purpose]);
}

static err_t ask(struct ctx *ctx, struct client *client, const struct client_url *url,
		 const struct client_request *request, struct client_response *ret)
{
	struct client_target *target;
	struct client_handle *handle;
	TRY(client_borrow(ctx, client, url, &target, &handle));
	err_t err = client_transfer(ctx, client, handle->curl, url, request, ret);
	client_give_back(client, target, handle);
	return err;
}

err_t client_send(struct ctx *ctx, struct client *client, const struct client_request *request,
		  struct client_response *ret)
{
	struct client_url url;
	TRY(client_check(ctx, client, request, &url));
	struct step step = client_step(ctx, client);
	err_t err = ask(ctx, client, &url, request, ret);
	step_end(ctx, &step, err);
	return err;
}

/* --- the answer ----------------------------------------------------------------------------- */

str client_response_field(const struct client_response *response, str name)
{
	str rest = response->fields, line, key, value;
	while (str_next(&rest, '\n', &line)) {
		if (!str_cut(line, ':', &key, &value) || !str_eq_nocase(key, name))
			continue;
		if (str_has_suffix(value, STR("\r")))
			value = str_take(value, value.len - 1);
		return str_trim(value);
	}
	return STR_NONE;
}

unsigned client_response_retry_after_s(const struct client_response *response)
{
	uint64_t seconds;
	str text = client_response_field(response, STR("Retry-After"));
	return str_to_u64(text, RETRY_AFTER_S_MAX, &seconds) ? (unsigned)seconds : 0;
}
