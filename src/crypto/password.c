/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.c - see password.h. A semaphore of two bounds memory and processor time, whatever the
 * number of wrong passwords per second; who waits, waits no longer than its deadline.
 */
#include "crypto/password.h"
#include "crypto/random.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <string.h>

#include "base/banned.h"

#define PASSES		2
#define MEMORY_BYTES	MIB(19)
#define AT_ONCE		2
#define DUMMY_KEY_BYTES 32

static sem_t running;

static void start(void)
{
	CHECK(sodium_init() >= 0);
	CHECK(sem_init(&running, 0, AT_ONCE) == 0);
}

static err_t slot_take(struct ctx *ctx)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CHECK(pthread_once(&once, start) == 0);
	ctx_waits(ctx);

	struct timespec until = { ctx->deadline_ns / 1000000000, ctx->deadline_ns % 1000000000 };
	for (;;) {
		int failed = ctx->deadline_ns ? sem_clockwait(&running, CLOCK_MONOTONIC, &until)
					      : sem_wait(&running);
		if (!failed)
			return OK;
		if (errno == ETIMEDOUT)
			return fail(ctx, ERR_DEADLINE, "waited for others to hash their passwords");
		CHECK(errno == EINTR);
	}
}

static void slot_give(int *unused)
{
	(void)unused;
	CHECK(sem_post(&running) == 0);
}

err_t password_hash(struct ctx *ctx, str password, str *ret_record)
{
	char record[crypto_pwhash_STRBYTES];
	if (password.len > PASSWORD_BYTES_MAX)
		return fail(ctx, ERR_LIMIT, "password longer than %d bytes", PASSWORD_BYTES_MAX);
	TRY(slot_take(ctx));
	CLEANUP(slot_give) UNUSED int slot = 0;
	if (crypto_pwhash_str_alg(record, password.len ? password.ptr : "", password.len, PASSES,
				  MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return fail(ctx, ERR_BUSY, "no memory to hash a password");
	*ret_record = arena_copy(ctx->arena, str_from(record));
	return OK;
}

/* As much work as a verification, for accounts that do not exist: time must not tell who does. */
static err_t verify_nobody(struct ctx *ctx, str password)
{
	unsigned char salt[crypto_pwhash_SALTBYTES], key[DUMMY_KEY_BYTES];
	random_bytes(salt, sizeof salt);
	if (crypto_pwhash(key, sizeof key, password.len ? password.ptr : "", password.len, salt,
			  PASSES, MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return fail(ctx, ERR_BUSY, "no memory to hash a password");
	sodium_memzero(key, sizeof key);
	return fail(ctx, ERR_UNAUTHORIZED, "no such account");
}

err_t password_verify(struct ctx *ctx, str record, str password)
{
	char text[crypto_pwhash_STRBYTES] = { 0 };
	if (password.len > PASSWORD_BYTES_MAX)
		return fail(ctx, ERR_UNAUTHORIZED, "password longer than %d bytes",
			    PASSWORD_BYTES_MAX);
	if (record.len >= sizeof text)
		return fail(ctx, ERR_UNAUTHORIZED, "password record is damaged");
	TRY(slot_take(ctx));
	CLEANUP(slot_give) UNUSED int slot = 0;
	if (record.len == 0)
		return verify_nobody(ctx, password);
	memcpy(text, record.ptr, record.len);
	if (crypto_pwhash_str_verify(text, password.len ? password.ptr : "", password.len) != 0)
		return fail(ctx, ERR_UNAUTHORIZED, "wrong password");
	return OK;
}
