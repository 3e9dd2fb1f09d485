/* SPDX-License-Identifier: Apache-2.0 */
/* webhook_internal.h - what the files of webhooks share. */
#pragma once

#include "crypto/secretbox.h"
#include "http/client.h"
#include "notify/webhook.h"

struct webhooks {
	struct webhooks_options options;
	struct secretbox_key master;
	struct client *guarded; /* for receivers that projects and tenants name */
	struct client *free;	/* for the system's own */
};
