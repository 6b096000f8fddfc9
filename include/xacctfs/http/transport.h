/*
 * http/transport: one HTTP exchange. The first seam: libcurl in the program, a script in unit
 * tests.
 */
#ifndef XACCTFS_HTTP_TRANSPORT_H
#define XACCTFS_HTTP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xacctfs/http/message.h"
#include "xacctfs/util/call.h"

/* No complete response came. Where it may have been sent, it may have had its effect all the same.
 */
enum {
	HTTP_E_RESOLVE = 1, /* the name has no address */
	HTTP_E_CONNECT,     /* refused or unreachable: nothing was sent */
	HTTP_E_CONNECT_TIMEOUT,
	HTTP_E_TLS,       /* certificate or handshake; not worth a retry */
	HTTP_E_STALL,     /* no byte for the stall timeout; may have been sent */
	HTTP_E_BROKEN,    /* cut in the middle, or the body ended short; may have been sent */
	HTTP_E_TOO_LARGE, /* body over max_body, or headers over 64 KiB */
	HTTP_E_PROTOCOL,  /* not HTTP */
	HTTP_E_PROXY,     /* the proxy's name or its answer */
	HTTP_E_SINK,      /* the request's sink wanted no more */
};

struct http_transport {
	/*
	 * Sends the request and reads the whole response, which the caller gives zeroed or
	 * deinitialised; after an error only its `error`, `os_errno`, `sent_before` and `sunk` are
	 * to be used (after HTTP_E_SINK, status and headers too), and it is still to be
	 * deinitialised. A request that a kept connection dies
	 * under is sent again on a new one, and `sent_before` then says so; the sink was given
	 * nothing by then. max_body: bytes of response body accepted, by the sink too. Redirects
	 * are never followed. Returns 0 with any status; HTTP_E_*; -EINTR when the call was
	 * cancelled; -ETIMEDOUT past its deadline; -ENOMEM. Thread-safe: many calls may run at
	 * once.
	 */
	int (*perform)(struct http_transport *transport, struct call *call,
		       const struct http_request *request, size_t max_body,
		       struct http_response *ret_response);
	/* No call may be running. */
	void (*free)(struct http_transport *transport);
};

struct http_curl_options {
	int64_t connect_timeout_ms; /* DNS, TCP and TLS together */
	int64_t stall_timeout_ms;   /* no byte either way for so long ends the exchange */
	const char *ca_bundle;      /* file or directory of PEM certificates; NULL: the system's */
	const char *user_agent;
};

/*
 * The real one. Connections are kept alive and taken up again, newest first; TLS sessions and names
 * are shared. Proxies come from the environment as the AWS CLI reads it (HTTP_PROXY, HTTPS_PROXY,
 * NO_PROXY and their lower-case forms). Make it after the last fork. Returns 0, -EINVAL for a
 * ca_bundle that cannot be read, -ENOMEM.
 */
int http_curl_new(const struct http_curl_options *options, struct http_transport **ret_transport);

/* For --version: "libcurl/7.88.1 OpenSSL/3.0.17 ...". Constant. */
const char *http_curl_version(void);

/* No call may be running. NULL is fine. */
void http_transport_free(struct http_transport *transport);

#endif
