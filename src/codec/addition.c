/* SPDX-License-Identifier: Apache-2.0 */
/* addition.c - see addition.h. */
#include "codec/addition.h"
#include "codec/artifact.h"
#include "codec/json.h"
#include "codec/json_writer.h"

#include <stdlib.h>

#include "base/banned.h"

#define FILEPATH_ANNOTATION "org.cncf.model.filepath"
#define PATH_MAX_BYTES	    1024
#define MEMBER_MAX	    KIB(64)

static const struct json_limits limits = { MANIFEST_DEPTH_MAX, MANIFEST_VALUES_MAX,
					   .nul_in_strings = true };

static bool parse(str bytes, struct json_document *doc)
{
	struct json_problem problem;
	return json_parse(bytes, limits, doc, &problem) && json_value_is_object(doc->root);
}

static bool has_room(const struct buf *b, size_t len)
{
	return b->len + len + KIB(1) < b->max;
}

static void write_value(struct json_writer *w, const char *key, const struct json_value *value)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(MEMBER_MAX);
	size_t len = value ? json_value_print(value, NULL, 0) : 0;
	char *into = len && has_room(w->buf, len) ? buf_reserve(&text, len) : NULL;
	if (into && json_value_print(value, into, len) == len)
		json_write_raw(w, key, (str){ into, len });
}

static void write_step(struct json_writer *w, const struct json_value *step)
{
	static const char *const texts[] = { "created", "created_by", "author", "comment" };
	bool empty = false;
	json_write_object_begin(w, NULL);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (json_value_is_str(json_member(step, texts[i])))
			write_value(w, texts[i], json_member(step, texts[i]));
	if (json_get_bool(step, "empty_layer", &empty) == JSON_FOUND && empty)
		json_write_bool(w, "empty_layer", true);
	json_write_object_end(w);
}

bool addition_history(str config, struct buf *into)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_writer w = JSON_WRITER(into);
	if (!parse(config, &doc))
		return false;
	const struct json_value *history = json_member(doc.root, "history");
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < json_count(history) && has_room(into, KIB(1)); i++)
		if (json_value_is_object(json_element(history, i)))
			write_step(&w, json_element(history, i));
	json_write_array_end(&w);
	return true;
}

bool addition_dependencies(str config, struct buf *into)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_writer w = JSON_WRITER(into);
	if (!parse(config, &doc))
		return false;
	const struct json_value *dependencies = json_member(doc.root, "dependencies");
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < json_count(dependencies); i++)
		if (json_value_is_object(json_element(dependencies, i)))
			write_value(&w, NULL, json_element(dependencies, i));
	json_write_array_end(&w);
	return true;
}

/* --- the files of a model ----------------------------------------------------------------------
 */

struct file {
	str path; /* without slashes at the ends */
	int64_t size_bytes;
	bool is_directory;
};

static str first_segment(str path)
{
	str first, rest;
	return str_cut(path, '/', &first, &rest) ? first : path;
}

static str behind(str path, str segment)
{
	return str_skip(path, segment.len + 1);
}

static bool is_directory(const struct file *file, str rest)
{
	return file->is_directory || str_has_byte(rest, '/');
}

/* Segment by segment, so that what lies in one directory lies together. */
static int compare(const void *a, const void *b)
{
	str one = ((const struct file *)a)->path, two = ((const struct file *)b)->path;
	for (;;) {
		str x = first_segment(one), y = first_segment(two);
		int order = str_cmp(x, y);
		if (order || !one.len || !two.len)
			return order;
		one = behind(one, x);
		two = behind(two, y);
	}
}

static bool is_plain_segment(str segment)
{
	return segment.len && !str_eq(segment, STR(".")) && !str_eq(segment, STR(".."));
}

static bool take_path(str text, struct file *ret)
{
	unsigned depth = 0;
	while (str_has_prefix(text, STR("/")) || str_has_prefix(text, STR("./")))
		text = str_skip(text, text.ptr[0] == '/' ? 1 : 2);
	ret->is_directory = str_has_suffix(text, STR("/"));
	while (str_has_suffix(text, STR("/")))
		text = str_take(text, text.len - 1);
	str rest = text;
	for (str segment; str_next(&rest, '/', &segment); depth++)
		if (!is_plain_segment(segment))
			return false;
	ret->path = text;
	return text.len && text.len <= PATH_MAX_BYTES && depth <= ADDITION_DEPTH_MAX &&
	       !str_has_byte(text, '\0');
}

static size_t collect(const struct json_value *layers, struct file *files)
{
	size_t count = 0;
	for (size_t i = 0; i < json_count(layers) && count < ADDITION_FILES_MAX; i++) {
		const struct json_value *layer = json_element(layers, i);
		const struct json_value *annotations = json_member(layer, "annotations");
		struct file file = { .size_bytes = 0 };
		str path = json_value_str(json_member(annotations, FILEPATH_ANNOTATION));
		if (json_get_i64(layer, "size", &file.size_bytes) != JSON_WRONG &&
		    take_path(path, &file))
			files[count++] = file;
	}
	return count;
}

static void write_level(struct json_writer *w, const struct file *files, size_t count,
			size_t skipped);

/* Files [0 … count) of one name at this level. */
static void write_group(struct json_writer *w, const struct file *files, size_t count,
			size_t skipped, bool directories)
{
	str rest = str_skip(files[0].path, skipped);
	str name = first_segment(rest);
	const struct file *last = &files[count - 1];
	bool directory =
		is_directory(last, str_skip(last->path, skipped)) || is_directory(&files[0], rest);
	if (directory != directories || !has_room(w->buf, 2 * name.len + KIB(1)))
		return;
	json_write_object_begin(w, NULL);
	json_write_str(w, "name", name);
	json_write_str(w, "type", directory ? STR("directory") : STR("file"));
	if (directory) {
		json_write_array_begin(w, "children");
		write_level(w, files, count, skipped + name.len + 1);
		json_write_array_end(w);
	} else {
		json_write_i64(w, "size", files[0].size_bytes);
	}
	json_write_object_end(w);
}

static void write_groups(struct json_writer *w, const struct file *files, size_t count,
			 size_t skipped, bool directories)
{
	for (size_t at = 0, next = 0; at < count; at = next) {
		str name = first_segment(str_skip(files[at].path, skipped));
		while (next < count &&
		       str_eq(first_segment(str_skip(files[next].path, skipped)), name))
			next++;
		if (name.len)
			write_group(w, files + at, next - at, skipped, directories);
	}
}

static void write_level(struct json_writer *w, const struct file *files, size_t count,
			size_t skipped)
{
	write_groups(w, files, count, skipped, true);
	write_groups(w, files, count, skipped, false);
}

bool addition_files(struct arena *arena, str manifest, struct buf *into)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_writer w = JSON_WRITER(into);
	if (!parse(manifest, &doc))
		return false;
	const struct json_value *layers = json_member(doc.root, "layers");
	size_t room = MIN(json_count(layers), (size_t)ADDITION_FILES_MAX) + 1;
	struct file *files = arena_try(arena, room * sizeof *files);
	if (!files)
		return false;
	size_t count = collect(layers, files);
	if (count)
		qsort(files, count, sizeof *files, compare);
	json_write_array_begin(&w, NULL);
	write_level(&w, files, count, 0);
	json_write_array_end(&w);
	return true;
}

bool addition_find_layer(struct arena *arena, str manifest, const char *const names[2],
			 struct addition_layer *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	if (!parse(manifest, &doc))
		return false;
	const struct json_value *layers = json_member(doc.root, "layers");
	for (size_t i = 0; i < json_count(layers); i++) {
		const struct json_value *layer = json_element(layers, i);
		const struct json_value *annotations = json_member(layer, "annotations");
		str path = json_value_str(json_member(annotations, FILEPATH_ANNOTATION));
		str type = json_value_str(json_member(layer, "mediaType"));
		bool raw = str_eq(type, STR("application/vnd.cncf.model.doc.v1.raw"));
		bool tar = str_eq(type, STR("application/vnd.cncf.model.doc.v1.tar"));
		if ((!raw && !tar) ||
		    !(str_eq(path, str_from(names[0])) || str_eq(path, str_from(names[1]))))
			continue;
		str digest_text = json_value_str(json_member(layer, "digest"));
		*ret = (struct addition_layer){ arena_copy(arena, digest_text), tar };
		return true;
	}
	return false;
}
