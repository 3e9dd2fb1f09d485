/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - see image.h. The head, the grants of both kinds, the external roles, then all texts in
 * the same order. */
#include "image.h"

#include "base/error.h"

#include <string.h>

#include "base/banned.h"

struct image_grant {
	int64_t project_id;
	uint32_t type_len, name_len, inside_len, actions;
};

struct image_robot_grant {
	struct action_set actions, denied;
	int64_t project_id;
	uint32_t place, push_is_pull, glob_len, pad;
};

struct image_role {
	uint32_t role, glob_len;
};

struct image_head {
	int64_t id, tenant_id, grants_tenant_id, epoch, access_token_id, proof_ends_at_us,
		lifetime_s_max;
	uint32_t subject, flags, by_token;
	uint32_t name_len, issuer_len, behalf_len;
	uint32_t grant_count, robot_grant_count, role_count;
};

static size_t robot_grants_at(void)
{
	return sizeof(struct image_head);
}

static size_t grants_at(size_t robot_grant_count)
{
	return robot_grants_at() + robot_grant_count * sizeof(struct image_robot_grant);
}

static size_t roles_at(size_t robot_grant_count, size_t grant_count)
{
	return grants_at(robot_grant_count) + grant_count * sizeof(struct image_grant);
}

static size_t texts_at(size_t robot_grant_count, size_t grant_count, size_t role_count)
{
	return roles_at(robot_grant_count, grant_count) + role_count * sizeof(struct image_role);
}

static void put_text(char **at, str text)
{
	if (text.len)
		memcpy(*at, text.ptr, text.len);
	*at += text.len;
}

static str get_text(const char **at, size_t len)
{
	str text = { *at, len };
	*at += len;
	return text;
}

static size_t texts_len(const struct identity *who)
{
	size_t len = who->name.len + who->issuer.len + who->on_behalf_of.len;
	for (size_t i = 0; i < who->grant_count; i++)
		len += who->grants[i].type.len + who->grants[i].name.len +
		       who->grants[i].inside.len;
	for (size_t i = 0; i < who->robot_grant_count; i++)
		len += who->robot_grants[i].repository_glob.len;
	for (size_t i = 0; i < who->external_role_count; i++)
		len += who->external_roles[i].project_glob.len;
	return len;
}

static void put_grants(char *image, char **at, const struct identity *who)
{
	struct image_robot_grant *robots = (void *)(image + robot_grants_at());
	struct image_grant *grants = (void *)(image + grants_at(who->robot_grant_count));
	for (size_t i = 0; i < who->robot_grant_count; i++) {
		const struct robot_grant *grant = &who->robot_grants[i];
		robots[i] = (struct image_robot_grant){
			.actions = grant->actions,
			.denied = grant->denied,
			.project_id = grant->project_id,
			.place = grant->place,
			.push_is_pull = grant->push_is_pull,
			.glob_len = (uint32_t)grant->repository_glob.len,
		};
		put_text(at, grant->repository_glob);
	}
	for (size_t i = 0; i < who->grant_count; i++) {
		const struct grant *grant = &who->grants[i];
		grants[i] = (struct image_grant){ grant->project_id, (uint32_t)grant->type.len,
						  (uint32_t)grant->name.len,
						  (uint32_t)grant->inside.len, grant->actions };
		put_text(at, grant->type);
		put_text(at, grant->name);
		put_text(at, grant->inside);
	}
}

static void put_roles(char *image, char **at, const struct identity *who)
{
	struct image_role *roles =
		(void *)(image + roles_at(who->robot_grant_count, who->grant_count));
	for (size_t i = 0; i < who->external_role_count; i++) {
		const struct external_role *role = &who->external_roles[i];
		roles[i] = (struct image_role){ role->role, (uint32_t)role->project_glob.len };
		put_text(at, role->project_glob);
	}
}

str identity_image_make(struct arena *arena, const struct identity *who)
{
	size_t head_len =
		texts_at(who->robot_grant_count, who->grant_count, who->external_role_count);
	size_t len = head_len + texts_len(who);
	char *image = arena_alloc(arena, len), *at = image + head_len;
	*(struct image_head *)(void *)image = (struct image_head){
		.id = who->id,
		.tenant_id = who->tenant_id,
		.grants_tenant_id = who->grants_tenant_id,
		.epoch = who->epoch,
		.access_token_id = who->access_token_id,
		.proof_ends_at_us = who->proof_ends_at_us,
		.lifetime_s_max = who->lifetime_s_max,
		.subject = who->subject,
		.flags = who->flags,
		.by_token = who->by_token,
		.name_len = (uint32_t)who->name.len,
		.issuer_len = (uint32_t)who->issuer.len,
		.behalf_len = (uint32_t)who->on_behalf_of.len,
		.grant_count = (uint32_t)who->grant_count,
		.robot_grant_count = (uint32_t)who->robot_grant_count,
		.role_count = (uint32_t)who->external_role_count,
	};
	put_text(&at, who->name);
	put_text(&at, who->issuer);
	put_text(&at, who->on_behalf_of);
	put_grants(image, &at, who);
	put_roles(image, &at, who);
	return (str){ image, len };
}

static void get_grants(struct arena *arena, const char *image, const char **at,
		       struct identity *who)
{
	const struct image_robot_grant *robots = (const void *)(image + robot_grants_at());
	const struct image_grant *from = (const void *)(image + grants_at(who->robot_grant_count));
	struct robot_grant *robot_grants =
		ARENA_ARRAY(arena, struct robot_grant, who->robot_grant_count);
	struct grant *grants = ARENA_ARRAY(arena, struct grant, who->grant_count);
	for (size_t i = 0; i < who->robot_grant_count; i++)
		robot_grants[i] = (struct robot_grant){
			.place = (enum permission_place)robots[i].place,
			.project_id = robots[i].project_id,
			.actions = robots[i].actions,
			.denied = robots[i].denied,
			.push_is_pull = robots[i].push_is_pull != 0,
			.repository_glob = get_text(at, robots[i].glob_len),
		};
	for (size_t i = 0; i < who->grant_count; i++) {
		grants[i].type = get_text(at, from[i].type_len);
		grants[i].name = get_text(at, from[i].name_len);
		grants[i].inside = get_text(at, from[i].inside_len);
		grants[i].project_id = from[i].project_id;
		grants[i].actions = from[i].actions;
	}
	who->robot_grants = robot_grants;
	who->grants = grants;
}

static void get_roles(struct arena *arena, const char *image, const char **at, struct identity *who)
{
	const struct image_role *from =
		(const void *)(image + roles_at(who->robot_grant_count, who->grant_count));
	struct external_role *roles =
		ARENA_ARRAY(arena, struct external_role, who->external_role_count);
	for (size_t i = 0; i < who->external_role_count; i++)
		roles[i] = (struct external_role){ get_text(at, from[i].glob_len),
						   (enum project_role)from[i].role };
	who->external_roles = roles;
}

void identity_image_view(struct arena *arena, str image, struct identity *ret)
{
	const struct image_head *head = (const void *)image.ptr; /* cache values are aligned */
	const char *at =
		image.ptr + texts_at(head->robot_grant_count, head->grant_count, head->role_count);
	struct identity who = {
		.subject = (enum subject)head->subject,
		.id = head->id,
		.tenant_id = head->tenant_id,
		.grants_tenant_id = head->grants_tenant_id,
		.epoch = head->epoch,
		.access_token_id = head->access_token_id,
		.proof_ends_at_us = head->proof_ends_at_us,
		.lifetime_s_max = head->lifetime_s_max,
		.flags = head->flags,
		.by_token = head->by_token != 0,
		.grant_count = head->grant_count,
		.robot_grant_count = head->robot_grant_count,
		.external_role_count = head->role_count,
	};
	who.name = get_text(&at, head->name_len);
	who.issuer = get_text(&at, head->issuer_len);
	who.on_behalf_of = get_text(&at, head->behalf_len);
	get_grants(arena, image.ptr, &at, &who);
	get_roles(arena, image.ptr, &at, &who);
	CHECK(at == image.ptr + image.len);
	*ret = who;
}
