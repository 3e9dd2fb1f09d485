/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_metadata.c - the settings of a project one by one, as Harbor's API has them: its metadata.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/project_json.h"

#include "base/banned.h"

static err_t get_view(struct ctx *ctx, struct request *rq, struct project_view *ret)
{
	err_t err = project_get(ctx, rq->api->options.registry, rq->project_found.id, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such project") : err;
}

static bool value_of(const struct project_view *view, str name, str *ret)
{
	if (str_eq(name, project_setting_name(PROJECT_SETTING_PUBLIC))) {
		*ret = view->row.is_public ? STR("true") : STR("false");
		return true;
	}
	for (size_t i = 0; i < view->setting_count; i++)
		if (str_eq(view->settings[i].name, name)) {
			*ret = view->settings[i].value;
			return true;
		}
	return false;
}

err_t harbor_metadata_list(struct ctx *ctx, struct request *rq)
{
	struct project_view view;
	TRY(get_view(ctx, rq, &view));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	project_write_settings(&w, &view);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

static str one_json(struct ctx *ctx, str name, str value)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(16));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_key(&w, name);
	json_write_str(&w, NULL, value);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&body));
}

err_t harbor_metadata_get(struct ctx *ctx, struct request *rq)
{
	struct project_view view;
	str value;
	TRY(get_view(ctx, rq, &view));
	if (!value_of(&view, rq->word, &value))
		return fail(ctx, ERR_NOT_FOUND, "the setting is not set");
	return answer_json(rq, 200, one_json(ctx, rq->word, value));
}

static err_t put(struct ctx *ctx, struct request *rq, const struct setting_value *wanted)
{
	const struct project_change change = {
		.id = rq->project_found.id,
		.name = rq->project,
		.settings = wanted,
		.setting_count = 1,
	};
	struct project_view view;
	str name = project_setting_name(wanted->setting), before;
	TRY(get_view(ctx, rq, &view));
	struct audit_event *event = audit_project(rq, AUDIT_UPDATE_PROJECT);
	if (value_of(&view, name, &before))
		event->before = one_json(ctx, name, before);
	event->after = one_json(ctx, name, wanted->value);
	err_t err = project_change(ctx, rq->api->options.registry, &change);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such project") : err);
	return answer_empty(rq, 200);
}

err_t harbor_metadata_add(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct setting_value wanted;
	struct project_view view;
	str have;
	TRY(body_read(ctx, rq, &doc));
	TRY(project_setting_wish(ctx, doc.root, &wanted));
	TRY(get_view(ctx, rq, &view));
	if (value_of(&view, project_setting_name(wanted.setting), &have))
		return fail(ctx, ERR_EXISTS, "the setting is set already");
	return put(ctx, rq, &wanted);
}

err_t harbor_metadata_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct setting_value wanted;
	struct project_view view;
	str have;
	TRY(body_read(ctx, rq, &doc));
	TRY(project_setting_wish(ctx, doc.root, &wanted));
	if (!str_eq(rq->word, project_setting_name(wanted.setting)))
		return fail(ctx, ERR_REQUEST_INVALID, "path and body name different settings");
	TRY(get_view(ctx, rq, &view));
	if (!value_of(&view, rq->word, &have))
		return fail(ctx, ERR_NOT_FOUND, "the setting is not set");
	return put(ctx, rq, &wanted);
}

err_t harbor_metadata_delete(struct ctx *ctx, struct request *rq)
{
	struct project_view view;
	str before;
	enum project_setting setting = project_setting_find(rq->word);
	TRY(get_view(ctx, rq, &view));
	if (setting == PROJECT_SETTING_COUNT || !value_of(&view, rq->word, &before))
		return fail(ctx, ERR_NOT_FOUND, "the setting is not set");
	if (project_setting_setter(setting) == SETTER_PROGRAM)
		return fail(ctx, ERR_REQUEST_INVALID, "the setting is not set by requests");
	struct audit_event *event = audit_project(rq, AUDIT_UPDATE_PROJECT);
	event->before = one_json(ctx, rq->word, before);
	err_t err = project_unset(ctx, rq->api->options.registry, rq->project_found.id, rq->project,
				  setting);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "the setting is not set") : err);
	return answer_empty(rq, 200);
}
