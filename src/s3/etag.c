/* ETags: when they are MD5s, and of what. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#include "private.h"

/* The bytes between the quotes. */
static const char *bare(const char *etag, size_t *ret_len)
{
	size_t len = strlen(etag);

	if (len >= 2 && etag[0] == '"' && etag[len - 1] == '"') {
		etag++;
		len -= 2;
	}
	*ret_len = len;
	return etag;
}

bool s3_etag_equal(const char *a, const char *b)
{
	size_t a_len, b_len;

	if (!a || !b)
		return false;
	a = bare(a, &a_len);
	b = bare(b, &b_len);
	return a_len == b_len && !memcmp(a, b, a_len);
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return found ? (int)(found - digits) : -1;
}

bool s3_etag_md5(const char *etag, uint8_t ret_digest[MD5_LEN])
{
	uint8_t digest[MD5_LEN];
	size_t len;

	etag = bare(etag, &len);
	if (len != MD5_HEX_LEN)
		return false;
	for (size_t i = 0; i < MD5_LEN; i++) {
		int high = digit(etag[2 * i]), low = digit(etag[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret_digest, digest, MD5_LEN);
	return true;
}

/* Amazon S3 API Reference, "Object", ETag. */
static bool has_key(const struct http_response *response)
{
	const char *sse = http_headers_get(&response->headers, "x-amz-server-side-encryption");

	return (sse && strcmp(sse, "AES256") != 0) ||
	       http_headers_get(&response->headers,
				"x-amz-server-side-encryption-customer-algorithm");
}

bool s3_etag_fits(const struct http_response *response, const uint8_t digest[MD5_LEN])
{
	const char *etag = http_headers_get(&response->headers, "ETag");
	uint8_t told[MD5_LEN];

	if (!etag || has_key(response) || !s3_etag_md5(etag, told))
		return true;
	return !memcmp(told, digest, MD5_LEN);
}

int s3_etag_of_parts(const char *const *etags, size_t n, char **ret_etag)
{
	_cleanup_(freep) uint8_t *digests = malloc(n ? n * MD5_LEN : 1);
	char hex[MD5_HEX_LEN + 1];
	uint8_t digest[MD5_LEN];
	int r;

	if (!digests)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!s3_etag_md5(etags[i], digests + i * MD5_LEN))
			return -ENODATA;
	r = md5_digest(digests, n * MD5_LEN, digest);
	if (r < 0)
		return r;
	md5_hex(digest, hex);
	return asprintf(ret_etag, "%s-%zu", hex, n) < 0 ? -ENOMEM : 0;
}
