/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - what a job says, and how far it is: gathered in memory and written in parts.
 *
 * A part is written when some time has gone by since the last one, when it is full, and at the end.
 * So a handler that says little is read at once, one that says much costs little, and a crash loses
 * the last moment. What cannot be written waits for the next time; what finds no room then is
 * counted.
 */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/banned.h"

#define ARENA_BYTES MIB(1)
#define PARTS_MAX   JOB_LOG_PARTS_MAX
#define LINE_ROOM   (JOB_LINE_MAX + 64) /* with the time */
#define FLUSH_BYTES (JOB_LOG_PART_MAX / 2)

static err_t last_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct job *job = arg;
	return db_job_log_last(ctx, tx, job->hold.id, &job->log_part);
}

void job_log_open(struct ctx *ctx, struct job *job)
{
	arena_init(&job->log_arena, ARENA_BYTES);
	job->log = (struct buf)BUF_INIT(JOB_LOG_PART_MAX);
	job->log_flushed_ns = 0;
	ctx->deadline_ns = clock_now_ns() + JOB_WRITE_S * CLOCK_S;
	if (job->row.attempts > 1 &&
	    db_run(ctx, job->jobs->options.db, SQL_READ, last_body, job) != OK)
		job->log_part = INT64_MAX; /* unknown: then nothing is written */
	ctx_forgive(ctx);
	if (job->row.attempts > 1)
		job_log(job, "attempt %lld", (long long)job->row.attempts);
}

static err_t flush_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct job *job = arg;
	const struct job_log_part part = { job->log_part + 1, buf_str(&job->log) };
	if (part.text.len)
		TRY(db_job_log_add(ctx, tx, job->hold.id, &part, PARTS_MAX));
	if (job->progress_due)
		TRY(db_job_progress(ctx, tx, &job->hold, job->progress_done, job->progress_total));
	return OK;
}

void job_log_flush(struct job *job)
{
	struct ctx ctx;
	if (job->work && job->work->holds)
		return; /* in a transaction of the handler's: a second one would wait for it */
	job->log_flushed_ns = clock_now_ns();
	if ((!job->log.len && !job->progress_due) || job->log_part == INT64_MAX)
		return;
	ctx_init(&ctx, &job->log_arena);
	ctx.guard = &job->guard;
	ctx.request_id = job->name;
	ctx.trace = job->trace;
	ctx.deadline_ns = job->log_flushed_ns + JOB_WRITE_S * CLOCK_S;
	if (db_run(&ctx, job->jobs->options.db, SQL_WRITE_RELAXED, flush_body, job) == OK) {
		job->log_part += job->log.len > 0;
		job->progress_due = false;
		buf_clear(&job->log);
	}
	arena_reset(&job->log_arena);
}

void job_log_close(struct job *job)
{
	if (job->log_dropped)
		job_log(job, "%llu lines found no room", (unsigned long long)job->log_dropped);
	job_log_flush(job);
	buf_done(&job->log);
	arena_done(&job->log_arena);
}

static void flush_when_due(struct job *job)
{
	if (clock_now_ns() - job->log_flushed_ns >= JOB_LOG_FLUSH_NS)
		job_log_flush(job);
}

/* One line of text, whatever it was. */
static void make_plain(char *line, size_t len)
{
	bool is_text = str_is_utf8((str){ line, len });
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];
		if (c < ' ' || c == 0x7f || (c >= 0x80 && !is_text))
			line[i] = c == '\t' || c == '\n' ? ' ' : '?';
	}
}

void job_log(struct job *job, const char *format, ...)
{
	char line[JOB_LINE_MAX + 1], time[CLOCK_RFC3339_MAX];
	va_list arguments;
	va_start(arguments, format);
	int printed = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	size_t len = MIN((size_t)MAX(printed, 0), sizeof line - 1);
	make_plain(line, len);
	if (job->log.len + LINE_ROOM > FLUSH_BYTES)
		job_log_flush(job);
	if (job->log.len + LINE_ROOM > JOB_LOG_PART_MAX) {
		job->log_dropped++;
		return;
	}
	str when = clock_rfc3339(clock_wall_us(), time);
	buf_printf(&job->log, STR_FMT " " STR_FMT "\n", STR_ARG(when), (int)len, line);
	flush_when_due(job);
}

void job_keep(struct job *job)
{
	job->kept = true;
}

void job_progress(struct job *job, int64_t done, int64_t total)
{
	if (done != job->progress_done || total != job->progress_total)
		job->progress_due = true;
	job->progress_done = done;
	job->progress_total = total;
	flush_when_due(job);
}
