/* SPDX-License-Identifier: Apache-2.0 */
/* span.c - see span.h. */
#include "observe/span.h"
#include "codec/hex.h"
#include "codec/json_writer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/banned.h"

#define STATUS_ERROR 2

static void write_attribute(struct json_writer *w, const char *key, str value)
{
	if (!value.len)
		return;
	json_write_object_begin(w, NULL);
	json_write_str(w, "key", str_from(key));
	json_write_object_begin(w, "value");
	json_write_str(w, "stringValue", value);
	json_write_object_end(w);
	json_write_object_end(w);
}

static void write_number(struct json_writer *w, const char *key, int64_t value)
{
	char text[24];
	if (!value)
		return;
	snprintf(text, sizeof text, "%" PRId64, value);
	json_write_object_begin(w, NULL);
	json_write_str(w, "key", str_from(key));
	json_write_object_begin(w, "value");
	json_write_str(w, "intValue", str_from(text));
	json_write_object_end(w);
	json_write_object_end(w);
}

static void write_time(struct json_writer *w, const char *key, int64_t ns)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRId64, ns);
	json_write_str(w, key, str_from(text));
}

static void write_id(struct json_writer *w, const char *key, uint64_t id)
{
	char text[17];
	if (!id)
		return;
	snprintf(text, sizeof text, "%016" PRIx64, id);
	json_write_str(w, key, str_from(text));
}

static void write_attributes(struct json_writer *w, const struct span *span)
{
	json_write_array_begin(w, "attributes");
	write_attribute(w, "http.request.method", str_from(span->method));
	write_attribute(w, "http.route", str_from(span->route));
	write_attribute(w, "url.path", str_from(span->path));
	write_number(w, "http.response.status_code", span->status);
	write_attribute(w, "berth.request_id", str_from(span->request_id));
	write_number(w, "berth.job.id", span->job);
	write_number(w, "berth.job.attempt", span->attempt);
	write_attribute(w, "berth.job.result", str_from(span->result));
	write_number(w, "berth.steps_left_out", span->left_out);
	write_attribute(w, "error.type", str_from(span->error));
	json_write_array_end(w);
}

/* The ids of a span. */
static void write_name(struct json_writer *w, const unsigned char id[16], uint64_t span)
{
	char text[32];
	hex_encode((str){ (const char *)id, 16 }, text);
	json_write_str(w, "traceId", (str){ text, sizeof text });
	write_id(w, "spanId", span);
}

static void write_links(struct json_writer *w, const struct span *span)
{
	if (!span->linked)
		return;
	json_write_array_begin(w, "links");
	json_write_object_begin(w, NULL);
	write_name(w, span->linked_trace, span->linked);
	json_write_object_end(w);
	json_write_array_end(w);
}

static void write_span(struct json_writer *w, const struct span *span)
{
	json_write_object_begin(w, NULL);
	write_name(w, span->trace, span->id);
	write_id(w, "parentSpanId", span->parent);
	json_write_str(w, "name", str_from(span->name));
	json_write_i64(w, "kind", span->kind);
	write_time(w, "startTimeUnixNano", span->began_ns);
	write_time(w, "endTimeUnixNano", span->ended_ns);
	write_attributes(w, span);
	write_links(w, span);
	json_write_object_begin(w, "status");
	if (span->failed)
		json_write_i64(w, "code", STATUS_ERROR);
	json_write_object_end(w);
	json_write_object_end(w);
}

static void write_resource(struct json_writer *w, const struct span_service *service)
{
	json_write_object_begin(w, "resource");
	json_write_array_begin(w, "attributes");
	write_attribute(w, "service.name", service->name);
	write_attribute(w, "service.version", str_from(service->version));
	write_attribute(w, "service.instance.id", service->instance);
	json_write_array_end(w);
	json_write_object_end(w);
}

void span_write(struct buf *b, const struct span_service *service, const struct span *spans,
		size_t count)
{
	struct json_writer writer = JSON_WRITER(b), *w = &writer;
	json_write_object_begin(w, NULL);
	json_write_array_begin(w, "resourceSpans");
	json_write_object_begin(w, NULL);
	write_resource(w, service);
	json_write_array_begin(w, "scopeSpans");
	json_write_object_begin(w, NULL);
	json_write_object_begin(w, "scope");
	json_write_str(w, "name", STR("berth"));
	json_write_object_end(w);
	json_write_array_begin(w, "spans");
	for (size_t i = 0; i < count; i++)
		write_span(w, &spans[i]);
	json_write_array_end(w);
	json_write_object_end(w);
	json_write_array_end(w);
	json_write_object_end(w);
	json_write_array_end(w);
	json_write_object_end(w);
}
