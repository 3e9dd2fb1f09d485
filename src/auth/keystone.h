/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keystone.h - logging in as OpenStack does: a name and a password, or an application credential,
 * checked by Keystone (Identity API v3, POST /v3/auth/tokens).
 *
 * Names, as docker login takes them and as Keppel writes them:
 *
 *	user@domain/project                   the project is in the user's domain
 *	user@domain/project@project-domain
 *	user/project                          when the provider has a default domain
 *	applicationcredential-ID              with its secret as the password
 *
 * What somebody may do follows from his roles in that OpenStack project, by the provider's setting
 * `roles`:
 *
 *	[{"keystone_role": "member", "project": "{domain}-{project}", "role": "developer"}]
 *
 * where `project` is a glob (base/glob.h) over our projects' names in which {project},
 *{project_id}, {domain} and {domain_id} stand for the OpenStack project and its domain, and `role`
 * is projectAdmin, maintainer, developer, guest or limitedGuest.
 *
 * A good answer is remembered for a minute (the setting `remember`), under a keyed hash of name and
 * secret, because a build farm would otherwise storm Keystone. What is remembered is Keystone's
 * answer: a change of the roles' mapping counts at once.
 */
#pragma once

#include "auth/external.h"
#include "auth/identity_provider.h"
#include "http/outbound.h"

struct keystone;

/* `outbound` is not owned. `cache_bytes_max` 0: 4 MiB. */
struct keystone *keystone_new(const struct outbound *outbound, size_t cache_bytes_max);
void keystone_free(struct keystone *keystone); /* NULL is fine */

/*
 * ERR_ABSENT, unrecorded, for a name of another shape; ERR_UNAUTHORIZED for wrong credentials, and
 * for those that need a second factor; ERR_TOO_MANY_REQUESTS with ctx->retry_after_s when Keystone
 * says so; ERR_UPSTREAM_… when it cannot be asked. Strings are in the arena.
 */
err_t keystone_identify(struct ctx *ctx, struct keystone *keystone,
			const struct identity_provider *provider, str user, str password,
			struct external_user *ret);

/* Whether the setting `roles` is well-formed: OK or ERR_REQUEST_INVALID. */
err_t keystone_check_roles(struct ctx *ctx, str roles);

/* A login name taken apart; false for other shapes. Public for the tests. */
struct keystone_name {
	str user, user_domain, project, project_domain;
	str credential_id; /* then all others are empty */
};
bool keystone_name_parse(str text, str default_domain, struct keystone_name *ret);
