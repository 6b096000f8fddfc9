/*
 * s3/client: the store that is Amazon S3, or a server that speaks like it.
 *
 * A request is addressed to its bucket's region, signed with the session's credentials, sent, and
 * its answer classified. Three things are mended on the way, each once a request: a token that
 * ended (session_replace; to HEAD, whose answers name no reason, any 400 may mean it), a wrong
 * region (the answer tells the right one), and a clock that is off (aws_send). What fails is logged
 * here, once, with all that is known.
 */
#ifndef XACCTFS_S3_CLIENT_H
#define XACCTFS_S3_CLIENT_H

#include "xacctfs/aws/caller.h"
#include "xacctfs/aws/session.h"
#include "xacctfs/conf/conf.h"
#include "xacctfs/s3/store.h"

/*
 * caller and session must outlive the store; of conf a copy is taken. Returns 0, -EINVAL (a bad
 * endpoint URL), -ENOMEM.
 */
int s3_store_new(struct aws_caller *caller, struct session *session, const struct conf *conf,
		 struct store **ret_store);

/*
 * One ListBuckets page with the error as it was, for --check. Logs nothing. Returns as aws_send, or
 * -EBADMSG, -EKEYEXPIRED.
 */
int s3_list_buckets_page(struct store *store, struct call *call, const char *prefix,
			 const char *token, struct bucket_page *ret_page,
			 struct aws_error *ret_error);

/* ---- what the store did, for /.xacctfs; of any thread ---- */

#define S3_OPERATIONS 17

/* How a request ended: by the class of the answer's status, or with none. */
enum s3_outcome { S3_NO_ANSWER, S3_2XX, S3_3XX, S3_4XX, S3_5XX, S3_OUTCOMES };

/* The HTTP requests of one operation, ever. Each attempt is one. */
struct s3_operation_stats {
	const char *name; /* "GetObject"; constant */
	uint64_t requests[S3_OUTCOMES];
	uint64_t retries;        /* of them, those sent because the one before had failed */
	uint64_t throttled;      /* of them, those answered that they are too many */
	uint64_t sent_bytes;     /* of the bodies of requests that were answered */
	uint64_t received_bytes; /* of the answers' bodies */
	uint64_t ms;             /* that they took, all together */
};

struct s3_stats {
	struct s3_operation_stats operations[S3_OPERATIONS];
	unsigned int in_flight; /* calls that are being sent now, or wait to be sent again */
};

/* All operations, each with its name, whether it was ever called or not. */
void s3_get_stats(struct store *store, struct s3_stats *ret_stats);

/* A multipart upload that this store began, and neither completed nor aborted yet. */
struct s3_begun {
	char *bucket, *key, *upload_id;
	int64_t begun_ms; /* since 1970, by the server's clock */
};

struct s3_begun_list {
	struct s3_begun *v;
	size_t n;
};

void s3_begun_list_deinit(struct s3_begun_list *list); /* leaves it zeroed */
/* The oldest first. Returns 0, -ENOMEM. */
int s3_list_begun(struct store *store, struct s3_begun_list *ret_list);

/*
 * Aborts what the store began and nobody ended; no upload may be in use any more. What is left all
 * the same is logged. Without such uploads nothing is sent.
 *
 * The store does some of it when an upload ends, too. An upload that the server answered the
 * beginning of is not left: an abort that failed is tried again, and one that a part may have
 * overtaken is repeated. Nor is one that it began and did not answer, as the answer was lost, or an
 * error: uploads of that key, begun by this very session at that time, and not known here, are
 * looked for and aborted. A session is known by its ARN, which Amazon S3 tells of an upload; where
 * the server tells none, such an upload is logged, and left to a person.
 *
 * Not so when the program crashes, the call ends before, or the server refuses: that is what
 * `xacctfs --incomplete-uploads` is for. And where several hosts share a role_session_name, one
 * that begins an upload of the same key in the same seconds loses it.
 */
void s3_end_uploads(struct store *store, struct call *call);

#endif
