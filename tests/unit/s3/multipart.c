/* Multipart uploads: requests, answers, and completions whose answer was lost. */
#include "bench.h"

#define BEGUN                                                                                      \
	"<InitiateMultipartUploadResult" S3_NS "><Bucket>b</Bucket><Key>k</Key><UploadId>up/1+"    \
	"</UploadId></InitiateMultipartUploadResult>"
#define COMPLETED                                                                                  \
	"<CompleteMultipartUploadResult" S3_NS "><Location>l</Location><ETag>&quot;all-2&quot;"    \
	"</ETag></CompleteMultipartUploadResult>"
#define HELLO "\"5d41402abc4b2a76b9719d911017c592\""
#define WORLD "\"7d793037a0760186574b0282f2f435e7\""
/* The MD5 of the MD5s of HELLO and WORLD. */
#define BOTH "\"065947336a2f2a95ba8899f3675c3be6-2\""

static const struct object_id id = {"bucket", "k"};
static const struct put_params plain;
static const char *const parts[] = {HELLO, WORLD};

static int begin(struct bench *b, const struct put_params *params, char **ret_id)
{
	return b->store->create_upload(b->store, &b->call, &id, params, ret_id);
}

static int part(struct bench *b, char **ret_etag)
{
	return b->store->upload_part(b->store, &b->call, &id, "up/1+", 3, "hello", 5, ret_etag);
}

static int complete(struct bench *b, const struct put_params *params, struct object *ret_object)
{
	return b->store->complete_upload(b->store, &b->call, &id, "up/1+", params, parts, 2,
					 ret_object);
}

static void begin_on_the_wire(void **state)
{
	struct object_meta meta = {(char[]){"mode"}, (char[]){"33188"}};
	char *headers[OBJECT_HEADERS] = {[OBJECT_CONTENT_LANGUAGE] = (char[]){"de"}};
	struct put_params params = {.content_type = "a/b",
				    .headers = headers,
				    .storage_class = "ONEZONE_IA",
				    .meta = &meta,
				    .n_meta = 1,
				    .if_none_match = true};
	struct bench *b = *state;
	char *upload_id;

	script_answer(&b->script, 200, "", BEGUN);
	assert_int_equal(begin(b, &params, &upload_id), 0);
	assert_string_equal(upload_id, "up/1+");
	free(upload_id);
	assert_string_equal(sent(b, 0)->method, "POST");
	assert_string_equal(sent(b, 0)->path, "/k");
	assert_string_equal(sent(b, 0)->query, "uploads=");
	assert_int_equal(sent(b, 0)->body.len, 0);
	expect_header(b, 0, "Content-Type", "a/b");
	expect_header(b, 0, "Content-Language", "de");
	expect_header(b, 0, "x-amz-storage-class", "ONEZONE_IA");
	expect_header(b, 0, "x-amz-meta-mode", "33188");
	assert_null(http_headers_get(&sent(b, 0)->headers, "If-None-Match"));
}

static void begin_with_options(void **state)
{
	struct bench *b = *state;
	char *upload_id;

	b->conf.storage_class = (char[]){"STANDARD_IA"};
	b->conf.sse = (char[]){"AES256"};
	bench_open(b);
	script_answer(&b->script, 200, "x-amz-server-side-encryption: AES256\n", BEGUN);
	assert_int_equal(begin(b, &plain, &upload_id), 0);
	free(upload_id);
	expect_header(b, 0, "x-amz-storage-class", "STANDARD_IA");
	expect_header(b, 0, "x-amz-server-side-encryption", "AES256");
	script_answer(&b->script, 200, "", BEGUN);
	assert_int_equal(begin(b, &plain, &upload_id), -EIO);
}

static void begin_answers_that_make_no_sense(void **state)
{
	static const char *const bodies[] = {
	    "", "<html/>", "<InitiateMultipartUploadResult/>",
	    "<InitiateMultipartUploadResult><UploadId/></InitiateMultipartUploadResult>"};
	struct bench *b = *state;
	char *upload_id = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		script_answer(&b->script, 200, "", bodies[i]);
		assert_int_equal(begin(b, &plain, &upload_id), -EIO);
	}
	assert_null(upload_id);
}

static void part_on_the_wire(void **state)
{
	struct bench *b = *state;
	char *etag;

	script_answer(&b->script, 200, "ETag: " HELLO "\n", "");
	assert_int_equal(part(b, &etag), 0);
	assert_string_equal(etag, HELLO);
	free(etag);
	assert_string_equal(sent(b, 0)->method, "PUT");
	assert_string_equal(sent(b, 0)->path, "/k");
	assert_string_equal(sent(b, 0)->query, "partNumber=3&uploadId=up%2F1%2B");
	assert_string_equal(buf_str(&sent(b, 0)->body), "hello");
	expect_header(b, 0, "Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==");
	expect_header(b, 0, "X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD");
}

static void part_that_the_server_has_otherwise(void **state)
{
	struct bench *b = *state;
	char *etag = NULL;

	script_answer(&b->script, 200, "ETag: " WORLD "\n", "");
	assert_int_equal(part(b, &etag), -EIO);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(part(b, &etag), -EIO);
	assert_null(etag);
	script_answer(&b->script, 200, "ETag: " WORLD "\nx-amz-server-side-encryption: aws:kms\n",
		      "");
	assert_int_equal(part(b, &etag), 0);
	free(etag);
	script_answer(&b->script, 404, "", ERROR("NoSuchUpload"));
	assert_int_equal(part(b, &etag), -ESTALE);
}

static void part_goes_out_again_whole(void **state)
{
	struct bench *b = *state;
	char *etag;

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_answer(&b->script, 200, "ETag: " HELLO "\n", "");
	assert_int_equal(part(b, &etag), 0);
	free(etag);
	assert_string_equal(buf_str(&sent(b, 1)->body), "hello");
}

static void complete_on_the_wire(void **state)
{
	struct bench *b = *state;
	struct object o;

	script_answer(&b->script, 200,
		      "Date: Mon, 23 Nov 2026 12:00:00 GMT\nx-amz-version-id: v3\n"
		      "x-amz-server-side-encryption: AES256\n",
		      COMPLETED);
	assert_int_equal(complete(b, &plain, &o), 0);
	assert_string_equal(sent(b, 0)->method, "POST");
	assert_string_equal(sent(b, 0)->query, "uploadId=up%2F1%2B");
	assert_string_equal(
	    buf_str(&sent(b, 0)->body),
	    "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
	    "<Part><PartNumber>1</PartNumber><ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;"
	    "</ETag></Part><Part><PartNumber>2</PartNumber><ETag>&quot;"
	    "7d793037a0760186574b0282f2f435e7&quot;</ETag></Part></CompleteMultipartUpload>");
	assert_string_equal(o.etag, "\"all-2\"");
	assert_string_equal(o.version_id, "v3");
	assert_string_equal(o.encryption, "AES256");
	assert_int_equal(o.mtime_ms, TEST_CLOCK_WALL_MS);
	object_deinit(&o);
}

/* What S3 sends to keep the connection, while it works. */
static void complete_behind_blanks(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "", " \n\t \r\n<?xml version=\"1.0\"?>\n  \n" COMPLETED);
	assert_int_equal(complete(b, &plain, NULL), 0);
	script_answer(&b->script, 200, "", "   \n" ERROR("InternalError"));
	script_answer(&b->script, 200, "", "<?xml version=\"1.0\"?>\n\n   " COMPLETED);
	assert_int_equal(complete(b, &plain, NULL), 0);
	script_answer(&b->script, 200, "", "   \n" ERROR("AccessDenied"));
	assert_int_equal(complete(b, &plain, NULL), -EACCES);
}

static void complete_under_conditions(void **state)
{
	static const struct put_params exclusive = {.if_none_match = true};
	static const struct put_params guarded = {.if_match = "\"e\""};
	struct bench *b = *state;

	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(complete(b, &exclusive, NULL), -EEXIST);
	expect_header(b, 0, "If-None-Match", "*");
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(complete(b, &guarded, NULL), -ESTALE);
	expect_header(b, 1, "If-Match", "\"e\"");
	script_answer(&b->script, 404, "", ERROR("NoSuchKey"));
	assert_int_equal(complete(b, &guarded, NULL), -ESTALE);
	assert_int_equal(script_count(&b->script), 3);
}

/* Lost, then answered so, then what HEAD says. */
static int complete_again(struct bench *b, int status, const char *body, const char *headers)
{
	struct object o;
	int r;

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_answer(&b->script, status, "", body);
	script_answer(&b->script, 200, headers, "");
	r = complete(b, &(struct put_params){.if_none_match = true}, &o);
	if (r == 0) {
		assert_int_equal(o.size, 10);
		assert_string_equal(o.etag, BOTH);
		object_deinit(&o);
	}
	return r;
}

static void complete_whose_answer_was_lost(void **state)
{
	static const struct {
		int status;
		const char *body;
		int otherwise;
	} rows[] = {
	    {404, ERROR("NoSuchUpload"), -ESTALE},
	    {412, ERROR("PreconditionFailed"), -EEXIST},
	    {400, ERROR("InvalidPart"), -EIO},
	    {200, "", -EIO},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(complete_again(b, rows[i].status, rows[i].body,
						"Content-Length: 10\nETag: " BOTH "\n"),
				 0);
		assert_int_equal(complete_again(b, rows[i].status, rows[i].body,
						"Content-Length: 10\nETag: \"x-2\"\n"),
				 rows[i].otherwise);
	}
	assert_int_equal(script_left(&b->script), 0);
}

static void complete_of_an_upload_that_others_ended(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 404, "", ERROR("NoSuchUpload"));
	assert_int_equal(complete(b, &plain, NULL), -ESTALE);
	assert_int_equal(script_count(&b->script), 1);
}

static void complete_of_parts_whose_etags_tell_nothing(void **state)
{
	static const char *const strange[] = {HELLO, "\"kms\""};
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_answer(&b->script, 404, "", ERROR("NoSuchUpload"));
	assert_int_equal(
	    b->store->complete_upload(b->store, &b->call, &id, "u", &plain, strange, 2, NULL),
	    -ESTALE);
	assert_int_equal(script_count(&b->script), 2);
}

static void abort_on_the_wire(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 204, "", "");
	assert_int_equal(b->store->abort_upload(b->store, &b->call, &id, "up/1+"), 0);
	assert_string_equal(sent(b, 0)->method, "DELETE");
	assert_string_equal(sent(b, 0)->path, "/k");
	assert_string_equal(sent(b, 0)->query, "uploadId=up%2F1%2B");
	script_answer(&b->script, 404, "", ERROR("NoSuchUpload"));
	assert_int_equal(b->store->abort_upload(b->store, &b->call, &id, "up/1+"), 0);
	script_answer(&b->script, 404, "", ERROR("NoSuchBucket"));
	assert_int_equal(b->store->abort_upload(b->store, &b->call, &id, "up/1+"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    bench_test(begin_on_the_wire),
	    bench_test(begin_with_options),
	    bench_test(begin_answers_that_make_no_sense),
	    bench_test(part_on_the_wire),
	    bench_test(part_that_the_server_has_otherwise),
	    bench_test(part_goes_out_again_whole),
	    bench_test(complete_on_the_wire),
	    bench_test(complete_behind_blanks),
	    bench_test(complete_under_conditions),
	    bench_test(complete_whose_answer_was_lost),
	    bench_test(complete_of_an_upload_that_others_ended),
	    bench_test(complete_of_parts_whose_etags_tell_nothing),
	    bench_test(abort_on_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
