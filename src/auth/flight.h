/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight.h - the same question, asked by many at once, is answered once.
 *
 * A build farm whose remembered password has just run out asks for the same verification a hundred
 * times in the same instant. The first to ask leads and does the work; whoever comes while it is
 * under way waits and gets its answer.
 *
 *	CLEANUP(flight_done) struct flight *flight = NULL;
 *	TRY(flight_join(ctx, flights, key, &flight));
 *	if (flight_leads(flight))
 *		flight_land(flight, err = work(…));
 *	else
 *		err = flight_answer(flight);
 *
 * A leader that leaves without landing lands ERR_CANCELLED.
 */
#pragma once

#include "base/ctx.h"

#define FLIGHT_KEY_BYTES 32

struct flights;
struct flight;

struct flights *flights_new(void);
void flights_free(struct flights *flights); /* nobody is in flight; NULL is fine */

/* Leads, or waits for who does: ERR_DEADLINE when that takes too long. */
err_t flight_join(struct ctx *ctx, struct flights *flights,
		  const unsigned char key[FLIGHT_KEY_BYTES], struct flight **ret);
bool flight_leads(const struct flight *flight);
void flight_land(struct flight *flight, err_t answer);
err_t flight_answer(const struct flight *flight);
void flight_done(struct flight **flight); /* CLEANUP */
