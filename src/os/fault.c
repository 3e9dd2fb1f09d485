/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - see fault.h. The rules are read once; without any, a hit costs one load. */
#include "os/fault.h"
#include "base/error.h"
#include "base/str.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define RULES_MAX      32
#define NAME_MAX_BYTES 64
#define ERRNO_MAX      4095
#define WAIT_MS_MAX    60000

enum act { ACT_FAIL, ACT_KILL, ACT_WAIT };

struct rule {
	char name[NAME_MAX_BYTES];
	uint64_t at; /* 0: every hit */
	enum act act;
	int number; /* errno, or milliseconds */
	_Atomic(uint64_t) hits;
};

static struct rule rules[RULES_MAX];
static size_t rule_count;
static pthread_once_t read_environment = PTHREAD_ONCE_INIT;

static bool act_parse(str text, struct rule *rule)
{
	static const struct {
		str prefix;
		enum act act;
		uint64_t max;
	} acts[] = {
		{ STR_INIT("errno:"), ACT_FAIL, ERRNO_MAX },
		{ STR_INIT("wait:"), ACT_WAIT, WAIT_MS_MAX },
	};
	uint64_t number;
	rule->act = ACT_KILL;
	if (str_eq(text, STR("kill")))
		return true;
	for (size_t i = 0; i < COUNT_OF(acts); i++) {
		if (!str_has_prefix(text, acts[i].prefix))
			continue;
		rule->act = acts[i].act;
		if (!str_to_u64(str_skip(text, acts[i].prefix.len), acts[i].max, &number))
			return false;
		rule->number = (int)number;
		return number != 0;
	}
	return false;
}

/* name:N=what */
static bool rule_parse(str text, struct rule *rule)
{
	str name, rest, at, action;
	if (!str_cut(text, ':', &name, &rest) || !str_cut(rest, '=', &at, &action))
		return false;
	if (name.len == 0 || name.len >= NAME_MAX_BYTES)
		return false;
	memcpy(rule->name, name.ptr, name.len);
	rule->name[name.len] = '\0';
	atomic_store(&rule->hits, 0);
	rule->at = 0;
	if (!str_eq(at, STR("*")) && (!str_to_u64(at, UINT64_MAX, &rule->at) || rule->at == 0))
		return false;
	return act_parse(action, rule);
}

static void rules_parse(const char *specification)
{
	rule_count = 0;
	str rest = str_from(specification);
	for (str item; str_next(&rest, ',', &item);) {
		CHECK(rule_count < RULES_MAX);
		bool fault_rule_is_valid = rule_parse(str_trim(item), &rules[rule_count]);
		CHECK(fault_rule_is_valid);
		rule_count++;
	}
}

static void rules_from_environment(void)
{
	rules_parse(getenv("BERTH_FAULT"));
}

static void rules_keep(void)
{
}

void fault_setup(const char *specification)
{
	pthread_once(&read_environment, rules_keep);
	rules_parse(specification);
}

bool fault_hit(const char *name)
{
	pthread_once(&read_environment, rules_from_environment);
	for (size_t i = 0; i < rule_count; i++) {
		struct rule *rule = &rules[i];
		if (strcmp(rule->name, name) != 0)
			continue;
		uint64_t hit = atomic_fetch_add(&rule->hits, 1) + 1;
		if (rule->at && rule->at != hit)
			continue;
		if (rule->act == ACT_KILL)
			kill(getpid(), SIGKILL);
		if (rule->act == ACT_WAIT) {
			usleep((useconds_t)rule->number * 1000);
			continue;
		}
		errno = rule->number;
		return true;
	}
	return false;
}
