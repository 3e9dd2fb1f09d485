/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.h - what a client asks a token for, in the grammar of Docker's token service.
 *
 *	scope    = type [ "(" class ")" ] ":" name ":" [ action *( "," action ) ]
 *	example: repository:lib/app:pull,push    registry:catalog:*
 *
 * The name may hold colons itself (`host:5000/lib/app`): the type ends at the first colon and the
 * actions start behind the last. Unknown actions are no error and grant nothing. Several scopes
 * come as repeated parameters, or separated by blanks in one.
 */
#pragma once

#include "base/buf.h"

#define SCOPE_PULL   1u
#define SCOPE_PUSH   2u
#define SCOPE_DELETE 4u
#define SCOPE_ALL    8u /* "*" */

struct scope {
	str type;
	str class; /* empty when absent */
	str name;
	unsigned actions; /* SCOPE_… bits */
};

/* The strs point into `text`. False unless it fits the grammar. */
bool scope_parse(str text, struct scope *ret);

/* Takes the next scope off a list separated by blanks. False at the end. */
bool scope_next(str *list, str *ret_text);

/* The text of a scope, known actions in the order pull, push, delete, *. */
void scope_format(struct buf *b, const struct scope *scope);

/* The SCOPE_… bit of an action's name; 0 for an unknown one. */
unsigned scope_action_bit(str name);

/* Walks the action names of a set: start with `*at = 0`. */
bool scope_action_next(unsigned actions, size_t *at, str *ret_name);
