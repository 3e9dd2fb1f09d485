/* SPDX-License-Identifier: Apache-2.0 */
/*
 * external.h - a person as an identity provider describes him, before there is an account of ours.
 *
 * Every way to log in elsewhere ends in one of these; making (or finding) the account and its
 * identity from it is the users' business (user.h). Who it is are `issuer` and `subject` together;
 * the name is a wish.
 *
 * The chain of methods (auth.c) asks each `X_identify` in turn. OK ends it, and so does
 * ERR_UNAUTHORIZED: these credentials are this method's, and wrong. ERR_ABSENT: not mine, ask the
 * next. Anything else: could not ask, and the next may still know.
 */
#pragma once

#include "auth/identity_provider.h"
#include "model/access.h"

#define EXTERNAL_GROUPS_MAX 1000

struct external_user {
	enum provider_kind kind; /* PROVIDER_OIDC unless said otherwise */
	int64_t provider_id;
	int64_t tenant_id;
	str issuer;  /* of OIDC as in its tokens; the URL of a Keystone or directory */
	str subject; /* never reused, unlike a name */

	str name; /* wanted; may be taken, empty, or not fit for one */
	str email;
	str real_name;

	bool is_admin;	   /* member of the provider's group of system administrators */
	const str *groups; /* names, of a directory's groups their DNs */
	size_t group_count;
	const struct external_role *roles;
	size_t role_count;

	bool may_onboard; /* an account may be made without asking him */
	str on_behalf_of; /* an application credential he uses; empty otherwise */
};
