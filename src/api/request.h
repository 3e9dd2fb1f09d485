/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h - what a handler gets: the exchange, who asks, and the parts of the path, already
 * checked.
 */
#pragma once

#include "api/api.h"
#include "auth/tenant.h"
#include "base/log.h"
#include "base/rate.h"
#include "codec/cidr.h"
#include "codec/json.h"
#include "codec/traceparent.h"
#include "codec/reference.h"
#include "registry/project.h"
#include "registry/repository.h"

struct api {
	struct api_options options;
	struct rate_limits *rates; /* NULL: none */
	struct arena arena;	   /* as long as the api */
	struct peer_list near;	   /* options.metrics_networks */
	uint8_t *route_labels;	   /* of each row of api_routes: api/watch.h */
	struct operations *operations;
	_Atomic(bool) draining;
};

enum route_kind { ROUTE_OCI, ROUTE_HARBOR, ROUTE_TOKEN, ROUTE_PORTAL, ROUTE_SIGHT };

struct request;

struct route {
	enum http_method method; /* a GET row serves HEAD too */
	const char *pattern;	 /* see routes.c */
	enum action action;
	enum route_kind kind;  /* how errors look and how to log in */
	size_t body_max_bytes; /* 0: as long as it takes */
	err_t (*handle)(struct ctx *ctx, struct request *rq);
	bool of_nobody; /* whoever asks, on whatever host: answered also while the database is away
			 */
	bool of_system; /* about all tenants at once, whatever host is asked */
	const char *operation; /* what Harbor calls it in its metrics; NULL: it has no such */
	const struct background *background; /* of the handlers in api/background.h */
};

/* A bucket that this request took from, for its headers. */
struct rate_taken {
	enum rate_who who;
	struct rate rate;
};
#define RATES_TAKEN_MAX 3 /* address, asker, tenant */

struct request {
	struct api *api;
	struct exchange *x;
	const struct route *route;

	struct identity who;
	struct cache_value *who_pin;
	struct tenant_seen tenant; /* whose things are meant; id 0: the default tenant's */

	str name_asked; /* repository as in the path, for Location and answers */
	str repository; /* its present full name; until it was looked for, the one asked for */
	str repository_asked; /* full: "library/" added to name_asked when there is no slash */
	struct repository_place place; /* where that leads */
	str reference;		       /* {reference}, decoded */
	str digest_text;	       /* {digest}, decoded */
	digest digest;		       /* parsed from it */
	str upload_id;		       /* {upload} */
	str project; /* {project}: its present name; empty while only project_id_asked is known */
	int64_t project_id_asked;    /* {project} given as an id; 0: by name */
	str tag;		     /* {tag} */
	str word;		     /* {word}: a name, decoded */
	int64_t id, sub_id, task_id; /* {id}, {sub}, {task} */

	/* The project the path is about, once authorised; found is false when there is none. */
	struct project_info project_found;
	bool has_project;
	int64_t rights_end_us;	    /* when the first of the memberships asked for ends; 0: never */
	struct project_maker maker; /* of a project that a push has made */

	struct rate_taken rates[RATES_TAKEN_MAX];
	size_t rate_count;

	struct trace trace; /* ctx->trace points here while there is one */
	uint64_t trace_parent;
	struct log_field about[2]; /* what each line says that is logged meanwhile: id and trace */

	int64_t user_id; /* {user}: an account; who asks about himself may do more */
	str claimed;	 /* who a form says is asking, for the audit trail of refusals */

	struct json_document body; /* of body_read(): the audit trail is written when the handler is
				      done with it */
	const char *oauth_error;   /* of the token service, where the error table cannot tell */
	bool exchanging;	   /* a token for a token (RFC 8693): errors as that has them */
	bool bad_credentials;	   /* the challenge says invalid_token */
	bool keep_headers;	   /* the handler's headers belong on the error answer */
};

/* Fills `who` from what the request brings, and settles whose things are meant (api/tenant.h). For
 * the dispatcher and the token service. */
err_t request_identify(struct ctx *ctx, struct request *rq);

/* The tenant whose things are asked about; system administrators are of another one elsewhere. */
int64_t request_tenant(const struct request *rq);

/* Whoever may not must not learn whether the thing is there: ERR_UNAUTHORIZED for who could still
 * log in, ERR_DENIED for others, with the decision's reason for the log. */
err_t request_refuse(struct ctx *ctx, struct request *rq, const struct decision *decision);

/* request_may() about a project by its id (0: no project) instead of a repository. */
err_t request_may_in(struct ctx *ctx, struct request *rq, enum action action, int64_t project_id,
		     struct decision *ret);

/* PROJECT_ROLE_BITs of the roles that the asker holds in a project: as a member, or by his identity
 * provider's word. */
err_t request_roles(struct ctx *ctx, struct request *rq, int64_t project_id, str name,
		    unsigned *ret);

/*
 * Whether the asker may hand all of `set` on to a robot, in a project (PROJECT_ALL: in all of his
 * tenant's) or, with 0, in the system: `*ret_lacking` is ACTION_COUNT, or the first that he may
 * not.
 */
err_t request_may_give(struct ctx *ctx, struct request *rq, int64_t project_id,
		       const struct action_set *set, enum action *ret_lacking);

/* ERR_READ_ONLY or ERR_TENANT_READ_ONLY when the system's setting read_only, or the tenant's state,
 * forbids what the route does. */
err_t request_check_read_only(struct ctx *ctx, const struct request *rq);

/* Finds the row; ERR_NOT_FOUND, or ERR_UNSUPPORTED (405) with an Allow header set. Fills the path's
 * parts. */
err_t route_find(struct ctx *ctx, struct request *rq);

/* All rows, for the matrix and the tests. */
extern const struct route api_routes[];
extern const size_t api_route_count;

/* Decoded query parameter, empty when absent. */
str request_query(struct request *rq, str name);
bool request_has_query(struct request *rq, str name);
str request_header(struct request *rq, str name);

/* Decides with the project looked up if need be; for routes and for mounts alike. `repository` is
 * the name that was asked for. */
err_t request_may(struct ctx *ctx, struct request *rq, enum action action, str repository,
		  struct decision *ret);

/* The same about a place that is known: of the name a repository would get, or of one looked up. */
struct asked_place {
	str asked;
	struct repository_place place;
};
err_t request_may_at(struct ctx *ctx, struct request *rq, enum action action,
		     const struct asked_place *at, struct decision *ret);

/* Whose a project is that this request makes, and its first member; 0: nobody's, as when somebody
 * of another tenant administrates this one. */
int64_t request_owner(const struct request *rq);

/* For a push: not NULL when this identity's may make the project it names. */
struct project_maker *request_project_maker(struct request *rq);

/* Gives the request its id: what the client brings as X-Request-Id, if it is sensible, else one of
 * ours. Every answer says it, and so do log, audit trail, traces, and what we ask others for it. */
void request_name(struct request *rq);

/* scheme://host of this registry as the client sees it. */
str request_base_url(struct request *rq);
