/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - see api/audit.h. */
#include "api/audit.h"
#include "auth/tenant.h"
#include "codec/basic_auth.h"
#include "notify/audit.h"

#include "base/banned.h"

#define CHANGES_MAX 16

/* What a request has declared and nobody has written yet. */
struct audit_changes {
	struct tx_rider rider;
	struct audit *audit;
	struct audit_event *events[CHANGES_MAX];
	size_t count;
};

static str subject_name(enum subject subject)
{
	switch (subject) {
	case SUBJECT_USER:
		return STR("user");
	case SUBJECT_ROBOT:
		return STR("robot");
	case SUBJECT_ANONYMOUS:
		break;
	}
	return STR("anonymous");
}

struct ctx_actor audit_actor(const struct identity *who)
{
	return (struct ctx_actor){ subject_name(who->subject),
				   who->name.len ? who->name : STR("anonymous") };
}

static struct audit_event *make_event(struct request *rq, enum audit_type type)
{
	struct audit_event *event = ARENA_NEW(rq->x->ctx->arena, struct audit_event);
	const struct identity *who = &rq->who;
	struct ctx_actor actor = audit_actor(who);
	*event = (struct audit_event){
		.type = type,
		.tenant_id = request_tenant(rq),
		.project_id = rq->repository.len ? rq->place.project_id : rq->project_found.id,
		.project = rq->repository.len ? reference_project(rq->repository) : rq->project,
		.resource = rq->repository,
		.actor_type = actor.type,
		.actor_id = who->id,
		.actor = actor.name,
		.issuer = who->issuer,
		.on_behalf_of = who->on_behalf_of,
		.address = rq->x->peer,
		.user_agent = request_header(rq, STR("User-Agent")),
		.request_id = rq->x->ctx->request_id,
	};
	return event;
}

struct audit_event *audit_about(struct request *rq, enum audit_type type)
{
	return audit_wants(rq->api->options.audit, type) ? make_event(rq, type) : NULL;
}

static err_t write_changes(struct ctx *ctx, struct sql_tx *tx, struct tx_rider *rider)
{
	struct audit_changes *changes = CONTAINER_OF(rider, struct audit_changes, rider);
	for (size_t i = 0; i < changes->count; i++)
		TRY(audit_write(ctx, changes->audit, tx, changes->events[i]));
	return OK;
}

/* The open declaration of this request, if there is one. */
static struct audit_changes *changes_of(struct request *rq)
{
	struct tx_rider *rider = rq->x->ctx->rider;
	return rider ? CONTAINER_OF(rider, struct audit_changes, rider) : NULL;
}

struct audit_event *audit_change(struct request *rq, enum audit_type type)
{
	struct ctx *ctx = rq->x->ctx;
	if (!audit_wants(rq->api->options.audit, type))
		return ARENA_NEW(ctx->arena, struct audit_event);
	struct audit_event *event = make_event(rq, type);
	struct audit_changes *changes = changes_of(rq);
	if (!changes) {
		changes = ARENA_NEW(ctx->arena, struct audit_changes);
		changes->rider.join = write_changes;
		changes->audit = rq->api->options.audit;
		ctx->rider = &changes->rider;
	}
	CHECK(changes->count < CHANGES_MAX);
	changes->events[changes->count++] = event;
	return event;
}

struct audit_event *audit_project(struct request *rq, enum audit_type type)
{
	struct audit_event *event = audit_change(rq, type);
	event->project_id = rq->project_found.id;
	event->project = event->resource = rq->project;
	return event;
}

void audit_forget(struct request *rq)
{
	rq->x->ctx->rider = NULL;
}

/* What an error answer means for what was asked. */
static void set_result(struct audit_event *event, const struct ctx *ctx, err_t err)
{
	if (err == OK)
		return;
	int status = error_info(err)->status;
	event->result = status == 401 || status == 403 ? AUDIT_DENIED : AUDIT_FAILED;
	event->status = status;
	event->reason =
		str_from(ctx->failure.detail[0] ? ctx->failure.detail : error_info(err)->text);
}

static void finish_changes(struct request *rq, struct audit_changes *changes, err_t err)
{
	for (size_t i = 0; i < changes->count; i++) {
		set_result(changes->events[i], rq->x->ctx, err);
		audit_note(changes->audit, changes->events[i]);
	}
	audit_forget(rq);
}

/* Who the refused credentials claim to be; a name only, never a secret. */
static str claimed_name(struct request *rq)
{
	struct basic_auth given;
	str header = request_header(rq, STR("Authorization"));
	if (rq->claimed.len)
		return rq->claimed;
	if (basic_auth_parse(rq->x->ctx->arena, header, &given))
		return given.user;
	return header.len ? STR("bearer token") : STR("form");
}

/* In the trail of the tenant whose user it was to be, on whatever host: "acme/anna" is acme's anna.
 */
static void name_claimed(struct request *rq, struct audit_event *event)
{
	struct ctx *ctx = rq->x->ctx;
	CLEANUP(tenant_leave) struct tenant_scope scope = TENANT_SCOPE_INIT;
	event->resource = claimed_name(rq);
	/* When it cannot be looked up, it stays where it was tried; the answer has its error
	 * already. */
	if (tenant_enter(ctx, rq->api->options.auth, event->resource, &scope, &event->resource) ==
	    OK)
		event->tenant_id = ctx->tenant_id;
}

static void note_denial(struct request *rq, err_t err)
{
	bool by_form =
		rq->route && (rq->route->kind == ROUTE_TOKEN || rq->route->kind == ROUTE_PORTAL);
	bool login = error_info(err)->status == 401 && (rq->bad_credentials || by_form);
	if (!login && rq->who.subject == SUBJECT_ANONYMOUS && !rq->who.by_token)
		return; /* nobody yet: the challenge by which every client begins */
	struct audit_event *event = audit_about(rq, login ? AUDIT_DENY_LOGIN : AUDIT_DENY_ACCESS);
	if (!event)
		return;
	set_result(event, rq->x->ctx, err);
	if (login)
		name_claimed(rq, event);
	else
		event->resource = rq->x->head->path;
	audit_note(rq->api->options.audit, event);
}

/* A project that a push has made, in a transaction that is not the push's. */
static void note_project_made(struct request *rq)
{
	struct audit_event *event = rq->maker.made ? audit_about(rq, AUDIT_CREATE_PROJECT) : NULL;
	if (!event)
		return;
	event->resource = event->project;
	audit_note(rq->api->options.audit, event);
}

void audit_finish(struct request *rq, err_t err)
{
	note_project_made(rq);
	struct audit_changes *changes = changes_of(rq);
	int status = error_info(err)->status;
	if (changes)
		finish_changes(rq, changes, err);
	else if (status == 401 || status == 403)
		note_denial(rq, err);
}
