/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h - calls that are always a mistake here become compile errors.
 *
 * Include it last in a .c file. What to use instead stands beside each name.
 */
#pragma once

#define BANNED(name, instead) name##_is_banned_use_##instead

#undef strcpy
#define strcpy BANNED(strcpy, arena_copy)
#undef strcat
#define strcat BANNED(strcat, buf_add)
#undef strncpy
#define strncpy BANNED(strncpy, arena_copy)
#undef strncat
#define strncat BANNED(strncat, buf_add)
#undef sprintf
#define sprintf BANNED(sprintf, buf_printf)
#undef vsprintf
#define vsprintf BANNED(vsprintf, buf_vprintf)
#undef strtok
#define strtok BANNED(strtok, str_next)
#undef atoi
#define atoi BANNED(atoi, str_to_u64)
#undef atol
#define atol BANNED(atol, str_to_u64)
#undef localtime
#define localtime BANNED(localtime, clock_utc)
#undef gmtime
#define gmtime BANNED(gmtime, clock_utc)
#undef rand
#define rand BANNED(rand, random_bytes)
