/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h - the parts of a running Berth, opened in their order and closed in reverse.
 *
 * Wiring only: what each part is, its own header says. `berth serve` opens all of it and confines
 * itself before, `berth fsck` and `berth audit` open the first half.
 */
#pragma once

#include "api/api.h"
#include "config/config.h"
#include "crypto/tls.h"
#include "http/server.h"

/* In the data directory, where no database server is named. */
#define PROGRAM_DATABASE_FILE "berth.sqlite"

struct job; /* jobs/job.h */

struct program {
	struct config config;
	bool serves; /* so it may make what is not there */
	int lock_fd; /* held while serving from an embedded database */
	struct sql *db;
	struct system_settings *settings;
	struct store *store;
	struct registry *registry;
	struct auth *auth;
	struct audit *audit;
	struct webhooks *webhooks; /* notify/webhook.h */
	struct jobs *jobs;	   /* jobs/jobs.h */
	struct tracer *tracer;	   /* observe/tracer.h; NULL: no traces */
	struct api *api;
	struct tls_server *tls;
	struct server *server;
	struct server *metrics_server; /* of metrics.listen; NULL: none */
};
#define PROGRAM_INIT                                                                               \
	{                                                                                          \
		.lock_fd = -1                                                                      \
	}

/* Options, log. */
err_t program_configure(struct ctx *ctx, int argc, char **argv, struct program *p);

/* The data directory: made if missing, or ERR_CONFIG when no registry was ever there. */
err_t program_make_data(struct ctx *ctx, const struct program *p);
err_t program_find_data(struct ctx *ctx, const struct program *p);

/* Takes away from this process, for ever, what the options say it does not need, and logs it. While
 * there is one thread: those started before would keep their files. */
void program_confine(struct ctx *ctx, struct program *p);

/* The database, whatever its schema. */
err_t program_open_database(struct ctx *ctx, struct program *p);

/* Database, with its schema as this program needs it; settings, storage, registry. */
err_t program_open(struct ctx *ctx, struct program *p);
void program_close(struct program *p); /* CLEANUP; any state */

/* Lets the registry seal and open what storages keep secret; nothing when no key was made yet.
 * program_open() does it, and once more who made the key. */
err_t program_take_master_key(struct ctx *ctx, struct program *p);

/* Takes the data directory for this process alone, so that two servers never share a SQLite
 * registry. */
err_t program_lock(struct ctx *ctx, struct program *p);

/* The audit trail, and its thread. After accounts: they make the master key. */
err_t program_open_audit(struct ctx *ctx, struct program *p);

/* One that only takes records of changes, in their transactions (audit_write()); free it. */
err_t program_new_audit_writer(struct ctx *ctx, const struct program *p, struct audit **ret);

/* Hears what other nodes change, until program_close(). Once all that remembers rows is open. */
err_t program_hear_nodes(struct ctx *ctx, struct program *p);

/* Who is told of what happens; before jobs, which tell it. */
err_t program_open_webhooks(struct ctx *ctx, struct program *p);

/* Jobs and their schedules run from here on, until jobs_stop(). Once all that they use is open. */
err_t program_open_jobs(struct ctx *ctx, struct program *p);

/* An audit record of what the system deleted, as `actor`: retention.c. */
struct retention_gone;
err_t program_record_gone(struct ctx *ctx, struct sql_tx *tx, const struct program *p,
			  const struct retention_gone *gone, str actor);

/* Handlers of jobs, with the program as `arg`: retention.c. */
struct job;
err_t program_run_retention(struct ctx *ctx, struct job *job, void *arg);
err_t program_expire_tags(struct ctx *ctx, struct job *job, void *arg);
err_t program_expire_inventory(struct ctx *ctx, struct job *job, void *arg);

/* The file that the option names; empty when it names none. */
err_t program_read_pem(struct ctx *ctx, str path, const char *option, str *ret_pem);

enum sql_engine program_engine(const struct program *p);

/* The default storage: its driver, and what that is opened with. */
const struct store_driver *program_store_driver(const struct program *p);
struct store_place program_store_place(struct ctx *ctx, const struct program *p);

/* Files of the data directory: the key that seals secrets, and the last signed checkpoint of the
 * audit trail. */
str program_master_key_path(struct ctx *ctx, const struct program *p);
str program_checkpoint_path(struct ctx *ctx, const struct program *p);

/* What metrics say of the parts; for api_options.collect, with the program. */
struct samples; /* observe/exposition.h */
void program_collect(struct ctx *ctx, void *program, struct samples *samples);

int main_serve(int argc, char **argv);
int main_fsck(int argc, char **argv);
int main_audit(int argc, char **argv);
int main_storage(int argc, char **argv);
int main_storage_move(int argc, char **argv); /* behind the words "storage move" */
int main_db(int argc, char **argv);
int main_migrate(int argc, char **argv);

/* The handler of jobs that purge the audit trail; `arg` is the program. */
err_t program_purge_audit(struct ctx *ctx, struct job *job, void *arg);
