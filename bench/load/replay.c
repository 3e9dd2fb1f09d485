/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - a list of requests, as fast as the clients get through it.
 *
 *	load replay --to A --file REQUESTS [--clients C] [--token T] [--windows W]
 *
 * A line is METHOD, path, wanted status, Content-Type and body, with tabs between; the last two may
 * be missing. Clients take the next line in turn. `window_rates` are requests per second of each of
 * W equal parts of the list, in its order.
 */
#include "load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
	struct request request;
	int want;
	double seconds;
	double done_at;
};

struct replay_run {
	const struct options *o;
	struct line *lines;
	size_t count;
	atomic_size_t next;
	pthread_barrier_t start;
	double started_at;
};

static char *next_field(char **at)
{
	char *field = strsep(at, "\t\n");
	return field && *field ? field : NULL;
}

static void parse_line(struct line *line, char *text, const char *token)
{
	*line = (struct line){ 0 };
	struct request *rq = &line->request;
	rq->token = token;
	rq->method = next_field(&text);
	rq->path = next_field(&text);
	char *want = next_field(&text);
	rq->content_type = next_field(&text);
	rq->body = next_field(&text);
	rq->body_len = rq->body ? strlen(rq->body) : 0;
	if (!want || !(line->want = atoi(want)))
		die("a request needs a method, a path and the wanted status");
}

static void read_lines(struct replay_run *run)
{
	FILE *in = fopen(run->o->file, "re");
	if (!in)
		die("could not open %s", run->o->file);
	char *text = NULL;
	size_t size = 0, room = 0;
	while (getline(&text, &size, in) > 0) {
		if (run->count == room) {
			room = room ? room * 2 : 1024;
			run->lines = reallocarray(run->lines, room, sizeof *run->lines);
			if (!run->lines)
				die("no memory");
		}
		parse_line(&run->lines[run->count++], text, run->o->token);
		text = NULL; /* the line keeps it */
		size = 0;
	}
	free(text);
	fclose(in);
}

static void replay(void *arg, unsigned i)
{
	(void)i;
	struct replay_run *run = arg;
	struct client c;
	client_init(&c, &run->o->target);
	if (pthread_barrier_wait(&run->start) == PTHREAD_BARRIER_SERIAL_THREAD)
		run->started_at = now_s();
	for (;;) {
		size_t at = atomic_fetch_add(&run->next, 1);
		if (at >= run->count)
			break;
		struct line *line = &run->lines[at];
		struct response rs;
		double start = now_s();
		client_do(&c, &line->request, &rs);
		line->done_at = now_s();
		line->seconds = line->done_at - start;
		check_status(run->o, &line->request, &rs, line->want);
	}
	client_done(&c);
}

/* By the order in which the answers came: a slow request counts where it ended. */
static void print_windows(const struct replay_run *run, double *done_at)
{
	unsigned windows = run->o->windows;
	double from = run->started_at;
	for (size_t i = 0; i < run->count; i++)
		done_at[i] = run->lines[i].done_at;
	sort_doubles(done_at, run->count);
	printf(",\"window_rates\":[");
	for (unsigned w = 0; w < windows; w++) {
		size_t first = run->count * w / windows, end = run->count * (w + 1) / windows;
		double to = done_at[end - 1];
		printf("%s%.1f", w ? "," : "", (double)(end - first) / (to - from + 1e-9));
		from = to;
	}
	printf("]");
}

void verb_replay(const struct options *o)
{
	struct replay_run run = { .o = o };
	if (!o->file || !o->clients)
		die("replay needs --file");
	read_lines(&run);
	if (!run.count)
		die("%s is empty", o->file);
	pthread_barrier_init(&run.start, NULL, o->clients);
	run_clients(o->clients, replay, &run);
	double seconds = now_s() - run.started_at;
	double *all = calloc(run.count, sizeof *all);
	if (!all)
		die("no memory");
	printf("{\"seconds\":%.6f,\"requests\":%zu", seconds, run.count);
	if (o->windows && o->windows <= run.count)
		print_windows(&run, all);
	for (size_t i = 0; i < run.count; i++)
		all[i] = run.lines[i].seconds;
	printf(",");
	print_latencies(all, run.count);
	printf("}\n");
}
