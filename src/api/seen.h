/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - which projects the asker may see, for lists that go across projects. */
#pragma once

#include "api/request.h"
#include "registry/artifact.h"

err_t seen_by(struct ctx *ctx, struct request *rq, struct repository_seen *ret);
