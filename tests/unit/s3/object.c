/* HeadObject, PutObject: requests, answers, and puts whose answer was lost. */
#include "bench.h"

#define HELLO      "5d41402abc4b2a76b9719d911017c592"
#define HELLO_ETAG "ETag: \"" HELLO "\"\n"
#define NOW_DATE   "Date: Mon, 23 Nov 2026 12:00:00 GMT\n"
#define NOW        "Last-Modified: Mon, 23 Nov 2026 12:00:00 GMT\n"
#define BEFORE     "Last-Modified: Mon, 23 Nov 2026 11:59:56 GMT\n"

static const struct object_id hello = {"bucket", "hello"};
static const struct put_params plain;

static int put(struct bench *b, const struct put_params *params, struct object *ret_object)
{
	return b->store->put_object(b->store, &b->call, &hello, params, "hello", 5, ret_object);
}

static int head_key(struct bench *b, const char *key, struct object *ret_object)
{
	struct object_id id = {"bucket", key};

	return b->store->head_object(b->store, &b->call, &id, ret_object);
}

static void expect_no_header(struct bench *b, size_t i, const char *name)
{
	assert_null(http_headers_get(&sent(b, i)->headers, name));
}

/* ---- keys ---- */

static void keys_go_out_byte_by_byte(void **state)
{
	static const struct {
		const char *key, *path;
	} rows[] = {
	    {"a/b", "/a/b"},
	    {"a b+c%&?#=", "/a%20b%2Bc%25%26%3F%23%3D"},
	    {"\n\r\t\x01\x7f", "/%0A%0D%09%01%7F"},
	    {"\xc3\xa9\xf0\x9f\x98\x80", "/%C3%A9%F0%9F%98%80"},
	    {"/", "//"},
	    {"/a", "//a"},
	    {"a//b/", "/a//b/"},
	    {"../a/./b/..", "/../a/./b/.."},
	    {".", "/."},
	    {"%2F", "/%252F"},
	    {"-_.~", "/-_.~"},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct object object;

		script_answer(&b->script, 200, "Content-Length: 0\n", "");
		assert_int_equal(head_key(b, rows[i].key, &object), 0);
		assert_string_equal(sent(b, i)->path, rows[i].path);
	}
}

static void keys_stand_behind_the_bucket_in_a_path(void **state)
{
	struct bench *b = *state;
	struct object object;

	b->conf.s3_endpoint_url = (char[]){"https://s3.example:8443/base"};
	bench_open(b);
	script_answer(&b->script, 200, "Content-Length: 0\n", "");
	assert_int_equal(head_key(b, "/a/../b", &object), 0);
	assert_string_equal(sent(b, 0)->authority, "s3.example:8443");
	assert_string_equal(sent(b, 0)->path, "/base/bucket//a/../b");
}

/* The object "" of a bucket would be the bucket itself. */
static void keys_that_are_none_are_not_sent(void **state)
{
	static const struct {
		const char *key;
		int result;
	} rows[] = {
	    {"", -EINVAL},          {"a\xff", -EILSEQ},        {"\xc0\x80", -EILSEQ},
	    {"a\xe2\x82", -EILSEQ}, {"\xed\xa0\x80", -EILSEQ}, {"\xf4\x90\x80\x80", -EILSEQ},
	};
	struct bench *b = *state;
	char key[S3_KEY_MAX + 2];
	struct object object;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct object_id id = {"bucket", rows[i].key};

		assert_int_equal(head_key(b, rows[i].key, &object), rows[i].result);
		assert_int_equal(b->store->delete_object(b->store, &b->call, &id, NULL),
				 rows[i].result);
	}
	memset(key, 'k', sizeof(key));
	key[S3_KEY_MAX + 1] = '\0';
	assert_int_equal(head_key(b, key, &object), -ENAMETOOLONG);
	assert_int_equal(script_count(&b->script), 0);
	key[S3_KEY_MAX] = '\0';
	script_answer(&b->script, 200, "Content-Length: 0\n", "");
	assert_int_equal(head_key(b, key, &object), 0);
}

/* ---- HeadObject ---- */

static void head_tells_all_of_the_object(void **state)
{
	struct bench *b = *state;
	struct object o;

	script_answer(&b->script, 200,
		      "Content-Length: 9223372036854775807\n" NOW
		      "ETag: \"e-1\"\nContent-Type: text/plain\nx-amz-version-id: v1\n"
		      "x-amz-storage-class: GLACIER\nx-amz-server-side-encryption: AES256\n"
		      "X-Amz-Meta-Mode: 33188\nx-amz-meta-MTIME: 1.5\nx-amz-meta-empty: \n"
		      "cache-control: max-age=60\nContent-Disposition: attachment; filename=\"a\"\n"
		      "Content-Encoding: gzip\nContent-Language: de, en\n"
		      "Expires: Mon, 23 Nov 2026 12:00:00 GMT\n"
		      "x-amz-website-redirect-location: /b\n",
		      "");
	assert_int_equal(head_key(b, "k", &o), 0);
	assert_string_equal(sent(b, 0)->method, "HEAD");
	assert_int_equal(o.size, INT64_MAX);
	assert_int_equal(o.mtime_ms, TEST_CLOCK_WALL_MS);
	assert_string_equal(o.etag, "\"e-1\"");
	assert_string_equal(o.content_type, "text/plain");
	assert_string_equal(o.version_id, "v1");
	assert_string_equal(o.storage_class, "GLACIER");
	assert_string_equal(o.encryption, "AES256");
	assert_string_equal(o.headers[OBJECT_CACHE_CONTROL], "max-age=60");
	assert_string_equal(o.headers[OBJECT_CONTENT_DISPOSITION], "attachment; filename=\"a\"");
	assert_string_equal(o.headers[OBJECT_CONTENT_ENCODING], "gzip");
	assert_string_equal(o.headers[OBJECT_CONTENT_LANGUAGE], "de, en");
	assert_string_equal(o.headers[OBJECT_EXPIRES], "Mon, 23 Nov 2026 12:00:00 GMT");
	assert_string_equal(o.headers[OBJECT_WEBSITE_REDIRECT], "/b");
	assert_int_equal(o.n_meta, 3);
	assert_string_equal(object_meta_get(&o, "mode"), "33188");
	assert_string_equal(object_meta_get(&o, "mtime"), "1.5");
	assert_string_equal(object_meta_get(&o, "empty"), "");
	assert_null(object_meta_get(&o, "other"));
	object_deinit(&o);
}

static void head_of_what_tells_little(void **state)
{
	struct bench *b = *state;
	struct object o;

	script_answer(&b->script, 200, "Content-Length: 7\nLast-Modified: yesterday\n", "");
	assert_int_equal(head_key(b, "k", &o), 0);
	assert_int_equal(o.size, 7);
	assert_int_equal(o.mtime_ms, 0);
	assert_null(o.etag);
	assert_null(o.content_type);
	for (size_t i = 0; i < OBJECT_HEADERS; i++)
		assert_null(o.headers[i]);
	assert_int_equal(o.n_meta, 0);
}

static void head_without_a_size_is_no_answer(void **state)
{
	static const char *const headers[] = {"",
					      "Content-Length: \n",
					      "Content-Length: 1x\n",
					      "Content-Length: -1\n",
					      "Content-Length: 9223372036854775808\n",
					      "Content-Length: 18446744073709551616\n"};
	struct bench *b = *state;
	struct object o = {.size = 77};

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		script_answer(&b->script, 200, headers[i], "");
		assert_int_equal(head_key(b, "k", &o), -EIO);
		assert_int_equal(o.size, 77);
	}
	expect_last_line("error: HeadObject of bucket/k: MalformedAnswer: the server did not tell "
			 "the object's size (HTTP 200)");
}

static void head_of_nothing_is_not_worth_a_line(void **state)
{
	struct bench *b = *state;
	struct object o;

	script_answer(&b->script, 404, "", "");
	assert_int_equal(head_key(b, "k", &o), -ENOENT);
	assert_int_equal(log_lines_count(""), 0);
}

static void failures_name_the_key_in_one_line(void **state)
{
	struct bench *b = *state;
	struct object o;

	script_answer(&b->script, 403, S3_ID, "");
	assert_int_equal(head_key(b, "a\nb", &o), -EACCES);
	assert_int_equal(log_lines_count("HeadObject of bucket/a\\x0ab: HTTP403 (HTTP 403"), 1);
}

static void failures_are_told_behind_the_longest_key(void **state)
{
	struct bench *b = *state;
	char key[S3_KEY_MAX + 1];
	struct object o;

	memset(key, 1, sizeof(key));
	key[S3_KEY_MAX] = '\0';
	script_answer(&b->script, 403, S3_ID, "");
	assert_int_equal(head_key(b, key, &o), -EACCES);
	assert_int_equal(log_lines_count("HTTP403 (HTTP 403, request id id1)"), 1);
}

/* ---- PutObject ---- */

static void put_on_the_wire(void **state)
{
	struct object_meta meta[] = {{(char[]){"mode"}, (char[]){"33188"}},
				     {(char[]){"mtime"}, (char[]){"1.5"}}};
	struct put_params params = {.content_type = "text/plain", .meta = meta, .n_meta = 2};
	struct bench *b = *state;
	struct object o;

	script_answer(&b->script, 200, NOW_DATE HELLO_ETAG "x-amz-version-id: v7\n", "");
	assert_int_equal(put(b, &params, &o), 0);
	assert_string_equal(sent(b, 0)->method, "PUT");
	assert_string_equal(sent(b, 0)->path, "/hello");
	assert_string_equal(sent(b, 0)->query, "");
	assert_string_equal(buf_str(&sent(b, 0)->body), "hello");
	expect_header(b, 0, "Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==");
	expect_header(b, 0, "Content-Type", "text/plain");
	expect_header(b, 0, "x-amz-meta-mode", "33188");
	expect_header(b, 0, "x-amz-meta-mtime", "1.5");
	expect_header(b, 0, "X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD");
	expect_no_header(b, 0, "If-Match");
	expect_no_header(b, 0, "If-None-Match");
	expect_no_header(b, 0, "x-amz-storage-class");
	assert_int_equal(o.size, 5);
	assert_int_equal(o.mtime_ms, TEST_CLOCK_WALL_MS);
	assert_string_equal(o.etag, "\"" HELLO "\"");
	assert_string_equal(o.version_id, "v7");
	object_deinit(&o);
}

static void put_with_what_an_object_had(void **state)
{
	char *headers[OBJECT_HEADERS] = {[OBJECT_CACHE_CONTROL] = (char[]){"no-cache"},
					 [OBJECT_CONTENT_ENCODING] = (char[]){"gzip"},
					 [OBJECT_EXPIRES] = (char[]){"never"}};
	struct put_params params = {.headers = headers, .storage_class = "GLACIER_IR"};
	struct bench *b = *state;

	script_answer(&b->script, 200, NOW_DATE HELLO_ETAG, "");
	assert_int_equal(put(b, &params, NULL), 0);
	expect_header(b, 0, "Cache-Control", "no-cache");
	expect_header(b, 0, "Content-Encoding", "gzip");
	expect_header(b, 0, "Expires", "never");
	expect_header(b, 0, "x-amz-storage-class", "GLACIER_IR");
	expect_no_header(b, 0, "Content-Type");
	expect_no_header(b, 0, "Content-Disposition");
	expect_no_header(b, 0, "Content-Language");
	expect_no_header(b, 0, "x-amz-website-redirect-location");
	b->conf.storage_class = (char[]){"STANDARD_IA"};
	bench_open(b);
	script_answer(&b->script, 200, NOW_DATE HELLO_ETAG, "");
	assert_int_equal(put(b, &params, NULL), 0);
	expect_header(b, 1, "x-amz-storage-class", "STANDARD_IA");
}

static void put_of_nothing(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "", "");
	assert_int_equal(b->store->put_object(b->store, &b->call, &hello, &plain, "", 0, NULL), 0);
	assert_int_equal(sent(b, 0)->body.len, 0);
	expect_header(b, 0, "Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==");
	expect_header(b, 0, "X-Amz-Content-SHA256",
		      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void put_in_the_clear_signs_the_bytes(void **state)
{
	struct bench *b = *state;

	b->conf.s3_endpoint_url = (char[]){"http://127.0.0.1:8000"};
	bench_open(b);
	script_answer(&b->script, 200, HELLO_ETAG, "");
	assert_int_equal(put(b, &plain, NULL), 0);
	expect_header(b, 0, "X-Amz-Content-SHA256",
		      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
}

static void put_whose_date_is_missing_is_of_now(void **state)
{
	struct bench *b = *state;
	struct object o;

	script_answer(&b->script, 200, HELLO_ETAG, "");
	assert_int_equal(put(b, &plain, &o), 0);
	assert_int_equal(o.mtime_ms, TEST_CLOCK_WALL_MS);
	object_deinit(&o);
}

static void put_that_the_server_has_otherwise(void **state)
{
	struct bench *b = *state;
	struct object o = {.size = 77};

	script_answer(&b->script, 200, S3_ID "ETag: \"5d41402abc4b2a76b9719d911017c593\"\n", "");
	assert_int_equal(put(b, &plain, &o), -EIO);
	assert_int_equal(o.size, 77);
	expect_last_line("error: PutObject of bucket/hello: WrongETag: the server has other bytes "
			 "than were sent (ETag \"5d41402abc4b2a76b9719d911017c593\") (HTTP 200, "
			 "request id id1)");
}

static void put_whose_etag_is_no_md5(void **state)
{
	static const char *const headers[] = {
	    "",
	    "ETag: \"5d41402abc4b2a76b9719d911017c593-1\"\n",
	    "ETag: \"5d41402abc4b2a76b9719d911017c59g\"\n",
	    "ETag: x\n",
	    "ETag: \"5d41402abc4b2a76b9719d911017c593\"\nx-amz-server-side-encryption: aws:kms\n",
	    "ETag: \"5d41402abc4b2a76b9719d911017c593\"\n"
	    "x-amz-server-side-encryption: aws:kms:dsse\n",
	    "ETag: \"5d41402abc4b2a76b9719d911017c593\"\n"
	    "x-amz-server-side-encryption-customer-algorithm: AES256\n",
	    "ETag: 5D41402ABC4B2A76B9719D911017C592\nx-amz-server-side-encryption: AES256\n",
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		script_answer(&b->script, 200, headers[i], "");
		assert_int_equal(put(b, &plain, NULL), 0);
	}
	script_answer(&b->script, 200,
		      "ETag: \"5d41402abc4b2a76b9719d911017c593\"\n"
		      "x-amz-server-side-encryption: AES256\n",
		      "");
	assert_int_equal(put(b, &plain, NULL), -EIO);
}

static void put_with_options(void **state)
{
	struct bench *b = *state;
	struct object o;

	b->conf.storage_class = (char[]){"STANDARD_IA"};
	b->conf.sse = (char[]){"aws:kms"};
	b->conf.sse_kms_key_id = (char[]){"alias/k"};
	b->conf.requester_pays = true;
	b->conf.expected_bucket_owner = (char[]){"222222222222"};
	bench_open(b);
	script_answer(&b->script, 200, "ETag: \"e\"\nx-amz-server-side-encryption: aws:kms\n", "");
	assert_int_equal(put(b, &plain, &o), 0);
	expect_header(b, 0, "x-amz-storage-class", "STANDARD_IA");
	expect_header(b, 0, "x-amz-server-side-encryption", "aws:kms");
	expect_header(b, 0, "x-amz-server-side-encryption-aws-kms-key-id", "alias/k");
	expect_header(b, 0, "x-amz-request-payer", "requester");
	expect_header(b, 0, "x-amz-expected-bucket-owner", "222222222222");
	assert_string_equal(o.encryption, "aws:kms");
	object_deinit(&o);
	script_answer(&b->script, 200, "Content-Length: 5\n", "");
	assert_int_equal(head_key(b, "k", &o), 0);
	expect_header(b, 1, "x-amz-request-payer", "requester");
	expect_header(b, 1, "x-amz-expected-bucket-owner", "222222222222");
	expect_no_header(b, 1, "x-amz-storage-class");
	expect_no_header(b, 1, "x-amz-server-side-encryption");
}

static void options_are_not_for_buckets_that_are_made(void **state)
{
	struct bench *b = *state;

	b->conf.requester_pays = true;
	b->conf.expected_bucket_owner = (char[]){"222222222222"};
	bench_open(b);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(create(b, "new-bucket"), 0);
	expect_no_header(b, 0, "x-amz-request-payer");
	expect_no_header(b, 0, "x-amz-expected-bucket-owner");
}

static void put_that_is_not_encrypted_as_it_should(void **state)
{
	struct bench *b = *state;

	b->conf.sse = (char[]){"AES256"};
	bench_open(b);
	script_answer(&b->script, 200, HELLO_ETAG, "");
	assert_int_equal(put(b, &plain, NULL), -EIO);
	expect_last_line("error: PutObject of bucket/hello: WrongEncryption: it is encrypted with "
			 "nothing, not with AES256 (HTTP 200)");
	script_answer(&b->script, 200, "x-amz-server-side-encryption: aws:kms\n", "");
	assert_int_equal(put(b, &plain, NULL), -EIO);
	script_answer(&b->script, 200, HELLO_ETAG "x-amz-server-side-encryption: AES256\n", "");
	assert_int_equal(put(b, &plain, NULL), 0);
}

static void put_with_metadata_that_is_no_header(void **state)
{
	struct object_meta meta = {(char[]){"a b"}, (char[]){"x"}};
	struct put_params params = {.meta = &meta, .n_meta = 1};
	struct bench *b = *state;

	assert_int_equal(put(b, &params, NULL), -EINVAL);
	meta = (struct object_meta){(char[]){"a"}, (char[]){"x\r\nb: y"}};
	assert_int_equal(put(b, &params, NULL), -EINVAL);
	assert_int_equal(script_count(&b->script), 0);
}

/* ---- conditions ---- */

static void conditions_that_do_not_hold(void **state)
{
	static const struct put_params exclusive = {.if_none_match = true};
	static const struct put_params guarded = {.if_match = "\"e\""};
	struct bench *b = *state;

	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(put(b, &exclusive, NULL), -EEXIST);
	expect_header(b, 0, "If-None-Match", "*");
	assert_int_equal(log_lines_count(""), 0);
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(put(b, &guarded, NULL), -ESTALE);
	expect_header(b, 1, "If-Match", "\"e\"");
	script_answer(&b->script, 404, "", ERROR("NoSuchKey"));
	assert_int_equal(put(b, &guarded, NULL), -ESTALE);
	script_answer(&b->script, 404, "", ERROR("NoSuchBucket"));
	assert_int_equal(put(b, &guarded, NULL), -ENOENT);
}

static void conflict_of_conditions_is_tried_again(void **state)
{
	static const struct put_params exclusive = {.if_none_match = true};
	struct bench *b = *state;

	script_answer(&b->script, 409, "", ERROR("ConditionalRequestConflict"));
	script_answer(&b->script, 200, HELLO_ETAG, "");
	assert_int_equal(put(b, &exclusive, NULL), 0);
	script_answer(&b->script, 409, "", ERROR("ConditionalRequestConflict"));
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(put(b, &exclusive, NULL), -EEXIST);
	assert_int_equal(script_count(&b->script), 4);
}

/* The put whose answer is lost, then refused; then what HEAD says. */
static int put_again(struct bench *b, int status, const char *headers, struct object *ret_object)
{
	static const struct put_params exclusive = {.if_none_match = true};

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	script_answer(&b->script, status, headers, "");
	return put(b, &exclusive, ret_object);
}

static void put_whose_answer_was_lost(void **state)
{
	struct bench *b = *state;
	struct object o;

	assert_int_equal(put_again(b, 200, HELLO_ETAG NOW "Content-Length: 5\n", &o), 0);
	assert_string_equal(sent(b, 2)->method, "HEAD");
	assert_string_equal(sent(b, 2)->path, "/hello");
	assert_int_equal(o.size, 5);
	assert_int_equal(o.mtime_ms, TEST_CLOCK_WALL_MS);
	assert_string_equal(o.etag, "\"" HELLO "\"");
	assert_int_equal(log_lines_count(""), 0);
	object_deinit(&o);
}

static void put_whose_answer_was_lost_and_is_anothers(void **state)
{
	struct bench *b = *state;

	assert_int_equal(put_again(b, 200, NOW "Content-Length: 5\nETag: \"x\"\n", NULL), -EEXIST);
	assert_int_equal(put_again(b, 200, NOW "Content-Length: 6\n" HELLO_ETAG, NULL), -EEXIST);
	assert_int_equal(put_again(b, 200, BEFORE "Content-Length: 5\n" HELLO_ETAG, NULL), -EEXIST);
	assert_int_equal(put_again(b, 200, "Content-Length: 5\n" HELLO_ETAG, NULL), -EEXIST);
	assert_int_equal(put_again(b, 403, "", NULL), -EEXIST);
	assert_int_equal(script_left(&b->script), 0);
}

static void put_that_was_not_sent_at_first(void **state)
{
	static const struct put_params exclusive = {.if_none_match = true};
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_CONNECT, ECONNREFUSED);
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(put(b, &exclusive, NULL), -EEXIST);
	assert_int_equal(script_count(&b->script), 2);
}

static void put_over_what_it_had_written_itself(void **state)
{
	static const struct put_params guarded = {.if_match = "\"e\""};
	struct bench *b = *state;

	script_answer(&b->script, 503, "", ERROR("SlowDown"));
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	script_answer(&b->script, 200, NOW HELLO_ETAG "Content-Length: 5\n", "");
	assert_int_equal(put(b, &guarded, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    bench_test(keys_go_out_byte_by_byte),
	    bench_test(keys_stand_behind_the_bucket_in_a_path),
	    bench_test(keys_that_are_none_are_not_sent),
	    bench_test(head_tells_all_of_the_object),
	    bench_test(head_of_what_tells_little),
	    bench_test(head_without_a_size_is_no_answer),
	    bench_test(head_of_nothing_is_not_worth_a_line),
	    bench_test(failures_name_the_key_in_one_line),
	    bench_test(failures_are_told_behind_the_longest_key),
	    bench_test(put_on_the_wire),
	    bench_test(put_with_what_an_object_had),
	    bench_test(put_of_nothing),
	    bench_test(put_in_the_clear_signs_the_bytes),
	    bench_test(put_whose_date_is_missing_is_of_now),
	    bench_test(put_that_the_server_has_otherwise),
	    bench_test(put_whose_etag_is_no_md5),
	    bench_test(put_with_options),
	    bench_test(options_are_not_for_buckets_that_are_made),
	    bench_test(put_that_is_not_encrypted_as_it_should),
	    bench_test(put_with_metadata_that_is_no_header),
	    bench_test(conditions_that_do_not_hold),
	    bench_test(conflict_of_conditions_is_tried_again),
	    bench_test(put_whose_answer_was_lost),
	    bench_test(put_whose_answer_was_lost_and_is_anothers),
	    bench_test(put_that_was_not_sent_at_first),
	    bench_test(put_over_what_it_had_written_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
