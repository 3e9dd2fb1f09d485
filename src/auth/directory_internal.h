/* SPDX-License-Identifier: Apache-2.0 */
/* directory_internal.h - what the files of directory share. */
#pragma once

#include "auth/directory.h"
#include "auth/ldap_link.h"

/* The DNs of an entry's groups. `uid` is his name, for groups that list names. Logs when there are
 * too many. */
err_t directory_groups_of(struct ctx *ctx, struct ldap_link *link,
			  const struct identity_provider *provider, const struct ldap_entry *person,
			  str uid, const str **ret, size_t *ret_count);

/* The base of groups: the setting, or that of people. */
str directory_group_base(const struct identity_provider *provider);

/* group_membership_attribute without a matching rule behind it; `*ret_in_chain` says whether there
 * is the one that makes the server follow nested groups. */
str directory_membership(const struct identity_provider *provider, bool *ret_in_chain);

/* "(&(filter)" to be followed by one more condition and ")". */
void directory_filter_begin(struct ctx *ctx, struct buf *b, str filter);

enum ldap_scope directory_scope(const struct identity_provider *provider,
				enum provider_setting setting);
