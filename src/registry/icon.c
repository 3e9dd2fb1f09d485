/* SPDX-License-Identifier: Apache-2.0 */
/* icon.c - see icon.h. */
#include "registry/icon.h"
#include "crypto/hash.h"
#include "db/artifact.h"
#include "internal.h"
#include "registry/pull.h"

#include "base/banned.h"

#define PIECE KIB(16)

struct icon {
	const char *type;
	str svg;
};

#define SVG(shapes)                                                                                \
	STR_INIT("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 24 24\" fill=\"none\" "  \
		 "stroke=\"#24506b\" stroke-width=\"1.5\">" shapes "</svg>")

/* The last one is for all other types. */
static const struct icon icons[] = {
	{ "IMAGE", SVG("<path d=\"M3 7h18v10H3zM7 7v10M12 7v10M17 7v10\"/>") },
	{ "CHART", SVG("<circle cx=\"12\" cy=\"12\" r=\"4\"/><path d=\"M12 3v5M12 16v5M3 12h5M16 "
		       "12h5M6 6l3 3M15 15l3 3M18 6l-3 3M9 15l-3 3\"/>") },
	{ "CNAB", SVG("<path d=\"M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8\"/>") },
	{ "WASM", SVG("<path d=\"M4 4h5a3 3 0 0 0 6 0h5v16H4zM7 11l1.500 6L10 12l1.500 5L13 "
		      "11M14 17l2-6 2 6\"/>") },
	{ "CNAI", SVG("<circle cx=\"5\" cy=\"12\" r=\"2\"/><circle cx=\"12\" cy=\"5\" r=\"2\"/>"
		      "<circle cx=\"12\" cy=\"19\" r=\"2\"/><circle cx=\"19\" cy=\"12\" r=\"2\"/>"
		      "<path d=\"M6.400 10.600l4.200-4.200M13.400 6.400l4.200 4.200M6.400 "
		      "13.400l4.200 4.200M13.400 17.600l4.200-4.200\"/>") },
	{ "SBOM", SVG("<path d=\"M6 3h9l4 4v14H6zM9 10h7M9 13h7M9 16h5\"/>") },
	{ "", SVG("<path d=\"M5 5h14v14H5zM5 10h14\"/>") },
};

static str digest_of(struct arena *arena, const struct icon *icon)
{
	digest d = hash_bytes(DIGEST_SHA256, icon->svg);
	return arena_copy(arena, str_from(digest_format(d).text));
}

str icon_of_type(struct arena *arena, str type)
{
	size_t at = 0;
	while (at + 1 < COUNT_OF(icons) && !str_eq(type, str_from(icons[at].type)))
		at++;
	return digest_of(arena, &icons[at]);
}

bool icon_built_in(str digest_text, struct buf *into, str *ret_content_type)
{
	for (size_t i = 0; i < COUNT_OF(icons); i++) {
		digest d = hash_bytes(DIGEST_SHA256, icons[i].svg);
		if (!str_eq(digest_text, str_from(digest_format(d).text)))
			continue;
		buf_add(into, icons[i].svg);
		*ret_content_type = STR("image/svg+xml");
		return true;
	}
	return false;
}

err_t icon_holders(struct ctx *ctx, struct registry *registry, str digest_text, str **ret,
		   size_t *ret_count)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_artifact_icon_holders(ctx, &tx, digest_text, ICON_HOLDERS, ret, ret_count);
}

/* By the first bytes: a picture for a browser must be one. */
static str sniff(str bytes)
{
	if (str_has_prefix(bytes, STR("\x89PNG\r\n\x1a\n")))
		return STR("image/png");
	if (str_has_prefix(bytes, STR("\xff\xd8\xff")))
		return STR("image/jpeg");
	if (str_has_prefix(bytes, STR("GIF87a")) || str_has_prefix(bytes, STR("GIF89a")))
		return STR("image/gif");
	return STR_NONE;
}

err_t icon_read(struct ctx *ctx, struct registry *registry, str repository, digest d,
		struct buf *into, str *ret_content_type)
{
	CLEANUP(blob_view_done) struct blob_view view = BLOB_VIEW_INIT;
	err_t err = blob_open(ctx, registry, repository, d, &view);
	if (err == ERR_BLOB_UNKNOWN) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_NOT_FOUND, "the artifact has no such layer");
	}
	TRY(err);
	if (view.size_bytes > ICON_MAX)
		return fail(ctx, ERR_NOT_FOUND, "larger than an icon");
	for (uint64_t at = 0; at < view.size_bytes;) {
		size_t len;
		char *room = buf_reserve(into, PIECE);
		if (!room)
			return fail(ctx, ERR_LIMIT, "icon is too large");
		TRY(blob_read(ctx, &view, at, room, PIECE, &len));
		if (!len)
			break;
		into->len += len;
		at += len;
	}
	*ret_content_type = sniff(buf_str(into));
	return ret_content_type->len ? OK : fail(ctx, ERR_NOT_FOUND, "no picture");
}
