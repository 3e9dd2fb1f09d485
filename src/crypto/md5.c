/* SPDX-License-Identifier: Apache-2.0 */
/* md5.c - see md5.h. */
#include "crypto/md5.h"
#include "codec/hex.h"

#include <openssl/evp.h>
#include <pthread.h>

#include "base/banned.h"

static EVP_MD *algorithm;

static void fetch(void)
{
	algorithm = EVP_MD_fetch(NULL, "MD5", NULL);
}

bool md5(str bytes, unsigned char ret[MD5_BYTES])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned size = 0;
	pthread_once(&once, fetch);
	return algorithm && EVP_Digest(bytes.ptr, bytes.len, ret, &size, algorithm, NULL) == 1 &&
	       size == MD5_BYTES;
}

bool md5_text(str bytes, char ret[MD5_TEXT_LEN + 1])
{
	unsigned char sum[MD5_BYTES];
	bool there = md5(bytes, sum);
	if (there)
		hex_encode((str){ (const char *)sum, sizeof sum }, ret);
	ret[there ? MD5_TEXT_LEN : 0] = '\0';
	return there;
}
