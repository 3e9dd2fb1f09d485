/* SPDX-License-Identifier: Apache-2.0 */
/* library.c - see library.h. */
#include "os/library.h"

#include "os/fault.h"
#include "os/thread.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#include "base/banned.h"

static err_t find_functions(struct ctx *ctx, struct library *library, void *handle)
{
	for (size_t i = 0; i < library->count; i++) {
		library->functions[i] = dlsym(handle, library->names[i]);
		if (!library->functions[i])
			return fail(ctx, ERR_CONFIG, "%s has no function %s", library->file,
				    library->names[i]);
	}
	return OK;
}

err_t library_open(struct ctx *ctx, struct library *library)
{
	if (atomic_load_explicit(&library->open, memory_order_acquire))
		return OK;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&library->lock);
	if (atomic_load_explicit(&library->open, memory_order_relaxed))
		return OK;
	void *handle = FAULT("library.open") ? NULL : dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return fail(ctx, ERR_CONFIG, "could not open %s: install the package %s",
			    library->file, library->package);
	TRY(find_functions(ctx, library, handle));
	atomic_store_explicit(&library->open, true, memory_order_release);
	return OK;
}
