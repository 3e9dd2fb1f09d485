/* SPDX-License-Identifier: Apache-2.0 */
/*
 * push.c - whole images from many clients.
 *
 *	load push --to A --file REPOSITORIES --clients C --count N --size BYTES [--tail SEED]
 *
 * Each line of the file is a repository and a bearer token ("-" for none). Push i goes to line i
 * modulo their number and is done by client i modulo C: POST, PUT (a layer of BYTES), POST, PUT (a
 * config), PUT (the manifest, tag "tI"). Layers and configs are all different; their digests are
 * known before the clock starts.
 */
#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE      (LOCATION_MAX + 512)
#define LAYER_TAIL     32 /* the bytes in which layers differ */
#define REPOSITORY_MAX 256

struct destination {
	char repository[REPOSITORY_MAX];
	char *token;
};

struct image {
	char layer_tail[LAYER_TAIL + 1];
	char layer_digest[DIGEST_TEXT];
	char config[256];
	char config_digest[DIGEST_TEXT];
	double seconds;
};

struct push_run {
	const struct options *o;
	struct destination *destinations;
	size_t destination_count;
	struct image *images;
	char *layer; /* o->size bytes; the last LAYER_TAIL are the image's */
	pthread_barrier_t start;
	double started_at;
};

static void read_destinations(struct push_run *run, const char *path)
{
	FILE *in = fopen(path, "re");
	if (!in)
		die("could not open %s", path);
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	while ((len = getline(&line, &size, in)) > 0) {
		line[strcspn(line, "\n")] = 0;
		char *token = strchr(line, ' ');
		if (!token)
			die("%s: a line needs a repository and a token", path);
		*token++ = 0;
		size_t count = run->destination_count + 1;
		run->destinations =
			reallocarray(run->destinations, count, sizeof *run->destinations);
		if (!run->destinations)
			die("no memory");
		struct destination *d = &run->destinations[count - 1];
		snprintf(d->repository, sizeof d->repository, "%s", line);
		d->token = strcmp(token, "-") == 0 ? NULL : strdup(token);
		run->destination_count = count;
	}
	free(line);
	fclose(in);
	if (!run->destination_count)
		die("%s is empty", path);
}

/* Incompressible, and the same in each run. */
static void fill_layer(char *bytes, size_t len)
{
	uint64_t x = 0x9e3779b97f4a7c15u;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (char)(x >> 32);
	}
}

static void make_images(struct push_run *run)
{
	const struct options *o = run->o;
	size_t head = o->size - LAYER_TAIL;
	run->layer = malloc(o->size);
	run->images = calloc(o->count, sizeof *run->images);
	EVP_MD_CTX *base = EVP_MD_CTX_new();
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	if (!run->layer || !run->images || !base || !hash)
		die("no memory");
	fill_layer(run->layer, o->size);
	EVP_DigestInit_ex(base, EVP_sha256(), NULL);
	EVP_DigestUpdate(base, run->layer, head);
	for (unsigned i = 0; i < o->count; i++) {
		struct image *image = &run->images[i];
		snprintf(image->layer_tail, sizeof image->layer_tail, "%20.20s%012u", o->tail, i);
		EVP_MD_CTX_copy_ex(hash, base);
		EVP_DigestUpdate(hash, image->layer_tail, LAYER_TAIL);
		digest_text(hash, image->layer_digest);
		int n = snprintf(image->config, sizeof image->config,
				 "{\"architecture\":\"amd64\",\"os\":\"linux\",\"author\":\"%s\","
				 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
				 o->tail, image->layer_digest);
		EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
		EVP_DigestUpdate(hash, image->config, (size_t)n);
		digest_text(hash, image->config_digest);
	}
	EVP_MD_CTX_free(base);
	EVP_MD_CTX_free(hash);
}

static void push_blob(const struct options *o, struct client *c, const struct destination *d,
		      const char *digest, const char *bytes, size_t len)
{
	char path[PATH_SIZE];
	struct response rs;
	snprintf(path, sizeof path, "/v2/%s/blobs/uploads/", d->repository);
	struct request post = { .method = "POST", .path = path, .token = d->token };
	client_do(c, &post, &rs);
	check_status(o, &post, &rs, 202);
	const char *location = location_path(&rs);
	snprintf(path, sizeof path, "%s%cdigest=%s", location, strchr(location, '?') ? '&' : '?',
		 digest);
	struct request put = {
		.method = "PUT",
		.path = path,
		.token = d->token,
		.content_type = "application/octet-stream",
		.body = bytes,
		.body_len = len,
	};
	client_do(c, &put, &rs);
	check_status(o, &put, &rs, 201);
}

static void push_manifest(const struct options *o, struct client *c, const struct destination *d,
			  const struct image *image, unsigned i)
{
	char path[PATH_SIZE], body[1024];
	struct response rs;
	int n = snprintf(
		body, sizeof body,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		"\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		"\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		"\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}]}",
		image->config_digest, strlen(image->config), image->layer_digest, o->size);
	snprintf(path, sizeof path, "/v2/%s/manifests/t%s-%u", d->repository, o->tail, i);
	struct request put = {
		.method = "PUT",
		.path = path,
		.token = d->token,
		.content_type = "application/vnd.oci.image.manifest.v1+json",
		.body = body,
		.body_len = (size_t)n,
	};
	client_do(c, &put, &rs);
	check_status(o, &put, &rs, 201);
}

static void push_images(void *arg, unsigned client)
{
	struct push_run *run = arg;
	const struct options *o = run->o;
	struct client c;
	client_init(&c, &o->target);
	char *layer = malloc(o->size);
	if (!layer)
		die("no memory");
	memcpy(layer, run->layer, o->size);
	if (pthread_barrier_wait(&run->start) == PTHREAD_BARRIER_SERIAL_THREAD)
		run->started_at = now_s();
	for (unsigned i = client; i < o->count; i += o->clients) {
		struct image *image = &run->images[i];
		const struct destination *d = &run->destinations[i % run->destination_count];
		memcpy(layer + o->size - LAYER_TAIL, image->layer_tail, LAYER_TAIL);
		double start = now_s();
		push_blob(o, &c, d, image->layer_digest, layer, o->size);
		push_blob(o, &c, d, image->config_digest, image->config, strlen(image->config));
		push_manifest(o, &c, d, image, i);
		image->seconds = now_s() - start;
	}
	free(layer);
	client_done(&c);
}

void verb_push(const struct options *o)
{
	if (!o->file || o->size < LAYER_TAIL || !o->clients || !o->count || strlen(o->tail) > 20)
		die("push needs --file, --clients, --count and --size (at least %d)", LAYER_TAIL);
	struct push_run run = { .o = o };
	read_destinations(&run, o->file);
	make_images(&run);
	pthread_barrier_init(&run.start, NULL, o->clients);
	run_clients(o->clients, push_images, &run);
	double seconds = now_s() - run.started_at;
	double *all = calloc(o->count, sizeof *all);
	if (!all)
		die("no memory");
	for (unsigned i = 0; i < o->count; i++)
		all[i] = run.images[i].seconds;
	printf("{\"seconds\":%.6f,\"pushes\":%u,", seconds, o->count);
	print_latencies(all, o->count);
	printf("}\n");
}
