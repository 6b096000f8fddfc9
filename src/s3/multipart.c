/* Multipart uploads: begin, parts, complete, abort (Amazon S3 API Reference). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/timefmt.h"

#include "private.h"

/*
 * A Date has whole seconds, and so may the date of an upload; an attempt without an answer may be
 * carried out a little after the one that has one.
 */
#define LOST_EARLY_MS 2000
#define LOST_LATE_MS  10000

static int upload_query(struct buf *query, const char *upload_id)
{
	int r = buf_add_str(query, "uploadId=");

	return r < 0 ? r : buf_add_encoded(query, upload_id, strlen(upload_id), false);
}

/* ---- CreateMultipartUpload ---- */

/* Sends, and reads the upload's id; one that will not be used is aborted. */
static int create(struct s3_store *s3, struct call *call, const struct s3_request *request,
		  const struct object_id *id, struct http_response *response,
		  struct aws_error *error, char **ret_upload_id)
{
	_cleanup_(freep) char *upload_id = NULL;
	struct aws_error ignored;
	int r = s3_send(s3, call, request, response, error);

	if (r == 0)
		r = s3_malformed(s3_read_child(response, "InitiateMultipartUploadResult",
					       "UploadId", &upload_id),
				 request, error);
	if (r != 0)
		return r;
	r = s3_check_encryption(s3, response, error);
	if (r == 0)
		*ret_upload_id = steal(&upload_id);
	else if (s3_abort(s3, call, id, upload_id, &ignored) == 0)
		error->attempts = 0;
	return r;
}

/* When what may be lost was begun, by the server's clock: see LOST_*. */
static void note_lost(struct s3_store *s3, struct begun_entry *entry, int64_t elapsed_ms,
		      const struct http_response *response)
{
	const char *date = http_headers_get(&response->headers, "Date");
	int64_t now_ms;

	if (!date || time_parse_http(date, &now_ms) < 0)
		now_ms = aws_caller_now_ms(s3->caller);
	begun_may_have_lost(&s3->begun, entry, now_ms - elapsed_ms - LOST_EARLY_MS,
			    now_ms + LOST_LATE_MS);
}

int s3_create_upload(struct store *store, struct call *call, const struct object_id *id,
		     const struct put_params *params, char **ret_upload_id)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(http_headers_deinit) struct http_headers headers = {0};
	_cleanup_(freep) char *upload_id = NULL;
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "CreateMultipartUpload",
	    .method = "POST",
	    .bucket = id->bucket,
	    .key = id->key,
	    .query = "uploads=",
	    .headers = &headers,
	    .max_body = S3_MAX_ANSWER,
	};
	int64_t began_ms = s3_boot_ms(s3);
	struct aws_error error = {0};
	struct begun_entry *entry;
	int r = begun_reserve(&s3->begun, id, &entry);

	if (r < 0)
		return s3_fail(&request, r, &error);
	r = s3_add_description(&headers, params);
	if (r == 0)
		r = s3_add_write_options(s3, params->storage_class, &headers);
	if (r == 0)
		r = create(s3, call, &request, id, &response, &error, &upload_id);
	if (s3_maybe_done(r, &error))
		note_lost(s3, entry, s3_boot_ms(s3) - began_ms, &response);
	if (r == 0)
		r = begun_opened(&s3->begun, entry, upload_id, aws_caller_now_ms(s3->caller));
	else
		begun_failed(&s3->begun, entry);
	if (r != 0)
		return s3_fail(&request, r, &error);
	*ret_upload_id = steal(&upload_id);
	return 0;
}

/* ---- UploadPart ---- */

static int part_answered(const struct http_response *response, const uint8_t digest[MD5_LEN],
			 char **ret_etag, struct aws_error *error)
{
	const char *etag = http_headers_get(&response->headers, "ETag");

	if (!etag || !*etag)
		return s3_bad_answer(error, "MalformedAnswer", "the answer has no ETag");
	if (s3_check_etag(response, digest, error) < 0)
		return -EBADMSG;
	*ret_etag = strdup(etag);
	return *ret_etag ? 0 : -ENOMEM;
}

int s3_upload_part(struct store *store, struct call *call, const struct object_id *id,
		   const char *upload_id, int number, const void *data, size_t len, char **ret_etag)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(http_headers_deinit) struct http_headers headers = {0};
	_cleanup_(buf_deinit) struct buf query = BUF_INIT;
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "UploadPart",
	    .method = "PUT",
	    .bucket = id->bucket,
	    .key = id->key,
	    .headers = &headers,
	    .data = data,
	    .len = len,
	    .max_body = S3_MAX_ANSWER,
	};
	struct aws_error error = {0};
	uint8_t digest[MD5_LEN];
	int r = md5_digest(data, len, digest);

	if (r == 0)
		r = s3_add_md5(&headers, digest);
	if (r == 0)
		r = s3_part_query(&query, number, upload_id);
	request.query = buf_str(&query);
	if (r == 0)
		r = s3_send(s3, call, &request, &response, &error);
	if (r == 0)
		r = part_answered(&response, digest, ret_etag, &error);
	if (s3_maybe_done(r, &error))
		begun_cut(&s3->begun, upload_id);
	return r == 0 ? 0 : s3_fail(&request, r, &error);
}

/* ---- CompleteMultipartUpload ---- */

static int write_parts(struct buf *body, const char *const *etags, size_t n)
{
	int r = buf_printf(body, "<CompleteMultipartUpload xmlns=\"%s\">", S3_XMLNS);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = buf_printf(body, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
		if (r == 0)
			r = buf_add_xml(body, etags[i]);
		if (r == 0)
			r = buf_add_str(body, "</ETag></Part>");
	}
	return r == 0 ? buf_add_str(body, "</CompleteMultipartUpload>") : r;
}

/*
 * True for outcomes that are also those of a completion which was carried out before: the upload is
 * gone, the condition holds no longer for the new object, or the answer to it makes no sense.
 */
static bool may_be_complete(int r, const struct aws_error *error)
{
	static const char *const codes[] = {"NoSuchUpload", "PreconditionFailed", "HTTP412",
					    "HTTP404", "InvalidPart"};

	if (r == -EBADMSG)
		return true;
	if (r != AWS_E_REPLY || !error->maybe_done)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (!strcmp(error->code, codes[i]))
			return true;
	return false;
}

/* True, with the object as it is now, when that is what these parts make. */
static bool is_complete(struct s3_store *s3, struct call *call, const struct object_id *id,
			const char *const *etags, size_t n, struct object *ret_object)
{
	_cleanup_(object_deinit) struct object object = {0};
	_cleanup_(freep) char *etag = NULL;
	struct aws_error ignored;

	if (s3_etag_of_parts(etags, n, &etag) != 0 ||
	    s3_head(s3, call, id, &object, &ignored) != 0 || !s3_etag_equal(object.etag, etag))
		return false;
	log_debug("CompleteMultipartUpload of %s/%s: an earlier attempt had done it", id->bucket,
		  id->key);
	*ret_object = object;
	object = (struct object){0};
	return true;
}

static int complete_answered(struct s3_store *s3, const struct http_response *response,
			     const struct s3_request *request, struct object *ret_object,
			     struct aws_error *error)
{
	_cleanup_(freep) char *etag = NULL;
	int r =
	    s3_malformed(s3_read_child(response, "CompleteMultipartUploadResult", "ETag", &etag),
			 request, error);

	if (r == 0)
		r = s3_read_written(s3, response, ret_object);
	if (r < 0)
		return r;
	free(ret_object->etag);
	ret_object->etag = steal(&etag);
	return 0;
}

int s3_complete_upload(struct store *store, struct call *call, const struct object_id *id,
		       const char *upload_id, const struct put_params *params,
		       const char *const *etags, size_t n, struct object *ret_object)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(http_headers_deinit) struct http_headers headers = {0};
	_cleanup_(object_deinit) struct object object = {0};
	_cleanup_(buf_deinit) struct buf query = BUF_INIT, body = BUF_INIT;
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "CompleteMultipartUpload",
	    .method = "POST",
	    .bucket = id->bucket,
	    .key = id->key,
	    .headers = &headers,
	    .max_body = S3_MAX_ANSWER,
	    .conditions = params,
	};
	struct aws_error error = {0};
	int r = upload_query(&query, upload_id);

	if (r == 0)
		r = s3_add_conditions(&headers, params);
	if (r == 0)
		r = write_parts(&body, etags, n);
	request.query = buf_str(&query);
	request.body = buf_str(&body);
	if (r == 0)
		r = s3_send(s3, call, &request, &response, &error);
	if (r == 0)
		r = complete_answered(s3, &response, &request, &object, &error);
	if (r != 0 && may_be_complete(r, &error) && is_complete(s3, call, id, etags, n, &object))
		r = 0;
	if (r != 0)
		return s3_fail(&request, r, &error);
	begun_completed(&s3->begun, upload_id);
	s3_end_left(s3, call);
	if (ret_object) {
		*ret_object = object;
		object = (struct object){0};
	}
	return 0;
}

/* ---- AbortMultipartUpload ---- */

static struct s3_request abort_request(const struct object_id *id)
{
	return (struct s3_request){
	    .operation = "AbortMultipartUpload",
	    .method = "DELETE",
	    .bucket = id->bucket,
	    .key = id->key,
	    .max_body = S3_MAX_ANSWER,
	};
}

int s3_abort(struct s3_store *s3, struct call *call, const struct object_id *id,
	     const char *upload_id, struct aws_error *ret_error)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(buf_deinit) struct buf query = BUF_INIT;
	struct s3_request request = abort_request(id);
	int r = upload_query(&query, upload_id);

	*ret_error = (struct aws_error){0};
	request.query = buf_str(&query);
	if (r == 0)
		r = s3_send(s3, call, &request, &response, ret_error);
	return r == AWS_E_REPLY && !strcmp(ret_error->code, "NoSuchUpload") ? 0 : r;
}

int s3_abort_upload(struct store *store, struct call *call, const struct object_id *id,
		    const char *upload_id)
{
	struct s3_request request = abort_request(id);
	struct s3_store *s3 = s3_of(store);
	struct aws_error error;
	int r = s3_abort(s3, call, id, upload_id, &error);

	if (r != 0) {
		begun_unaborted(&s3->begun, upload_id);
		return s3_fail(&request, r, &error);
	}
	begun_aborted(&s3->begun, upload_id, s3_boot_ms(s3));
	s3_end_left(s3, call);
	return 0;
}
