/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - shapes of option values that are more than a number: addresses, networks, URLs.
 *
 * A check returns NULL when `text` is fine, else what it must be, as the end of the sentence "must
 * be …".
 */
#pragma once

#include "config/config.h"

const char *check_given(str text);
const char *check_listen(str text);
const char *check_listen_one(str text); /* one, or nothing */
const char *check_networks(str text);
const char *check_address_ranges(str text);
const char *check_database_url(str text);
const char *check_url(str text);
const char *check_rates(str text);
const char *check_syslog(str text);
const char *check_http_url(str text);  /* with a path, unlike check_url() */
const char *check_host_name(str text); /* or nothing */
const char *check_mail_address(str text);
const char *check_patterns(str text);	 /* base/glob.h */
const char *check_field_value(str text); /* of an HTTP header field */

/* Splits what check_listen() accepted. `has_certificate` decides where the address itself does not.
 */
void listen_split(str item, bool has_certificate, struct config_listener *ret);
