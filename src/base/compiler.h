/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compiler.h - the few compiler features the tree uses, each under one name.
 */
#pragma once

#include <stddef.h>

/* An enum that callers must look at: GCC knows the C23 attribute, Clang its own. */
#if defined(__clang__)
#define MUST_CHECK __attribute__((warn_unused_result))
#else
#define MUST_CHECK [[nodiscard]]
#endif

#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define UNUSED				__attribute__((unused))
#define NORETURN			__attribute__((noreturn))
#define HOT				__attribute__((hot))

/* 1 in builds whose sanitizer brings a runtime that stops threads and starts programs. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* `CLEANUP(buf_done) struct buf b;` calls buf_done(&b) when b leaves scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* Hands a pointer on and forgets it here, so that its cleanup does nothing: `*ret = take(p);`. */
#define take(pointer)                                                                              \
	({                                                                                         \
		__typeof__(pointer) take_value_ = (pointer);                                       \
		(pointer) = NULL;                                                                  \
		take_value_;                                                                       \
	})

/* The same for a descriptor: forgets it as -1. */
#define take_fd(fd)                                                                                \
	({                                                                                         \
		int take_fd_value_ = (fd);                                                         \
		(fd) = -1;                                                                         \
		take_fd_value_;                                                                    \
	})

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define MAX(a, b)	((a) > (b) ? (a) : (b))

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)
