/* DeleteObject, DeleteObjects (Amazon S3 API Reference). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/utf8.h"

#include "private.h"

int s3_delete_object(struct store *store, struct call *call, const struct object_id *id)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct s3_request request = {
	    .operation = "DeleteObject",
	    .method = "DELETE",
	    .bucket = id->bucket,
	    .key = id->key,
	    .max_body = S3_MAX_ANSWER,
	};
	struct aws_error error;
	int r = s3_send(s3_of(store), call, &request, &response, &error);

	/* S3 itself answers 204 then */
	if (r == AWS_E_REPLY &&
	    (!strcmp(error.code, "NoSuchKey") || !strcmp(error.code, "HTTP404")))
		r = 0;
	return r == 0 ? 0 : s3_fail(&request, r, &error);
}

/* ---- DeleteObjects ---- */

/*
 * XML 1.0 has no form for most control characters, and none for what is not UTF-8 (Extensible
 * Markup Language, section 2.2); a carriage return would become a newline.
 */
static bool fits_xml(const char *key)
{
	const unsigned char *p = (const unsigned char *)key;

	for (size_t len; *p; p += len) {
		len = utf8_len(p);
		if (len == 0 || *p < 0x20)
			return false;
		if (len == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe) /* U+FFFE, U+FFFF */
			return false;
	}
	return true;
}

static int write_keys(struct buf *body, const char *const *keys, size_t n, size_t *ret_written)
{
	size_t written = 0;
	int r = buf_printf(body, "<Delete xmlns=\"%s\"><Quiet>true</Quiet>", S3_XMLNS);

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!fits_xml(keys[i]))
			continue;
		r = buf_add_str(body, "<Object><Key>");
		if (r == 0)
			r = buf_add_xml(body, keys[i]);
		if (r == 0)
			r = buf_add_str(body, "</Key></Object>");
		written++;
	}
	if (r == 0)
		r = buf_add_str(body, "</Delete>");
	*ret_written = written;
	return r;
}

struct refusal {
	char *key, *code, *message;
};

static void refusal_deinit(struct refusal *refusal)
{
	free(refusal->key);
	free(refusal->code);
	free(refusal->message);
	*refusal = (struct refusal){0};
}

static int read_refusal(struct xml *xml, struct refusal *refusal)
{
	const char *name;
	int r;

	while ((r = xml_child(xml, 1, &name)) == 0) {
		if (!strcmp(name, "Key"))
			r = s3_take_text(xml, &refusal->key);
		else if (!strcmp(name, "Code"))
			r = s3_take_text(xml, &refusal->code);
		else if (!strcmp(name, "Message"))
			r = s3_take_text(xml, &refusal->message);
		if (r < 0)
			return r;
	}
	if (r != XML_E_END)
		return r;
	if (refusal->code && !strcmp(refusal->code, "NoSuchKey"))
		refusal_deinit(refusal);
	else if (!refusal->code)
		return -EBADMSG;
	return 0;
}

/* The first key that was refused; *first stays empty when none was. */
static int read_result(const struct http_response *response, struct refusal *first)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;
	const char *name;
	int r = s3_open_xml(response, "DeleteResult", &xml);

	if (r < 0)
		return r;
	while ((r = xml_child(xml, 0, &name)) == 0)
		if (!strcmp(name, "Error") && !first->code && (r = read_refusal(xml, first)) < 0)
			return r;
	return r == XML_E_END ? 0 : r;
}

static int send_keys(struct s3_store *s3, struct call *call, struct s3_request *request,
		     struct refusal *first, struct aws_error *error)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(http_headers_deinit) struct http_headers headers = {0};
	uint8_t digest[MD5_LEN];
	int r = md5_digest(request->body, strlen(request->body), digest);

	if (r == 0)
		r = s3_add_md5(&headers, digest);
	request->headers = &headers;
	if (r == 0)
		r = s3_send(s3, call, request, &response, error);
	if (r == 0)
		r = s3_malformed(read_result(&response, first), request, error);
	request->headers = NULL;
	return r;
}

static int refused(const struct refusal *first, struct s3_request *request, struct aws_error *error)
{
	snprintf(error->code, sizeof(error->code), "%s", first->code);
	snprintf(error->message, sizeof(error->message), "%s",
		 first->message ? first->message : "");
	request->key = first->key;
	return AWS_E_REPLY;
}

/* True when the server had no time for a key: what is gone by now may be asked for once more. */
static bool again(struct s3_store *s3, struct call *call, int r, const struct aws_error *error,
		  int attempt)
{
	return r == AWS_E_REPLY && error->status / 100 == 2 && aws_error_is_passing(error) &&
	       attempt < s3->caller->max_attempts &&
	       call_sleep(call, retry_delay_ms(attempt, 0, retry_random())) == 0;
}

/* Those that XML can name, in one request. */
static int delete_named(struct s3_store *s3, struct call *call, const char *bucket,
			const char *const *keys, size_t n)
{
	_cleanup_(refusal_deinit) struct refusal first = {0};
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	struct s3_request request = {
	    .operation = "DeleteObjects",
	    .method = "POST",
	    .bucket = bucket,
	    .query = "delete=",
	    .max_body = S3_MAX_LISTING,
	};
	struct aws_error error = {0};
	size_t written;
	int attempt = 0, r = write_keys(&body, keys, n, &written);

	request.body = buf_str(&body);
	if (r == 0 && written == 0)
		return 0;
	if (r < 0)
		return s3_fail(&request, r, &error);
	do {
		refusal_deinit(&first);
		request.key = NULL;
		r = send_keys(s3, call, &request, &first, &error);
		if (r == 0 && first.code)
			r = refused(&first, &request, &error);
	} while (again(s3, call, r, &error, ++attempt));
	return r == 0 ? 0 : s3_fail(&request, r, &error);
}

int s3_delete_objects(struct store *store, struct call *call, const char *bucket,
		      const char *const *keys, size_t n)
{
	int result = delete_named(s3_of(store), call, bucket, keys, n);

	for (size_t i = 0; i < n && result != -EINTR && result != -ETIMEDOUT; i++) {
		struct object_id id = {bucket, keys[i]};
		int r = fits_xml(keys[i]) ? 0 : s3_delete_object(store, call, &id);

		if (result == 0)
			result = r;
	}
	return result;
}
