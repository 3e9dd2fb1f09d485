/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_library.c - see ldap_library.h. */
#include "ldap_library.h"

#include "base/banned.h"

/* The functions of liblber come with it: it needs them itself. */
#if LDAP_VENDOR_VERSION >= 20600
#define LIBRARY_FILE	"libldap.so.2"
#define LIBRARY_PACKAGE "libldap2"
#else
#define LIBRARY_FILE	"libldap-2.5.so.0"
#define LIBRARY_PACKAGE "libldap-2.5-0"
#endif

struct ldap_functions libldap;

static const char *const names[] = { LDAP_FUNCTIONS(LIBRARY_NAME) };
static struct library library = LIBRARY_INIT(LIBRARY_FILE, LIBRARY_PACKAGE, names, libldap);

err_t ldap_library_open(struct ctx *ctx)
{
	return library_open(ctx, &library);
}
