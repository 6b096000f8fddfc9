/* Keys and names: percent-encoding, XML, escapes, UTF-8, which names can be, types by suffix. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/fs/mime.h"
#include "../../src/fs/namespace.h"
#include "../../src/s3/private.h"
#include "fuzz.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/utf8.h"

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

/* Whatever the key: what is sent is of few bytes, and what comes back encoded is the key. */
static void encode(const char *key, bool keep_slash)
{
	_cleanup_(buf_deinit) struct buf encoded = BUF_INIT, decoded = BUF_INIT;
	_cleanup_(freep) char *copy = NULL;

	MUST(buf_add_encoded(&encoded, key, strlen(key), keep_slash) == 0);
	MUST(strspn(buf_str(&encoded), UNRESERVED "%/") == encoded.len);
	MUST(keep_slash || !memchr(encoded.data, '/', encoded.len));
	MUST(buf_add_decoded(&decoded, buf_str(&encoded)) == 0);
	MUST(!strcmp(buf_str(&decoded), key));

	copy = fuzz_have(strdup(buf_str(&encoded)));
	MUST(s3_decode(&copy) == 0);
	MUST(!strcmp(copy, key));
}

static void decode(const char *text)
{
	_cleanup_(buf_deinit) struct buf decoded = BUF_INIT;
	_cleanup_(freep) char *copy = fuzz_have(strdup(text));
	int r = s3_decode(&copy);

	MUST(r == 0 || r == -EBADMSG);
	MUST(buf_add_decoded(&decoded, text) == 0);
	MUST(decoded.len <= strlen(text));
	MUST(!strcmp(copy, r == 0 ? buf_str(&decoded) : text));
}

static void count_characters(const char *text)
{
	size_t len, n = strlen(text), at = 0;

	while (at < n && (len = utf8_len((const unsigned char *)text + at)) > 0)
		at += len;
	MUST(at <= n);
	MUST(utf8_valid(text) == (at == n));
}

/* A line of a log stays one, and nothing in it moves the cursor. */
static void escape(const char *text)
{
	_cleanup_(buf_deinit) struct buf b = BUF_INIT;

	MUST(buf_add_escaped(&b, text) == 0);
	for (size_t i = 0; i < b.len; i++)
		MUST((unsigned char)b.data[i] >= 0x20 && b.data[i] != 0x7f);
}

static void judge(const char *name)
{
	const char *rule = bucket_name_rule_broken(name);
	size_t len = strlen(name);

	if (!rule) {
		MUST(len >= 3 && len <= 63 && !name[strspn(name, UNRESERVED)]);
		MUST(name_representable(name));
	}
	if (name_representable(name))
		MUST(len >= 1 && len <= 255 && !strchr(name, '/') && strcmp(name, ".") != 0 &&
		     strcmp(name, "..") != 0);
}

static void find_type(const char *name)
{
	const char *type = mime_find(&(struct mime){0}, name);

	MUST(!type || strchr(type, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_text(data, size);

	encode(text, false);
	encode(text, true);
	decode(text);
	count_characters(text);
	escape(text);
	judge(text);
	find_type(text);
	return 0;
}
