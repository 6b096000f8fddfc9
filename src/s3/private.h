/* What the files of src/s3 share. */
#ifndef S3_PRIVATE_H
#define S3_PRIVATE_H

#include <pthread.h>

#include "xacctfs/s3/client.h"
#include "xacctfs/util/url.h"

#include "region.h"

#define S3_XMLNS "http://s3.amazonaws.com/doc/2006-03-01/"

struct s3_store {
	struct store store; /* first: what callers hold is a pointer to it */
	struct aws_caller *caller;
	struct session *session;
	bool custom_endpoint;
	struct url endpoint; /* only with custom_endpoint */
	enum conf_addressing addressing;
	char *region, *create_region;
	struct region_map regions;
	pthread_mutex_t lock;
	struct credentials *absolved; /* lock: the last that s3/client's bare_400 is not due to */
};

struct s3_request {
	const char *operation; /* "CreateBucket", for the log */
	const char *method;
	const char *bucket; /* NULL for ListBuckets */
	const char *query;  /* encoded; NULL for none */
	const char *region; /* NULL: the bucket's, or the store's */
	const char *body;   /* NULL for none */
	size_t max_body;
};

static inline struct s3_store *s3_of(struct store *store)
{
	return (struct s3_store *)store;
}

/*
 * Sends, with the mends that xacctfs/s3/client.h tells of. Returns as aws_send, or -EKEYEXPIRED;
 * *ret_error is always written, ret_response to be deinitialised in every case. Logs nothing.
 */
int s3_send(struct s3_store *s3, struct call *call, const struct s3_request *request,
	    struct http_response *ret_response, struct aws_error *ret_error);

/* s3/errors: the errno of what s3_send returned. The only place where S3's codes become errnos. */
int s3_errno(int r, const struct aws_error *error);

/* s3/errors: as s3_errno, and one line in the log that says what failed, why, and the remedy. */
int s3_fail(const struct s3_request *request, int r, const struct aws_error *error);

#endif
