/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted by many threads comes out whole, in both formats; the slow are kept and the fast
 * are not; steps tell who looks at them. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/step.h"
#include "codec/traceparent.h"
#include "observe/activity.h"
#include "observe/exposition.h"
#include "observe/meter.h"
#include "observe/slow.h"
#include "observe/span.h"
#include "observe/tracer.h"
#include "os/unique.h"

#define THREADS 32
#define ROUNDS	10000

static struct arena arena;
static struct ctx ctx;

static void setup(void)
{
	arena_init(&arena, MIB(16));
	ctx_init(&ctx, &arena);
}

static void teardown(void)
{
	arena_done(&arena);
}

TestSuite(observe, .init = setup, .fini = teardown);

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		metric_add(METRIC_AT2(RATE_LIMITED, METRIC_VALUES_CLASS, METRIC_WHO_USER,
				      METRIC_CLASS_PULL),
			   1);
		metric_time(METRIC_TIMES_AT1(HTTP_SECONDS, METRIC_ROUTE_BLOB), CLOCK_MS);
	}
	return NULL;
}

static bool says(const struct buf *b, const char *line)
{
	size_t at;
	return str_find(buf_str(b), str_from(line), &at);
}

Test(observe, many_threads_count_all)
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	struct samples none = { .arena = &arena };
	CLEANUP(buf_done) struct buf b = BUF_INIT(EXPOSITION_BYTES_MAX);
	exposition_write(&b, EXPOSITION_TEXT, &none);
	cr_assert(says(
		&b, "\nberth_rate_limited_requests_total{who=\"user\",class=\"pull\"} 320000\n"));
	cr_assert(
		says(&b, "\nberth_http_request_seconds_bucket{route=\"blob\",le=\"0.0005\"} 0\n"));
	cr_assert(says(
		&b, "\nberth_http_request_seconds_bucket{route=\"blob\",le=\"0.001\"} 320000\n"));
	cr_assert(says(&b,
		       "\nberth_http_request_seconds_bucket{route=\"blob\",le=\"+Inf\"} 320000\n"));
	cr_assert(says(&b, "\nberth_http_request_seconds_sum{route=\"blob\"} 320.000000000\n"));
	cr_assert(says(&b, "\nberth_http_request_seconds_count{route=\"blob\"} 320000\n"));
}

Test(observe, asked_ones_are_escaped_and_seconds_are_seconds)
{
	struct samples samples = { .arena = &arena };
	samples_add(&samples, METRIC_ID_TENANT_USED, STR("a\"b\\c\nd"), STR_NONE, 7);
	samples_add(&samples, METRIC_ID_CPU, STR_NONE, STR_NONE, CLOCK_S + 5);
	samples_add(&samples, METRIC_ID_PROJECT_QUOTA, STR("p"), STR("t"), -1);
	samples_put(&samples, &(struct sample){ .id = METRIC_ID_OPERATION_SECONDS,
						.labels = { STR("GET"), STR("v2_tags") },
						.value = 2 * CLOCK_S + 3,
						.count = 4 });
	CLEANUP(buf_done) struct buf b = BUF_INIT(EXPOSITION_BYTES_MAX);
	exposition_write(&b, EXPOSITION_OPENMETRICS, &samples);
	cr_assert(says(&b, "\nberth_tenant_used_bytes{tenant=\"a\\\"b\\\\c\\nd\"} 7\n"));
	cr_assert(says(&b, "\n# TYPE process_cpu_seconds counter\n# UNIT process_cpu_seconds "
			   "seconds\nprocess_cpu_seconds_total 1.000000005\n"));
	cr_assert(says(&b, "{project_name=\"p\",tenant=\"t\"} -1\n"));
	cr_assert(says(&b, "\nharbor_core_http_request_duration_seconds_sum{method=\"GET\","
			   "operation=\"v2_tags\"} 2.000000003\nharbor_core_http_request_"
			   "duration_seconds_count{method=\"GET\",operation=\"v2_tags\"} 4\n"));
	cr_assert(!says(&b, "berth_ready"), "what nobody answered is left out");
	cr_assert(str_has_suffix(buf_str(&b), STR("\n# EOF\n")));
}

Test(observe, samples_have_a_maximum)
{
	struct samples samples = { .arena = &arena };
	for (size_t i = 0; i < SAMPLES_MAX + 10; i++)
		samples_add(&samples, METRIC_ID_READY, STR_NONE, STR_NONE, 1);
	cr_assert_eq(samples.count, SAMPLES_MAX);
}

Test(observe, every_name_fits_its_unit_and_is_there_once)
{
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		str name = str_from(metric_table[i].name), unit = str_from(metric_table[i].unit);
		cr_assert(!unit.len || str_has_suffix(name, unit), "%s", metric_table[i].name);
		cr_assert(metric_table[i].type != METRIC_COUNTER ||
				  !str_has_suffix(name, STR("_total")),
			  "%s", metric_table[i].name);
		for (size_t other = 0; other < i; other++)
			cr_assert(!str_eq(name, str_from(metric_table[other].name)), "%s",
				  metric_table[i].name);
	}
}

Test(observe, the_slowest_are_kept)
{
	static struct slow_list list = SLOW_LIST_INIT;
	struct slow_call calls[2 * SLOW_MAX];
	int64_t now_ns = clock_now_ns();
	for (int i = 1; i <= 1000; i++) {
		const struct slow_about about = { .kind = "GET", .what = STR("/x"), .status = i };
		slow_note(&list, now_ns, i * 7 % 1000 * CLOCK_MS, &about);
	}
	size_t found = slow_read(&list, calls);
	cr_assert_geq(found, SLOW_MAX); /* more when the window ended meanwhile */
	cr_assert_eq(calls[0].took_ns, 999 * CLOCK_MS);
	for (size_t i = 1; i < found; i++)
		cr_assert_leq(calls[i].took_ns, calls[i - 1].took_ns);
	cr_assert(found > SLOW_MAX || calls[SLOW_MAX - 1].took_ns == 968 * CLOCK_MS);
}

Test(observe, what_was_slow_does_not_hide_what_is_slow_now)
{
	static struct slow_list list = SLOW_LIST_INIT;
	struct slow_call calls[2 * SLOW_MAX];
	const struct slow_about about = { .kind = "GET", .what = STR("/x") };
	int64_t now_ns = clock_now_ns();
	for (int i = 0; i < 2 * SLOW_MAX; i++)
		slow_note(&list, now_ns, CLOCK_S, &about);
	slow_note(&list, now_ns, CLOCK_MS, &about);
	cr_assert_eq(slow_read(&list, calls), SLOW_MAX);
	slow_note(&list, now_ns + SLOW_WINDOW_S * CLOCK_S, CLOCK_MS, &about);
	size_t found = slow_read(&list, calls);
	cr_assert_eq(found, SLOW_MAX + 1, "of the window before, and of this one");
	cr_assert_eq(calls[found - 1].took_ns, CLOCK_MS);
}

Test(observe, steps_are_counted_and_seen)
{
	struct activity now[4];
	struct step nobody = step_begin(&ctx, STEP_STORAGE, STEP_PUBLISH, "publish");
	step_end(&ctx, &nobody, OK);
	cr_assert_eq(nobody.began_ns, 0, "nobody looks yet");

	size_t cell = METRIC_TIMES_AT1(STORAGE_SECONDS, STEP_PUBLISH) + METRIC_TIMES - 1;
	size_t failures = METRIC_AT1(STEP_ERRORS, STEP_STORAGE);
	meter_start();
	struct step tx = step_begin(&ctx, STEP_SQL_TRANSACTION, 1, "write");
	struct step step = step_begin(&ctx, STEP_STORAGE, STEP_PUBLISH, "publish");
	cr_assert_eq(activity_read(now, COUNT_OF(now)), 1);
	cr_assert_str_eq(now[0].step, "publish");
	cr_assert_str_eq(now[0].transaction, "write");
	step_pause(&step);
	step_resume(&step);
	step_end(&ctx, &step, ERR_STORAGE);
	step_end(&ctx, &step, ERR_STORAGE); /* once is enough */
	step_end(&ctx, &tx, OK);
	cr_assert_eq(activity_read(now, COUNT_OF(now)), 0);
	cr_assert_gt(metric_read(cell), 0);
	cr_assert_eq(metric_read(failures), 1);
	step = step_begin(&ctx, STEP_STORAGE, STEP_BLOB_SIZE, "blob_size");
	step_end(&ctx, &step, ERR_BLOB_UNKNOWN);
	cr_assert_eq(metric_read(failures), 1, "what is not there is no failure");
}

Test(observe, traceparents_go_both_ways)
{
	str header = STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	char text[TRACEPARENT_LEN + 1];
	struct trace trace;
	cr_assert(traceparent_parse(header, &trace));
	cr_assert_eq(trace.span, UINT64_C(0x00f067aa0ba902b7));
	cr_assert(trace.sampled);
	cr_assert(str_eq(traceparent_format(&trace, text), header));
	cr_assert(traceparent_parse(
		STR("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-x"), &trace));
	cr_assert(!traceparent_parse(
		STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"), &trace));
	cr_assert(tracestate_is_valid(STR("a=1,b=2")) && !tracestate_is_valid(STR("a=\r\n")) &&
		  !tracestate_is_valid(STR_NONE));
}

Test(observe, spans_are_json_whatever_they_hold)
{
	const struct span_service service = { STR("berth"), STR("a\"b"), "1" };
	struct span span = { .id = 1, .kind = SPAN_SERVER, .status = 200, .failed = true };
	memset(span.trace, 0xab, sizeof span.trace);
	strcpy(span.path, "/\"\\\x01");
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(8));
	span_write(&b, &service, &span, 1);
	cr_assert(says(&b, "\"traceId\":\"abababababababababababababababab\""));
	cr_assert(says(&b, "\"spanId\":\"0000000000000001\""));
	cr_assert(!says(&b, "parentSpanId"));
	cr_assert(says(&b, "\"status\":{\"code\":2}"));
	cr_assert(says(&b, "\"stringValue\":\"/\\\"\\\\\\u0001\""));
}

Test(observe, a_full_queue_drops_and_counts)
{
	const struct tracer_options options = { .endpoint = STR("http://127.0.0.1:9/"),
						.per_million = 1000000 };
	const struct traced what = { .method = "GET", .route = "/", .status = 200 };
	struct tracer *tracer;
	cr_assert_eq(tracer_new(&ctx, &options, &tracer), OK);
	for (int i = 0; i < TRACER_QUEUE_SPANS + 3; i++) {
		struct trace trace;
		uint64_t parent = tracer_open(tracer, STR_NONE, STR_NONE, &trace);
		tracer_close(tracer, &trace, parent, &what);
	}
	cr_assert_eq(tracer_queued(tracer), TRACER_QUEUE_SPANS);
	cr_assert_eq(metric_read(METRIC_AT1(TRACE_DROPPED, METRIC_REASON_FULL)), 3);
	tracer_free(tracer);
}

/* A run of a job may take millions of steps: those beyond the bound are counted, and what was begun
 * before it stays. */
Test(observe, of_a_long_run_the_first_steps_are_kept)
{
	const struct tracer_options options = { .endpoint = STR("http://127.0.0.1:9/"),
						.per_million = 1000000 };
	struct traced_run what = { .kind = "k", .job = 1, .attempt = 1, .result = "done" };
	struct step around = { .kind = STEP_SQL_TRANSACTION, .name = "read" };
	struct tracer *tracer;
	struct trace trace, asked;
	cr_assert_eq(tracer_new(&ctx, &options, &tracer), OK);
	tracer_open_run(tracer, STR_NONE, &trace, &asked);
	cr_assert(trace.sampled);
	ctx.trace = &trace;
	tracer_step_began(&ctx, &around);
	for (int i = 0; i < TRACER_RUN_STEPS + 4; i++) {
		struct step step = { .kind = STEP_SQL_STATEMENT, .name = "s" };
		tracer_step_began(&ctx, &step);
		tracer_step_ended(&ctx, &step, OK);
	}
	tracer_step_ended(&ctx, &around, OK);
	tracer_close_run(tracer, &trace, &what);
	ctx.trace = NULL;
	cr_assert_eq(tracer_queued(tracer), TRACER_RUN_STEPS + 1);
	cr_assert_eq(trace.steps_left_out, 5);
	tracer_free(tracer);
}

/* What asked for it decides; what is written down is the whole request, not what it was just at. */
Test(observe, a_run_is_recorded_with_what_asked_for_it)
{
	const struct tracer_options options = { .endpoint = STR("http://127.0.0.1:9/") };
	struct step around = { .kind = STEP_SQL_TRANSACTION, .name = "write" };
	char text[TRACEPARENT_LEN + 1];
	struct tracer *tracer;
	struct trace request, run, asked;
	cr_assert_eq(tracer_new(&ctx, &options, &tracer), OK);
	cr_assert_eq(traceparent_of_all(NULL, text).len, 0);
	(void)tracer_open(tracer, STR_NONE, STR_NONE, &request);
	for (int sampled = 0; sampled < 2; sampled++) {
		request.sampled = sampled;
		ctx.trace = &request;
		tracer_step_began(&ctx, &around);
		cr_assert_neq(request.span, request.root);
		tracer_open_run(tracer, traceparent_of_all(&request, text), &run, &asked);
		cr_assert_eq(run.sampled, (bool)sampled);
		cr_assert_eq(asked.span, request.root);
		cr_assert_neq(memcmp(run.id, request.id, sizeof run.id), 0);
		tracer_step_ended(&ctx, &around, OK);
	}
	ctx.trace = NULL;
	tracer_free(tracer);
}

static void *draw(void *arg)
{
	uint64_t *into = arg;
	for (int i = 0; i < ROUNDS; i++)
		into[i] = unique_u64();
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

Test(observe, names_differ_between_threads)
{
	enum { DRAWERS = 8 };
	static uint64_t drawn[DRAWERS * ROUNDS];
	pthread_t threads[DRAWERS];
	for (int i = 0; i < DRAWERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, draw, drawn + i * ROUNDS), 0);
	for (int i = 0; i < DRAWERS; i++)
		pthread_join(threads[i], NULL);
	qsort(drawn, COUNT_OF(drawn), sizeof *drawn, by_value);
	for (size_t i = 1; i < COUNT_OF(drawn); i++)
		cr_assert_neq(drawn[i], drawn[i - 1]);
}
