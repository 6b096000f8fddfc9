/*
 * aws/diagnose: what a refusal in the chain Anne -> role -> S3 means, and how to mend it.
 */
#ifndef XACCTFS_AWS_DIAGNOSE_H
#define XACCTFS_AWS_DIAGNOSE_H

#include <stddef.h>

#include "xacctfs/aws/caller.h"

/* The links of the chain, in order. */
enum link {
	LINK_BASE,         /* Anne's key is found */
	LINK_IDENTITY,     /* sts:GetCallerIdentity: the key is good */
	LINK_ROLE,         /* sts:AssumeRole */
	LINK_LIST_BUCKETS, /* s3:ListAllMyBuckets */
};

/* What broke. The names (link_break_name) are part of `--check --json`. */
enum link_break {
	BREAK_NONE,
	BREAK_NO_CREDENTIALS, /* none found, or their file is wrong */
	BREAK_KEY_REFUSED,    /* unknown, inactive or deleted access key, or a wrong secret */
	BREAK_TOKEN_EXPIRED,  /* the base credentials are a session that ended */
	BREAK_ASSUME_DENIED,  /* A's permission, B's trust policy or the external ID refuses */
	BREAK_CLOCK,          /* the signature's time is refused */
	BREAK_REGION,         /* no such region, or STS is switched off there */
	BREAK_ROLE_PARAMETER, /* ValidationError (duration, names), or no such role */
	BREAK_LIST_DENIED,    /* s3:ListAllMyBuckets is missing */
	BREAK_BUCKET_DENIED,  /* s3:ListBucket is missing for the one bucket that is mounted */
	BREAK_NO_BUCKET,      /* there is no such bucket */
	BREAK_UNREACHABLE,    /* no connection, no name, TLS */
	BREAK_THROTTLED,
	BREAK_UNSUPPORTED, /* the server does not offer the call */
	BREAK_SERVER,      /* 5xx, nonsense, anything else */
};

/* r: what the failed function returned. */
enum link_break diagnose(enum link link, int r, const struct aws_error *error);

/* "assume-denied": stable, for machines. Constant. */
const char *link_break_name(enum link_break broken);

/* What to do about it: one or two sentences without a newline. Constant; "" for BREAK_NONE. */
const char *link_break_remedy(enum link_break broken);

#endif
