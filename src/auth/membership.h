/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membership.h - what somebody holds in a project: the roles of his own and of his groups.
 *
 * Remembered for each subject and project, so that a warm request costs a look-up in memory. A
 * change of members, groups or roles is told to one of the membership_…_changed() functions after
 * its commit: from then on nothing old is found in this process. Other nodes are told
 * (auth/told.h). A grant that ends is not remembered beyond its end.
 *
 * Here a project is a number: its name and whether it is there are the registry's.
 */
#pragma once

#include "auth/auth.h"

#define MEMBERSHIP_REMEMBER_S 10

struct membership {
	unsigned roles; /* PROJECT_ROLE_BITs */
	const struct custom_grant *custom;
	size_t custom_count;
	int64_t until_us; /* when the first of it ends; INT64_MAX: never */
};

/* Nothing for who has no account: strangers, robots, people known elsewhere only. In the arena. */
err_t membership_find(struct ctx *ctx, struct auth *auth, const struct identity *who,
		      int64_t project_id, struct membership *ret);

/* Whether he is an administrator of any project. Reads the database. */
err_t membership_administers_any(struct ctx *ctx, struct auth *auth, const struct identity *who,
				 bool *ret);

/* The ids of the projects in which he holds any role, at most `max`. Reads the database. */
err_t membership_projects(struct ctx *ctx, struct auth *auth, const struct identity *who,
			  size_t max, int64_t **ret, size_t *ret_count);

void membership_project_changed(struct auth *auth, int64_t project_id); /* its members */
void membership_account_changed(struct auth *auth, int64_t account_id); /* its groups */
void membership_all_changed(struct auth *auth); /* a role's grants, a group's going */
