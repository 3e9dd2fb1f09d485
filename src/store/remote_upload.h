/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote_upload.h - an upload whose bytes go to another server in parts while they arrive; private
 * to store.
 *
 * An upload is what went out, and the tail: the last bytes, in memory. Its state is one object
 * below uploads/: lines of text that say what went out, an empty line, and the tail. What that
 * object says is what was promised; parts sent since then are not lost for this process, and for
 * another one they never were. Whoever has the object can go on with the upload, on any node.
 *
 * The last REMOTE_TAIL_KEPT bytes always stay in the tail: who encrypts looks there each time he
 * opens an upload, and cuts there.
 *
 * What a part is, and how it goes out, is the driver's (struct remote_upload_ops). Its upload
 * begins with a struct remote_upload, and its state with a struct remote_state.
 */
#pragma once

#include "base/buf.h"
#include "remote_reader.h"

#define REMOTE_TAIL_KEPT KIB(128)

/* --- the state ------------------------------------------------------------------------------ */

struct remote_state {
	uint64_t version;    /* drawn anew each time it is written */
	uint64_t tail_bytes; /* behind the empty line */
};

/* Lines "name value", in the order of the table; all but the last may be missing. */
struct remote_line {
	const char *name;
	bool (*read)(void *state, str value);
	bool repeats;
};
struct remote_format {
	str first_line;
	const struct remote_line *lines;
	size_t line_count;
};
/* The first line and the last of every format; `state` begins with a struct remote_state. */
bool remote_state_version(void *state, str value);
bool remote_state_tail(void *state, str value);
#define REMOTE_LINE_VERSION                                                                        \
	{                                                                                          \
		"version", remote_state_version, false                                             \
	}
#define REMOTE_LINE_TAIL                                                                           \
	{                                                                                          \
		"tail", remote_state_tail, false                                                   \
	}

/* Strictly: one writer, one form. `text` is the beginning of the object, with at least all lines;
 * `*ret_lines_len` is where the tail begins. Fills `state`, also when it returns false. */
bool remote_state_parse(str text, const struct remote_format *format, void *state,
			size_t *ret_lines_len);
void remote_state_print_first(struct buf *b, const struct remote_format *format,
			      const struct remote_state *state);
void remote_state_print_last(struct buf *b, const struct remote_state *state);

/* --- an upload that is open ----------------------------------------------------------------- */

struct remote_upload {
	const struct remote_upload_ops *ops;
	struct remote_source source;
	const char *prefix;	    /* of all keys */
	struct remote_state *state; /* in the driver's; its tail_bytes: here, loaded or not */
	char id[REMOTE_ID_MAX + 1];
	char *tail;
	size_t tail_capacity;
	bool tail_is_here;	     /* or still in the state's object only */
	size_t lines_len;	     /* where it begins there */
	struct remote_reader stored; /* the state's object, until the tail is here */
	bool exists;		     /* there is one */
	bool dirty;		     /* it is not as here */
	bool broken;		     /* bytes were lost that somebody relies on */
};

struct remote_upload_ops {
	size_t text_max; /* bytes of a state's lines */
	bool (*parse)(struct remote_upload *up, str text, size_t *ret_lines_len);
	void (*print)(struct remote_upload *up, struct buf *b);
	err_t (*put_state)(struct ctx *ctx, struct remote_upload *up, str key, str bytes);

	uint64_t (*sent_bytes)(struct remote_upload *up); /* before the tail */
	size_t (*part_bytes)(struct remote_upload *up);	  /* how large the next part is */
	size_t (*flush_bytes)(struct remote_upload *up);  /* what a flush makes one of */
	/* The first `len` bytes of the tail go out: remote_upload_sent(). They may be on their way
	 * still when it returns. */
	err_t (*send)(struct ctx *ctx, struct remote_upload *up, size_t len);
	/* Waits for what is on its way; what fails is in the tail again. NULL: nothing ever is. */
	err_t (*settle)(struct ctx *ctx, struct remote_upload *up);
	/* Cuts what went out, and the tail, which is here, back to so many bytes in all; `broken`
	 * when that fails and cannot be tried again. */
	err_t (*cut)(struct ctx *ctx, struct remote_upload *up, uint64_t size_bytes);
	/* Reads before the tail. */
	err_t (*read)(struct ctx *ctx, struct remote_upload *up, uint64_t offset, void *into,
		      size_t len, size_t *ret_len);
	/* Bytes were taken that begin at `offset`. NULL: nobody wants to know. */
	void (*appended)(struct remote_upload *up, uint64_t offset, str bytes);
};

/* Reads the state's object. ERR_ABSENT, ERR_CORRUPT when it is no state. */
err_t remote_upload_load(struct ctx *ctx, struct remote_upload *up);
void remote_upload_done(struct remote_upload *up);

str remote_upload_id(const struct remote_upload *up);
uint64_t remote_upload_bytes(struct remote_upload *up);

/* What a driver's upload_open does with an upload that has its ops, source, prefix, state and id:
 * loads it, or with `create` begins it. Keeps `up` as the handle when OK. */
err_t remote_upload_open(struct ctx *ctx, struct store *store, struct remote_upload *up,
			 bool create, struct store_upload *ret);

/* ERR_STORAGE when it has lost bytes, and ctx_check(). */
err_t remote_upload_check(struct ctx *ctx, const struct remote_upload *up);
/* Writes the state, with the tail, or with none when nothing of it was promised. */
err_t remote_upload_save(struct ctx *ctx, struct remote_upload *up, bool with_tail);
/* The tail is in memory afterwards. */
err_t remote_upload_load_tail(struct ctx *ctx, struct remote_upload *up);
/* The tail has room for so many bytes. */
void remote_upload_make_room(struct remote_upload *up, size_t len);
/* The first `len` bytes of the tail went out. */
void remote_upload_sent(struct ctx *ctx, struct remote_upload *up, size_t len);

/* --- a driver's slots of these names -------------------------------------------------------- */

err_t remote_upload_append(struct ctx *ctx, struct store_upload *upload, str bytes);
err_t remote_upload_flush(struct ctx *ctx, struct store_upload *upload);
err_t remote_upload_cut(struct ctx *ctx, struct store_upload *upload, uint64_t size_bytes);
err_t remote_upload_read(struct ctx *ctx, struct store_upload *upload, uint64_t offset, void *into,
			 size_t len, size_t *ret_len);
