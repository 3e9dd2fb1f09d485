/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - runs every file of a folder through one fuzz target, so that a corpus is a test for
 * every compiler and sanitizer. An empty or missing folder is a failure: it would test nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* True when `path` was a file and has been run. */
static int run_file(const char *path)
{
	struct stat status;
	FILE *file = fopen(path, "re");
	if (!file || fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode)) {
		if (file)
			fclose(file);
		return 0;
	}
	/* Exactly as large as the input, so that a sanitizer sees a read past its end. */
	size_t len = (size_t)status.st_size;
	uint8_t *bytes = malloc(len ? len : 1);
	if (!bytes || fread(bytes, 1, len, file) != len) {
		fprintf(stderr, "could not read %s\n", path);
		exit(1);
	}
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
	return 1;
}

int main(int argc, char **argv)
{
	int count = 0;
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	if (!folder) {
		fprintf(stderr, "usage: %s FOLDER, which must exist\n", argv[0]);
		return 1;
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
		count += run_file(path);
	}
	closedir(folder);
	printf("%d inputs\n", count);
	return count > 0 ? 0 : 1;
}
