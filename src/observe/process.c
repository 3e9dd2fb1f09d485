/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - see process.h. */
#include "observe/process.h"
#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

#define STAT_BYTES_MAX 1024

/* Fields of /proc/self/stat behind the name, which may hold anything, counted from the state. */
enum { STAT_STATE, STAT_THREADS = 17, STAT_START = 19, STAT_VIRTUAL, STAT_RESIDENT, STAT_WANTED };

static void add(struct samples *samples, enum metric_id id, int64_t value)
{
	samples_add(samples, id, STR_NONE, STR_NONE, value);
}

static str read_stat(char into[STAT_BYTES_MAX])
{
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return STR_NONE;
	ssize_t got = read(fd, into, STAT_BYTES_MAX);
	close(fd);
	return (str){ into, (size_t)MAX(got, 0) };
}

/* When the process began, since 1970: the time since the machine did, and when that was. */
static int64_t start_ns(uint64_t ticks)
{
	struct timespec since_boot;
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	int64_t up_ns = since_boot.tv_sec * CLOCK_S + since_boot.tv_nsec;
	return clock_wall_us() * CLOCK_US - up_ns +
	       (int64_t)ticks * (CLOCK_S / MAX(sysconf(_SC_CLK_TCK), 1L));
}

static void add_stat(struct samples *samples)
{
	char text[STAT_BYTES_MAX];
	str rest, field, name;
	uint64_t numbers[STAT_WANTED] = { 0 };
	if (!str_cut_last(read_stat(text), ')', &name, &rest))
		return;
	rest = str_trim(rest);
	for (size_t i = 0; i < STAT_WANTED && str_next(&rest, ' ', &field); i++)
		(void)str_to_u64(field, INT64_MAX, &numbers[i]);
	add(samples, METRIC_ID_START_TIME, start_ns(numbers[STAT_START]));
	add(samples, METRIC_ID_VIRTUAL, (int64_t)numbers[STAT_VIRTUAL]);
	add(samples, METRIC_ID_RESIDENT, (int64_t)numbers[STAT_RESIDENT] * sysconf(_SC_PAGESIZE));
	add(samples, METRIC_ID_PROCESS_THREADS, (int64_t)numbers[STAT_THREADS]);
}

/* The one that looks is among them, and is none of the program's. */
static void add_descriptors(struct samples *samples)
{
	struct rlimit limit;
	int64_t count = -1;
	DIR *all = opendir("/proc/self/fd");
	if (all) {
		for (const struct dirent *entry; (entry = readdir(all));)
			count += entry->d_name[0] != '.';
		closedir(all);
		add(samples, METRIC_ID_FDS, count);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		add(samples, METRIC_ID_FDS_MAX, (int64_t)limit.rlim_cur);
}

void process_collect(struct samples *samples)
{
	struct timespec used;
	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0)
		add(samples, METRIC_ID_CPU, used.tv_sec * CLOCK_S + used.tv_nsec);
	add_stat(samples);
	add_descriptors(samples);
}
