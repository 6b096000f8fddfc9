/* What the store counts of its requests, and the multipart uploads that it began. */
#include "bench.h"

#define ETAG "ETag: \"5d41402abc4b2a76b9719d911017c592\"\n" /* of "hello" */
#define BEGUN                                                                                      \
	"<InitiateMultipartUploadResult" S3_NS                                                     \
	"><UploadId>%s</UploadId></InitiateMultipartUploadResult>"
#define COMPLETED                                                                                  \
	"<CompleteMultipartUploadResult" S3_NS "><ETag>&quot;all-2&quot;</ETag>"                   \
	"</CompleteMultipartUploadResult>"

static const struct object_id id = {"bucket", "k"};
static const char *const parts[] = {"\"1\"", "\"2\""};

static struct s3_operation_stats stats_of(struct bench *b, const char *operation)
{
	struct s3_stats stats;

	s3_get_stats(b->store, &stats);
	for (size_t i = 0; i < S3_OPERATIONS; i++)
		if (!strcmp(stats.operations[i].name, operation))
			return stats.operations[i];
	fail_msg("there is no %s", operation);
	return stats.operations[0];
}

static void expect_requests(struct bench *b, const char *operation, enum s3_outcome outcome,
			    uint64_t n)
{
	assert_int_equal(stats_of(b, operation).requests[outcome], n);
}

static uint64_t all_requests(struct bench *b)
{
	struct s3_stats stats;
	uint64_t n = 0;

	s3_get_stats(b->store, &stats);
	for (size_t i = 0; i < S3_OPERATIONS; i++)
		for (size_t j = 0; j < S3_OUTCOMES; j++)
			n += stats.operations[i].requests[j];
	return n;
}

/* ---- requests ---- */

static void nothing_was_sent_yet(void **state)
{
	struct bench *b = *state;

	assert_int_equal(all_requests(b), 0);
}

static void an_answer_counts_for_its_operation(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, "some"), 0);
	script_answer(&b->script, 404, "", "");
	assert_int_equal(head(b, "none"), -ENOENT);
	script_answer(&b->script, 204, "", "");
	assert_int_equal(remove_bucket(b, "some"), 0);
	expect_requests(b, "HeadBucket", S3_2XX, 1);
	expect_requests(b, "HeadBucket", S3_4XX, 1);
	expect_requests(b, "DeleteBucket", S3_2XX, 1);
	assert_int_equal(all_requests(b), 3);
	assert_int_equal(stats_of(b, "HeadBucket").retries, 0);
}

static void each_attempt_counts(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 503, "", ERROR("SlowDown"));
	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_answer(&b->script, 204, "", "");
	assert_int_equal(remove_bucket(b, "some"), 0);
	expect_requests(b, "DeleteBucket", S3_5XX, 1);
	expect_requests(b, "DeleteBucket", S3_NO_ANSWER, 1);
	expect_requests(b, "DeleteBucket", S3_2XX, 1);
	assert_int_equal(stats_of(b, "DeleteBucket").retries, 2);
	assert_int_equal(stats_of(b, "DeleteBucket").throttled, 1);
}

static void what_is_mended_counts(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 301, "x-amz-bucket-region: us-west-2\n", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, "far"), 0);
	expect_requests(b, "HeadBucket", S3_3XX, 1);
	expect_requests(b, "HeadBucket", S3_2XX, 1);
}

static void bytes_of_bodies_count(void **state)
{
	struct bench *b = *state;
	struct put_params params = {0};

	script_answer(&b->script, 200, ETAG, "");
	assert_int_equal(b->store->put_object(b->store, &b->call, &id, &params, "hello", 5, NULL),
			 0);
	assert_int_equal(stats_of(b, "PutObject").sent_bytes, 5);
	assert_int_equal(stats_of(b, "PutObject").received_bytes, 0);
	script_answer(&b->script, 403, "", ERROR("AccessDenied"));
	assert_int_equal(b->store->put_object(b->store, &b->call, &id, &params, "hello", 5, NULL),
			 -EACCES);
	assert_int_equal(stats_of(b, "PutObject").sent_bytes, 10);
	assert_int_equal(stats_of(b, "PutObject").received_bytes, strlen(ERROR("AccessDenied")));
}

static int take_all(void *data, const void *bytes, size_t n)
{
	(void)data;
	(void)bytes;
	(void)n;
	return 0;
}

static void bytes_that_came_before_a_break_count(void **state)
{
	struct bench *b = *state;
	struct get_params params = {.len = 20, .sink = take_all};

	script_cut_bytes(&b->script, 206, "ETag: \"e1\"\nContent-Range: bytes 0-19/20\n",
			 "01234567", 8);
	script_answer(&b->script, 206, "ETag: \"e1\"\nContent-Range: bytes 8-19/20\n",
		      "89abcdefghij");
	assert_int_equal(b->store->get_object(b->store, &b->call, &id, &params, NULL), 0);
	assert_int_equal(stats_of(b, "GetObject").received_bytes, 20);
	expect_requests(b, "GetObject", S3_NO_ANSWER, 1);
	expect_requests(b, "GetObject", S3_2XX, 1);
}

/* ---- while it is under way ---- */

static int slow_answer(void *data, struct call *call, const struct http_request *request,
		       struct http_response *ret_response)
{
	struct bench *b = data;
	struct s3_stats stats;

	(void)call;
	(void)request;
	s3_get_stats(b->store, &stats);
	assert_int_equal(stats.in_flight, 1);
	test_clock_advance(&b->clock, 250);
	return script_respond(ret_response, 500, "", "");
}

/* The pauses between the attempts, over which the clock jumps, are no part of it. */
static void time_of_all_attempts(void **state)
{
	struct bench *b = *state;
	struct s3_stats stats;

	script_callback(&b->script, slow_answer, b);
	assert_int_equal(head(b, "some"), -EIO);
	expect_requests(b, "HeadBucket", S3_5XX, 3);
	assert_int_equal(stats_of(b, "HeadBucket").ms, 3 * 250);
	s3_get_stats(b->store, &stats);
	assert_int_equal(stats.in_flight, 0);
}

/* ---- multipart uploads ---- */

static void begin(struct bench *b, const char *upload_id)
{
	char body[400], *ret_id;

	snprintf(body, sizeof(body), BEGUN, upload_id);
	script_answer(&b->script, 200, "", body);
	assert_int_equal(
	    b->store->create_upload(b->store, &b->call, &id, &(struct put_params){0}, &ret_id), 0);
	free(ret_id);
}

static int complete(struct bench *b, const char *upload_id)
{
	return b->store->complete_upload(b->store, &b->call, &id, upload_id,
					 &(struct put_params){0}, parts, 2, NULL);
}

static int abort_one(struct bench *b, const char *upload_id)
{
	return b->store->abort_upload(b->store, &b->call, &id, upload_id);
}

/* Their ids, each followed by a space. */
static void expect_begun(struct bench *b, const char *ids)
{
	struct s3_begun_list list;
	char text[200] = "";

	assert_int_equal(s3_list_begun(b->store, &list), 0);
	for (size_t i = 0; i < list.n; i++) {
		assert_string_equal(list.v[i].bucket, "bucket");
		assert_string_equal(list.v[i].key, "k");
		assert_int_equal(list.v[i].begun_ms, aws_caller_now_ms(&b->caller));
		strcat(text, list.v[i].upload_id);
		strcat(text, " ");
	}
	s3_begun_list_deinit(&list);
	assert_string_equal(text, ids);
}

static void an_upload_is_begun_until_it_is_complete(void **state)
{
	struct bench *b = *state;

	expect_begun(b, "");
	begin(b, "one");
	begin(b, "two");
	begin(b, "three");
	expect_begun(b, "one two three ");
	script_answer(&b->script, 200, "", COMPLETED);
	assert_int_equal(complete(b, "two"), 0);
	expect_begun(b, "one three ");
}

static void an_upload_is_begun_until_it_is_aborted(void **state)
{
	struct bench *b = *state;

	begin(b, "one");
	begin(b, "two");
	script_answer(&b->script, 204, "", "");
	assert_int_equal(abort_one(b, "one"), 0);
	expect_begun(b, "two ");
	script_answer(&b->script, 404, "", ERROR("NoSuchUpload"));
	assert_int_equal(abort_one(b, "two"), 0);
	expect_begun(b, "");
}

static void an_upload_that_is_refused_its_end_is_begun(void **state)
{
	struct bench *b = *state;

	begin(b, "one");
	script_answer(&b->script, 403, "", ERROR("AccessDenied"));
	assert_int_equal(complete(b, "one"), -EACCES);
	script_answer(&b->script, 403, "", ERROR("AccessDenied"));
	assert_int_equal(abort_one(b, "one"), -EACCES);
	expect_begun(b, "one ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    bench_test(nothing_was_sent_yet),
	    bench_test(an_answer_counts_for_its_operation),
	    bench_test(each_attempt_counts),
	    bench_test(what_is_mended_counts),
	    bench_test(bytes_of_bodies_count),
	    bench_test(bytes_that_came_before_a_break_count),
	    bench_test(time_of_all_attempts),
	    bench_test(an_upload_is_begun_until_it_is_complete),
	    bench_test(an_upload_is_begun_until_it_is_aborted),
	    bench_test(an_upload_that_is_refused_its_end_is_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
