/* SPDX-License-Identifier: Apache-2.0 */
/* swift_answer.c - see swift_answer.h. */
#include "codec/swift_answer.h"
#include "codec/json.h"

#include <time.h>

#include "base/banned.h"

#define LIST_VALUES_PER_ITEM 16
#define SEGMENTS_MAX_DEFAULT 1000
#define WORDS_MAX	     200 /* of a server's own words in a problem */

static const struct json_limits list_limits = { 8, SWIFT_LIST_MAX *LIST_VALUES_PER_ITEM };
static const struct json_limits token_limits = { 16, SWIFT_CATALOG_VALUES_MAX };

static bool problem(str *ret, str words)
{
	*ret = words;
	return false;
}

static bool parse(struct arena *arena, str json, struct json_limits limits,
		  struct json_document *doc, str *ret_problem)
{
	struct json_problem why;
	if (json_parse(json, limits, doc, &why))
		return true;
	*ret_problem = arena_printf(arena, JSON_PROBLEM_FMT, JSON_PROBLEM_ARG(why));
	return false;
}

/* --- lists ---------------------------------------------------------------------------------- */

static bool read_item(struct arena *arena, const struct json_value *from, struct swift_item *ret)
{
	str name, type = STR_NONE;
	int64_t bytes;
	if (json_get_str(from, "name", &name) != JSON_FOUND || !name.len ||
	    json_get_i64(from, "bytes", &bytes) != JSON_FOUND || bytes < 0 ||
	    json_get_str(from, "content_type", &type) == JSON_WRONG)
		return false;
	*ret = (struct swift_item){ arena_copy(arena, name), (uint64_t)bytes,
				    arena_copy(arena, type) };
	return true;
}

bool swift_list_parse(struct arena *arena, str json, struct swift_item **ret, size_t *ret_count,
		      str *ret_problem)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	if (!parse(arena, json, list_limits, &doc, ret_problem))
		return false;
	size_t count = json_count(doc.root);
	if (!json_value_is_array(doc.root) || count > SWIFT_LIST_MAX)
		return problem(ret_problem, STR("no list of objects"));
	struct swift_item *items = ARENA_ARRAY(arena, struct swift_item, count + 1);
	for (size_t i = 0; i < count; i++)
		if (!read_item(arena, json_element(doc.root, i), &items[i]))
			return problem(ret_problem, STR("a list of something else than objects"));
	*ret = items;
	*ret_count = count;
	return true;
}

/* --- tokens --------------------------------------------------------------------------------- */

static bool take_number(str *rest, size_t digits, char behind, int64_t max, int64_t *ret)
{
	uint64_t value;
	if (rest->len < digits + 1 || rest->ptr[digits] != behind ||
	    !str_to_u64(str_take(*rest, digits), (uint64_t)max, &value))
		return false;
	*ret = (int64_t)value;
	*rest = str_skip(*rest, digits + 1);
	return true;
}

bool swift_time_parse(str text, int64_t *ret_s)
{
	int64_t year, month, day, hour, minute, second, fraction = 0;
	if (!take_number(&text, 4, '-', 9999, &year) || !take_number(&text, 2, '-', 12, &month) ||
	    !take_number(&text, 2, 'T', 31, &day) || !take_number(&text, 2, ':', 23, &hour) ||
	    !take_number(&text, 2, ':', 59, &minute))
		return false;
	if (!take_number(&text, 2, 'Z', 60, &second) &&
	    (!take_number(&text, 2, '.', 60, &second) ||
	     !take_number(&text, text.len ? text.len - 1 : 0, 'Z', INT64_MAX, &fraction)))
		return false;
	struct tm at = { .tm_year = (int)year - 1900,
			 .tm_mon = (int)month - 1,
			 .tm_mday = (int)day,
			 .tm_hour = (int)hour,
			 .tm_min = (int)minute,
			 .tm_sec = (int)second };
	if (text.len || year < 1970 || month < 1 || day < 1)
		return false;
	*ret_s = timegm(&at);
	return true;
}

static bool text_is(const struct json_value *object, const char *name, str want)
{
	str have;
	return json_get_str(object, name, &have) == JSON_FOUND && str_eq(have, want);
}

static bool endpoint_fits(const struct json_value *endpoint, str region, str interface)
{
	return text_is(endpoint, "interface", interface) &&
	       (!region.len || text_is(endpoint, "region", region) ||
		text_is(endpoint, "region_id", region));
}

static str service_url(const struct json_value *service, str region, str interface)
{
	const struct json_value *endpoints;
	str url;
	if (!text_is(service, "type", STR("object-store")) ||
	    json_get_array(service, "endpoints", &endpoints) != JSON_FOUND)
		return STR_NONE;
	for (size_t i = 0; i < json_count(endpoints); i++)
		if (endpoint_fits(json_element(endpoints, i), region, interface) &&
		    json_get_str(json_element(endpoints, i), "url", &url) == JSON_FOUND)
			return url;
	return STR_NONE;
}

static str find_url(const struct json_value *token, str region, str interface)
{
	const struct json_value *catalog;
	if (json_get_array(token, "catalog", &catalog) != JSON_FOUND)
		return STR_NONE;
	for (size_t i = 0; i < json_count(catalog); i++) {
		str url = service_url(json_element(catalog, i), region, interface);
		if (url.len)
			return url;
	}
	return STR_NONE;
}

static int64_t lifetime_s(const struct json_value *token)
{
	str from, to;
	int64_t from_s, to_s;
	if (json_get_str(token, "issued_at", &from) != JSON_FOUND ||
	    json_get_str(token, "expires_at", &to) != JSON_FOUND ||
	    !swift_time_parse(from, &from_s) || !swift_time_parse(to, &to_s))
		return 0;
	return MAX(to_s - from_s, (int64_t)0);
}

bool swift_token_parse(struct arena *arena, str json, str region, str interface,
		       struct swift_token *ret, str *ret_problem)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	if (!parse(arena, json, token_limits, &doc, ret_problem))
		return false;
	const struct json_value *token;
	if (json_get_object(doc.root, "token", &token) != JSON_FOUND)
		return problem(ret_problem, STR("no token"));
	str url = find_url(token, region, interface);
	while (str_has_suffix(url, STR("/")))
		url = str_take(url, url.len - 1);
	if (!url.len) {
		*ret_problem = arena_printf(
			arena,
			"the catalog has no endpoint of an object store with the interface " STR_FMT
			"%s" STR_FMT,
			STR_ARG(interface), region.len ? " in region " : "", STR_ARG(region));
		return false;
	}
	*ret = (struct swift_token){ arena_copy(arena, url), lifetime_s(token) };
	return true;
}

/* --- what it can do, what it did -------------------------------------------------------------- */

bool swift_info_parse(struct arena *arena, str json, struct swift_info *ret, str *ret_problem)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	const struct json_value *large;
	if (!parse(arena, json, token_limits, &doc, ret_problem))
		return false;
	if (!json_value_is_object(doc.root))
		return problem(ret_problem, STR("no object"));
	*ret = (struct swift_info){ .bulk_delete = json_member(doc.root, "bulk_delete") != NULL };
	ret->large_objects = json_get_object(doc.root, "slo", &large) == JSON_FOUND;
	if (!ret->large_objects ||
	    json_get_i64(large, "max_manifest_segments", &ret->segments_max) != JSON_FOUND)
		ret->segments_max = SEGMENTS_MAX_DEFAULT;
	return true;
}

bool swift_removal_parse(struct arena *arena, str json, str *ret_problem)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	const struct json_value *errors = NULL;
	str status;
	if (!parse(arena, json, list_limits, &doc, ret_problem))
		return false;
	if (json_get_str(doc.root, "Response Status", &status) != JSON_FOUND ||
	    json_get_array(doc.root, "Errors", &errors) == JSON_WRONG)
		return problem(ret_problem, STR("no account of what was removed"));
	const struct json_value *first = json_element(json_element(errors, 0), 0);
	if (json_count(errors) == 0 && str_has_prefix(status, STR("2")))
		return true;
	*ret_problem =
		arena_printf(arena, STR_FMT " " STR_FMT, STR_ARG(str_take(status, WORDS_MAX)),
			     STR_ARG(str_take(json_value_str(first), WORDS_MAX)));
	return false;
}
