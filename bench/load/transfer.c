/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer.c - one large blob out (get) or in (put).
 *
 *	load get --to A --path P
 *	load put --to A --repository R --file F [--repeat N] [--tail TEXT] [--bare]
 *
 * The blob that is put is N times the file and then the tail, which makes its digest new each time.
 *With
 * --bare the body goes to PUT /blob at once, for bare_put.c.
 */
#include "load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE (LOCATION_MAX + 256)

void verb_get(const struct options *o)
{
	if (!o->path)
		die("get needs --path");
	struct client c;
	client_init(&c, &o->target);
	struct request rq = { .method = "GET", .path = o->path, .token = o->token };
	struct response rs;
	double start = now_s();
	client_do(&c, &rq, &rs);
	double seconds = now_s() - start;
	check_status(o, &rq, &rs, 200);
	printf("{\"seconds\":%.6f,\"bytes\":%llu}\n", seconds, (unsigned long long)rs.received);
	client_done(&c);
}

static void hash_blob(const struct options *o, int fd, uint64_t len, char text[DIGEST_TEXT])
{
	void *bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	if (bytes == MAP_FAILED || !hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
		die("could not hash %s", o->file);
	for (unsigned i = 0; i < o->repeat; i++)
		EVP_DigestUpdate(hash, bytes, len);
	EVP_DigestUpdate(hash, o->tail, strlen(o->tail));
	digest_text(hash, text);
	EVP_MD_CTX_free(hash);
	munmap(bytes, len);
}

static void put_blob(const struct options *o, struct client *c, struct request *put,
		     const char *digest)
{
	struct response rs;
	char path[PATH_SIZE] = "/blob";
	if (!o->bare) {
		char begin[PATH_SIZE];
		snprintf(begin, sizeof begin, "/v2/%s/blobs/uploads/", o->repository);
		struct request post = { .method = "POST", .path = begin, .token = o->token };
		client_do(c, &post, &rs);
		check_status(o, &post, &rs, 202);
		const char *location = location_path(&rs);
		snprintf(path, sizeof path, "%s%cdigest=%s", location,
			 strchr(location, '?') ? '&' : '?', digest);
	}
	put->path = path;
	client_do(c, put, &rs);
	check_status(o, put, &rs, 201);
}

void verb_put(const struct options *o)
{
	struct stat st;
	int fd = o->file ? open(o->file, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st) != 0 || (!o->bare && !o->repository))
		die("put needs --file and --repository");
	uint64_t len = (uint64_t)st.st_size;
	char digest[DIGEST_TEXT];
	hash_blob(o, fd, len, digest);
	struct request put = {
		.method = "PUT",
		.token = o->token,
		.content_type = "application/octet-stream",
		.body = o->tail,
		.body_len = strlen(o->tail),
		.file_fd = fd,
		.file_len = len,
		.file_repeat = o->repeat,
	};
	struct client c;
	client_init(&c, &o->target);
	double start = now_s();
	put_blob(o, &c, &put, digest);
	printf("{\"seconds\":%.6f,\"bytes\":%llu,\"digest\":\"%s\"}\n", now_s() - start,
	       (unsigned long long)(len * o->repeat + strlen(o->tail)), digest);
	client_done(&c);
	close(fd);
}
