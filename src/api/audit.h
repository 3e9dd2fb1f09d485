/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - how a request gets into the audit trail.
 *
 * A handler that changes something declares it right before it calls the function that does:
 *
 *	struct audit_event *event = audit_change(rq, AUDIT_CREATE_PROJECT);
 *	event->project = event->resource = name;
 *	event->after = json;
 *	TRY(project_create(ctx, registry, name, is_public));
 *
 * The record is then written by the first durable write transaction (SQL_WRITE) that this request
 * commits, so the change and its record are one. When no such commit comes, the end of the request
 * records it: as failed or denied with the reason when the answer is an error, as allowed otherwise
 * (what changed nothing in the database). Several changes may be declared; they are written
 * together.
 *
 * Denied access and refused credentials are recorded by the dispatcher, for every route alike.
 */
#pragma once

#include "api/request.h"
#include "model/audit_event.h"

/*
 * The event, in the arena, with who, from where, project and repository of the route filled in; the
 * caller sets the rest. Its strs must live as long as the request. Never NULL: when the type is
 * switched off it is an event that goes nowhere.
 */
struct audit_event *audit_change(struct request *rq, enum audit_type type);

/* The same for what has no transaction (a pull, a login): the caller fills it and gives it to
 * audit_note(). NULL when the type is switched off. */
struct audit_event *audit_about(struct request *rq, enum audit_type type);

/* audit_change() about the project of the path itself. */
struct audit_event *audit_project(struct request *rq, enum audit_type type);

/* Who that is, as the trail names him. */
struct ctx_actor audit_actor(const struct identity *who);

/* Forgets what was declared and not yet written: it turned out that nothing will change. */
void audit_forget(struct request *rq);

/* For the dispatcher, at the end of each request: records what was declared and not written, and
 * refusals: credentials that are wrong, and access denied to somebody who is known. */
void audit_finish(struct request *rq, err_t err);
