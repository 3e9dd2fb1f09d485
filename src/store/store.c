/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the table of drivers, and the cleanups. */
#include "store/store.h"
#include "base/step.h"
#include "filesystem.h"
#include "s3.h"
#include "store/store_remove.h"
#include "swift.h"

#include <string.h>

#include "base/banned.h"

static const struct store_driver *const drivers[] = {
	&store_filesystem,
	&store_s3,
	&store_swift,
};

bool store_id_is(str id, size_t len_max)
{
	if (id.len == 0 || id.len > len_max)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!id.ptr[i] || !strchr("0123456789abcdef-", id.ptr[i]))
			return false;
	return true;
}

const struct store_driver *store_driver_find(str name)
{
	for (size_t i = 0; i < COUNT_OF(drivers); i++)
		if (str_eq(name, str_from(drivers[i]->name)))
			return drivers[i];
	return NULL;
}

/* The name of an operation, and its step around the call. */
#define SEEN(operation, call)                                                                      \
	({                                                                                         \
		struct step step_ =                                                                \
			step_begin(ctx, STEP_STORAGE, (operation), storage_names[(operation)]);    \
		err_t step_err_ = (call);                                                          \
		step_end(ctx, &step_, step_err_);                                                  \
		step_err_;                                                                         \
	})

static const char *const storage_names[STEP_STORAGE_COUNT] = {
#define NAME(list, name, text) [list##_##name] = text,
	STEP_STORAGE_TABLE(NAME, STEP)
#undef NAME
};

err_t store_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
			struct store_upload *ret)
{
	return SEEN(STEP_UPLOAD_OPEN, store->driver->upload_open(ctx, store, id, create, ret));
}

err_t store_upload_append(struct ctx *ctx, struct store_upload *upload, str bytes)
{
	return SEEN(STEP_UPLOAD_APPEND, upload->store->driver->upload_append(ctx, upload, bytes));
}

err_t store_upload_flush(struct ctx *ctx, struct store_upload *upload)
{
	return SEEN(STEP_UPLOAD_FLUSH, upload->store->driver->upload_flush(ctx, upload));
}

err_t store_upload_read(struct ctx *ctx, struct store_upload *upload, uint64_t offset, void *into,
			size_t len, size_t *ret_len)
{
	return SEEN(STEP_UPLOAD_READ,
		    upload->store->driver->upload_read(ctx, upload, offset, into, len, ret_len));
}

err_t store_upload_remove(struct ctx *ctx, struct store *store, str id)
{
	return SEEN(STEP_UPLOAD_REMOVE, store->driver->upload_remove(ctx, store, id));
}

err_t store_publish(struct ctx *ctx, struct store_upload *upload, str id, blob_name name)
{
	struct store *store = upload->store;
	return SEEN(STEP_PUBLISH, store->driver->publish(ctx, store, upload, id, name));
}

err_t store_blob_open(struct ctx *ctx, struct store *store, blob_name name, struct store_blob *ret)
{
	return SEEN(STEP_BLOB_OPEN, store->driver->blob_open(ctx, store, name, ret));
}

err_t store_blob_read(struct ctx *ctx, struct store_blob *blob, uint64_t offset, void *into,
		      size_t len, size_t *ret_len)
{
	return SEEN(STEP_BLOB_READ,
		    blob->store->driver->blob_read(ctx, blob, offset, into, len, ret_len));
}

err_t store_blob_size(struct ctx *ctx, struct store *store, blob_name name,
		      uint64_t *ret_size_bytes)
{
	return SEEN(STEP_BLOB_SIZE, store->driver->blob_size(ctx, store, name, ret_size_bytes));
}

err_t store_blob_remove(struct ctx *ctx, struct store *store, blob_name name)
{
	return SEEN(STEP_BLOB_REMOVE, store->driver->blob_remove(ctx, store, name));
}

err_t store_blobs_remove(struct ctx *ctx, struct store *store, const struct store_removal *removal)
{
	return SEEN(STEP_BLOBS_REMOVE, store_remove_blobs(ctx, store, removal));
}

void store_blob_done(struct store_blob *blob)
{
	if (blob->store)
		blob->store->driver->blob_close(blob);
	*blob = (struct store_blob)STORE_BLOB_INIT;
}

void store_upload_done(struct store_upload *upload)
{
	if (upload->store)
		upload->store->driver->upload_close(upload);
	*upload = (struct store_upload)STORE_UPLOAD_INIT;
}
