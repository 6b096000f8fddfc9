/*
 * DeleteObject, DeleteObjects (Amazon S3 API Reference). Conditions: Amazon S3 User Guide, "How to
 * perform conditional deletes"; radosgw 20 has them, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/utf8.h"

#include "private.h"

static void tell_left(const char *bucket, const char *key)
{
	log_info("%s/%s: another client has replaced the object that was to be deleted; its own "
		 "stays",
		 bucket, key);
}

/* True for what a server says that knows no conditional deletes and does not just ignore them. */
static bool knows_no_condition(int r, const struct aws_error *error)
{
	return r == AWS_E_REPLY &&
	       (error->status == 501 || !strcmp(error->code, "NotImplemented") ||
		!strcmp(error->code, "MalformedXML"));
}

static int delete_one(struct s3_store *s3, struct call *call, struct s3_request *request,
		      const char *if_match, struct aws_error *error)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(http_headers_deinit) struct http_headers headers = {0};
	int r = if_match ? http_headers_add(&headers, "If-Match", if_match) : 0;

	request->headers = &headers;
	if (r == 0)
		r = s3_send(s3, call, request, &response, error);
	request->headers = NULL;
	return r;
}

int s3_delete_object(struct store *store, struct call *call, const struct object_id *id,
		     const char *if_match)
{
	struct s3_request request = {
	    .operation = "DeleteObject",
	    .method = "DELETE",
	    .bucket = id->bucket,
	    .key = id->key,
	    .max_body = S3_MAX_ANSWER,
	};
	struct aws_error error = {0};
	int r = delete_one(s3_of(store), call, &request, if_match, &error);

	if (if_match && knows_no_condition(r, &error))
		r = delete_one(s3_of(store), call, &request, NULL, &error);
	/* S3 itself answers 204 then, without a condition */
	if (r == AWS_E_REPLY &&
	    (!strcmp(error.code, "NoSuchKey") || !strcmp(error.code, "HTTP404")))
		r = 0;
	if (if_match && s3_precondition_failed(r, &error)) {
		tell_left(id->bucket, id->key);
		r = 0;
	}
	return r == 0 ? 0 : s3_fail(&request, r, &error);
}

/* ---- DeleteObjects ---- */

/* What delete_objects was given. */
struct keys {
	const char *bucket;
	const char *const *v;
	const char *const *etags; /* or NULL */
	size_t n;
};

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

static int write_key(struct buf *body, const char *key, const char *etag)
{
	int r = buf_add_str(body, "<Object><Key>");

	if (r == 0)
		r = buf_add_xml(body, key);
	if (r == 0)
		r = buf_add_str(body, "</Key>");
	if (r == 0 && etag)
		r = buf_add_str(body, "<ETag>");
	if (r == 0 && etag)
		r = buf_add_xml(body, etag);
	if (r == 0 && etag)
		r = buf_add_str(body, "</ETag>");
	return r == 0 ? buf_add_str(body, "</Object>") : r;
}

static int write_keys(struct buf *body, const struct keys *keys, size_t *ret_written)
{
	size_t written = 0;
	int r = buf_printf(body, "<Delete xmlns=\"%s\"><Quiet>true</Quiet>", S3_XMLNS);

	for (size_t i = 0; r == 0 && i < keys->n; i++) {
		if (!fits_xml(keys->v[i]))
			continue;
		r = write_key(body, keys->v[i], keys->etags ? keys->etags[i] : NULL);
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

static int read_refusal(struct xml *xml, const char *bucket, bool conditional,
			struct refusal *refusal)
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
	if (!refusal->code)
		return -EBADMSG;
	if (conditional && refusal->key && !strcmp(refusal->code, "PreconditionFailed"))
		tell_left(bucket, refusal->key);
	else if (strcmp(refusal->code, "NoSuchKey") != 0)
		return 0;
	refusal_deinit(refusal);
	return 0;
}

/* The first key that was refused; *first stays empty when none was. */
static int read_result(const struct http_response *response, const char *bucket, bool conditional,
		       struct refusal *first)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;
	const char *name;
	int r = s3_open_xml(response, "DeleteResult", &xml);

	if (r < 0)
		return r;
	while ((r = xml_child(xml, 0, &name)) == 0)
		if (!strcmp(name, "Error") && !first->code &&
		    (r = read_refusal(xml, bucket, conditional, first)) < 0)
			return r;
	return r == XML_E_END ? 0 : r;
}

static int send_keys(struct s3_store *s3, struct call *call, struct s3_request *request,
		     bool conditional, struct refusal *first, struct aws_error *error)
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
		r = s3_malformed(read_result(&response, request->bucket, conditional, first),
				 request, error);
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

static int send_body(struct s3_store *s3, struct call *call, struct s3_request *request,
		     bool conditional, struct aws_error *error)
{
	_cleanup_(refusal_deinit) struct refusal first = {0};
	int attempt = 0, r;

	do {
		refusal_deinit(&first);
		request->key = NULL;
		r = send_keys(s3, call, request, conditional, &first, error);
		if (r == 0 && first.code)
			r = refused(&first, request, error);
	} while (again(s3, call, r, error, ++attempt));
	return r == 0 || (conditional && knows_no_condition(r, error)) ? r
								       : s3_fail(request, r, error);
}

/* Those that XML can name, in one request. AWS_E_REPLY: the server knows no conditions. */
static int delete_named(struct s3_store *s3, struct call *call, const struct keys *keys)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	struct s3_request request = {
	    .operation = "DeleteObjects",
	    .method = "POST",
	    .bucket = keys->bucket,
	    .query = "delete=",
	    .max_body = S3_MAX_LISTING,
	};
	struct aws_error error = {0};
	size_t written;
	int r = write_keys(&body, keys, &written);

	request.body = buf_str(&body);
	if (r == 0 && written == 0)
		return 0;
	return r < 0 ? s3_fail(&request, r, &error)
		     : send_body(s3, call, &request, keys->etags, &error);
}

int s3_delete_objects(struct store *store, struct call *call, const char *bucket,
		      const char *const *keys, const char *const *etags, size_t n)
{
	struct keys named = {bucket, keys, etags, n};
	int result = delete_named(s3_of(store), call, &named);

	if (result == AWS_E_REPLY) {
		named.etags = NULL;
		result = delete_named(s3_of(store), call, &named);
	}
	for (size_t i = 0; i < n && result != -EINTR && result != -ETIMEDOUT; i++) {
		struct object_id id = {bucket, keys[i]};
		int r = fits_xml(keys[i])
			    ? 0
			    : s3_delete_object(store, call, &id, etags ? etags[i] : NULL);

		if (result == 0)
			result = r;
	}
	return result;
}
