/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of settings share: a row of the table, and values as text. */
#pragma once

#include "settings/system.h"

#include "model/audit_event.h"

enum system_setting_type { SYSTEM_TEXT, SYSTEM_CHOICE, SYSTEM_BOOL, SYSTEM_INT, SYSTEM_UNUSED };

struct system_setting_info {
	enum system_setting_type type;
	const char *key;
	str fallback;
	int64_t low, high;
	const char *choices;		/* "a|b" */
	const char *(*check)(str text); /* NULL when fine, else what it must be */
	const char *instead;		/* not NULL: only the default is taken */
};

extern const struct system_setting_info system_table[SYSTEM_SETTING_COUNT];

/* False when there is no such key. */
bool system_setting_find(str key, enum system_setting *ret);

/* The member of `flat` as a row holds it; `*ret_found` says whether it is there.
 * ERR_REQUEST_INVALID when it cannot be. */
err_t system_setting_read(struct ctx *ctx, const struct json_value *flat,
			  enum system_setting setting, str *ret, bool *ret_found);

/* What the text of a bool, a number or a choice means. */
int64_t system_setting_number(const struct system_setting_info *info, str text);

/* The checks of the table. */
const char *setting_check_prefix(str text);
const char *setting_check_quota(str text);
const char *setting_check_endpoint(str text);
const char *setting_check_audit_types(str text);
