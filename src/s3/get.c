/*
 * GetObject of a range. An answer that breaks off is gone on with: the next asks for the rest, of
 * the object that the first answer told of.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#include "private.h"

struct get {
	const struct get_params *params;
	uint64_t end; /* exclusive: of what is wanted, and from the first answer on, there */
	uint64_t at;  /* the sink has what is before this */
	bool known;   /* an answer came, so `object` and `end` are true */
	struct object object; /* as the first answer told it */
	/* of the present answer: */
	bool begun;
	uint64_t from, until; /* where its next byte is, and the one behind its last */
	/* what ended it: */
	int refused;     /* the caller's sink returned this */
	int failure;     /* -ESTALE, -ERANGE, -EBADMSG, -ENOMEM, or ... */
	const char *why; /* ... and with it */
};

static void get_deinit(struct get *get)
{
	object_deinit(&get->object);
}

static bool complete(const struct get *get)
{
	return get->known && get->at == get->end;
}

static int fail(struct get *get, int failure, const char *why)
{
	get->why = why;
	return failure;
}

/* ---- the request ---- */

/* Returned by prepare when nothing is left to ask for: the last byte came, then the answer broke.
 */
#define GET_COMPLETE (-ECANCELED)

static int prepare(void *data, struct http_request *http)
{
	struct get *get = data;
	const char *etag =
	    get->known && get->object.etag ? get->object.etag : get->params->if_match;
	char range[64];
	int r;

	if (complete(get))
		return GET_COMPLETE;
	if (get->known && !etag)
		return -EIO; /* the rest may be another object's */
	get->begun = false;
	snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, get->at, get->end - 1);
	r = http_headers_set(&http->headers, "Range", range);
	if (r == 0 && etag)
		r = http_headers_set(&http->headers, "If-Match", etag);
	return r;
}

/* ---- the answer ---- */

struct extent {
	uint64_t first, last, size;
};

/* "bytes 0-4/10" (RFC 9110, 14.4), of a size that is known. */
static int parse_extent(const char *text, struct extent *e)
{
	static const char unit[] = "bytes ";
	_cleanup_(freep) char *copy = NULL;
	char *dash, *slash;

	if (!text || strncmp(text, unit, strlen(unit)) != 0)
		return -EINVAL;
	copy = strdup(text + strlen(unit));
	if (!copy)
		return -ENOMEM;
	dash = strchr(copy, '-');
	slash = dash ? strchr(dash, '/') : NULL;
	if (!slash)
		return -EINVAL;
	*dash = *slash = '\0';
	if (s3_parse_size(copy, &e->first) < 0 || s3_parse_size(dash + 1, &e->last) < 0 ||
	    s3_parse_size(slash + 1, &e->size) < 0)
		return -EINVAL;
	return e->first <= e->last && e->last < e->size ? 0 : -EINVAL;
}

/* Which bytes of the object the answer has. A server that knows no ranges sends all, with 200. */
static int read_extent(struct get *get, const struct http_response *response, struct extent *e)
{
	int r;

	if (response->status == 206) {
		r = parse_extent(http_headers_get(&response->headers, "Content-Range"), e);
		if (r == -ENOMEM)
			return r;
		if (r < 0 || e->first != get->at || e->last >= get->end)
			return fail(get, -EBADMSG,
				    "the answer has another range than was asked for");
		return 0;
	}
	if (response->status != 200 || s3_content_length(response, &e->size) < 0)
		return fail(get, -EBADMSG, "the answer does not tell what it holds");
	if (get->at >= e->size)
		return fail(get, -ERANGE, "the object ends before the range");
	e->first = 0;
	e->last = e->size - 1;
	return 0;
}

/* Not the object that was asked for, or begun with. */
static bool is_other(const struct get *get, const struct object *object)
{
	const char *wanted = get->params->if_match;

	if (object->etag && wanted && !s3_etag_equal(object->etag, wanted))
		return true;
	if (!get->known)
		return false;
	return object->size != get->object.size ||
	       (object->etag && get->object.etag && !s3_etag_equal(object->etag, get->object.etag));
}

static int begin(struct get *get, const struct http_response *response)
{
	_cleanup_(object_deinit) struct object object = {0};
	struct extent e;
	int r = s3_read_object(response, &object);

	get->begun = true;
	if (r == 0)
		r = read_extent(get, response, &e);
	if (r < 0)
		return r;
	object.size = e.size;
	if (is_other(get, &object))
		return fail(get, -ESTALE, "the server sent another object's bytes");
	get->from = e.first;
	get->until = e.last + 1;
	if (get->known)
		return 0;
	get->known = true;
	get->end = get->end < e.size ? get->end : e.size;
	get->object = object;
	object = (struct object){0};
	if (get->params->told)
		get->params->told(get->params->told_data, &get->object);
	return 0;
}

/* Of the bytes that came, those that are wanted go to the caller's sink. */
static int take(struct get *get, const char *bytes, size_t n)
{
	uint64_t skip = get->at > get->from ? get->at - get->from : 0;

	if (n > get->until - get->from)
		return fail(get, -EBADMSG, "the answer has more bytes than it told");
	get->from += n;
	if (skip >= n)
		return 0;
	bytes += skip;
	n -= (size_t)skip;
	if (n > get->end - get->at)
		n = (size_t)(get->end - get->at);
	if (n > 0)
		get->refused = get->params->sink(get->params->sink_data, bytes, n);
	if (!get->refused)
		get->at += n;
	return 0;
}

static int sink(void *data, const struct http_response *response, const void *bytes, size_t n)
{
	struct get *get = data;

	if (!get->begun)
		get->failure = begin(get, response);
	if (!get->failure)
		get->failure = take(get, bytes, n);
	/* or it is the rest of an object whose server knows no ranges */
	return get->failure || get->refused || get->from > get->end;
}

/* ---- the outcome ---- */

/* What the sink above has ended, in the words that a server would have said it in. */
static int own_failure(const struct get *get, const struct http_response *response,
		       struct aws_error *error)
{
	error->transport = 0;
	aws_error_parse(response, error);
	switch (get->failure) {
	case -ESTALE:
		s3_bad_answer(error, "PreconditionFailed", "%s", get->why);
		return AWS_E_REPLY;
	case -ERANGE:
		s3_bad_answer(error, "InvalidRange", "%s", get->why);
		return AWS_E_REPLY;
	case -EBADMSG:
		return s3_bad_answer(error, "MalformedAnswer", "%s", get->why);
	default:
		return get->failure;
	}
}

/* An answer, or several of which all but the last broke off. Returns as s3_send, or -EBADMSG. */
static int get_some(struct get *get, struct s3_store *s3, struct call *call,
		    const struct s3_request *request, struct aws_error *error)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	uint64_t before = get->at;
	int r = s3_send(s3, call, request, &response, error);

	if (r == 0 && !get->begun) /* nothing came, as of an empty object */
		get->failure = begin(get, &response);
	if (get->failure)
		return own_failure(get, &response, error);
	if (complete(get))
		return 0;
	if (r == 0 && get->at == before)
		return s3_bad_answer(error, "MalformedAnswer", "the answer is empty");
	return r;
}

int s3_get_object(struct store *store, struct call *call, const struct object_id *id,
		  const struct get_params *params, struct object *ret_object)
{
	_cleanup_(get_deinit) struct get get = {.params = params, .at = params->offset};
	struct s3_request request = {
	    .operation = "GetObject",
	    .method = "GET",
	    .bucket = id->bucket,
	    .key = id->key,
	    .max_body = SIZE_MAX,
	    .sink = sink,
	    .prepare = prepare,
	    .user = &get,
	};
	struct aws_error error = {0};
	int r;

	if (params->len == 0)
		return -EINVAL;
	if (__builtin_add_overflow(params->offset, params->len, &get.end) || get.end > INT64_MAX)
		get.end = INT64_MAX;
	/* a server may send less of a range than was asked for */
	do {
		r = get_some(&get, s3_of(store), call, &request, &error);
	} while (r == 0 && !complete(&get));
	if (get.refused)
		return get.refused;
	if (r != 0) {
		r = s3_fail(&request, r, &error);
		return r == -ENOENT && get.known ? -ESTALE : r;
	}
	if (ret_object) {
		*ret_object = get.object;
		get.object = (struct object){0};
	}
	return 0;
}
