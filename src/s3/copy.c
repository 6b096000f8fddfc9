/* CopyObject, UploadPartCopy (Amazon S3 API Reference): the server moves the bytes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/timefmt.h"

#include "private.h"

struct copy_result {
	char *etag, *modified;
};

static void copy_result_deinit(struct copy_result *result)
{
	free(result->etag);
	free(result->modified);
}

static int read_result(const struct http_response *response, const char *root,
		       struct copy_result *result)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;
	const char *name;
	int r = s3_open_xml(response, root, &xml);

	if (r < 0)
		return r;
	while ((r = xml_child(xml, 0, &name)) == 0) {
		if (!strcmp(name, "ETag"))
			r = s3_take_text(xml, &result->etag);
		else if (!strcmp(name, "LastModified"))
			r = s3_take_text(xml, &result->modified);
		if (r < 0)
			return r;
	}
	if (r != XML_E_END)
		return r;
	return result->etag && *result->etag ? 0 : -EBADMSG;
}

/* ---- CopyObject ---- */

static int copy_headers(const struct s3_store *s3, const struct object_id *source,
			const struct copy_params *params, struct http_headers *headers)
{
	const struct put_params *replace = params->replace;
	const char *class = replace ? replace->storage_class : params->storage_class;
	int r = s3_add_copy_source(s3, headers, source, params->if_match);

	if (r == 0 && replace)
		r = http_headers_add(headers, "x-amz-metadata-directive", "REPLACE");
	if (r == 0 && replace)
		r = s3_add_description(headers, replace);
	return r == 0 ? s3_add_write_options(s3, class, headers) : r;
}

static int copy_answered(struct s3_store *s3, const struct http_response *response,
			 const struct s3_request *request, struct object *ret_object,
			 struct aws_error *error)
{
	_cleanup_(copy_result_deinit) struct copy_result result = {0};
	int r = s3_malformed(read_result(response, "CopyObjectResult", &result), request, error);

	if (r == 0)
		r = s3_check_encryption(s3, response, error);
	if (r == 0)
		r = s3_read_written(s3, response, ret_object);
	if (r < 0)
		return r;
	free(ret_object->etag);
	ret_object->etag = steal(&result.etag);
	if (result.modified)
		time_parse_iso(result.modified, &ret_object->mtime_ms);
	return 0;
}

int s3_copy_object(struct store *store, struct call *call, const struct object_id *source,
		   const struct object_id *target, const struct copy_params *params,
		   struct object *ret_object)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(http_headers_deinit) struct http_headers headers = {0};
	_cleanup_(object_deinit) struct object object = {0};
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "CopyObject",
	    .method = "PUT",
	    .bucket = target->bucket,
	    .key = target->key,
	    .headers = &headers,
	    .max_body = S3_MAX_ANSWER,
	};
	struct aws_error error = {0};
	int r = copy_headers(s3, source, params, &headers);

	if (r == 0)
		r = s3_send(s3, call, &request, &response, &error);
	if (r == 0)
		r = copy_answered(s3, &response, &request, &object, &error);
	if (r != 0)
		return s3_fail(&request, r, &error);
	if (ret_object) {
		*ret_object = object;
		object = (struct object){0};
	}
	return 0;
}

/* ---- UploadPartCopy ---- */

static int part_headers(const struct s3_store *s3, const struct object_id *source,
			const char *source_etag, uint64_t offset, uint64_t len,
			struct http_headers *headers)
{
	char range[64];
	int r;

	if (len == 0)
		return -EINVAL;
	snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, offset, offset + len - 1);
	r = s3_add_copy_source(s3, headers, source, source_etag);
	return r == 0 ? http_headers_add(headers, "x-amz-copy-source-range", range) : r;
}

/*
 * radosgw 20 does not look at the condition of an UploadPartCopy. What still is the source now, was
 * it when it was copied.
 */
static int still_source(struct s3_store *s3, struct call *call, const struct object_id *source,
			const char *source_etag, struct aws_error *error)
{
	_cleanup_(object_deinit) struct object object = {0};
	int r = s3_head(s3, call, source, &object, error);

	if (r != 0 || s3_etag_equal(object.etag, source_etag))
		return r;
	s3_bad_answer(error, "PreconditionFailed", "the source is another object now");
	return AWS_E_REPLY;
}

int s3_copy_part(struct store *store, struct call *call, const struct object_id *id,
		 const char *upload_id, int number, const struct object_id *source,
		 const char *source_etag, uint64_t offset, uint64_t len, char **ret_etag)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(http_headers_deinit) struct http_headers headers = {0};
	_cleanup_(copy_result_deinit) struct copy_result result = {0};
	_cleanup_(buf_deinit) struct buf query = BUF_INIT;
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "UploadPartCopy",
	    .method = "PUT",
	    .bucket = id->bucket,
	    .key = id->key,
	    .headers = &headers,
	    .max_body = S3_MAX_ANSWER,
	};
	struct aws_error error = {0};
	int r = s3_part_query(&query, number, upload_id);

	request.query = buf_str(&query);
	if (r == 0)
		r = part_headers(s3, source, source_etag, offset, len, &headers);
	if (r == 0)
		r = s3_send(s3, call, &request, &response, &error);
	if (r == 0)
		r = s3_malformed(read_result(&response, "CopyPartResult", &result), &request,
				 &error);
	if (r == 0 && s3->custom_endpoint && source_etag)
		r = still_source(s3, call, source, source_etag, &error);
	if (s3_maybe_done(r, &error))
		begun_cut(&s3->begun, upload_id);
	if (r != 0)
		return s3_fail(&request, r, &error);
	*ret_etag = steal(&result.etag);
	return 0;
}
