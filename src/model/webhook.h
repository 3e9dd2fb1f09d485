/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook.h - what webhooks tell of: the types of events, what a policy wants to know, and the
 * event as Harbor's default payload. Pure.
 *
 * The names are Harbor's, but for those whose CloudEvents are berth's. A policy may ask for all of
 * them; some have no feature behind them yet.
 */
#pragma once

#include "base/ctx.h"
#include "codec/json_writer.h"

/* X(type, Harbor's name, its type as a CloudEvent) */
#define WEBHOOK_EVENTS(X)                                                                          \
	X(PUSH, "PUSH_ARTIFACT", "harbor.artifact.pushed")                                         \
	X(PULL, "PULL_ARTIFACT", "harbor.artifact.pulled")                                         \
	X(DELETE, "DELETE_ARTIFACT", "harbor.artifact.deleted")                                    \
	X(SCAN_FAILED, "SCANNING_FAILED", "harbor.scan.failed")                                    \
	X(SCAN_COMPLETED, "SCANNING_COMPLETED", "harbor.scan.completed")                           \
	X(SCAN_STOPPED, "SCANNING_STOPPED", "harbor.scan.stopped")                                 \
	X(QUOTA_EXCEED, "QUOTA_EXCEED", "harbor.quota.exceeded")                                   \
	X(QUOTA_WARNING, "QUOTA_WARNING", "harbor.quota.warned")                                   \
	X(REPLICATION, "REPLICATION", "harbor.replication.status.changed")                         \
	X(RETENTION, "TAG_RETENTION", "harbor.tag_retention.finished")                             \
	X(MOVE_TAG, "MOVE_TAG", "berth.tag.moved")

#define WEBHOOK_EVENT_ENUM(name, harbor, cloud) WEBHOOK_EVENT_##name,
enum webhook_event {
	WEBHOOK_EVENTS(WEBHOOK_EVENT_ENUM) WEBHOOK_EVENT_COUNT,
	/* Nothing happened: somebody looks whether a target can be reached. No policy names it. */
	WEBHOOK_EVENT_PING = 62
};
#undef WEBHOOK_EVENT_ENUM

/* The kind of the jobs that send them, and of their letters in the outbox. */
#define WEBHOOK_JOB "webhook"

/* Of all jobs that tell one target of a policy, so of one receiver; in the arena. */
str webhook_lane(struct arena *arena, int64_t policy_id, int64_t target);

#define WEBHOOK_EVENT_BIT(event) (INT64_C(1) << (event))

struct webhook_event_info {
	str name;  /* "PUSH_ARTIFACT" */
	str cloud; /* "harbor.artifact.pushed" */
};
const struct webhook_event_info *webhook_event_info(enum webhook_event event);
bool webhook_event_find(str name, enum webhook_event *ret);

/* What an event is about, if it is about artifacts. */
struct webhook_resource {
	str digest;
	str tag;	/* may be empty */
	str media_type; /* may be empty */
};
#define WEBHOOK_RESOURCES_MAX 25 /* of one event */

/* --- what a policy wants to know -------------------------------------------------------------- */

/*
 * A filter is a JSON object of lists of patterns (base/glob.h): {"repositories": ["app/ **"],
 * "projects": ["team-*"],
 * "tags": ["v*"], "media_types": ["application/vnd.oci.image.*"]} (the first without the blank). A
 * list that is absent or empty wants all; repositories are named inside their project, or, by a
 * policy of many projects, with it. What has no tag fits no list of tags but "**". Of several
 * artifacts a policy is told of those that fit.
 */
struct webhook_about {
	str repository; /* full; empty: it is about none */
	const struct webhook_resource *resources;
	size_t count; /* WEBHOOK_RESOURCES_MAX at most */
};
/* False when nothing fits. `ret` has room for as many as there are. */
bool webhook_filter_choose(str filter, bool of_project, const struct webhook_about *about,
			   struct webhook_resource *ret, size_t *ret_count);

/* False, with the place and what is wrong there in the arena, when it is no filter. */
struct json_value;
bool webhook_filter_check(struct arena *arena, const struct json_value *filter, str *ret_wrong);

/* --- the event -------------------------------------------------------------------------------- */

struct webhook_facts {
	enum webhook_event event;
	int64_t at_us;
	str operator_name; /* who did it */
	str host;	   /* of this registry, as he called it; may be empty */
	str repository;	   /* "project/rest"; empty: about none */
	bool is_public;
	int64_t repository_made_us; /* 0: unknown */
	const struct webhook_resource *resources;
	size_t resource_count; /* 0: about no artifact */
	str retention;	       /* JSON object of what a run of it did; may be empty */
	str details;	       /* JSON object of what else there is to say; may be empty */
};

/* Harbor's default payload. */
void webhook_payload_write(struct json_writer *w, const struct webhook_facts *facts);

/* What some formats say besides: the event's id, who asked for what, and the types of the
 * resources; and the trace of what happened, for who tells of it later. A JSON object in ctx's
 * arena. */
str webhook_extra(struct ctx *ctx, str id, const struct webhook_resource *resources, size_t count);
