/*
 * aws/sigv4: AWS Signature Version 4 in the Authorization header. Data in, data out.
 *
 * Source: "Signature Version 4 signing process", AWS General Reference; for S3: "Authenticating
 * Requests: Using the Authorization Header", Amazon S3 API Reference. S3 differs: the path is
 * encoded once and not normalised, and x-amz-content-sha256 is sent and signed.
 */
#ifndef XACCTFS_AWS_SIGV4_H
#define XACCTFS_AWS_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "xacctfs/aws/credentials.h"
#include "xacctfs/http/message.h"

/* What stands for the payload's hash when the body is not signed (S3 over TLS). */
#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

struct sigv4_params {
	struct credentials *credentials;
	const char *region;       /* "eu-west-1" */
	const char *service;      /* "s3", "sts" */
	int64_t now_ms;           /* the server's time, milliseconds since 1970 */
	const char *payload_hash; /* NULL: the SHA-256 of the body is computed */
};

/*
 * Sets X-Amz-Date, X-Amz-Security-Token (or drops it, when the credentials have none),
 * X-Amz-Content-SHA256 (for the service s3) and Authorization on the request; older ones are
 * replaced, so that a request can be signed again for a retry. Signed are Host and every header the
 * request has but User-Agent, Connection, Expect, Transfer-Encoding and X-Amzn-Trace-Id.
 * request->path is the encoded path as it is sent; request->query too, in any order, with every
 * byte outside RFC 3986's unreserved characters percent-encoded. The same now_ms gives the same
 * signature.
 *
 * Returns 0, -ENOMEM, -EINVAL (the request brings Host or Content-Length, or a value has a line's
 * end in it), -EIO (OpenSSL fails). After a failure the request must not be sent, but may be signed
 * again. Thread-safe for different requests.
 */
int sigv4_sign(struct http_request *request, const struct sigv4_params *params);

/*
 * The steps, for tests and --debug, of a request that sigv4_sign() has signed with the same params:
 * step 1, the canonical request, and step 2, the string to sign. No secret is in either: the
 * session token, which is signed, stands as SIGV4_MASK in step 1 (step 2's hash is that of the real
 * one). Both texts are to free(). Return as sigv4_sign does.
 */
#define SIGV4_MASK "***"
int sigv4_canonical_request(const struct http_request *request, const struct sigv4_params *params,
			    char **ret_text);
int sigv4_string_to_sign(const struct http_request *request, const struct sigv4_params *params,
			 char **ret_text);

#define SHA256_HEX_LEN 64
/* The SHA-256 of the bytes in lower-case hex. Returns 0 or -EIO when OpenSSL fails. */
int sha256_hex(const void *data, size_t len, char ret_hex[SHA256_HEX_LEN + 1]);

#endif
