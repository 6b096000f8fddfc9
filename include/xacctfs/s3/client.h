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

#endif
