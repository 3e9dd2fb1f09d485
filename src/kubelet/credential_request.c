/* SPDX-License-Identifier: Apache-2.0 */
/* credential_request.c - see credential_request.h. */
#include "kubelet/credential_request.h"

#include "base/error.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/json_writer.h"

#include <stdio.h>

#include "base/banned.h"

#define API_VERSION "credentialprovider.kubelet.k8s.io/v1"
#define JSON_LIMITS ((struct json_limits){ .depth_max = 32, .values_max = 4096 })

/* --- reading ---------------------------------------------------------------------------------- */

/* As container runtimes read an image's name: without a host that looks like one, docker.io's. */
static str registry_of(str image)
{
	str host, rest;
	if (!str_cut(image, '/', &host, &rest))
		return STR("docker.io");
	if (str_has_byte(host, '.') || str_has_byte(host, ':') || str_eq(host, STR("localhost")))
		return host;
	return STR("docker.io");
}

static bool read_expiry(struct arena *arena, str token, int64_t *ret_s)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str head, rest, payload, signature, text;
	return str_cut(token, '.', &head, &rest) && str_cut(rest, '.', &payload, &signature) &&
	       base64_decode(arena, BASE64_URL, payload, &text) &&
	       json_parse(text, JSON_LIMITS, &doc, &problem) &&
	       json_get_i64(doc.root, "exp", ret_s) == JSON_FOUND && *ret_s >= 0;
}

static bool member_is(const struct json_value *root, const char *key, str want)
{
	str have;
	return json_get_str(root, key, &have) == JSON_FOUND && str_eq(have, want);
}

static const char *read_request(struct arena *arena, const struct json_value *root,
				struct credential_request *into)
{
	const struct json_value *annotations = NULL;
	str image, token, robot = STR_NONE;
	if (!member_is(root, "apiVersion", STR(API_VERSION)) ||
	    !member_is(root, "kind", STR("CredentialProviderRequest")))
		return "not a CredentialProviderRequest of " API_VERSION;
	if (json_get_str(root, "image", &image) != JSON_FOUND || !image.len)
		return "no image";
	if (json_get_str(root, "serviceAccountToken", &token) != JSON_FOUND || !token.len)
		return "no serviceAccountToken: the kubelet's configuration needs tokenAttributes";
	if (json_get_object(root, "serviceAccountAnnotations", &annotations) == JSON_WRONG ||
	    json_get_str(annotations, CREDENTIAL_ANNOTATION, &robot) == JSON_WRONG)
		return "annotations are no texts";
	into->image = arena_copy(arena, image);
	into->registry = registry_of(into->image);
	into->token = arena_copy(arena, token);
	into->robot = arena_copy(arena, robot);
	return read_expiry(arena, into->token, &into->expires_s)
		       ? NULL
		       : "serviceAccountToken is no token with an end";
}

bool credential_request_read(struct arena *arena, str bytes, struct credential_request *ret,
			     const char **ret_why)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct credential_request request = { 0 };
	*ret_why = "not JSON, or too much of it";
	if (bytes.len > CREDENTIAL_REQUEST_MAX || !json_parse(bytes, JSON_LIMITS, &doc, &problem))
		return false;
	*ret_why = read_request(arena, doc.root, &request);
	if (*ret_why)
		return false;
	*ret = request;
	return true;
}

/* --- answering -------------------------------------------------------------------------------- */

bool credential_registry_is(str registry, const str *allowed, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		str label, rest;
		if (str_eq_nocase(registry, allowed[i]))
			return true;
		if (str_has_prefix(allowed[i], STR("*.")) &&
		    str_cut(registry, '.', &label, &rest) && label.len &&
		    str_eq_nocase(rest, str_skip(allowed[i], 2)))
			return true;
	}
	return false;
}

void credential_answer_write(struct buf *b, const struct credential_request *request, str user,
			     int64_t now_s)
{
	char duration[32];
	struct json_writer w = JSON_WRITER(b);
	int64_t left_s = request->expires_s - now_s - CREDENTIAL_CACHE_SPARE_S;
	int64_t cache_s = MAX(0, MIN(left_s, CREDENTIAL_CACHE_S_MAX));
	snprintf(duration, sizeof duration, "%llds", (long long)cache_s);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "kind", STR("CredentialProviderResponse"));
	json_write_str(&w, "apiVersion", STR(API_VERSION));
	json_write_str(&w, "cacheKeyType", STR("Registry"));
	json_write_str(&w, "cacheDuration", str_from(duration));
	json_write_object_begin(&w, "auth");
	json_write_key(&w, request->registry);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "username", request->robot.len ? request->robot : user);
	json_write_str(&w, "password", request->token);
	json_write_object_end(&w);
	json_write_object_end(&w);
	json_write_object_end(&w);
}
