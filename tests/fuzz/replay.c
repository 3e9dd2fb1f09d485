/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - runs every file of a corpus folder through a fuzz target, so that the corpus is a test
 * with any compiler. A missing or empty folder is an error: it would be a test that cannot fail.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int replay_file(const char *folder, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 1;
	}
	/* Exactly as large as the content, so that the address sanitizer sees a read behind it. */
	fseek(file, 0, SEEK_END);
	long len = ftell(file);
	rewind(file);
	uint8_t *bytes = malloc(len > 0 ? (size_t)len : 1);
	size_t got = bytes && len > 0 ? fread(bytes, 1, (size_t)len, file) : 0;
	fclose(file);
	int failed = !bytes || len < 0 || got != (size_t)len;
	if (failed)
		fprintf(stderr, "%s: could not be read\n", path);
	else
		LLVMFuzzerTestOneInput(bytes, got);
	free(bytes);
	return failed;
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	if (!folder) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER (which must exist)\n", argv[0]);
		return 2;
	}
	int files = 0, failures = 0;
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (entry->d_name[0] == '.')
			continue;
		failures += replay_file(argv[1], entry->d_name);
		files++;
	}
	closedir(folder);
	printf("%d inputs replayed\n", files);
	return files == 0 || failures ? 1 : 0;
}
