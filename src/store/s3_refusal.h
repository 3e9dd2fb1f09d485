/* SPDX-License-Identifier: Apache-2.0 */
/* s3_refusal.h - what an S3 server's refusals, and the network's, mean to us and to an operator;
 * private to store. */
#pragma once

#include "s3_client.h"

struct s3_verdict {
	bool again;	  /* another try may do */
	bool key_expired; /* with another key */
	unsigned after_s; /* not before so long */
};

/* Of an answer that is no success. */
err_t s3_refusal(struct ctx *ctx, const struct s3_client *client, const struct s3_request *rq,
		 const struct s3_response *response, struct s3_verdict *ret);

/* Of no answer: `err` is the HTTP client's. The failure is recorded already, and gets the request's
 * name. */
err_t s3_network_error(struct ctx *ctx, const struct s3_request *rq, err_t err,
		       struct s3_verdict *ret);
