/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - load VERB --to ADDRESS:PORT …: the load generator of the benchmarks.
 *
 * Verbs: get, put, push, replay; see load.h and the file of each.
 */
#include "load.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	void (*run)(const struct options *o);
} verbs[] = {
	{ "get", verb_get },
	{ "put", verb_put },
	{ "push", verb_push },
	{ "replay", verb_replay },
};

static const struct option flags[] = {
	{ "to", required_argument, NULL, 'a' },
	{ "tls", no_argument, NULL, 't' },
	{ "token", required_argument, NULL, 'k' },
	{ "file", required_argument, NULL, 'f' },
	{ "repository", required_argument, NULL, 'r' },
	{ "path", required_argument, NULL, 'p' },
	{ "tail", required_argument, NULL, 'T' },
	{ "clients", required_argument, NULL, 'c' },
	{ "count", required_argument, NULL, 'n' },
	{ "repeat", required_argument, NULL, 'R' },
	{ "windows", required_argument, NULL, 'w' },
	{ "size", required_argument, NULL, 's' },
	{ "bare", no_argument, NULL, 'b' },
	{ 0 },
};

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*end || end == text || n > 1u << 30)
		die("%s is not a number", text);
	return (unsigned)n;
}

static void set_option(struct options *o, int flag, const char *value)
{
	switch (flag) {
	case 'k':
		o->token = *value ? value : NULL;
		break;
	case 'f':
		o->file = value;
		break;
	case 'r':
		o->repository = value;
		break;
	case 'p':
		o->path = value;
		break;
	case 'T':
		o->tail = value;
		break;
	case 'c':
		o->clients = number(value);
		break;
	case 'n':
		o->count = number(value);
		break;
	case 'R':
		o->repeat = number(value);
		break;
	case 'w':
		o->windows = number(value);
		break;
	case 's':
		o->size = number(value);
		break;
	case 'b':
		o->bare = true;
		break;
	default:
		die("unknown option");
	}
}

struct worker {
	pthread_t thread;
	void (*work)(void *arg, unsigned i);
	void *arg;
	unsigned i;
};

static void *run_worker(void *arg)
{
	struct worker *w = arg;
	w->work(w->arg, w->i);
	return NULL;
}

void run_clients(unsigned count, void (*work)(void *arg, unsigned i), void *arg)
{
	struct worker *workers = calloc(count, sizeof *workers);
	if (!workers)
		die("no memory");
	for (unsigned i = 0; i < count; i++) {
		workers[i] = (struct worker){ .work = work, .arg = arg, .i = i };
		if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) != 0)
			die("could not start a thread");
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	free(workers);
}

void digest_text(EVP_MD_CTX *hash, char text[DIGEST_TEXT])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len;
	if (EVP_DigestFinal_ex(hash, md, &len) != 1 || len != 32)
		die("could not hash");
	int n = snprintf(text, DIGEST_TEXT, "sha256:");
	for (unsigned i = 0; i < len; i++)
		n += snprintf(text + n, DIGEST_TEXT - (size_t)n, "%02x", md[i]);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void sort_doubles(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
}

void print_latencies(double *seconds, size_t count)
{
	if (count == 0)
		die("nothing was measured");
	sort_doubles(seconds, count);
	printf("\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f", seconds[count / 2] * 1e3,
	       seconds[count - 1 - count / 100] * 1e3, seconds[count - 1] * 1e3);
}

void check_status(const struct options *o, const struct request *rq, const struct response *rs,
		  int want)
{
	if (rs->status != want)
		die("%s %s at %s: %d instead of %d", rq->method, rq->path, o->target.host,
		    rs->status, want);
}

const char *location_path(const struct response *rs)
{
	const char *scheme = strstr(rs->location, "://");
	if (!scheme)
		return rs->location;
	const char *path = strchr(scheme + 3, '/');
	return path ? path : "/";
}

int main(int argc, char **argv)
{
	struct options o = { .clients = 1, .count = 1, .repeat = 1, .tail = "" };
	const char *address = NULL;
	bool tls = false;
	int flag;
	signal(SIGPIPE, SIG_IGN);
	while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		if (flag == 'a')
			address = optarg;
		else if (flag == 't')
			tls = true;
		else
			set_option(&o, flag, optarg);
	}
	if (!address || optind + 1 != argc)
		die("usage: load VERB --to ADDRESS:PORT …");
	target_init(&o.target, address, tls);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(argv[optind], verbs[i].name) == 0) {
			verbs[i].run(&o);
			return 0;
		}
	}
	die("unknown verb %s", argv[optind]);
}
