/* SPDX-License-Identifier: Apache-2.0 */
/* exposition.c - see exposition.h. */
#include "observe/exposition.h"
#include "base/clock.h"
#include "codec/media_type.h"

#include <inttypes.h>
#include <string.h>

#include "base/banned.h"

#define SAMPLES_FIRST 128

/* --- asked ------------------------------------------------------------------------------------ */

void samples_put(struct samples *samples, const struct sample *sample)
{
	if (samples->count == SAMPLES_MAX)
		return;
	if (samples->count == samples->room) {
		size_t room = MAX((size_t)SAMPLES_FIRST, 2 * samples->room);
		struct sample *items = ARENA_ARRAY(samples->arena, struct sample, room);
		if (samples->count)
			memcpy(items, samples->items, samples->count * sizeof *items);
		samples->items = items;
		samples->room = room;
	}
	struct sample *kept = &samples->items[samples->count++];
	*kept = *sample;
	for (size_t i = 0; i < COUNT_OF(kept->labels); i++)
		kept->labels[i] = arena_copy(samples->arena, sample->labels[i]);
}

void samples_add(struct samples *samples, enum metric_id id, str first, str second, int64_t value)
{
	samples_put(samples,
		    &(struct sample){ .id = id, .labels = { first, second }, .value = value });
}

/* --- which format ----------------------------------------------------------------------------- */

/* The weight of a range in thousandths; 1000 without one, 0 for one that is none. */
static unsigned weight_of(str parameters)
{
	for (str one; str_next(&parameters, ';', &one);) {
		str name, value;
		if (!str_cut(str_trim(one), '=', &name, &value) ||
		    !str_eq_nocase(str_trim(name), STR("q")))
			continue;
		uint64_t whole, fraction = 0;
		str before = str_trim(value), after = STR_NONE;
		(void)str_cut(before, '.', &before, &after);
		after = str_take(after, 3);
		if (!str_to_u64(before, 1, &whole) ||
		    (after.len && !str_to_u64(after, 999, &fraction)))
			return 0;
		for (size_t digits = after.len; digits < 3; digits++)
			fraction *= 10;
		return (unsigned)MIN(whole * 1000 + fraction, 1000u);
	}
	return 1000;
}

static bool is_range_of(str range, str type)
{
	return media_type_equal(range, type) || str_eq(range, STR("*/*")) ||
	       (str_has_suffix(range, STR("/*")) &&
		str_has_prefix(type, str_take(range, range.len - 1)));
}

/* How much a type is wanted: what names it counts more than what covers it. */
static unsigned weight_in(str accept, str type)
{
	unsigned named = 0, covered = 0;
	bool is_named = false;
	for (str item; str_next(&accept, ',', &item);) {
		str range = item, parameters = STR_NONE;
		(void)str_cut(item, ';', &range, &parameters);
		range = str_trim(range);
		if (!is_range_of(range, type))
			continue;
		unsigned weight = weight_of(parameters);
		if (media_type_equal(range, type)) {
			named = MAX(named, weight);
			is_named = true;
		} else {
			covered = MAX(covered, weight);
		}
	}
	return is_named ? named : covered;
}

enum exposition_format exposition_choose(str accept)
{
	unsigned open = weight_in(accept, STR("application/openmetrics-text"));
	unsigned text = weight_in(accept, STR("text/plain"));
	return open > text ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}

str exposition_media_type(enum exposition_format format)
{
	return format == EXPOSITION_OPENMETRICS
		       ? STR("application/openmetrics-text; version=1.0.0; charset=utf-8")
		       : STR("text/plain; version=0.0.4; charset=utf-8");
}

/* --- writing ---------------------------------------------------------------------------------- */

struct writer {
	struct buf *buf;
	enum exposition_format format;
	const struct metric *metric;
};

static const char *const type_names[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
	[METRIC_SUMMARY] = "summary",
};

/* Both formats escape alike in label values; help texts of ours have nothing to escape. */
static void add_escaped(struct buf *b, str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];
		if (c == '\n') {
			buf_add(b, STR("\\n"));
			continue;
		}
		if (c == '"' || c == '\\')
			buf_add_byte(b, '\\');
		buf_add_byte(b, c);
	}
}

static void add_label(struct buf *b, bool *has, const char *name, str value)
{
	buf_printf(b, "%c%s=\"", *has ? ',' : '{', name);
	add_escaped(b, value);
	buf_add_byte(b, '"');
	*has = true;
}

static void add_number(const struct writer *w, int64_t value)
{
	bool seconds = strcmp(w->metric->unit, "seconds") == 0;
	if (seconds && w->metric->type != METRIC_HISTOGRAM)
		buf_printf(w->buf, " %" PRId64 ".%09" PRId64 "\n", value / CLOCK_S,
			   value % CLOCK_S);
	else
		buf_printf(w->buf, " %" PRId64 "\n", value);
}

/* In the older format the family of a counter has the name of its samples. */
static void add_head(const struct writer *w)
{
	const struct metric *m = w->metric;
	bool open = w->format == EXPOSITION_OPENMETRICS;
	const char *suffix = m->type == METRIC_COUNTER && !open ? "_total" : "";
	buf_printf(w->buf, "# HELP %s%s %s\n# TYPE %s%s %s\n", m->name, suffix, m->help, m->name,
		   suffix, type_names[m->type]);
	if (open && m->unit[0])
		buf_printf(w->buf, "# UNIT %s %s\n", m->name, m->unit);
}

/* The series' labels, up to where one more label or the closing brace goes. */
static bool add_series(const struct writer *w, const char *suffix, const str values[])
{
	bool has = false;
	buf_printf(w->buf, "%s%s", w->metric->name, suffix);
	for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
		if (w->metric->labels[i]->name)
			add_label(w->buf, &has, w->metric->labels[i]->name, values[i]);
	return has;
}

static void add_sample(const struct writer *w, const str values[], int64_t value)
{
	if (add_series(w, w->metric->type == METRIC_COUNTER ? "_total" : "", values))
		buf_add_byte(w->buf, '}');
	add_number(w, value);
}

/* "0.0001", "1.0": as a label it must always look the same. */
static str bound_text(size_t bucket, char into[32])
{
	struct buf b = { .ptr = into, .cap = 32, .max = 31 };
	if (bucket == METRIC_BOUNDS)
		return STR("+Inf");
	int64_t ns = metric_bounds_ns[bucket], fraction = ns % CLOCK_S;
	buf_printf(&b, "%" PRId64 ".%09" PRId64, ns / CLOCK_S, fraction);
	while (b.len > 3 && into[b.len - 1] == '0' && into[b.len - 2] != '.')
		b.len--;
	return buf_str(&b);
}

static void add_histogram(const struct writer *w, const str values[], size_t cell)
{
	uint64_t below = 0;
	char text[32];
	for (size_t bucket = 0; bucket <= METRIC_BOUNDS; bucket++) {
		below += metric_read(cell + bucket);
		bool has = add_series(w, "_bucket", values);
		add_label(w->buf, &has, "le", bound_text(bucket, text));
		buf_printf(w->buf, "} %" PRIu64 "\n", below);
	}
	uint64_t sum_ns = metric_read(cell + METRIC_TIMES - 1);
	if (add_series(w, "_sum", values))
		buf_add_byte(w->buf, '}');
	buf_printf(w->buf, " %" PRIu64 ".%09" PRIu64 "\n", sum_ns / CLOCK_S, sum_ns % CLOCK_S);
	if (add_series(w, "_count", values))
		buf_add_byte(w->buf, '}');
	buf_printf(w->buf, " %" PRIu64 "\n", below);
}

static void add_summary(const struct writer *w, const struct sample *sample)
{
	if (add_series(w, "_sum", sample->labels))
		buf_add_byte(w->buf, '}');
	add_number(w, sample->value);
	if (add_series(w, "_count", sample->labels))
		buf_add_byte(w->buf, '}');
	buf_printf(w->buf, " %" PRIu64 "\n", sample->count);
}

static size_t series_of(const struct metric *m)
{
	return m->labels[0]->count * m->labels[1]->count * m->labels[2]->count;
}

static void add_counted(const struct writer *w)
{
	const struct metric *m = w->metric;
	bool all = !m->labels[1]->name;
	size_t step = m->type == METRIC_HISTOGRAM ? METRIC_TIMES : 1;
	for (size_t i = 0; i < series_of(m); i++) {
		size_t at = i;
		str values[METRIC_LABELS_MAX];
		for (size_t label = METRIC_LABELS_MAX; label-- > 0;) {
			values[label] =
				str_from(m->labels[label]->values[at % m->labels[label]->count]);
			at /= m->labels[label]->count;
		}
		size_t cell = m->cell + i * step;
		if (m->type == METRIC_HISTOGRAM)
			add_histogram(w, values, cell);
		else if (all || metric_read(cell))
			add_sample(w, values, (int64_t)metric_read(cell));
	}
}

static bool is_there(const struct samples *asked, enum metric_id id)
{
	for (size_t i = 0; i < asked->count; i++)
		if (asked->items[i].id == id)
			return true;
	return false;
}

static void add_asked(const struct writer *w, const struct samples *asked, enum metric_id id)
{
	for (size_t i = 0; i < asked->count; i++) {
		const struct sample *sample = &asked->items[i];
		if (sample->id != id)
			continue;
		if (w->metric->type == METRIC_SUMMARY)
			add_summary(w, sample);
		else
			add_sample(w, sample->labels, sample->value);
	}
}

void exposition_write(struct buf *b, enum exposition_format format, const struct samples *asked)
{
	for (enum metric_id id = 0; id < METRIC_COUNT; id++) {
		const struct writer w = { b, format, &metric_table[id] };
		bool counted = id < METRIC_COUNTED_COUNT;
		if (!counted && !is_there(asked, id))
			continue;
		add_head(&w);
		if (counted)
			add_counted(&w);
		else
			add_asked(&w, asked, id);
	}
	if (format == EXPOSITION_OPENMETRICS)
		buf_add(b, STR("# EOF\n"));
}

/* --- the reference ---------------------------------------------------------------------------- */

static const char reference_head[] =
	"<!-- Made by `berth metrics > docs/metrics.md`. Change src/observe/metric_table.h "
	"instead. "
	"-->\n"
	"# Metrics\n\n"
	"What `GET /metrics` says, in OpenMetrics 1.0 or in the older text format, whichever the "
	"scraper\n"
	"wants. How to reach it, and what to look at: [monitoring.md](monitoring.md).\n"
	"\n"
	"Names that begin with `harbor_` are Harbor's, where ours mean the same; what is not there "
	"of "
	"Harbor's,\n"
	"and why, stands at the end. The families "
	"whose "
	"labels\n"
	"have values listed below have no more series than those; a series with several labels is "
	"there\n"
	"once it was counted.\n";

/* X(names, why) */
#define ABSENT_TABLE(X)                                                                            \
	X("harbor_core_http_request_duration_seconds{quantile}",                                   \
	  "The summary is there without quantiles, which cannot be added up over nodes: "          \
	  "`berth_http_request_seconds` has buckets")                                              \
	X("harbor_core_http_registry_proxy_requests_total, "                                       \
	  "harbor_core_http_registry_proxy_upstream_requests_total",                               \
	  "There is no proxy cache")                                                               \
	X("harbor_project_artifact_total",                                                         \
	  "Counting artifacts by their type reads all of them at each scrape")                     \
	X("harbor_statistics_total_storage_consumption",                                           \
	  "It reads all blobs: `GET /api/v2.0/statistics` has it, and "                            \
	  "`berth_tenant_used_bytes` what tenants use")                                            \
	X("harbor_system_info",                                                                    \
	  "Ways to log in are several, and each tenant's: `GET /api/v2.0/systeminfo` has "         \
	  "them; the version is in `berth_build_info`")                                            \
	X("harbor_task_concurrency, harbor_task_scheduled_total, harbor_jobservice_info",          \
	  "Jobs have no pools of workers apart from the nodes: `berth_jobs` counts those that "    \
	  "wait and run, by kind")                                                                 \
	X("harbor_jobservice_task_process_time_seconds", "Jobs are not timed")                     \
	X("registry_…",                                                                            \
	  "These are of the registry behind Harbor's core, which has none here: its requests are " \
	  "among those of the core")

static void add_absent(struct buf *b)
{
#define ABSENT(names, why) buf_add(b, STR("| `" names "` | " why ". |\n"));
	buf_add(b,
		STR("\nOf Harbor's, these are absent on purpose:\n\n| name | why |\n|---|---|\n"));
	ABSENT_TABLE(ABSENT)
#undef ABSENT
}

static void add_labels(struct buf *b, const struct metric *m)
{
	const char *between = "";
	for (size_t i = 0; i < METRIC_LABELS_MAX && m->labels[i]->name; i++, between = ", ") {
		buf_printf(b, "%s`%s`", between, m->labels[i]->name);
	}
	if (!m->labels[0]->name)
		buf_add(b, STR("—"));
}

static void add_values(struct buf *b, const struct metric_label *label)
{
	buf_printf(b, "| `%s` |", label->name);
	for (size_t i = 0; i < label->count; i++)
		buf_printf(b, "%s `%s`", i ? "," : "", label->values[i]);
	buf_add(b, STR(" |\n"));
}

static bool is_first_with(enum metric_id id, const struct metric_label *label)
{
	for (enum metric_id before = 0; before < id; before++)
		for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
			if (metric_table[before].labels[i] == label)
				return false;
	return label->name && label->count;
}

void exposition_print_reference(struct buf *b)
{
	buf_add(b, str_from(reference_head));
	buf_add(b, STR("\n| name | type | labels | what |\n|---|---|---|---|\n"));
	for (enum metric_id id = 0; id < METRIC_COUNT; id++) {
		const struct metric *m = &metric_table[id];
		buf_printf(b, "| `%s%s` | %s | ", m->name,
			   m->type == METRIC_COUNTER ? "_total" : "", type_names[m->type]);
		add_labels(b, m);
		buf_printf(b, " | %s |\n", m->help);
	}
	buf_add(b, STR("\nLabels whose values are known in advance:\n\n| label | values "
		       "|\n|---|---|\n"));
	for (enum metric_id id = 0; id < METRIC_COUNTED_COUNT; id++)
		for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
			if (is_first_with(id, metric_table[id].labels[i]))
				add_values(b, metric_table[id].labels[i]);
	add_absent(b);
}
