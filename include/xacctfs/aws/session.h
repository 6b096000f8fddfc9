/*
 * aws/session: Account B's credentials, always at hand. One refresher thread renews them well
 * before they end, and tries again and again while STS fails; the old ones serve while they last.
 *
 *	session_new(&options, &session);
 *	session_start(session, &call, &failure);	signs in, or says why not
 *	session_get(session, &call, &credentials);	for each request
 *
 * Renewal: at two thirds of the session's life, less a jitter of up to a twentieth; after a failure
 * with back-off, sooner when the base credentials' file changed; at once when the wall clock jumped
 * and when a request needs it (session_get with none valid, session_replace), but no sooner than
 * a second after the last attempt ended.
 */
#ifndef XACCTFS_AWS_SESSION_H
#define XACCTFS_AWS_SESSION_H

#include "xacctfs/aws/credentials.h"
#include "xacctfs/aws/diagnose.h"
#include "xacctfs/aws/sts.h"

struct session;

/* Nothing is owned; all must outlive the session. */
struct session_options {
	struct clock *clock;
	struct sts *sts;
	struct credentials_provider *provider; /* asked only by the refresher, once started */
	const struct conf_role *roles;         /* assumed in this order */
	size_t n_roles;
};

/* Why a sign-in failed: for a person and for the errno of the caller. */
struct session_failure {
	enum link link;
	size_t role; /* LINK_ROLE: which of the chain */
	enum link_break broken;
	char text[640]; /* names the link and the service's words; no secret */
};

/* Returns 0, -ENOMEM. */
int session_new(const struct session_options *options, struct session **ret_session);

/*
 * Signs in with the caller's own thread and patience, then starts the refresher. Once. Returns 0;
 * -EACCES (refused), -EINTR, -ETIMEDOUT, -EHOSTUNREACH, -EIO, -ENOMEM with *ret_failure.
 */
int session_start(struct session *session, struct call *call, struct session_failure *ret_failure);

/* Ends the refresher at once, even in the middle of a request; waiters get -EINTR. Idempotent. */
void session_stop(struct session *session);
void session_free(struct session *session); /* stops first; NULL is fine */

/*
 * A reference to credentials that are valid by our clock. In memory as a rule; with none valid it
 * waits for one renewal, shared by all who wait. Returns 0, -EKEYEXPIRED (the log says why),
 * -EINTR, -ETIMEDOUT. Thread-safe.
 */
int session_get(struct session *session, struct call *call, struct credentials **ret_credentials);

/*
 * For a request that was refused because of its token: others than `refused`. Those that came
 * meanwhile, or after one renewal shared by all who ask. Returns as session_get.
 */
int session_replace(struct session *session, struct call *call, struct credentials *refused,
		    struct credentials **ret_credentials);

/*
 * True when a plain AccessDenied for these credentials may mean that they have ended, as on servers
 * that do not tell the two apart: they are past, or within a second of, their end by our clock.
 */
bool session_may_have_ended(struct session *session, const struct credentials *credentials);

/* A picture of the session, for --check, /.xacctfs, tests and the log. No lock of it is held across
 * a request, so that it is to be had at once at all times. */
struct session_status {
	char arn[256];           /* who we are */
	int64_t expires_wall_ms; /* as the server said it */
	int64_t remaining_ms;    /* by our clock; 0 when it has ended */
	uint64_t renewals;       /* successful ones after the first sign-in */
	uint64_t failures;       /* failed attempts, ever */
	bool failing;            /* the last attempt failed */
	int64_t next_renewal_ms; /* from now; 0 when it is due, or under way */
	/* of the last failed attempt, ever; 0 and "" when there was none */
	int64_t last_failure_wall_ms; /* by the server's clock */
	char last_failure[640];       /* as in struct session_failure */
};
void session_get_status(struct session *session, struct session_status *ret_status);

#endif
