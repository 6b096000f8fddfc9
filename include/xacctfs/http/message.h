/*
 * http/message: requests and responses as values.
 *
 * A request is what is signed, to the byte: nothing below changes host, path, query or a header.
 * Not thread-safe; each belongs to the thread that makes it.
 */
#ifndef XACCTFS_HTTP_MESSAGE_H
#define XACCTFS_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "xacctfs/util/buf.h"

struct http_header {
	char *name; /* as given; compared without regard to case */
	char *value;
};

struct http_headers {
	struct http_header *v;
	size_t n;
};

/* Both are copied. Returns 0, -ENOMEM, or -EINVAL for a name that is no token (RFC 9110, 5.6.2) or
 * a value with CR or LF in it.
 */
int http_headers_add(struct http_headers *headers, const char *name, const char *value);
/* Replaces the first of that name and drops its others, or adds. */
int http_headers_set(struct http_headers *headers, const char *name, const char *value);
/* The first value of that name, or NULL. Valid until headers change. */
const char *http_headers_get(const struct http_headers *headers, const char *name);
/* Values are overwritten before they are freed: a request's hold tokens. */
void http_headers_deinit(struct http_headers *headers);

struct http_request {
	const char *method;          /* constant text, upper case */
	char *scheme;                /* "https", "http" */
	char *authority;             /* host[:port] */
	char *path;                  /* begins with '/', percent-encoded, sent as it is */
	char *query;                 /* percent-encoded, without '?'; NULL or "" for none */
	struct http_headers headers; /* without Host, Content-Length */
	struct buf body;
};

void http_request_deinit(struct http_request *request); /* leaves it zeroed */

struct http_response {
	int status;                  /* 200..599 */
	struct http_headers headers; /* of the final response */
	struct buf body;
	char error[256]; /* after a transport error: what happened, for a person; no secret */
	int os_errno;    /* with HTTP_E_CONNECT: ECONNREFUSED, EHOSTUNREACH, ... or 0 */
	/*
	 * The request had begun to go out once before: a kept connection died under it, and a new
	 * one was taken. Whatever came of that one, the server may have carried out the first.
	 */
	bool sent_before;
};

void http_response_deinit(struct http_response *response); /* leaves it zeroed, to be used again */

#endif
