/* CopyObject, UploadPartCopy: requests and answers. */
#include "bench.h"

#define COPIED(root)                                                                               \
	"<" root S3_NS "><LastModified>2026-11-23T12:00:01.000Z</LastModified>"                    \
	"<ETag>&quot;e2&quot;</ETag></" root ">"
#define COPY_RESULT COPIED("CopyObjectResult")
#define PART_RESULT COPIED("CopyPartResult")

static const struct object_id source = {"from-bucket", "a b/+%\xc3\xa9"};
static const struct object_id target = {"bucket", "t"};

static int copy(struct bench *b, const struct copy_params *params, struct object *ret_object)
{
	return b->store->copy_object(b->store, &b->call, &source, &target, params, ret_object);
}

static int copy_part(struct bench *b, const char *source_etag, char **ret_etag)
{
	return b->store->copy_part(b->store, &b->call, &target, "up/1", 7, &source, source_etag, 10,
				   20, ret_etag);
}

static void expect_no_header(struct bench *b, size_t i, const char *name)
{
	assert_null(http_headers_get(&sent(b, i)->headers, name));
}

static void copy_on_the_wire(void **state)
{
	static const struct copy_params params;
	struct bench *b = *state;
	struct object o;

	script_answer(&b->script, 200, "x-amz-version-id: v2\n", COPY_RESULT);
	assert_int_equal(copy(b, &params, &o), 0);
	assert_string_equal(sent(b, 0)->method, "PUT");
	assert_string_equal(sent(b, 0)->authority, "bucket.s3.eu-west-1.amazonaws.com");
	assert_string_equal(sent(b, 0)->path, "/t");
	assert_int_equal(sent(b, 0)->body.len, 0);
	expect_header(b, 0, "x-amz-copy-source", "/from-bucket/a%20b/%2B%25%C3%A9");
	expect_no_header(b, 0, "x-amz-copy-source-if-match");
	expect_no_header(b, 0, "x-amz-metadata-directive");
	assert_string_equal(o.etag, "\"e2\"");
	assert_string_equal(o.version_id, "v2");
	assert_int_equal(o.mtime_ms, TEST_CLOCK_WALL_MS + 1000);
	object_deinit(&o);
}

static void copy_that_replaces_what_is_told(void **state)
{
	struct object_meta meta = {(char[]){"mtime"}, (char[]){"1"}};
	char *headers[OBJECT_HEADERS] = {[OBJECT_WEBSITE_REDIRECT] = (char[]){"/b"}};
	struct put_params replace = {.content_type = "a/b",
				     .headers = headers,
				     .storage_class = "ONEZONE_IA",
				     .meta = &meta,
				     .n_meta = 1,
				     .if_match = "\"unused\"",
				     .if_none_match = true};
	struct copy_params params = {.if_match = "\"e1\"", .replace = &replace};
	struct bench *b = *state;

	script_answer(&b->script, 200, "", COPY_RESULT);
	assert_int_equal(copy(b, &params, NULL), 0);
	expect_header(b, 0, "x-amz-copy-source-if-match", "\"e1\"");
	expect_header(b, 0, "x-amz-metadata-directive", "REPLACE");
	expect_header(b, 0, "Content-Type", "a/b");
	expect_header(b, 0, "x-amz-meta-mtime", "1");
	expect_header(b, 0, "x-amz-website-redirect-location", "/b");
	expect_header(b, 0, "x-amz-storage-class", "ONEZONE_IA");
	expect_no_header(b, 0, "If-Match");
	expect_no_header(b, 0, "If-None-Match");
}

static void copy_of_a_class(void **state)
{
	static const struct copy_params params = {.storage_class = "GLACIER_IR"};
	struct bench *b = *state;

	script_answer(&b->script, 200, "", COPY_RESULT);
	assert_int_equal(copy(b, &params, NULL), 0);
	expect_header(b, 0, "x-amz-storage-class", "GLACIER_IR");
	expect_no_header(b, 0, "x-amz-metadata-directive");
}

static void copy_with_options(void **state)
{
	static const struct copy_params params = {.storage_class = "GLACIER_IR"};
	struct bench *b = *state;

	b->conf.storage_class = (char[]){"STANDARD_IA"};
	b->conf.sse = (char[]){"AES256"};
	b->conf.requester_pays = true;
	b->conf.expected_bucket_owner = (char[]){"222222222222"};
	bench_open(b);
	script_answer(&b->script, 200, "x-amz-server-side-encryption: AES256\n", COPY_RESULT);
	assert_int_equal(copy(b, &params, NULL), 0);
	expect_header(b, 0, "x-amz-storage-class", "STANDARD_IA");
	expect_header(b, 0, "x-amz-server-side-encryption", "AES256");
	expect_header(b, 0, "x-amz-request-payer", "requester");
	expect_header(b, 0, "x-amz-expected-bucket-owner", "222222222222");
	expect_header(b, 0, "x-amz-source-expected-bucket-owner", "222222222222");
	script_answer(&b->script, 200, "", COPY_RESULT);
	assert_int_equal(copy(b, &params, NULL), -EIO);
}

static void copy_goes_to_the_targets_region(void **state)
{
	static const struct copy_params params;
	struct bench *b = *state;

	script_answer(&b->script, 200, "x-amz-bucket-region: us-west-1\n", "");
	assert_int_equal(head(b, "from-bucket"), 0);
	script_answer(&b->script, 200, "x-amz-bucket-region: ap-south-1\n", "");
	assert_int_equal(head(b, "bucket"), 0);
	script_answer(&b->script, 200, "", COPY_RESULT);
	assert_int_equal(copy(b, &params, NULL), 0);
	expect_scope(b, 2, "ASIA1", "ap-south-1");
	assert_string_equal(sent(b, 2)->authority, "bucket.s3.ap-south-1.amazonaws.com");
	expect_region(b, "from-bucket", "us-west-1");
}

/* The status is sent before the copy is made (Amazon S3 API Reference, CopyObject). */
static void copy_that_fails_behind_its_200(void **state)
{
	static const struct copy_params params;
	struct bench *b = *state;

	script_answer(&b->script, 200, "", ERROR("InternalError"));
	script_answer(&b->script, 200, "", ERROR("SlowDown"));
	script_answer(&b->script, 200, "", COPY_RESULT);
	assert_int_equal(copy(b, &params, NULL), 0);
	assert_int_equal(script_count(&b->script), 3);
	script_answer(&b->script, 200, "", ERROR("AccessDenied"));
	assert_int_equal(copy(b, &params, NULL), -EACCES);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(copy(b, &params, NULL), -EIO);
	script_answer(&b->script, 200, "", "<CopyObjectResult/>");
	assert_int_equal(copy(b, &params, NULL), -EIO);
}

static void copy_of_another_object(void **state)
{
	static const struct copy_params params = {.if_match = "\"e1\""};
	struct bench *b = *state;

	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(copy(b, &params, NULL), -ESTALE);
	script_answer(&b->script, 404, "", ERROR("NoSuchKey"));
	assert_int_equal(copy(b, &params, NULL), -ENOENT);
}

static void copy_of_the_bucket_itself_is_not_sent(void **state)
{
	static const struct object_id empty = {"bucket", ""};
	static const struct copy_params params;
	struct bench *b = *state;

	assert_int_equal(b->store->copy_object(b->store, &b->call, &empty, &target, &params, NULL),
			 -EINVAL);
	assert_int_equal(b->store->copy_object(b->store, &b->call, &target, &empty, &params, NULL),
			 -EINVAL);
	assert_int_equal(script_count(&b->script), 0);
}

/* ---- UploadPartCopy ---- */

static void part_on_the_wire(void **state)
{
	struct bench *b = *state;
	char *etag;

	script_answer(&b->script, 200, "", PART_RESULT);
	assert_int_equal(copy_part(b, "\"e1\"", &etag), 0);
	assert_string_equal(sent(b, 0)->method, "PUT");
	assert_string_equal(sent(b, 0)->path, "/t");
	assert_string_equal(sent(b, 0)->query, "partNumber=7&uploadId=up%2F1");
	expect_header(b, 0, "x-amz-copy-source", "/from-bucket/a%20b/%2B%25%C3%A9");
	expect_header(b, 0, "x-amz-copy-source-range", "bytes=10-29");
	expect_header(b, 0, "x-amz-copy-source-if-match", "\"e1\"");
	assert_string_equal(etag, "\"e2\"");
	assert_int_equal(script_count(&b->script), 1);
	free(etag);
}

static void part_that_fails_behind_its_200(void **state)
{
	struct bench *b = *state;
	char *etag;

	script_answer(&b->script, 200, "", ERROR("InternalError"));
	script_answer(&b->script, 200, "", "  \n" PART_RESULT);
	assert_int_equal(copy_part(b, NULL, &etag), 0);
	free(etag);
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(copy_part(b, "\"e1\"", &etag), -ESTALE);
	script_answer(&b->script, 416, "", ERROR("InvalidRange"));
	assert_int_equal(copy_part(b, "\"e1\"", &etag), -ERANGE);
	script_answer(&b->script, 200, "", COPY_RESULT);
	assert_int_equal(copy_part(b, "\"e1\"", &etag), -EIO);
}

/* radosgw copies what is there, whatever its ETag. */
static void part_of_a_source_that_is_another_by_now(void **state)
{
	struct bench *b = *state;
	char *etag;

	b->conf.s3_endpoint_url = (char[]){"https://s3.example"};
	bench_open(b);
	script_answer(&b->script, 200, "", PART_RESULT);
	script_answer(&b->script, 200, "Content-Length: 1\nETag: \"e1\"\n", "");
	assert_int_equal(copy_part(b, "\"e1\"", &etag), 0);
	free(etag);
	assert_string_equal(sent(b, 1)->method, "HEAD");
	assert_string_equal(sent(b, 1)->path, "/from-bucket/a%20b/%2B%25%C3%A9");
	script_answer(&b->script, 200, "", PART_RESULT);
	script_answer(&b->script, 200, "Content-Length: 1\nETag: \"e3\"\n", "");
	assert_int_equal(copy_part(b, "\"e1\"", &etag), -ESTALE);
	script_answer(&b->script, 200, "", PART_RESULT);
	assert_int_equal(copy_part(b, NULL, &etag), 0);
	free(etag);
	assert_int_equal(script_count(&b->script), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    bench_test(copy_on_the_wire),
	    bench_test(copy_that_replaces_what_is_told),
	    bench_test(copy_of_a_class),
	    bench_test(copy_with_options),
	    bench_test(copy_goes_to_the_targets_region),
	    bench_test(copy_that_fails_behind_its_200),
	    bench_test(copy_of_another_object),
	    bench_test(copy_of_the_bucket_itself_is_not_sent),
	    bench_test(part_on_the_wire),
	    bench_test(part_that_fails_behind_its_200),
	    bench_test(part_of_a_source_that_is_another_by_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
