/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syslog.h - messages for a syslog server (RFC 5424), and the addresses of such servers.
 *
 * A message is
 *
 *	<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [SD-ID NAME="VALUE" …] MSG
 *
 * Whatever the fields contain, what is written is one well-formed message without a control
 * character in its head: header fields are cut at their lengths and bytes outside of printable
 * ASCII become `?` there; in values `"`, `\` and `]` are escaped, control characters become `?` and
 * ill-formed UTF-8 becomes U+FFFD. An empty header field is `-`. `msg` is written as it is.
 *
 * Over TCP each message has its length in front: octet counting, RFC 6587 §3.4.1 and RFC 5425 §4.3.
 */
#pragma once

#include "base/buf.h"

#define SYSLOG_FACILITY_MAX	  23
#define SYSLOG_FACILITY_LOG_AUDIT 13

enum syslog_severity { SYSLOG_WARNING = 4, SYSLOG_NOTICE = 5, SYSLOG_INFORMATIONAL = 6 };

struct syslog_param {
	const char *name; /* 1 to 32 characters, none of `= ]"` */
	str value;	  /* empty: the parameter is left out */
};

struct syslog_message {
	unsigned facility; /* 0 to SYSLOG_FACILITY_MAX */
	enum syslog_severity severity;
	int64_t time_us;     /* since 1970 UTC */
	str host;	     /* at most 255 bytes count */
	str app;	     /* 48 */
	str process;	     /* 128 */
	str id;		     /* MSGID; 32 */
	const char *data_id; /* "name@number" */
	const struct syslog_param *params;
	size_t param_count;
	str msg;
};

void syslog_write(struct buf *b, const struct syslog_message *message);

/* With its length and a blank in front, as it travels. At most `bytes_max` bytes of message; more
 * overruns `b`. */
void syslog_write_framed(struct buf *b, size_t bytes_max, const struct syslog_message *message);

/* --- where to ------------------------------------------------------------------------------- */

#define SYSLOG_ENDPOINT_BYTES_MAX 512

struct syslog_endpoint {
	bool tls;
	str authority; /* "logs.example.com:6514", "[2001:db8::1]:514" */
};

/* "host:port" and "tcp://host:port" are TCP, "tls://host:port" is TLS. A host is a name, an IPv4
 * address, or an IPv6 address in brackets. False, and nothing set, for anything else. */
bool syslog_endpoint_parse(str text, struct syslog_endpoint *ret);
