/* HeadObject, PutObject (Amazon S3 API Reference). */
#include <errno.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "private.h"

/* How far an object's Last-Modified, in whole seconds, may be before our idea of the server's time.
 */
#define DATE_TOLERANCE_MS 3000

static struct s3_request head_request(const struct object_id *id)
{
	return (struct s3_request){
	    .operation = "HeadObject",
	    .method = "HEAD",
	    .bucket = id->bucket,
	    .key = id->key,
	    .max_body = S3_MAX_ANSWER,
	};
}

int s3_head(struct s3_store *s3, struct call *call, const struct object_id *id,
	    struct object *ret_object, struct aws_error *ret_error)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct s3_request request = head_request(id);
	uint64_t size;
	int r = s3_send(s3, call, &request, &response, ret_error);

	if (r != 0)
		return r;
	if (s3_content_length(&response, &size) < 0)
		return s3_bad_answer(ret_error, "MalformedAnswer",
				     "the server did not tell the object's size");
	r = s3_read_object(&response, ret_object);
	if (r == 0)
		ret_object->size = size;
	return r;
}

int s3_head_object(struct store *store, struct call *call, const struct object_id *id,
		   struct object *ret_object)
{
	struct s3_request request = head_request(id);
	struct aws_error error;
	int r = s3_head(s3_of(store), call, id, ret_object, &error);

	return r == 0 ? 0 : s3_fail(&request, r, &error);
}

/* ---- PutObject ---- */

struct put {
	struct http_headers headers;
	uint8_t digest[MD5_LEN];
	int64_t begun_ms; /* the server's time */
};

static void put_deinit(struct put *put)
{
	http_headers_deinit(&put->headers);
}

static int put_init(struct s3_store *s3, const struct put_params *params, const void *data,
		    size_t len, struct put *put)
{
	int r = md5_digest(data, len, put->digest);

	put->begun_ms = aws_caller_now_ms(s3->caller);
	if (r == 0)
		r = s3_add_description(&put->headers, params);
	if (r == 0)
		r = s3_add_conditions(&put->headers, params);
	if (r == 0)
		r = s3_add_write_options(s3, params->storage_class, &put->headers);
	if (r == 0)
		r = s3_add_md5(&put->headers, put->digest);
	return r;
}

/*
 * The condition does not hold, but an earlier sending may have made it so. True, with the object as
 * it is now, when it is what this put has written.
 */
static bool put_was_done(struct s3_store *s3, struct call *call, const struct object_id *id,
			 const struct put *put, size_t len, struct object *ret_object)
{
	_cleanup_(object_deinit) struct object object = {0};
	struct aws_error ignored;
	char hex[MD5_HEX_LEN + 1];

	md5_hex(put->digest, hex);
	if (s3_head(s3, call, id, &object, &ignored) != 0 || object.size != len ||
	    object.mtime_ms < put->begun_ms - DATE_TOLERANCE_MS || !s3_etag_equal(object.etag, hex))
		return false;
	log_debug("PutObject of %s/%s: an earlier attempt had done it", id->bucket, id->key);
	*ret_object = object;
	object = (struct object){0};
	return true;
}

static int put_answered(struct s3_store *s3, const struct http_response *response,
			const struct put *put, size_t len, struct object *ret_object,
			struct aws_error *error)
{
	int r = s3_check_etag(response, put->digest, error);

	if (r == 0)
		r = s3_check_encryption(s3, response, error);
	if (r == 0)
		r = s3_read_written(s3, response, ret_object);
	if (r == 0)
		ret_object->size = len;
	return r;
}

int s3_put_object(struct store *store, struct call *call, const struct object_id *id,
		  const struct put_params *params, const void *data, size_t len,
		  struct object *ret_object)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(object_deinit) struct object object = {0};
	_cleanup_(put_deinit) struct put put = {0};
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "PutObject",
	    .method = "PUT",
	    .bucket = id->bucket,
	    .key = id->key,
	    .headers = &put.headers,
	    .data = data,
	    .len = len,
	    .max_body = S3_MAX_ANSWER,
	    .conditions = params,
	};
	struct aws_error error = {0};
	int r = put_init(s3, params, data, len, &put);

	if (r == 0)
		r = s3_send(s3, call, &request, &response, &error);
	if (s3_precondition_failed(r, &error) && error.maybe_done &&
	    put_was_done(s3, call, id, &put, len, &object))
		r = 0;
	else if (r == 0)
		r = put_answered(s3, &response, &put, len, &object, &error);
	if (r != 0)
		return s3_fail(&request, r, &error);
	if (ret_object) {
		*ret_object = object;
		object = (struct object){0};
	}
	return 0;
}
