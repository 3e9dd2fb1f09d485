/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_check.h - proves the trail beside the running server: one verification at a time, on a
 * thread of its own, because it reads every record there is.
 */
#pragma once

#include "notify/audit.h"
#include "notify/audit_verify.h"

struct audit_check {
	bool running;
	int64_t started_at_us;	/* 0: never */
	int64_t finished_at_us; /* 0: not yet */
	bool failed;		/* it could not be found out; `verdict` says nothing */
	struct audit_verdict verdict;
};

/* ERR_EXISTS, recorded, while one is running; ERR_BUSY without a thread, and the last one stays. */
err_t audit_check_start(struct ctx *ctx, struct audit *audit);

/* The running or the last one of this process. */
void audit_check_state(struct audit *audit, struct audit_check *ret);

/* Ends a running one. For audit_stop(). */
void audit_check_stop(struct audit *audit);
