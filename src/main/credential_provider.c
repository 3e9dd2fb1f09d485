/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential_provider.c - the program that the kubelet runs before it pulls an image: a request on
 * standard input, an answer on standard output, what went wrong on standard error.
 *
 * It hands the pod's own service account token on as the password, to registries that were named
 * and to no others. It asks nobody and reads nothing else.
 */
#include "kubelet/credential_request.h"
#include "version.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>
#include <unistd.h>

#include "base/banned.h"

#define REGISTRIES_MAX 32
#define USER_DEFAULT   "kubernetes"

static const char usage[] =
	"usage: berth-credential-provider --registry HOST[:PORT]… [--user NAME]\n"
	"\n"
	"Answers the kubelet (credentialprovider.kubelet.k8s.io/v1) with the pod's service "
	"account\n"
	"token as the password for these registries. `*.` in front stands for one label.\n"
	"\n"
	"  --registry HOST  a registry that tokens may be given to; more than one is fine\n"
	"  --user NAME      the user name that goes with a token (kubernetes), unless the service\n"
	"                   account has the annotation " CREDENTIAL_ANNOTATION "\n"
	"  --version        prints the version\n";

struct arguments {
	str registries[REGISTRIES_MAX];
	size_t registry_count;
	str user;
	bool version, help;
};

static bool add_option(struct arguments *into, str name, str value)
{
	if (str_eq(name, STR("--user")) && value.len) {
		into->user = value;
		return true;
	}
	if (!str_eq(name, STR("--registry")) || !value.len ||
	    into->registry_count == REGISTRIES_MAX)
		return false;
	into->registries[into->registry_count++] = value;
	return true;
}

/* "--name value" or "--name=value"; `*at` moves behind it. */
static bool read_option(int argc, char **argv, int *at, struct arguments *into)
{
	str argument = str_from(argv[(*at)++]), name, value;
	if (str_eq(argument, STR("--version")))
		return into->version = true;
	if (str_eq(argument, STR("--help")))
		return into->help = true;
	if (str_cut(argument, '=', &name, &value))
		return add_option(into, name, value);
	return *at < argc && add_option(into, argument, str_from(argv[(*at)++]));
}

static bool read_arguments(int argc, char **argv, struct arguments *into)
{
	for (int at = 1; at < argc;)
		if (!read_option(argc, argv, &at, into))
			return false;
	return into->registry_count || into->version || into->help;
}

static bool read_all(struct buf *b)
{
	char piece[KIB(4)];
	for (;;) {
		ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
		if (got < 0)
			return false;
		if (got == 0)
			return !buf_overrun(b);
		buf_add(b, (str){ piece, (size_t)got });
	}
}

static int complain(const char *what)
{
	fprintf(stderr, "berth-credential-provider: %s\n", what);
	return 1;
}

static int answer(const struct arguments *arguments)
{
	CLEANUP(arena_done) struct arena arena;
	CLEANUP(buf_done) struct buf asked = BUF_INIT(CREDENTIAL_REQUEST_MAX + 1);
	CLEANUP(buf_done) struct buf answered = BUF_INIT(CREDENTIAL_ANSWER_MAX);
	struct credential_request request;
	const char *why;
	arena_init(&arena, MIB(4));
	if (!read_all(&asked))
		return complain("the request could not be read");
	if (!credential_request_read(&arena, buf_str(&asked), &request, &why))
		return complain(why);
	if (!credential_registry_is(request.registry, arguments->registries,
				    arguments->registry_count))
		return complain("the image is of a registry that is not named by --registry");
	credential_answer_write(&answered, &request, arguments->user,
				clock_wall_us() / INT64_C(1000000));
	if (buf_overrun(&answered))
		return complain("the token is too long");
	buf_add_byte(&answered, '\n');
	if (fwrite(answered.ptr, 1, answered.len, stdout) != answered.len || fflush(stdout) != 0)
		return complain("the answer could not be written");
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .user = STR(USER_DEFAULT) };
	if (!read_arguments(argc, argv, &arguments)) {
		fputs(usage, stderr);
		return 2;
	}
	if (arguments.help || arguments.version) {
		fputs(arguments.help ? usage : "berth-credential-provider " BERTH_VERSION "\n",
		      stdout);
		return 0;
	}
	return answer(&arguments);
}
