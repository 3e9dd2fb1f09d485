/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential_request.h - the kubelet's question for credentials and our answer
 * (credentialprovider.kubelet.k8s.io/v1).
 *
 *	{"kind": "CredentialProviderRequest", "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
 *	 "image": "registry.example.com/shop/app:v1", "serviceAccountToken": "eyJ…",
 *	 "serviceAccountAnnotations": {"berth.registry/robot": "robot$shop+pull"}}
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define CREDENTIAL_REQUEST_MAX	 KIB(256)
#define CREDENTIAL_ANSWER_MAX	 KIB(128)
#define CREDENTIAL_ANNOTATION	 "berth.registry/robot"
#define CREDENTIAL_CACHE_S_MAX	 INT64_C(3600)
#define CREDENTIAL_CACHE_SPARE_S INT64_C(60) /* a cached token must not end while it is used */

struct credential_request {
	str image;
	str registry;	   /* host of the image, with its port */
	str token;	   /* the pod's, not verified */
	str robot;	   /* what the annotation says; empty: nothing */
	int64_t expires_s; /* the token's `exp`, since 1970 UTC */
};

/* False, with a static text in `*ret_why`, for what is no such request. Strings are copied. */
bool credential_request_read(struct arena *arena, str bytes, struct credential_request *ret,
			     const char **ret_why);

/* Whether a registry is one of those that tokens may be given to: hosts with their ports, with `*`
 * for one label in front (`*.example.com`). */
bool credential_registry_is(str registry, const str *allowed, size_t count);

/* The answer, to be kept by the kubelet until the token is about to end. */
void credential_answer_write(struct buf *b, const struct credential_request *request, str user,
			     int64_t now_s);
