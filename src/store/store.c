/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the table of drivers, and the cleanups. */
#include "store/store.h"
#include "filesystem.h"

#include "base/banned.h"

static const struct store_driver *const drivers[] = {
	&store_filesystem,
};

const struct store_driver *store_driver_find(str name)
{
	for (size_t i = 0; i < COUNT_OF(drivers); i++)
		if (str_eq(name, str_from(drivers[i]->name)))
			return drivers[i];
	return NULL;
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
