/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h - the verbs of the load generator and what they share.
 *
 * Each verb prints one JSON object on standard output: `seconds` of the measured part and what else
 * it knows. What the client needs to know beforehand (digests above all) is made before the clock
 * starts.
 */
#pragma once

#include "client.h"

#define DIGEST_TEXT 72 /* "sha256:", 64 digits, NUL */

struct options {
	struct target target;
	const char *token;
	const char *file;
	const char *repository;
	const char *path;
	const char *tail;
	unsigned clients;
	unsigned count;
	unsigned repeat;
	unsigned windows;
	size_t size;
	bool bare;
};

void verb_get(const struct options *o);	   /* one large GET */
void verb_put(const struct options *o);	   /* one large blob */
void verb_push(const struct options *o);   /* many whole images */
void verb_replay(const struct options *o); /* requests from a file */

/* Runs `work(arg, i)` for each client i on a thread of its own and waits for all. */
void run_clients(unsigned count, void (*work)(void *arg, unsigned i), void *arg);

void digest_text(EVP_MD_CTX *hash, char text[DIGEST_TEXT]); /* finishes `hash` */

void sort_doubles(double *values, size_t count);

/* Sorts, and prints `"p50_ms":…,"p99_ms":…,"max_ms":…`. */
void print_latencies(double *seconds, size_t count);

void check_status(const struct options *o, const struct request *rq, const struct response *rs,
		  int want);

/* Path and query of a Location, absolute or not. */
const char *location_path(const struct response *rs);
