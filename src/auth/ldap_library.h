/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_library.h - libldap, opened when a directory is configured; see os/library.h. */
#pragma once

#include "os/library.h"

#include <ldap.h>
#include <openldap.h>

#define LDAP_FUNCTIONS(X)                                                                          \
	X(ber_free)                                                                                \
	X(ber_memfree)                                                                             \
	X(ber_sockbuf_add_io)                                                                      \
	X(ber_sockbuf_ctrl)                                                                        \
	X(ldap_control_find)                                                                       \
	X(ldap_control_free)                                                                       \
	X(ldap_controls_free)                                                                      \
	X(ldap_count_values_len)                                                                   \
	X(ldap_create_page_control)                                                                \
	X(ldap_dnfree)                                                                             \
	X(ldap_err2string)                                                                         \
	X(ldap_first_attribute)                                                                    \
	X(ldap_get_dn)                                                                             \
	X(ldap_get_option)                                                                         \
	X(ldap_get_values_len)                                                                     \
	X(ldap_init_fd)                                                                            \
	X(ldap_install_tls)                                                                        \
	X(ldap_memfree)                                                                            \
	X(ldap_msgfree)                                                                            \
	X(ldap_msgtype)                                                                            \
	X(ldap_next_attribute)                                                                     \
	X(ldap_parse_pageresponse_control)                                                         \
	X(ldap_parse_result)                                                                       \
	X(ldap_rdn2str)                                                                            \
	X(ldap_result)                                                                             \
	X(ldap_sasl_bind)                                                                          \
	X(ldap_search_ext)                                                                         \
	X(ldap_set_option)                                                                         \
	X(ldap_start_tls)                                                                          \
	X(ldap_str2dn)                                                                             \
	X(ldap_tls_inplace)                                                                        \
	X(ldap_unbind_ext)                                                                         \
	X(ldap_value_free_len)

struct ldap_functions {
	LDAP_FUNCTIONS(LIBRARY_FIELD)
};
extern struct ldap_functions libldap;

err_t ldap_library_open(struct ctx *ctx);
