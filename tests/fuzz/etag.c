/* ETags, a line each: of an object, or of the parts of one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/s3/private.h"
#include "fuzz.h"
#include "xacctfs/util/cleanup.h"

#define PARTS_MAX 8

static void check_one(const char *etag)
{
	uint8_t digest[MD5_LEN];
	char hex[MD5_HEX_LEN + 1];

	MUST(s3_etag_equal(etag, etag));
	if (!s3_etag_md5(etag, digest))
		return;
	md5_hex(digest, hex);
	MUST(strlen(etag) <= MD5_HEX_LEN + 2);
	MUST(strcasestr(etag, hex));
}

static void check_pair(const char *a, const char *b)
{
	_cleanup_(freep) char *quoted = NULL;

	MUST(s3_etag_equal(a, b) == s3_etag_equal(b, a));
	MUST(!s3_etag_equal(a, NULL) && !s3_etag_equal(NULL, b));
	MUST(asprintf(&quoted, "\"%s\"", b) >= 0);
	if (!strcmp(a, b) && a[0] != '"')
		MUST(s3_etag_equal(a, quoted));
}

static void check_parts(const char *const *etags, size_t n)
{
	_cleanup_(freep) char *etag = NULL;
	uint8_t digest[MD5_LEN];
	int r = s3_etag_of_parts(etags, n, &etag);

	for (size_t i = 0; i < n; i++)
		MUST(r != 0 || s3_etag_md5(etags[i], digest));
	MUST(r == (etag ? 0 : -ENODATA));
	MUST(!etag || !s3_etag_md5(etag, digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_rest rest = {data, size};
	char *etags[PARTS_MAX];
	size_t n = 0;

	do {
		etags[n++] = fuzz_line(&rest);
	} while (rest.size > 0 && n < PARTS_MAX);
	for (size_t i = 0; i < n; i++) {
		check_one(etags[i]);
		check_pair(etags[i], etags[n - 1 - i]);
	}
	check_parts((const char *const *)etags, n);
	while (n > 0)
		free(etags[--n]);
	return 0;
}
