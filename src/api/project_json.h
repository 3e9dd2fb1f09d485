/* SPDX-License-Identifier: Apache-2.0 */
/* project_json.h - projects in Harbor's JSON: what requests say of one, and how it is answered. */
#pragma once

#include "api/harbor.h"
#include "registry/project.h"

#define CVE_BODY_IDS_MAX 4096 /* in one request */

/* What a request to make or change a project says. Texts are in the arena. */
struct project_wish {
	str name;
	struct setting_value settings[PROJECT_SETTING_COUNT];
	size_t setting_count;
	bool has_storage_limit;
	int64_t storage_limit_bytes;
	int64_t registry_id;		 /* 0: none */
	struct cve_allowlist *allowlist; /* NULL: nothing said */
};

/* ERR_UNPROCESSABLE for a member of the wrong type, ERR_REQUEST_INVALID for a value that cannot be.
 * What Harbor does not know is ignored, as are settings that only a proxy cache has. */
err_t project_wish_read(struct ctx *ctx, const struct json_value *root, struct project_wish *ret);

/* ERR_REQUEST_INVALID unless a project can have the name. */
err_t project_name_check(struct ctx *ctx, str name);

/* The one setting of a metadata request: ERR_REQUEST_INVALID when there is not exactly one, or it
 * is none that a request may set. */
err_t project_setting_wish(struct ctx *ctx, const struct json_value *root,
			   struct setting_value *ret);

/* How the asker sees a project. */
struct project_seen {
	const struct project_view *view;
	unsigned roles; /* PROJECT_ROLE_BITs he holds in it */
	bool may_update;
	bool with_detail;		       /* roles and number of repositories */
	const struct cve_allowlist *allowlist; /* NULL: not shown */
};
void project_write(struct json_writer *w, const struct project_seen *seen);

/* The settings as the members of an object that is open. */
void project_write_settings(struct json_writer *w, const struct project_view *view);
