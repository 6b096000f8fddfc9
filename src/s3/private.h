/* What the files of src/s3 share. */
#ifndef S3_PRIVATE_H
#define S3_PRIVATE_H

#include <pthread.h>

#include "xacctfs/aws/digest.h"
#include "xacctfs/s3/client.h"
#include "xacctfs/util/url.h"
#include "xacctfs/util/xml.h"

#include "begun.h"
#include "counters.h"
#include "region.h"

#define S3_XMLNS "http://s3.amazonaws.com/doc/2006-03-01/"
/* An answer that is no listing. */
#define S3_MAX_ANSWER ((size_t)64 * 1024)
/* 1000 keys of 1024 bytes, each as %XX, with what else is told of them. */
#define S3_MAX_LISTING ((size_t)16 * 1024 * 1024)

struct s3_store {
	struct store store; /* first: what callers hold is a pointer to it */
	struct aws_caller *caller;
	struct session *session;
	bool custom_endpoint;
	struct url endpoint; /* only with custom_endpoint */
	enum conf_addressing addressing;
	char *region, *create_region;
	/* as in struct conf */
	char *storage_class, *sse, *sse_kms_key_id, *expected_owner;
	bool requester_pays;
	struct region_map regions;
	struct counters counters;
	struct begun begun;
	pthread_mutex_t lock;
	struct credentials *absolved; /* lock: the last that s3/client's bare_400 is not due to */
};

struct s3_request {
	const char *operation; /* "CreateBucket", for the log */
	const char *method;
	const char *bucket;                 /* NULL for ListBuckets */
	const char *key;                    /* NULL for requests that are not of one object */
	const char *query;                  /* encoded; NULL for none */
	const char *region;                 /* NULL: the bucket's, or the store's */
	const struct http_headers *headers; /* more of them; NULL for none */
	const char *body;                   /* XML; NULL for none */
	const void *data;                   /* an object's bytes, instead of body; NULL for none */
	size_t len;
	size_t max_body;
	http_sink_fn *sink;                                    /* as in http_request; or NULL */
	int (*prepare)(void *data, struct http_request *http); /* as in aws_request; or NULL */
	void *user;                                            /* of sink and prepare */
	const struct put_params *conditions; /* what errnos depend on; NULL for none */
};

static inline struct s3_store *s3_of(struct store *store)
{
	return (struct s3_store *)store;
}

static inline int64_t s3_boot_ms(const struct s3_store *s3)
{
	return s3->caller->clock->boot_ms(s3->caller->clock);
}

/* ---- s3/client ---- */

/*
 * Sends, with the mends that xacctfs/s3/client.h tells of. Returns as aws_send, -EKEYEXPIRED, or
 * -EINVAL for an empty bucket or key, -ENAMETOOLONG or -EILSEQ for a key that is not S3's;
 * *ret_error is always written, ret_response to be deinitialised in every case. Logs nothing.
 */
int s3_send(struct s3_store *s3, struct call *call, const struct s3_request *request,
	    struct http_response *ret_response, struct aws_error *ret_error);

/* ---- s3/errors ---- */

/* The errno of what s3_send returned. The only place where S3's codes become errnos. */
int s3_errno(int r, const struct aws_error *error);
/*
 * True when the request may have been carried out though no good answer to it came; or more than
 * once, as far as one knows.
 */
bool s3_maybe_done(int r, const struct aws_error *error);
/* True when the refusal is that an If-Match or If-None-Match does not hold. */
bool s3_precondition_failed(int r, const struct aws_error *error);
/*
 * As s3_errno, but -EEXIST or -ESTALE where the request's own conditions do not hold; and one line
 * in the log that says what failed, why, and the remedy.
 */
int s3_fail(const struct s3_request *request, int r, const struct aws_error *error);
/* Makes *error say what is wrong with an answer of status 2xx. Returns -EBADMSG. */
int s3_bad_answer(struct aws_error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* For what reading an answer returned: -EBADMSG is told in *error. Returns r. */
int s3_malformed(int r, const struct s3_request *request, struct aws_error *error);

/* ---- s3/request: pieces of requests; all return 0, -ENOMEM, or -EINVAL as http_headers_add ----
 */

/* Appends "&NAME=VALUE", encoded. */
int s3_add_parameter(struct buf *query, const char *name, const char *value);
/* "partNumber=N&uploadId=ID" */
int s3_part_query(struct buf *query, int number, const char *upload_id);
/* Content-Type, the headers that are kept, and user metadata. */
int s3_add_description(struct http_headers *headers, const struct put_params *params);
/* If-Match, If-None-Match. */
int s3_add_conditions(struct http_headers *headers, const struct put_params *params);
/* x-amz-copy-source, and the ETag that it must have, which may be NULL. */
int s3_add_copy_source(const struct s3_store *s3, struct http_headers *headers,
		       const struct object_id *source, const char *if_match);
/* What the store's options say of all requests to a bucket: who pays, whose it must be. */
int s3_add_bucket_options(const struct s3_store *s3, struct http_headers *headers);
/*
 * ... and of objects that are written: encryption, and the storage class, where they name none this
 * one, which may be NULL.
 */
int s3_add_write_options(const struct s3_store *s3, const char *storage_class,
			 struct http_headers *headers);
int s3_add_md5(struct http_headers *headers, const uint8_t digest[MD5_LEN]);

/* ---- s3/answer ---- */

/* Bytes: digits and nothing else, and no more than a file can have. Returns 0, or -EINVAL. */
int s3_parse_size(const char *text, uint64_t *ret_size);
/* Content-Length. Returns 0, or -EINVAL when there is none. */
int s3_content_length(const struct http_response *response, uint64_t *ret_len);
/* What the headers tell of an object; its size is 0. Returns 0, -ENOMEM. */
int s3_read_object(const struct http_response *response, struct object *ret_object);
/*
 * What the headers tell of an object just written: etag (may be NULL), version_id, encryption, and
 * mtime_ms as the answer's Date. Returns 0, -ENOMEM.
 */
int s3_read_written(struct s3_store *s3, const struct http_response *response,
		    struct object *ret_object);
/* The ETag that the answer tells of bytes that were sent. Returns 0, or -EBADMSG with *error. */
int s3_check_etag(const struct http_response *response, const uint8_t digest[MD5_LEN],
		  struct aws_error *error);
/* The encryption that was asked for, if any was. Returns 0, or -EBADMSG with *error. */
int s3_check_encryption(const struct s3_store *s3, const struct http_response *response,
			struct aws_error *error);
/* Opens the answer at its root element. Returns 0, -EBADMSG, -ENOMEM. */
int s3_open_xml(const struct http_response *response, const char *root, struct xml **ret_xml);
/* Replaces *field by the element's text. Returns as xml_text. */
int s3_take_text(struct xml *xml, char **field);
/* Whether the element's text is this one. Returns as xml_text. */
int s3_take_is(struct xml *xml, const char *text, bool *ret_is);
/* The element's text as a time; 0 when it is none. Returns as xml_text. */
int s3_take_time(struct xml *xml, int64_t *ret_ms);
/* Reads one child of the root as text. Returns 0, -EBADMSG (it is missing or empty too), -ENOMEM.
 */
int s3_read_child(const struct http_response *response, const char *root, const char *name,
		  char **ret_text);
/* Undoes encoding-type=url in place. Returns 0, -ENOMEM, -EBADMSG for a NUL in it. */
int s3_decode(char **text);

/* ---- s3/etag ---- */

/* Alike but for quotes; NULL is like nothing. */
bool s3_etag_equal(const char *a, const char *b);
/* The MD5 that the ETag is by its form. False, when it has another one. */
bool s3_etag_md5(const char *etag, uint8_t ret_digest[MD5_LEN]);
/*
 * False when the ETag of the answer is an MD5 of other bytes than those that were sent. An answer
 * that tells of a key (SSE-KMS, SSE-C) has no such ETag.
 */
bool s3_etag_fits(const struct http_response *response, const uint8_t digest[MD5_LEN]);
/*
 * The ETag of an upload of these parts (S3 User Guide, "Checking object integrity": the MD5 of the
 * parts' MD5s, "-", their number), without quotes, to free(). Returns 0, -ENOMEM, -EIO, or -ENODATA
 * when the parts' ETags are no MD5s.
 */
int s3_etag_of_parts(const char *const *etags, size_t n, char **ret_etag);

/* ---- the operations: see struct store ---- */

int s3_list_buckets(struct store *store, struct call *call, const char *prefix, const char *token,
		    struct bucket_page *ret_page);
int s3_create_bucket(struct store *store, struct call *call, const char *name);
int s3_delete_bucket(struct store *store, struct call *call, const char *name);
int s3_head_bucket(struct store *store, struct call *call, const char *name);
int s3_bucket_region(struct store *store, const char *name, char ret_region[S3_REGION_MAX + 1]);

int s3_list_objects(struct store *store, struct call *call, const char *bucket,
		    const struct list_params *params, struct object_page *ret_page);
int s3_head_object(struct store *store, struct call *call, const struct object_id *id,
		   struct object *ret_object);
int s3_get_object(struct store *store, struct call *call, const struct object_id *id,
		  const struct get_params *params, struct object *ret_object);
int s3_put_object(struct store *store, struct call *call, const struct object_id *id,
		  const struct put_params *params, const void *data, size_t len,
		  struct object *ret_object);
int s3_copy_object(struct store *store, struct call *call, const struct object_id *source,
		   const struct object_id *target, const struct copy_params *params,
		   struct object *ret_object);
int s3_delete_object(struct store *store, struct call *call, const struct object_id *id,
		     const char *if_match);
int s3_delete_objects(struct store *store, struct call *call, const char *bucket,
		      const char *const *keys, const char *const *etags, size_t n);

int s3_create_upload(struct store *store, struct call *call, const struct object_id *id,
		     const struct put_params *params, char **ret_upload_id);
int s3_upload_part(struct store *store, struct call *call, const struct object_id *id,
		   const char *upload_id, int number, const void *data, size_t len,
		   char **ret_etag);
int s3_copy_part(struct store *store, struct call *call, const struct object_id *id,
		 const char *upload_id, int number, const struct object_id *source,
		 const char *source_etag, uint64_t offset, uint64_t len, char **ret_etag);
int s3_complete_upload(struct store *store, struct call *call, const struct object_id *id,
		       const char *upload_id, const struct put_params *params,
		       const char *const *etags, size_t n, struct object *ret_object);
int s3_abort_upload(struct store *store, struct call *call, const struct object_id *id,
		    const char *upload_id);
int s3_list_uploads(struct store *store, struct call *call, const char *bucket, const char *prefix,
		    const char *key, const char *id, struct upload_page *ret_page);

/* AbortMultipartUpload that logs nothing. That there is none is 0. Returns as s3_send. */
int s3_abort(struct s3_store *s3, struct call *call, const struct object_id *id,
	     const char *upload_id, struct aws_error *ret_error);
/* ListMultipartUploads that logs nothing. Returns as s3_send, or -EBADMSG. */
int s3_list_uploads_page(struct s3_store *s3, struct call *call, const char *bucket,
			 const char *prefix, const char *key, const char *id,
			 struct upload_page *ret_page, struct aws_error *ret_error);

/* ---- s3/left ---- */

/*
 * What is to be done so that no upload is left, as far as it is due: to be called when one ended.
 * Costs nothing when nothing is to be done, and ends when the call does.
 */
void s3_end_left(struct s3_store *s3, struct call *call);

/* HeadObject that logs nothing. Returns as s3_send, or -EBADMSG. */
int s3_head(struct s3_store *s3, struct call *call, const struct object_id *id,
	    struct object *ret_object, struct aws_error *ret_error);

#endif
