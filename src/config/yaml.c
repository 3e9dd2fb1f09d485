/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.c - options from a YAML file: nested maps make dotted names.
 *
 * Only what a configuration needs is taken: one document, maps, scalars, and lists of scalars where
 * the option is a list. Anchors, aliases and further documents are refused.
 */
#include "config/settings.h"

#include <yaml.h>

#include "base/banned.h"

/* Names have at most one dot; one level more is read to name the wrong key. */
#define DEPTH_MAX 3

struct reader {
	yaml_parser_t parser;
	struct settings *settings;
	str file;
};

static void reader_done(struct reader *r)
{
	yaml_parser_delete(&r->parser);
}

static void event_done(yaml_event_t *event)
{
	yaml_event_delete(event);
}

/* "berth.yaml:3" */
static str place(struct ctx *ctx, const struct reader *r, yaml_mark_t mark)
{
	return arena_printf(ctx->arena, STR_FMT ":%zu", STR_ARG(r->file), mark.line + 1);
}

static err_t wrong(struct ctx *ctx, const struct reader *r, const yaml_event_t *event,
		   const char *what)
{
	str at = place(ctx, r, event->start_mark);
	return fail(ctx, ERR_CONFIG, STR_FMT ": %s", STR_ARG(at), what);
}

/* Fills `*ret`, which the caller cleans up also after a failure. */
static err_t next_event(struct ctx *ctx, struct reader *r, yaml_event_t *ret)
{
	if (!yaml_parser_parse(&r->parser, ret)) {
		str at = place(ctx, r, r->parser.problem_mark);
		return fail(ctx, ERR_CONFIG, STR_FMT ": not YAML: %s", STR_ARG(at),
			    r->parser.problem ? r->parser.problem : "could not read it");
	}
	if (ret->type == YAML_ALIAS_EVENT)
		return wrong(ctx, r, ret, "aliases are not supported");
	return OK;
}

static str scalar(const yaml_event_t *event)
{
	return (str){ (const char *)event->data.scalar.value, event->data.scalar.length };
}

/* A plain scalar that YAML means as nothing: `key:` or `key: ~`. */
static bool is_null(const yaml_event_t *event)
{
	str text = scalar(event);
	return event->data.scalar.plain_implicit &&
	       event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (text.len == 0 || str_eq(text, STR("~")) || str_eq_nocase(text, STR("null")));
}

static err_t put_scalar(struct ctx *ctx, struct reader *r, str name, const yaml_event_t *event)
{
	str at = place(ctx, r, event->start_mark);
	bool is_file;
	const struct option *option = settings_target(name, option_find, &is_file);

	if (!option)
		return settings_unknown(ctx, name, at);
	if (is_null(event))
		return fail(ctx, ERR_CONFIG, STR_FMT ": " STR_FMT " has no value", STR_ARG(at),
			    STR_ARG(name));
	if (is_file)
		return settings_put_file(ctx, r->settings, option, scalar(event), at);
	return settings_put(ctx, r->settings, option, scalar(event), at);
}

/* Joins the items of a list by commas, which no item contains. */
static err_t put_list(struct ctx *ctx, struct reader *r, str name, yaml_mark_t mark)
{
	str at = place(ctx, r, mark);
	const struct option *option = option_find(name);
	str joined = STR("");

	if (!option)
		return settings_unknown(ctx, name, at);
	if (option->type != OPTION_LIST)
		return fail(ctx, ERR_CONFIG, STR_FMT ": " STR_FMT " cannot be a list", STR_ARG(at),
			    STR_ARG(name));
	for (;;) {
		CLEANUP(event_done) yaml_event_t event = { 0 };
		TRY(next_event(ctx, r, &event));
		if (event.type == YAML_SEQUENCE_END_EVENT)
			return settings_put(ctx, r->settings, option, joined, at);
		if (event.type != YAML_SCALAR_EVENT || str_has_byte(scalar(&event), ',') ||
		    joined.len + scalar(&event).len > KIB(8))
			return wrong(ctx, r, &event, "not an item of a list of addresses");
		joined = arena_printf(ctx->arena, STR_FMT "%s" STR_FMT, STR_ARG(joined),
				      joined.len ? "," : "", STR_ARG(scalar(&event)));
	}
}

/* A map under a name that begins no option would only be noticed at its keys: say it here. */
static err_t check_group(struct ctx *ctx, str name, str at)
{
	str prefix = arena_printf(ctx->arena, STR_FMT ".", STR_ARG(name));
	const struct option *option = option_find(name);

	if (option)
		return fail(ctx, ERR_CONFIG, STR_FMT ": " STR_FMT " cannot be a map", STR_ARG(at),
			    STR_ARG(name));
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (str_has_prefix(option_table[i].name, prefix))
			return OK;
	return settings_unknown(ctx, name, at);
}

static err_t read_map(struct ctx *ctx, struct reader *r, str prefix, int depth);

static err_t read_value(struct ctx *ctx, struct reader *r, str name, int depth)
{
	CLEANUP(event_done) yaml_event_t event = { 0 };
	TRY(next_event(ctx, r, &event));

	switch (event.type) {
	case YAML_SCALAR_EVENT:
		return put_scalar(ctx, r, name, &event);
	case YAML_SEQUENCE_START_EVENT:
		return put_list(ctx, r, name, event.start_mark);
	case YAML_MAPPING_START_EVENT:
		TRY(check_group(ctx, name, place(ctx, r, event.start_mark)));
		return read_map(ctx, r, arena_printf(ctx->arena, STR_FMT ".", STR_ARG(name)),
				depth + 1);
	default:
		return wrong(ctx, r, &event, "expected a value");
	}
}

static err_t read_map(struct ctx *ctx, struct reader *r, str prefix, int depth)
{
	for (;;) {
		CLEANUP(event_done) yaml_event_t event = { 0 };
		TRY(next_event(ctx, r, &event));
		if (event.type == YAML_MAPPING_END_EVENT)
			return OK;
		if (event.type != YAML_SCALAR_EVENT || depth > DEPTH_MAX ||
		    scalar(&event).len > CTX_DETAIL_MAX)
			return wrong(ctx, r, &event, "expected the name of an option");
		str name = arena_printf(ctx->arena, STR_FMT STR_FMT, STR_ARG(prefix),
					STR_ARG(scalar(&event)));
		TRY(read_value(ctx, r, name, depth));
	}
}

static err_t read_top(struct ctx *ctx, struct reader *r)
{
	CLEANUP(event_done) yaml_event_t event = { 0 };
	TRY(next_event(ctx, r, &event));
	if (event.type == YAML_MAPPING_START_EVENT)
		return read_map(ctx, r, STR(""), 1);
	if (event.type == YAML_SCALAR_EVENT && is_null(&event))
		return OK;
	return wrong(ctx, r, &event, "expected a map of options");
}

static err_t read_stream(struct ctx *ctx, struct reader *r)
{
	bool seen = false;
	for (;;) {
		CLEANUP(event_done) yaml_event_t event = { 0 };
		TRY(next_event(ctx, r, &event));
		if (event.type == YAML_STREAM_END_EVENT)
			return OK;
		if (event.type != YAML_DOCUMENT_START_EVENT)
			continue;
		if (seen)
			return wrong(ctx, r, &event, "only one document is read");
		seen = true;
		TRY(read_top(ctx, r));
	}
}

err_t settings_read_yaml(struct ctx *ctx, struct settings *settings, str text, str file)
{
	CLEANUP(reader_done) struct reader r = { .settings = settings, .file = file };
	if (!yaml_parser_initialize(&r.parser))
		return fail(ctx, ERR_CONFIG, STR_FMT ": out of memory", STR_ARG(file));
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
	return read_stream(ctx, &r);
}
