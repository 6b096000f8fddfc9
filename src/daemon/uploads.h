/*
 * daemon/uploads: `xacctfs --incomplete-uploads`, the multipart uploads that were begun and neither
 * completed nor aborted. Their parts cost money, and no listing of objects shows them.
 */
#ifndef DAEMON_UPLOADS_H
#define DAEMON_UPLOADS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "xacctfs/s3/store.h"

/* Nothing is owned. */
struct uploads_options {
	struct store *store;
	struct call_group *group; /* of all requests */
	struct clock *clock;
	int64_t timeout_ms; /* of one request */

	const char *bucket;      /* NULL: those of all buckets */
	const char *prefix;      /* of the keys; "" for all */
	int64_t begun_before_ms; /* since 1970; younger ones are left out */
	/* sts ARN of a session: only what its role began; NULL: whoever did */
	const char *session_arn;

	bool abort; /* them; else they are only listed */
	bool json;  /* one object at the end, instead of a line each */
	FILE *out;
};

/*
 * Lists or aborts. A bucket or upload that refuses does not keep it from the others. Returns the
 * exit status: 0, or 1 when something failed, which has been logged.
 */
int uploads_run(const struct uploads_options *options);

/* True when initiator (may be NULL) is a session of the same role as session_arn. */
bool uploads_same_role(const char *initiator, const char *session_arn);

#endif
