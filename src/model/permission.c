/* SPDX-License-Identifier: Apache-2.0 */
/* permission.c - see permission.h. */
#include "model/permission.h"

#include "base/error.h"

#include <string.h>

#include "base/banned.h"

static const struct permission permissions[ACTION_COUNT] = {
#define PERMISSION_ROW(name, place, resource, action, holders)                                     \
	[ACTION_##name] = { resource ":" action, PLACE_##place, resource, action, holders },
	PERMISSION_TABLE(PERMISSION_ROW)
#undef PERMISSION_ROW
};

const struct permission *permission_get(enum action action)
{
	CHECK((unsigned)action < ACTION_COUNT);
	return &permissions[action];
}

const char *action_name(enum action action)
{
	return action == ACTION_NONE ? "open" : permission_get(action)->name;
}

bool permission_held_by(enum action action, char letter)
{
	return strchr(permission_get(action)->holders, letter) != NULL;
}

enum action permission_find(enum permission_place place, str resource, str action)
{
	for (enum action at = 0; at < ACTION_COUNT; at++) {
		const struct permission *permission = &permissions[at];
		if (permission->place == place &&
		    str_eq(str_from(permission->resource), resource) &&
		    str_eq(str_from(permission->action), action))
			return at;
	}
	return ACTION_COUNT;
}

bool action_set_within(const struct action_set *inner, const struct action_set *outer)
{
	for (size_t i = 0; i < COUNT_OF(inner->bits); i++)
		if (inner->bits[i] & ~outer->bits[i])
			return false;
	return true;
}
