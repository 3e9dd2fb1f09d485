/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_format.h - a record as other systems want it: a syslog message, a CloudEvent, a CADF event.
 *
 * Pure functions. Each writes one whole message of at most AUDIT_FORMAT_BYTES_MAX; a longer one
 * overruns the buf. Whatever a record contains, the message is well-formed: rows hold well-formed
 * UTF-8 (audit_record.h), and the writers escape the rest.
 *
 * All three carry the whole record as audit_text_json() writes it, and say in their own fields what
 * a receiver filters by:
 *
 *	syslog      RFC 5424, by octet counting. Facility as configured; severity informational for
 *		    what was allowed, notice for what failed, warning for what was denied. MSGID is
 *		    the type of the event. Structured data `audit@32473` (the number that RFC 5612
 *		    sets aside for who has none) with id, result, actor, actor_type, address,
 *		    resource, project, request_id. MSG is the record as JSON, without a BOM, because
 *		    what parses JSON does not expect one.
 *	CloudEvent  1.0 in its JSON form: type `berth.audit.TYPE`, source, id, subject (the
 *		    resource), time, data.
 *	CADF        DSP0262 in JSON: an activity with action, outcome, initiator, target, observer,
 *		    reason, and the record as an attachment. Actions are of CADF's own taxonomy,
 *		    with ours behind a slash where it is narrower: `read/pull`.
 */
#pragma once

#include "base/buf.h"
#include "db/audit.h"

#define AUDIT_FORMAT_BYTES_MAX MIB(1)

/* Who sends. */
struct audit_sender {
	str source;	   /* a URI that stands for this registry */
	str host;	   /* this machine's name */
	str process;	   /* its process id */
	unsigned facility; /* of syslog */
};

/* `id` names the record among all of this source. */
typedef void audit_format(struct ctx *ctx, struct buf *b, const struct audit_sender *sender,
			  const struct audit_row *row, str id);

audit_format audit_format_syslog, audit_format_cloudevent, audit_format_cadf;
