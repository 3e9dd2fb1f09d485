/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - opens the audit trail for the server, and `berth audit verify` proves it without one.
 */
#include "auth/keys.h"
#include "os/file.h"
#include "notify/audit.h"
#include "notify/audit_verify.h"
#include "program.h"

#include <stdio.h>

#include "base/banned.h"

enum { EXIT_INTACT = 0, EXIT_DIFFERENT = 1, EXIT_FAILED = 2 };

#define VERDICT_MAX KIB(4)

static err_t read_master_key(struct ctx *ctx, const struct program *p, struct secretbox_key *ret)
{
	return master_key_read(ctx, program_master_key_path(ctx, p), false, ret);
}

static err_t read_disabled(struct ctx *ctx, const struct program *p, struct audit_types *ret)
{
	str wrong;
	if (audit_types_parse(p->config.audit_disable, ret, &wrong))
		return OK;
	return fail(ctx, ERR_CONFIG,
		    "audit.disable: " STR_FMT " is no type of event that can be switched off",
		    STR_ARG(wrong));
}

static err_t read_forward(struct ctx *ctx, const struct program *p, struct forward_options *ret)
{
	const struct config *config = &p->config;
	str ca_pem;
	TRY(program_read_pem(ctx, config->audit_forward_ca_certificate,
			     "audit_forward.ca_certificate", &ca_pem));
	*ret = (struct forward_options){
		.syslog = config->audit_forward_syslog,
		.facility = (unsigned)config->audit_forward_facility,
		.cloudevents = config->audit_forward_cloudevents,
		.cloudevents_authorization = config->audit_forward_cloudevents_authorization,
		.cadf = config->audit_forward_cadf,
		.cadf_authorization = config->audit_forward_cadf_authorization,
		.ca_pem = ca_pem,
		.certificate_path = config->audit_forward_certificate,
		.key_path = config->audit_forward_key,
		.queue_bytes_max = (size_t)config->audit_forward_queue_bytes_max,
		.queue_records_max = (size_t)config->audit_forward_queue_records_max,
		.drain_timeout_ms = config->audit_forward_drain_timeout_ms,
		.source = config->external_url,
	};
	return OK;
}

err_t program_open_audit(struct ctx *ctx, struct program *p)
{
	CLEANUP(secretbox_key_done) struct secretbox_key key = { 0 };
	struct audit_options options = {
		.db = p->db,
		.queue_bytes_max = (size_t)p->config.audit_queue_bytes_max,
		.checkpoint_s = p->config.audit_checkpoint_ms / 1000,
		.checkpoint_path = program_checkpoint_path(ctx, p),
		.master_key = &key,
	};
	TRY(read_disabled(ctx, p, &options.disabled));
	TRY(read_forward(ctx, p, &options.forward));
	TRY(read_master_key(ctx, p, &key));
	TRY(audit_new(ctx, &options, &p->audit));
	return audit_start(ctx, p->audit);
}

err_t program_new_audit_writer(struct ctx *ctx, const struct program *p, struct audit **ret)
{
	struct audit_options options = { .db = p->db };
	TRY(read_disabled(ctx, p, &options.disabled));
	return audit_new(ctx, &options, ret);
}

/* --- berth audit verify --------------------------------------------------------------------- */

static err_t verify(struct ctx *ctx, struct program *p, struct audit_verdict *ret)
{
	CLEANUP(secretbox_key_done) struct secretbox_key key = { 0 };
	TRY(read_master_key(ctx, p, &key));
	const struct audit_verify_options options = {
		.db = p->db,
		.master_key = &key,
		.checkpoint_path = program_checkpoint_path(ctx, p),
	};
	return audit_verify(ctx, &options, ret);
}

static void print_words(const struct audit_verdict *verdict)
{
	if (verdict->intact)
		printf("the audit trail is intact\n");
	else if (verdict->seq)
		printf("the audit trail was changed, first at place %lld: %s\n",
		       (long long)verdict->seq, verdict->difference);
	else
		printf("the audit trail was changed: %s\n", verdict->difference);
	printf("%lld places checked, %lld purged, %lld records erased, %lld wait for a place\n"
	       "%lld checkpoints checked, the last for place %lld\n",
	       (long long)verdict->places, (long long)verdict->purged, (long long)verdict->erased,
	       (long long)verdict->waiting, (long long)verdict->checkpoints,
	       (long long)verdict->last_checkpoint);
}

static void print_json(const struct audit_verdict *verdict)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(VERDICT_MAX);
	audit_verdict_write(&text, verdict);
	printf(STR_FMT "\n", STR_ARG(buf_str(&text)));
}

static bool take_word(int *argc, char ***argv, const char *word)
{
	if (*argc < 1 || !str_eq(str_from((*argv)[0]), str_from(word)))
		return false;
	++*argv;
	--*argc;
	return true;
}

static err_t open_and_verify(struct ctx *ctx, int argc, char **argv, struct program *p,
			     struct audit_verdict *ret)
{
	TRY(program_configure(ctx, argc, argv, p));
	TRY(program_find_data(ctx, p));
	TRY(program_open(ctx, p));
	return verify(ctx, p, ret);
}

int main_audit(int argc, char **argv)
{
	if (!take_word(&argc, &argv, "verify")) {
		fprintf(stderr, "usage: berth audit verify [-o json] [OPTION…]\n");
		return EXIT_FAILED;
	}
	bool json = take_word(&argc, &argv, "-o") && take_word(&argc, &argv, "json");
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(64));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	CLEANUP(program_close) struct program p = PROGRAM_INIT;
	struct audit_verdict verdict;
	if (open_and_verify(&ctx, argc, argv, &p, &verdict) != OK) {
		fprintf(stderr, "berth: %s\n", ctx.failure.detail);
		return EXIT_FAILED;
	}
	if (json)
		print_json(&verdict);
	else
		print_words(&verdict);
	return verdict.intact ? EXIT_INTACT : EXIT_DIFFERENT;
}
