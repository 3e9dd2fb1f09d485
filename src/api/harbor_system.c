/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_system.c - what the server says of itself: version, configuration in short, room, health.
 */
#include "api/handlers.h"
#include "api/harbor.h"
#include "api/tenant.h"
#include "auth/outside.h"
#include "base/clock.h"
#include "registry/health.h"
#include "settings/system.h"

#include "base/banned.h"

/* The release whose description of the API the tests hold every answer against. Its clients compare
 * it with what they need. */
#define HARBOR_VERSION "v2.13.1"

err_t harbor_version_get(struct ctx *ctx, struct request *rq)
{
	return answer_json(rq, 200, STR("{\"version\":\"v2.0\"}"));
}

/* --- systeminfo ----------------------------------------------------------------------------- */

/* How users log in, for the page where they do; and the name on Harbor's button for OIDC. */
static err_t write_login(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	struct identity_provider *list;
	size_t count;
	TRY(identity_provider_list(ctx, &auth_outside(rq->api->options.auth)->providers,
				   ctx->tenant_id, true, &list, &count));
	json_write_str(w, "auth_mode", str_from(identity_provider_auth_mode(list, count)));
	for (size_t i = 0; i < count; i++)
		if (list[i].kind == PROVIDER_OIDC) {
			json_write_str(w, "oidc_provider_name",
				       provider_text(&list[i], PROVIDER_OIDC_NAME));
			break;
		}
	return OK;
}

static void write_open(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	struct system_settings *settings = rq->api->options.settings;
	json_write_bool(w, "primary_auth_mode", system_bool(settings, SYSTEM_PRIMARY_AUTH_MODE));
	json_write_bool(w, "self_registration", tenant_is_open(rq));
	json_write_str(w, "banner_message", system_text(ctx, settings, SYSTEM_BANNER_MESSAGE));
}

static str without_scheme(str url)
{
	size_t at;
	return str_find(url, STR("://"), &at) ? str_skip(url, at + 3) : url;
}

/* For whoever has logged in. */
static void write_known(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	const struct api_options *options = &rq->api->options;
	str url = request_base_url(rq);
	json_write_str(w, "harbor_version",
		       arena_printf(ctx->arena, HARBOR_VERSION "-berth.%s", options->version));
	json_write_str(w, "external_url", url);
	json_write_str(w, "registry_url", without_scheme(url));
	json_write_bool(w, "has_ca_root", options->ca_pem.len != 0);
	json_write_bool(w, "read_only", system_bool(options->settings, SYSTEM_READ_ONLY));
	json_write_str(w, "registry_storage_provider_name",
		       str_from(registry_storage_name(options->registry)));
	json_write_bool(w, "notification_enable",
			system_bool(options->settings, SYSTEM_NOTIFICATION_ENABLE));
	json_write_str(w, "project_creation_restriction",
		       system_text(ctx, options->settings, SYSTEM_PROJECT_CREATION));
	json_write_time(w, "current_time", clock_wall_us());
}

err_t harbor_systeminfo_get(struct ctx *ctx, struct request *rq)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	TRY(write_login(ctx, rq, &w));
	write_open(ctx, rq, &w);
	if (rq->who.subject != SUBJECT_ANONYMOUS)
		write_known(ctx, rq, &w);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

err_t harbor_volumes_get(struct ctx *ctx, struct request *rq)
{
	uint64_t total_bytes, free_bytes;
	TRY(registry_storage_space(ctx, rq->api->options.registry, &total_bytes, &free_bytes));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "storage");
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "total", (int64_t)MIN(total_bytes, (uint64_t)INT64_MAX));
	json_write_i64(&w, "free", (int64_t)MIN(free_bytes, (uint64_t)INT64_MAX));
	json_write_object_end(&w);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

err_t harbor_ca_get(struct ctx *ctx, struct request *rq)
{
	if (!rq->api->options.ca_pem.len)
		return fail(ctx, ERR_NOT_FOUND, "no tls.ca_certificate is given");
	exchange_header(rq->x, STR("Content-Type"), STR("application/octet-stream"));
	exchange_header(rq->x, STR("Content-Disposition"), STR("attachment; filename=ca.crt"));
	return exchange_answer(rq->x, 200, rq->api->options.ca_pem);
}

/* --- health --------------------------------------------------------------------------------- */

static void write_component(struct json_writer *w, const char *name, err_t err)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "name", str_from(name));
	json_write_str(w, "status", err == OK ? STR("healthy") : STR("unhealthy"));
	if (err != OK)
		json_write_str(w, "error", str_from(error_info(err)->text));
	json_write_object_end(w);
}

/* Always 200, as Harbor answers: that somebody answers at all is its core. `registry` is Harbor's
 * name for where the bytes are. */
err_t harbor_health_get(struct ctx *ctx, struct request *rq)
{
	struct health health;
	registry_health(ctx, rq->api->options.registry, &health);
	err_t database = health.database != OK ? health.database : health.writes;
	bool all = database == OK && health.storage == OK;
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "status", all ? STR("healthy") : STR("unhealthy"));
	json_write_array_begin(&w, "components");
	write_component(&w, "core", OK);
	write_component(&w, "database", database);
	write_component(&w, "registry", health.storage);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
