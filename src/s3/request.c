/* Pieces that several requests have. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#include "private.h"

int s3_add_parameter(struct buf *query, const char *name, const char *value)
{
	int r = buf_printf(query, "&%s=", name);

	return r < 0 ? r : buf_add_encoded(query, value, strlen(value), false);
}

static int add_meta(struct http_headers *headers, const struct object_meta *meta)
{
	_cleanup_(freep) char *name = NULL;

	if (asprintf(&name, "x-amz-meta-%s", meta->name) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return http_headers_add(headers, name, meta->value);
}

int s3_add_description(struct http_headers *headers, const struct put_params *params)
{
	int r = 0;

	if (params->content_type)
		r = http_headers_add(headers, "Content-Type", params->content_type);
	for (enum object_header i = 0; r == 0 && params->headers && i < OBJECT_HEADERS; i++)
		if (params->headers[i])
			r = http_headers_add(headers, object_header_name(i), params->headers[i]);
	for (size_t i = 0; r == 0 && i < params->n_meta; i++)
		r = add_meta(headers, &params->meta[i]);
	return r;
}

int s3_add_conditions(struct http_headers *headers, const struct put_params *params)
{
	int r = 0;

	if (params->if_match)
		r = http_headers_add(headers, "If-Match", params->if_match);
	if (r == 0 && params->if_none_match)
		r = http_headers_add(headers, "If-None-Match", "*");
	return r;
}

int s3_add_copy_source(const struct s3_store *s3, struct http_headers *headers,
		       const struct object_id *source, const char *if_match)
{
	_cleanup_(buf_deinit) struct buf value = BUF_INIT;
	int r;

	if (!*source->bucket || !*source->key)
		return -EINVAL;
	r = buf_add_char(&value, '/');
	if (r == 0)
		r = buf_add_encoded(&value, source->bucket, strlen(source->bucket), false);
	if (r == 0)
		r = buf_add_char(&value, '/');
	if (r == 0)
		r = buf_add_encoded(&value, source->key, strlen(source->key), true);
	if (r == 0)
		r = http_headers_add(headers, "x-amz-copy-source", value.data);
	if (r == 0 && if_match)
		r = http_headers_add(headers, "x-amz-copy-source-if-match", if_match);
	if (r == 0 && s3->expected_owner)
		r = http_headers_add(headers, "x-amz-source-expected-bucket-owner",
				     s3->expected_owner);
	return r;
}

int s3_add_md5(struct http_headers *headers, const uint8_t digest[MD5_LEN])
{
	char text[MD5_BASE64_LEN + 1];

	md5_base64(digest, text);
	return http_headers_add(headers, "Content-MD5", text);
}

int s3_add_bucket_options(const struct s3_store *s3, struct http_headers *headers)
{
	int r = 0;

	if (s3->requester_pays)
		r = http_headers_add(headers, "x-amz-request-payer", "requester");
	if (r == 0 && s3->expected_owner)
		r = http_headers_add(headers, "x-amz-expected-bucket-owner", s3->expected_owner);
	return r;
}

int s3_add_write_options(const struct s3_store *s3, const char *storage_class,
			 struct http_headers *headers)
{
	int r = 0;

	if (s3->storage_class)
		storage_class = s3->storage_class;
	if (storage_class)
		r = http_headers_add(headers, "x-amz-storage-class", storage_class);
	if (r == 0 && s3->sse)
		r = http_headers_add(headers, "x-amz-server-side-encryption", s3->sse);
	if (r == 0 && s3->sse_kms_key_id)
		r = http_headers_add(headers, "x-amz-server-side-encryption-aws-kms-key-id",
				     s3->sse_kms_key_id);
	return r;
}

int s3_part_query(struct buf *query, int number, const char *upload_id)
{
	int r = buf_printf(query, "partNumber=%d", number);

	return r < 0 ? r : s3_add_parameter(query, "uploadId", upload_id);
}
