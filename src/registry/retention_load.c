/* SPDX-License-Identifier: Apache-2.0 */
/* retention_load.c - all of a repository that a policy decides by, and the decision. */
#include "base/clock.h"
#include "internal.h"
#include "registry/immutable.h"
#include "retention_internal.h"

#include <stdlib.h>

#include "base/banned.h"

struct loaded {
	struct retention_artifact *artifacts;
	struct retention_tag *tags;
	struct retention_label *labels;
	int64_t *signed_ids, *running_ids;
	size_t artifact_count, tag_count, label_count, signed_count, running_count;
	bool of_tags;
	struct immutability rules; /* of the project */
};

/* Rows of several tables are brought together by walking all of them in the order of manifests. */
static int by_artifact(const void *left, const void *right)
{
	const struct retention_artifact *a = left, *b = right;
	return a->id < b->id ? -1 : a->id > b->id;
}

static int by_manifest(const void *left, const void *right)
{
	const struct retention_tag *a = left, *b = right;
	if (a->manifest_id != b->manifest_id)
		return a->manifest_id < b->manifest_id ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static int by_labelled(const void *left, const void *right)
{
	const struct retention_label *a = left, *b = right;
	return a->manifest_id < b->manifest_id ? -1 : a->manifest_id > b->manifest_id;
}

static int by_id(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;
	return *a < *b ? -1 : *a > *b;
}

static void sort(void *list, size_t count, size_t size, int (*by)(const void *, const void *))
{
	if (count > 1)
		qsort(list, count, size, by);
}

static bool has_id(const int64_t *list, size_t count, int64_t id)
{
	return count && bsearch(&id, list, count, sizeof *list, by_id);
}

static err_t read_rows(struct ctx *ctx, struct registry *registry, int64_t id, struct loaded *l)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_retention_artifacts(ctx, &tx, id, &l->artifacts, &l->artifact_count));
	TRY(db_retention_tags(ctx, &tx, id, &l->tags, &l->tag_count));
	TRY(db_retention_labels(ctx, &tx, id, &l->labels, &l->label_count));
	TRY(db_retention_signed(ctx, &tx, id, &l->signed_ids, &l->signed_count));
	TRY(db_retention_running(ctx, &tx, id, ctx->tenant_id, clock_wall_us(), &l->running_ids,
				 &l->running_count));
	sort(l->artifacts, l->artifact_count, sizeof *l->artifacts, by_artifact);
	sort(l->tags, l->tag_count, sizeof *l->tags, by_manifest);
	sort(l->labels, l->label_count, sizeof *l->labels, by_labelled);
	sort(l->signed_ids, l->signed_count, sizeof *l->signed_ids, by_id);
	sort(l->running_ids, l->running_count, sizeof *l->running_ids, by_id);
	return OK;
}

static err_t make_room(struct ctx *ctx, const struct loaded *l, struct retention_set *set)
{
	size_t most = l->artifact_count + (l->of_tags ? l->tag_count : 0) + 1;
	set->candidates = arena_try(ctx->arena, most * sizeof *set->candidates);
	set->subjects = arena_try(ctx->arena, most * sizeof *set->subjects);
	if (!set->candidates || !set->subjects)
		return fail(ctx, ERR_LIMIT, "more artifacts than fit into memory");
	return OK;
}

/* Everything of one artifact: its tags begin at tags[*tag_at], its labels at labels[*label_at]. */
static err_t name_it(struct ctx *ctx, const struct loaded *l, size_t tag_at, size_t label_at,
		     struct retention_subject *subject, struct retention_candidate *candidate)
{
	int64_t id = subject->artifact->id;
	subject->tags = &l->tags[tag_at];
	while (tag_at + subject->tag_count < l->tag_count &&
	       l->tags[tag_at + subject->tag_count].manifest_id == id)
		subject->tag_count++;
	while (label_at + candidate->label_count < l->label_count &&
	       l->labels[label_at + candidate->label_count].manifest_id == id)
		candidate->label_count++;
	size_t names = subject->tag_count + candidate->label_count;
	str *texts = names ? arena_try(ctx->arena, names * sizeof *texts) : NULL;
	if (names && !texts)
		return fail(ctx, ERR_LIMIT, "more tags than fit into memory");
	for (size_t i = 0; i < subject->tag_count; i++)
		texts[i] = subject->tags[i].name;
	for (size_t i = 0; i < candidate->label_count; i++)
		texts[subject->tag_count + i] = l->labels[label_at + i].name;
	candidate->tags = texts;
	candidate->tag_count = subject->tag_count;
	candidate->labels = candidate->label_count ? texts + subject->tag_count : NULL;
	return OK;
}

/* The artifact was pushed and pulled when one of its tags was. */
static void take_times(const struct retention_subject *subject,
		       struct retention_candidate *candidate)
{
	candidate->pushed_at_us = subject->artifact->pushed_at_us;
	candidate->pulled_at_us = subject->artifact->pulled_at_us;
	for (size_t i = 0; i < subject->tag_count; i++) {
		const struct retention_tag *tag = &subject->tags[i];
		candidate->pushed_at_us = MAX(candidate->pushed_at_us, tag->pushed_at_us);
		candidate->pulled_at_us = MAX(candidate->pulled_at_us, tag->pulled_at_us);
	}
}

/* A rule forbids to delete the tag; an artifact goes with all of its own. */
static bool is_kept(const struct ctx *ctx, const struct loaded *l, const struct retention_tag *tag)
{
	const struct tag_state state = { tag->name, tag->manifest_id, tag->pushed_at_us };
	return immutability_rule_of(ctx, &l->rules, &state, 0) != NULL;
}

static void protect(const struct ctx *ctx, const struct loaded *l,
		    const struct retention_subject *subject, struct retention_candidate *candidate)
{
	if (has_id(l->running_ids, l->running_count, subject->artifact->id))
		candidate->protection = PROTECTED_RUNNING;
	size_t tags = subject->tag ? 1 : subject->tag_count;
	const struct retention_tag *tag = subject->tag ? subject->tag : subject->tags;
	for (size_t i = 0; i < tags && candidate->protection == UNPROTECTED; i++)
		if (is_kept(ctx, l, &tag[i]))
			candidate->protection = PROTECTED_IMMUTABLE;
}

static void add_tags(const struct ctx *ctx, const struct loaded *l, struct retention_set *set,
		     const struct retention_subject *subject,
		     const struct retention_candidate *artifact)
{
	for (size_t i = 0; i < subject->tag_count; i++) {
		struct retention_candidate *c = &set->candidates[set->count];
		*c = *artifact;
		c->id = subject->tags[i].id;
		c->tags = &artifact->tags[i];
		c->tag_count = 1;
		c->pushed_at_us = subject->tags[i].pushed_at_us;
		c->pulled_at_us = subject->tags[i].pulled_at_us;
		set->subjects[set->count] = *subject;
		set->subjects[set->count].tag = &subject->tags[i];
		protect(ctx, l, &set->subjects[set->count], c);
		set->count++;
	}
}

static err_t bring_together(struct ctx *ctx, const struct loaded *l, struct retention_set *set)
{
	size_t tag_at = 0, label_at = 0;
	TRY(make_room(ctx, l, set));
	for (size_t i = 0; i < l->artifact_count; i++) {
		struct retention_subject subject = { .artifact = &l->artifacts[i] };
		int64_t id = subject.artifact->id;
		struct retention_candidate candidate = {
			.id = id,
			.is_signed = has_id(l->signed_ids, l->signed_count, id),
		};
		while (tag_at < l->tag_count && l->tags[tag_at].manifest_id < id)
			tag_at++;
		while (label_at < l->label_count && l->labels[label_at].manifest_id < id)
			label_at++;
		TRY(name_it(ctx, l, tag_at, label_at, &subject, &candidate));
		take_times(&subject, &candidate);
		if (l->of_tags && subject.tag_count) {
			add_tags(ctx, l, set, &subject, &candidate);
			continue;
		}
		protect(ctx, l, &subject, &candidate);
		set->candidates[set->count] = candidate;
		set->subjects[set->count++] = subject;
	}
	return OK;
}

err_t retention_load(struct ctx *ctx, struct registry *registry,
		     const struct retention_policy *policy,
		     const struct retention_repository *repository, struct retention_set *ret)
{
	struct loaded l = { .of_tags = policy->of_tags };
	str project, rest;
	*ret = (struct retention_set){ .repository = *repository, .policy = policy };
	if (!str_cut(repository->name, '/', &project, &rest))
		return fail(ctx, ERR_CORRUPT, "a repository's name without a project");
	ret->untouched = !retention_choose(policy, rest, &ret->chosen);
	if (ret->untouched)
		return OK;
	TRY(immutability_find(ctx, registry, repository->name, &l.rules));
	TRY(read_rows(ctx, registry, repository->id, &l));
	TRY(bring_together(ctx, &l, ret));
	if (!retention_decide(ctx->arena, &ret->chosen, clock_wall_us(), ret->candidates,
			      ret->count))
		return fail(ctx, ERR_LIMIT, "more artifacts than fit into memory");
	return OK;
}
