/*
 * aws/sts: AssumeRole and GetCallerIdentity of the AWS Security Token Service.
 * Source: AWS STS API Reference, version 2011-06-15.
 */
#ifndef XACCTFS_AWS_STS_H
#define XACCTFS_AWS_STS_H

#include "xacctfs/aws/caller.h"
#include "xacctfs/conf/conf.h"
#include "xacctfs/util/url.h"

struct sts {
	struct aws_caller *caller; /* not owned */
	struct url endpoint;
	char *region; /* to sign for */
};

/* The endpoint and region that conf says. Returns 0, -EINVAL (a bad URL), -ENOMEM. */
int sts_init(struct sts *sts, struct aws_caller *caller, const struct conf *conf);
void sts_deinit(struct sts *sts);

struct sts_role_session {
	struct credentials *credentials; /* one reference */
	char *arn; /* of who we became, "arn:aws:sts::...:assumed-role/..."; "" if unsaid */
	int64_t lifetime_ms;     /* from the answer on, by the server's clock; no more than asked */
	int64_t expires_wall_ms; /* as the server said it */
};

void sts_role_session_deinit(struct sts_role_session *session);

/*
 * The answer's Date is taken as the server's time, unless the session that begins at it would be
 * over already, or longer than was asked: a Date that is wrong must not make signatures wrong too.
 * max_attempts: 0 for the caller's own. Returns 0; AWS_E_REPLY, AWS_E_TRANSPORT; -EBADMSG when the
 * answer makes no sense; -EINTR, -ETIMEDOUT, -ENOMEM; *ret_error is always written. Thread-safe.
 */
int sts_assume_role(struct sts *sts, struct call *call, struct credentials *credentials,
		    const struct conf_role *role, int max_attempts,
		    struct sts_role_session *ret_session, struct aws_error *ret_error);

struct sts_identity {
	char *arn;
	char *account;
};

void sts_identity_deinit(struct sts_identity *identity);

/* Returns as sts_assume_role does. Learns no time. */
int sts_get_caller_identity(struct sts *sts, struct call *call, struct credentials *credentials,
			    struct sts_identity *ret_identity, struct aws_error *ret_error);

#endif
