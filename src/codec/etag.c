/* SPDX-License-Identifier: Apache-2.0 */
/* etag.c - see etag.h. A quoted tag may hold commas, so the list is not simply split. */
#include "codec/etag.h"

#include "base/banned.h"

struct entity_tag {
	str text;
	bool weak;
};

/* Takes one tag off `*rest`, up to and with its comma. False at the end or where a quote is not
 * closed. */
static bool next_tag(str *rest, struct entity_tag *ret)
{
	str item, behind;
	struct entity_tag tag = { 0 };

	while (rest->len && str_has_byte(STR(" \t,"), rest->ptr[0]))
		*rest = str_skip(*rest, 1);
	if (rest->len == 0)
		return false;
	if (str_has_prefix(*rest, STR("W/\""))) {
		tag.weak = true;
		*rest = str_skip(*rest, 2);
	}
	if (rest->ptr[0] == '"') {
		if (!str_cut(str_skip(*rest, 1), '"', &tag.text, rest))
			return false;
		if (!str_cut(*rest, ',', &behind, rest)) {
			behind = *rest;
			*rest = STR_NONE;
		}
		if (str_trim(behind).len)
			return false;
	} else if (str_next(rest, ',', &item)) {
		tag.text = str_trim(item);
	}
	*ret = tag;
	return true;
}

static bool list_has(str list, str etag, bool weak_counts)
{
	struct entity_tag each;
	if (str_has_prefix(etag, STR("\"")) && etag.len >= 2)
		etag = str_take(str_skip(etag, 1), etag.len - 2);
	if (str_eq(str_trim(list), STR("*")))
		return true;
	while (next_tag(&list, &each))
		if (str_eq(each.text, etag) && (weak_counts || !each.weak))
			return true;
	return false;
}

bool etag_matches(str list, str etag)
{
	return list_has(list, etag, true);
}

bool etag_matches_strong(str list, str etag)
{
	return list_has(list, etag, false);
}
