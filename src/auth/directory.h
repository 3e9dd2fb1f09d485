/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory.h - logging in with an LDAP directory (OpenLDAP, Active Directory, FreeIPA, 389): the
 * entry is searched with the provider's own name, then a bind as the entry tries the password.
 *
 * Which groups somebody is in follows from three sources, because directories differ:
 *	group_membership_attribute of his entry (memberOf);
 *	a search for groups that name him (member, uniqueMember, memberUid), when he has none such;
 *	groups that name these groups, and so on up to group_nesting_max times, each group once.
 * When the attribute ends in ":1.2.840.113556.1.4.1941:" the server does all of it in one search
 * (Active Directory). Only groups below group_base_dn that fit group_search_filter count, and
 * EXTERNAL_GROUPS_MAX of them. Their names are their DNs in one spelling: lower case.
 *
 * A few connections are kept for the next login, for half a minute. A good answer is remembered for
 * a minute under a keyed hash of name, password and all settings, since clients log in again for
 * every request.
 */
#pragma once

#include "auth/external.h"
#include "auth/identity_provider.h"

#define DIRECTORY_REMEMBER_S  60
#define DIRECTORY_FOUND_MAX   2000 /* of a search by an administrator */
#define DIRECTORY_LINKS_MAX   8	   /* kept */
#define DIRECTORY_LINK_LIFE_S 30   /* unused */

struct directory;

struct outbound; /* http/outbound.h */

/* `outbound` is not owned. */
struct directory *directory_new(const struct outbound *outbound);
void directory_free(struct directory *directory); /* NULL is fine */

/*
 * ERR_ABSENT, unrecorded, for a name that the directory does not have; ERR_UNAUTHORIZED for a wrong
 * or an empty password, and when several entries have the name; ERR_UPSTREAM_… when it cannot be
 * asked. Strings are in the arena.
 */
err_t directory_identify(struct ctx *ctx, struct directory *directory,
			 const struct identity_provider *provider, str user, str password,
			 struct external_user *ret);

/* The same without a password, for who makes his account before he comes. */
err_t directory_describe(struct ctx *ctx, struct directory *directory,
			 const struct identity_provider *provider, str user,
			 struct external_user *ret);

/* Everybody, or who has exactly this name. At most DIRECTORY_FOUND_MAX. */
err_t directory_people(struct ctx *ctx, struct directory *directory,
		       const struct identity_provider *provider, str user,
		       struct external_user **ret, size_t *ret_count);

/* The groups whose names contain `name` (empty: all), or the one with this DN. */
struct directory_group {
	str name;
	str dn; /* as the server spells it */
};
err_t directory_groups(struct ctx *ctx, struct directory *directory,
		       const struct identity_provider *provider, str name, str dn,
		       struct directory_group **ret, size_t *ret_count);

/* Connects, binds with the provider's own name, and looks for the base. */
err_t directory_ping(struct ctx *ctx, struct directory *directory,
		     const struct identity_provider *provider);

/* Whether the settings can be used: OK or ERR_REQUEST_INVALID with the reason. */
err_t directory_check(struct ctx *ctx, const struct identity_provider *provider);
