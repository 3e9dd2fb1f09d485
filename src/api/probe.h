/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.h - whether this node should get requests: /readyz, and the metric that says the same.
 *
 * It is ready while its database answers, its storage takes bytes (registry/health.h: tried at most
 * once a second) and it is not about to end.
 */
#pragma once

#include "api/api.h"
#include "registry/health.h"

struct readiness {
	struct health health;
	bool draining;
};
bool probe_is_ready(struct ctx *ctx, struct api *api, struct readiness *ret);
