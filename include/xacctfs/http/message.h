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
#include <stdint.h>

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
/*
 * Adds a line of a response as it came, "Name: value" with or without its line end. What is no
 * header by the book (a folded line, an odd name) is passed over. Returns 0, -ENOMEM.
 */
int http_headers_add_line(struct http_headers *headers, const char *line, size_t len);
/* Replaces the first of that name and drops its others, or adds. */
int http_headers_set(struct http_headers *headers, const char *name, const char *value);
/* The first value of that name, or NULL. Valid until headers change. */
const char *http_headers_get(const struct http_headers *headers, const char *name);
/* Values are overwritten before they are freed: a request's hold tokens. */
void http_headers_deinit(struct http_headers *headers);

struct http_response;

/*
 * Takes bytes of a body in order, as they come. The response has its status and headers by then. A
 * non-zero return ends the exchange.
 */
typedef int http_sink_fn(void *data, const struct http_response *response, const void *bytes,
			 size_t n);

struct http_request {
	const char *method;          /* constant text, upper case */
	char *scheme;                /* "https", "http" */
	char *authority;             /* host[:port] */
	char *path;                  /* begins with '/', percent-encoded, sent as it is */
	char *query;                 /* percent-encoded, without '?'; NULL or "" for none */
	struct http_headers headers; /* without Host, Content-Length */
	struct buf body;
	/* A body that is not owned, instead of `body`; must outlive the exchange. NULL for none. */
	const void *payload;
	size_t payload_len;
	/* Takes the body of a 2xx answer, which response->body is then without; or NULL. */
	http_sink_fn *sink;
	void *sink_data;
};

void http_request_deinit(struct http_request *request); /* leaves it zeroed */
/* The body that goes out, payload or body; "" for none. Valid until the request changes. */
const void *http_request_body(const struct http_request *request, size_t *ret_len);

struct http_response {
	int status;                  /* 200..599 */
	struct http_headers headers; /* of the final response */
	struct buf body;
	uint64_t sunk;   /* bytes that the request's sink was given; also after an error */
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
