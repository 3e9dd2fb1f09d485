/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c - checks values, stores them, and says what is wrong with them. */
#include "config/settings.h"

#include "config/check.h"
#include "config/value.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/banned.h"

#define SECRET_FILE_BYTES_MAX KIB(4)
#define VALUE_BYTES_MAX	      KIB(8)
#define SHOWN_BYTES_MAX	      60

/* What a value of this option must be, as the end of "must be …". */
static str option_want(struct ctx *ctx, const struct option *option)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(CTX_DETAIL_MAX);
	str rest = str_from(option->choices);
	const char *between = "one of ";

	switch (option->type) {
	case OPTION_BOOL:
		buf_printf(&b, "true or false");
		break;
	case OPTION_CHOICE:
		for (str choice; str_next(&rest, '|', &choice); between = ", ")
			buf_printf(&b, "%s" STR_FMT, between, STR_ARG(choice));
		break;
	case OPTION_INT:
		buf_printf(&b, "a whole number from %" PRId64 " to %" PRId64, option->low,
			   option->high);
		break;
	case OPTION_SIZE:
		buf_printf(&b, "a size from ");
		value_print_size(&b, option->low);
		buf_printf(&b, " to ");
		value_print_size(&b, option->high);
		break;
	case OPTION_DURATION:
		buf_printf(&b, "a duration from ");
		value_print_duration(&b, option->low);
		buf_printf(&b, " to ");
		value_print_duration(&b, option->high);
		break;
	default:
		buf_printf(&b, "one line of UTF-8");
	}
	return arena_copy(ctx->arena, buf_str(&b));
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* The beginning of a value, fit for one line. Secrets are not shown. */
static str shown(struct ctx *ctx, const struct option *option, str text)
{
	if (option->type == OPTION_SECRET)
		return STR("(not shown)");
	char *copy = arena_cstr(ctx->arena, str_take(text, SHOWN_BYTES_MAX));
	for (char *c = copy; *c; c++)
		if (is_control(*c))
			*c = '?';
	return arena_printf(ctx->arena, "\"%s%s\"", copy, text.len > SHOWN_BYTES_MAX ? "…" : "");
}

static bool is_one_line(str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (is_control(text.ptr[i]))
			return false;
	return text.len <= VALUE_BYTES_MAX && str_is_utf8(text);
}

static bool store_number(const struct option *option, bool (*read)(str text, int64_t *ret),
			 str text, int64_t *field)
{
	int64_t number;
	if (!read(text, &number) || number < option->low || number > option->high)
		return false;
	*field = number;
	return true;
}

/* Reads `text` into its field. False when it is not what the option takes. */
static bool store_value(struct ctx *ctx, const struct option *option, str text, void *field)
{
	switch (option->type) {
	case OPTION_BOOL:
		return value_read_bool(text, field);
	case OPTION_CHOICE:
		return value_read_choice(text, option->choices, field);
	case OPTION_INT:
		return store_number(option, value_read_int, text, field);
	case OPTION_SIZE:
		return store_number(option, value_read_size, text, field);
	case OPTION_DURATION:
		return store_number(option, value_read_duration, text, field);
	default:
		*(str *)field = arena_copy(ctx->arena, text);
		return true;
	}
}

err_t settings_put(struct ctx *ctx, struct settings *settings, const struct option *option,
		   str text, str origin)
{
	size_t id = (size_t)(option - option_table);
	void *field = (char *)&settings->config + option->offset;

	if (settings->source != SOURCE_DEFAULT && settings->set_by[id] == settings->source)
		return fail(ctx, ERR_CONFIG, STR_FMT ": " STR_FMT " was already set by " STR_FMT,
			    STR_ARG(origin), STR_ARG(option->name), STR_ARG(settings->origin[id]));

	bool fine = is_one_line(text);
	const char *want = fine && option->check ? option->check(text) : NULL;
	if (!fine || want || !store_value(ctx, option, text, field)) {
		str shown_text = shown(ctx, option, text);
		str must_be = !fine  ? STR("one line of UTF-8")
			      : want ? str_from(want)
				     : option_want(ctx, option);
		return fail(ctx, ERR_CONFIG,
			    STR_FMT ": " STR_FMT " cannot be " STR_FMT ": must be " STR_FMT,
			    STR_ARG(origin), STR_ARG(option->name), STR_ARG(shown_text),
			    STR_ARG(must_be));
	}
	settings->set_by[id] = settings->source;
	settings->origin[id] = origin;
	return OK;
}

static void file_done(FILE **file)
{
	if (*file)
		fclose(*file);
}

err_t settings_read_file(struct ctx *ctx, str path, size_t size_max, str origin, str *ret_text)
{
	CLEANUP(file_done) FILE *file = fopen(arena_cstr(ctx->arena, path), "re");
	if (!file)
		return fail(ctx, ERR_CONFIG, STR_FMT ": could not open " STR_FMT ": %s",
			    STR_ARG(origin), STR_ARG(path), strerror(errno));

	char *bytes = arena_try(ctx->arena, size_max + 1);
	size_t len = bytes ? fread(bytes, 1, size_max + 1, file) : 0;
	if (!bytes || ferror(file))
		return fail(ctx, ERR_CONFIG, STR_FMT ": could not read " STR_FMT ": %s",
			    STR_ARG(origin), STR_ARG(path), strerror(errno));
	if (len > size_max)
		return fail(ctx, ERR_CONFIG, STR_FMT ": " STR_FMT " is larger than %zu bytes",
			    STR_ARG(origin), STR_ARG(path), size_max);
	*ret_text = (str){ bytes, len };
	return OK;
}

err_t settings_put_file(struct ctx *ctx, struct settings *settings, const struct option *option,
			str path, str origin)
{
	str text;
	TRY(settings_read_file(ctx, path, SECRET_FILE_BYTES_MAX, origin, &text));
	if (str_has_suffix(text, STR("\n")))
		text.len--;
	if (str_has_suffix(text, STR("\r")))
		text.len--;
	return settings_put(ctx, settings, option, text, origin);
}

const struct option *settings_target(str name, const struct option *(*find)(str name),
				     bool *ret_is_file)
{
	static const str suffix = STR_INIT("_file");
	const struct option *option = find(name);

	*ret_is_file = false;
	if (option || name.len <= suffix.len)
		return option;

	str end = str_skip(name, name.len - suffix.len);
	option = find(str_take(name, name.len - suffix.len));
	*ret_is_file = option && option->type == OPTION_SECRET &&
		       (end.ptr[0] == '_' || (end.ptr[0] == '-' && find == option_find_loose)) &&
		       str_eq_nocase(str_skip(end, 1), STR("file"));
	return *ret_is_file ? option : NULL;
}

err_t settings_unknown(struct ctx *ctx, str name, str origin)
{
	struct option no_secret = { .type = OPTION_STRING };
	str nearest = option_nearest(name);
	str shown_name = shown(ctx, &no_secret, name);

	if (nearest.len)
		return fail(ctx, ERR_CONFIG,
			    STR_FMT ": there is no option " STR_FMT ", did you mean " STR_FMT "?",
			    STR_ARG(origin), STR_ARG(shown_name), STR_ARG(nearest));
	return fail(ctx, ERR_CONFIG, STR_FMT ": there is no option " STR_FMT, STR_ARG(origin),
		    STR_ARG(shown_name));
}

err_t settings_init(struct ctx *ctx, struct settings *settings)
{
	memset(settings, 0, sizeof *settings);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		TRY(settings_put(ctx, settings, &option_table[i], option_table[i].fallback,
				 STR("the default")));
	return OK;
}

static err_t finish_listener(struct ctx *ctx, const struct settings *settings, enum option_id id,
			     struct config_listener *listener)
{
	listener->address = arena_copy(ctx->arena, listener->address);
	if (listener->tls && !settings->config.tls_certificate.len)
		return fail(ctx, ERR_CONFIG,
			    STR_FMT ": " STR_FMT " says https: but tls.certificate is not set",
			    STR_ARG(settings->origin[id]), STR_ARG(option_table[id].name));
	return OK;
}

static err_t finish_listeners(struct ctx *ctx, struct settings *settings)
{
	struct config *config = &settings->config;
	bool has_certificate = config->tls_certificate.len > 0;
	str rest = config->listen;

	for (str item; str_next(&rest, ',', &item);) {
		struct config_listener *listener = &config->listeners[config->listener_count++];
		listen_split(item, has_certificate, listener);
		TRY(finish_listener(ctx, settings, OPTION_ID_listen, listener));
	}
	/* Who scrapes is near: no TLS unless it is asked for. */
	listen_split(config->metrics_listen, false, &config->metrics_listener);
	return finish_listener(ctx, settings, OPTION_ID_metrics_listen, &config->metrics_listener);
}

/* Texts that mean nothing without another one. */
static err_t check_companions(struct ctx *ctx, const struct settings *settings)
{
	static const struct {
		enum option_id given, needed;
	} companions[] = {
		{ OPTION_ID_tls_certificate, OPTION_ID_tls_key },
		{ OPTION_ID_tls_key, OPTION_ID_tls_certificate },
		{ OPTION_ID_tls_client_ca, OPTION_ID_tls_certificate },
		{ OPTION_ID_tls_client_crl, OPTION_ID_tls_client_ca },
		{ OPTION_ID_http_client_certificate_header, OPTION_ID_http_trusted_proxies },
		{ OPTION_ID_audit_forward_cloudevents_authorization,
		  OPTION_ID_audit_forward_cloudevents },
		{ OPTION_ID_audit_forward_cadf_authorization, OPTION_ID_audit_forward_cadf },
		{ OPTION_ID_audit_forward_certificate, OPTION_ID_audit_forward_key },
		{ OPTION_ID_audit_forward_key, OPTION_ID_audit_forward_certificate },
		{ OPTION_ID_smtp_host, OPTION_ID_smtp_from },
		{ OPTION_ID_smtp_user, OPTION_ID_smtp_password },
		{ OPTION_ID_smtp_password, OPTION_ID_smtp_user },
	};
	const char *config = (const char *)&settings->config;
	for (size_t i = 0; i < COUNT_OF(companions); i++) {
		const struct option *given = &option_table[companions[i].given];
		const struct option *needed = &option_table[companions[i].needed];
		if (((const str *)(const void *)(config + given->offset))->len &&
		    !((const str *)(const void *)(config + needed->offset))->len)
			return fail(ctx, ERR_CONFIG,
				    STR_FMT ": " STR_FMT " is set but " STR_FMT " is not",
				    STR_ARG(settings->origin[companions[i].given]),
				    STR_ARG(given->name), STR_ARG(needed->name));
	}
	return OK;
}

err_t settings_finish(struct ctx *ctx, struct settings *settings)
{
	struct config *config = &settings->config;

	TRY(check_companions(ctx, settings));
	if (config->http_proxy_protocol && !config->http_trusted_proxies.len)
		return fail(ctx, ERR_CONFIG,
			    STR_FMT ": http.proxy_protocol is set but http.trusted_proxies is not",
			    STR_ARG(settings->origin[OPTION_ID_http_proxy_protocol]));
	if (config->http_transfers_max >= config->http_threads_max) {
		bool threads = settings->set_by[OPTION_ID_http_threads_max] >
			       settings->set_by[OPTION_ID_http_transfers_max];
		return fail(ctx, ERR_CONFIG,
			    STR_FMT ": http.transfers_max (%" PRId64
				    ") must be less than http.threads_max (%" PRId64 ")",
			    STR_ARG(settings->origin[threads ? OPTION_ID_http_threads_max
							     : OPTION_ID_http_transfers_max]),
			    config->http_transfers_max, config->http_threads_max);
	}
	return finish_listeners(ctx, settings);
}
