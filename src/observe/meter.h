/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.h - who looks at the steps of base/step.h: durations and failures become metrics, spans of
 * the trace that the work belongs to, what a thread is doing, and entries of the list of the slow.
 */
#pragma once

/* Once, before there are threads. */
void meter_start(void);

/* "sql_wait", … as in the label of that name. */
const char *meter_step_name(unsigned kind);
