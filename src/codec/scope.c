/* SPDX-License-Identifier: Apache-2.0 */
/* scope.c - see scope.h. */
#include "codec/scope.h"

#include "base/banned.h"

static const struct {
	str name;
	unsigned bit;
} actions[] = {
	{ STR_INIT("pull"), SCOPE_PULL },
	{ STR_INIT("push"), SCOPE_PUSH },
	{ STR_INIT("delete"), SCOPE_DELETE },
	{ STR_INIT("*"), SCOPE_ALL },
};

static bool is_word(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!(s.ptr[i] >= 'a' && s.ptr[i] <= 'z') && !(s.ptr[i] >= '0' && s.ptr[i] <= '9'))
			return false;
	return s.len > 0;
}

/* What may stand in a name: visible ASCII that needs no escape in a challenge header. */
static bool is_name(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || s.ptr[i] == '"' || s.ptr[i] == '\\')
			return false;
	return s.len > 0;
}

static bool parse_type(str text, struct scope *ret)
{
	str type, class;
	ret->type = text;
	if (str_cut(text, '(', &type, &class)) {
		if (!str_has_suffix(class, STR(")")))
			return false;
		ret->type = type;
		ret->class = str_take(class, class.len - 1);
		if (!is_word(ret->class))
			return false;
	}
	return is_word(ret->type);
}

unsigned scope_action_bit(str name)
{
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (str_eq(name, actions[i].name))
			return actions[i].bit;
	return 0;
}

static unsigned parse_actions(str list)
{
	unsigned found = 0;
	for (str action; str_next(&list, ',', &action);)
		found |= scope_action_bit(action);
	return found;
}

bool scope_parse(str text, struct scope *ret)
{
	struct scope scope = { 0 };
	str type, rest, list;
	if (!str_cut(text, ':', &type, &rest) || !str_cut_last(rest, ':', &scope.name, &list))
		return false;
	if (!parse_type(type, &scope) || !is_name(scope.name) || (list.len && !is_name(list)))
		return false;
	scope.actions = parse_actions(list);
	*ret = scope;
	return true;
}

bool scope_next(str *list, str *ret_text)
{
	do {
		if (!str_next(list, ' ', ret_text))
			return false;
	} while (ret_text->len == 0);
	return true;
}

bool scope_action_next(unsigned set, size_t *at, str *ret_name)
{
	for (; *at < COUNT_OF(actions); (*at)++)
		if (set & actions[*at].bit) {
			*ret_name = actions[(*at)++].name;
			return true;
		}
	return false;
}

void scope_format(struct buf *b, const struct scope *scope)
{
	buf_add(b, scope->type);
	if (scope->class.len)
		buf_printf(b, "(" STR_FMT ")", STR_ARG(scope->class));
	buf_printf(b, ":" STR_FMT ":", STR_ARG(scope->name));

	size_t at = 0;
	str action;
	for (bool first = true; scope_action_next(scope->actions, &at, &action); first = false) {
		if (!first)
			buf_add_byte(b, ',');
		buf_add(b, action);
	}
}
