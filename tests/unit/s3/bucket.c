/* ListBuckets, CreateBucket, DeleteBucket, HeadBucket: requests and answers. */
#include "bench.h"

#define LIST(buckets) "<ListAllMyBucketsResult" S3_NS ">" buckets "</ListAllMyBucketsResult>"
#define BUCKETS       10000

/* ---- ListBuckets ---- */

static void list_on_the_wire(void **state)
{
	struct bench *b = *state;
	struct bucket_page page = {0};

	script_answer(&b->script, 200, "", LIST("<Buckets/>"));
	assert_int_equal(list(b, NULL, NULL, &page), 0);
	assert_string_equal(sent(b, 0)->method, "GET");
	assert_string_equal(sent(b, 0)->scheme, "https");
	assert_string_equal(sent(b, 0)->authority, "s3.eu-west-1.amazonaws.com");
	assert_string_equal(sent(b, 0)->path, "/");
	assert_string_equal(sent(b, 0)->query, "max-buckets=10000");
	assert_int_equal(sent(b, 0)->body.len, 0);
	expect_scope(b, 0, "ASIA1", "eu-west-1");
	expect_header(b, 0, "X-Amz-Security-Token", "tOkEn1");
	expect_header(b, 0, "X-Amz-Content-SHA256",
		      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	bucket_page_deinit(&page);
}

static void list_with_prefix_and_token_on_the_wire(void **state)
{
	struct bench *b = *state;
	struct bucket_page page = {0};

	script_answer(&b->script, 200, "", LIST("<Buckets/>"));
	assert_int_equal(list(b, "a.b-c", "to/ken+= &\xc3\xa4", &page), 0);
	assert_string_equal(sent(b, 0)->query, "max-buckets=10000&prefix=a.b-c"
					       "&continuation-token=to%2Fken%2B%3D%20%26%C3%A4");
	bucket_page_deinit(&page);
}

static void list_one_page(void **state)
{
	struct bench *b = *state;
	struct bucket_page page = {0};

	script_answer(&b->script, 200, "",
		      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" LIST(
			  "<Owner><ID>o</ID><DisplayName>d</DisplayName></Owner><Buckets>"
			  "<Bucket><Name>one</Name><CreationDate>2026-11-23T12:00:00.000Z"
			  "</CreationDate><BucketRegion>us-east-2</BucketRegion><BucketArn>x"
			  "</BucketArn></Bucket>\n<Bucket><CreationDate>2026-11-23T12:00:01Z"
			  "</CreationDate><Name>two.b</Name></Bucket></Buckets><Prefix/>"));
	assert_int_equal(list(b, NULL, NULL, &page), 0);
	assert_int_equal(page.n, 2);
	assert_string_equal(page.v[0].name, "one");
	assert_int_equal(page.v[0].created_ms, TEST_CLOCK_WALL_MS);
	assert_string_equal(page.v[1].name, "two.b");
	assert_int_equal(page.v[1].created_ms, TEST_CLOCK_WALL_MS + 1000);
	assert_null(page.next_token);
	expect_region(b, "one", "us-east-2");
	expect_region(b, "two.b", NULL);
	assert_int_equal(log_lines_count(""), 0);
	bucket_page_deinit(&page);
}

static void list_of_nothing(void **state)
{
	static const char *const bodies[] = {
	    LIST("<Owner/><Buckets/>"),
	    LIST("<Buckets></Buckets>"),
	    LIST(""),
	    "<ListAllMyBucketsResult/>",
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct bucket_page page = {0};

		script_answer(&b->script, 200, "", bodies[i]);
		assert_int_equal(list(b, NULL, NULL, &page), 0);
		assert_int_equal(page.n, 0);
		assert_null(page.next_token);
	}
}

static void list_dates_that_are_missing_or_wrong(void **state)
{
	struct bench *b = *state;
	struct bucket_page page = {0};

	script_answer(&b->script, 200, "",
		      LIST("<Buckets><Bucket><Name>a</Name></Bucket><Bucket><Name>b</Name>"
			   "<CreationDate/></Bucket><Bucket><Name>c</Name><CreationDate>yesterday"
			   "</CreationDate></Bucket></Buckets>"));
	assert_int_equal(list(b, NULL, NULL, &page), 0);
	assert_int_equal(page.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(page.v[i].created_ms, 0);
	bucket_page_deinit(&page);
}

static void list_unknown_elements_are_passed_over(void **state)
{
	struct bench *b = *state;
	struct bucket_page page = {0};

	script_answer(&b->script, 200, "",
		      LIST("<New><Bucket><Name>no</Name></Bucket></New><Buckets><Folder><Name>no"
			   "</Name></Folder><Bucket><Tags><Name>no</Name></Tags><Name>yes</Name>"
			   "</Bucket></Buckets><Bucket><Name>no</Name></Bucket>"));
	assert_int_equal(list(b, NULL, NULL, &page), 0);
	assert_int_equal(page.n, 1);
	assert_string_equal(page.v[0].name, "yes");
	bucket_page_deinit(&page);
}

static void list_regions_that_are_none_are_not_learned(void **state)
{
	struct bench *b = *state;
	struct bucket_page page = {0};

	script_answer(&b->script, 200, "",
		      LIST("<Buckets><Bucket><Name>a</Name><BucketRegion>evil.example/"
			   "</BucketRegion></Bucket><Bucket><Name>b</Name><BucketRegion/>"
			   "</Bucket></Buckets>"));
	assert_int_equal(list(b, NULL, NULL, &page), 0);
	expect_region(b, "a", NULL);
	expect_region(b, "b", NULL);
	bucket_page_deinit(&page);
}

static void malformed(struct bench *b, const char *body)
{
	struct bucket_page page = {.n = 77};

	log_lines_start(LOG_LEVEL_INFO);
	script_answer(&b->script, 200, S3_ID, body);
	assert_int_equal(list(b, NULL, "again", &page), -EIO);
	assert_int_equal(page.n, 77);
	expect_last_line("error: ListBuckets: MalformedAnswer: the server answered 200, but not "
			 "with the XML of ListBuckets (HTTP 200, request id id1)");
	assert_int_equal(log_lines_count(""), 1);
}

static void list_answers_that_make_no_sense(void **state)
{
	malformed(*state, "");
	malformed(*state, "<html><body>Sign in to the hotel</body></html>");
	malformed(*state, "<ListBucketResult" S3_NS "/>");
	malformed(*state, "<ListAllMyBucketsResult xmlns=\"urn:x\"><Buckets/>"
			  "</ListAllMyBucketsResult>");
	malformed(*state, "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>" LIST(
			      "<Buckets><Bucket><Name>&b;</Name></Bucket></Buckets>"));
	malformed(*state, LIST("<Buckets><Bucket/></Buckets>"));
	malformed(*state, LIST("<Buckets><Bucket><Name/></Bucket></Buckets>"));
	malformed(*state, LIST("<Buckets/>") "<More/>");
}

static void list_that_repeats_its_token(void **state)
{
	malformed(*state, LIST("<Buckets/><ContinuationToken>again</ContinuationToken>"));
}

static void list_that_is_truncated(void **state)
{
	static const char whole[] = LIST("<Buckets><Bucket><Name>a</Name></Bucket></Buckets>");
	char cut[sizeof(whole)];

	for (size_t len = 0; len + 1 < sizeof(whole); len += 5) {
		memcpy(cut, whole, len);
		cut[len] = '\0';
		malformed(*state, cut);
	}
}

/* 10,000 buckets, so many on a page. */
struct many {
	size_t page;         /* at most; 0: all, whatever is asked */
	bool without_paging; /* as servers do that know no max-buckets */
};

static int answer_many(void *data, struct call *call, const struct http_request *request,
		       struct http_response *ret_response)
{
	const struct many *many = data;
	const char *token = strstr(request->query, "continuation-token=t");
	const char *asked = strstr(request->query, "max-buckets=");
	size_t first = token ? strtoul(token + 20, NULL, 10) : 0;
	size_t n = asked ? strtoul(asked + 12, NULL, 10) : BUCKETS;
	struct buf *body = &ret_response->body;
	int r;

	(void)call;
	n = many->page && many->page < n ? many->page : n;
	n = many->without_paging || first + n > BUCKETS ? BUCKETS - first : n;
	ret_response->status = 200;
	r = buf_printf(body, "<ListAllMyBucketsResult" S3_NS "><Buckets>");
	for (size_t i = first; r == 0 && i < first + n; i++)
		r = buf_printf(body,
			       "<Bucket><Name>bucket-%05zu</Name><CreationDate>2026-11-23T12:00:00"
			       ".000Z</CreationDate><BucketRegion>eu-north-%zu</BucketRegion>"
			       "</Bucket>",
			       i, i % 10);
	if (r == 0)
		r = buf_add_str(body, "</Buckets>");
	if (r == 0 && first + n < BUCKETS)
		r = buf_printf(body, "<ContinuationToken>t%zu</ContinuationToken>", first + n);
	return r == 0 ? buf_add_str(body, "</ListAllMyBucketsResult>") : r;
}

static void expect_many(struct bench *b, struct many *many, size_t pages)
{
	_cleanup_(freep) char *token = NULL;
	char name[20];
	size_t n = 0;

	script_callback(&b->script, answer_many, many);
	do {
		struct bucket_page page = {0};

		assert_int_equal(list(b, NULL, token, &page), 0);
		for (size_t i = 0; i < page.n; i++) {
			snprintf(name, sizeof(name), "bucket-%05zu", n++);
			assert_string_equal(page.v[i].name, name);
		}
		free(token);
		token = steal(&page.next_token);
		bucket_page_deinit(&page);
	} while (token);
	assert_int_equal(n, BUCKETS);
	assert_int_equal(script_count(&b->script), pages);
	expect_region(b, "bucket-00000", "eu-north-0");
	expect_region(b, "bucket-09999", "eu-north-9");
}

static void many_buckets_in_ten_pages(void **state)
{
	expect_many(*state, &(struct many){.page = 1000}, 10);
}

static void many_buckets_in_one_page(void **state)
{
	expect_many(*state, &(struct many){.page = 0}, 1);
}

static void many_buckets_of_a_server_without_pages(void **state)
{
	expect_many(*state, &(struct many){.without_paging = true}, 1);
}

static void list_denied(void **state)
{
	struct bench *b = *state;
	struct bucket_page page = {0};

	script_answer(&b->script, 403, S3_ID, ERROR("AccessDenied"));
	assert_int_equal(list(b, NULL, NULL, &page), -EACCES);
	assert_int_equal(log_lines_count(""), 1);
	assert_int_equal(log_lines_count("warn: ListBuckets: AccessDenied: because (HTTP 403, "
					 "request id id1). Allow the action"),
			 1);
}

static void list_page_for_check_tells_and_does_not_log(void **state)
{
	struct bench *b = *state;
	struct bucket_page page = {0};
	struct aws_error error;

	script_answer(&b->script, 403, S3_ID, ERROR("AccessDenied"));
	assert_int_equal(s3_list_buckets_page(b->store, &b->call, NULL, NULL, &page, &error),
			 AWS_E_REPLY);
	assert_string_equal(error.code, "AccessDenied");
	assert_int_equal(log_lines_count(""), 0);
}

/* ---- CreateBucket ---- */

/* Of the body below: `printf %s BODY | sha256sum`. */
#define BODY_SHA256 "a2531158b25edb57200e54140cc1b12d0af943f596ea467c2fbbedcc16223cc5"

static void create_on_the_wire(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "Location: /new-one\n", "");
	assert_int_equal(create(b, "new-one"), 0);
	assert_string_equal(sent(b, 0)->method, "PUT");
	assert_string_equal(sent(b, 0)->authority, "new-one.s3.eu-west-1.amazonaws.com");
	assert_string_equal(sent(b, 0)->path, "/");
	assert_string_equal(sent(b, 0)->query, "");
	assert_string_equal(buf_str(&sent(b, 0)->body),
			    "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/"
			    "2006-03-01/\"><LocationConstraint>eu-west-1</LocationConstraint>"
			    "</CreateBucketConfiguration>");
	expect_header(b, 0, "Content-Type", "application/xml");
	expect_header(b, 0, "X-Amz-Content-SHA256", BODY_SHA256);
	expect_scope(b, 0, "ASIA1", "eu-west-1");
	expect_region(b, "new-one", "eu-west-1");
	assert_int_equal(script_count(&b->script), 1);
	expect_last_line("info: bucket new-one made in eu-west-1");
}

static void create_in_us_east_1_names_no_region(void **state)
{
	struct bench *b = *state;

	b->conf.create_region = (char[]){"us-east-1"};
	bench_open(b);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(create(b, "new-one"), 0);
	assert_int_equal(sent(b, 0)->body.len, 0);
	assert_null(http_headers_get(&sent(b, 0)->headers, "Content-Type"));
	assert_string_equal(sent(b, 0)->authority, "new-one.s3.us-east-1.amazonaws.com");
	expect_scope(b, 0, "ASIA1", "us-east-1");
	expect_region(b, "new-one", "us-east-1");
}

static void create_goes_to_the_create_region(void **state)
{
	struct bench *b = *state;

	b->conf.create_region = (char[]){"ap-south-1"};
	bench_open(b);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(create(b, "new-one"), 0);
	assert_string_equal(sent(b, 0)->authority, "new-one.s3.ap-south-1.amazonaws.com");
	expect_scope(b, 0, "ASIA1", "ap-south-1");
	assert_non_null(strstr(buf_str(&sent(b, 0)->body), ">ap-south-1</LocationConstraint>"));
	expect_region(b, "new-one", "ap-south-1");
}

static void create_of_what_exists(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 409, "", ERROR("BucketAlreadyOwnedByYou"));
	assert_int_equal(create(b, "mine"), -EEXIST);
	script_answer(&b->script, 409, "", ERROR("BucketAlreadyExists"));
	assert_int_equal(create(b, "theirs"), -EEXIST);
	expect_region(b, "mine", NULL);
	assert_int_equal(script_count(&b->script), 2);
}

/* The answer was lost, and what the second attempt found is what the first one made. */
static void create_whose_answer_was_lost(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_answer(&b->script, 409, "", ERROR("BucketAlreadyOwnedByYou"));
	assert_int_equal(create(b, "mine"), 0);
	expect_last_line("info: bucket mine made in eu-west-1");
	script_answer(&b->script, 500, "", "");
	script_answer(&b->script, 409, "", ERROR("BucketAlreadyOwnedByYou"));
	assert_int_equal(create(b, "mine-too"), 0);
}

static void create_whose_answer_was_lost_and_is_anothers(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_answer(&b->script, 409, "", ERROR("BucketAlreadyExists"));
	assert_int_equal(create(b, "theirs"), -EEXIST);
}

static void create_that_was_not_sent_at_first(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_CONNECT, ECONNREFUSED);
	script_answer(&b->script, 409, "", ERROR("BucketAlreadyOwnedByYou"));
	assert_int_equal(create(b, "mine"), -EEXIST);
}

/* The token ended between the lost answer and the second attempt. */
static void create_whose_answer_and_token_were_lost(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_answer(&b->script, 400, "", ERROR("ExpiredToken"));
	script_answer(&b->script, 409, "", ERROR("BucketAlreadyOwnedByYou"));
	assert_int_equal(create(b, "mine"), 0);
	assert_int_equal(script_count(&b->script), 3);
}

/* ---- DeleteBucket ---- */

static void delete_on_the_wire(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "", "");
	assert_int_equal(create(b, "old-one"), 0);
	script_answer(&b->script, 204, "", "");
	assert_int_equal(remove_bucket(b, "old-one"), 0);
	assert_string_equal(sent(b, 1)->method, "DELETE");
	assert_string_equal(sent(b, 1)->authority, "old-one.s3.eu-west-1.amazonaws.com");
	assert_string_equal(sent(b, 1)->path, "/");
	assert_int_equal(sent(b, 1)->body.len, 0);
	expect_region(b, "old-one", NULL);
	expect_last_line("info: bucket old-one deleted");
}

static void delete_of_what_is_not_there(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 404, "", ERROR("NoSuchBucket"));
	assert_int_equal(remove_bucket(b, "gone"), -ENOENT);
	assert_int_equal(log_lines_count(""), 0);
}

static void delete_of_what_is_not_empty(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 409, S3_ID, ERROR("BucketNotEmpty"));
	assert_int_equal(remove_bucket(b, "full"), -ENOTEMPTY);
	expect_last_line("info: DeleteBucket of full: BucketNotEmpty: because (HTTP 409, request "
			 "id id1). Old versions and unfinished uploads count as content, too.");
}

static void delete_whose_answer_was_lost(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_STALL, 0);
	script_answer(&b->script, 404, "", ERROR("NoSuchBucket"));
	assert_int_equal(remove_bucket(b, "gone"), 0);
}

static void delete_that_was_not_sent_at_first(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_CONNECT, 0);
	script_answer(&b->script, 404, "", ERROR("NoSuchBucket"));
	assert_int_equal(remove_bucket(b, "gone"), -ENOENT);
}

/* ---- HeadBucket ---- */

static void head_on_the_wire(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "x-amz-bucket-region: eu-west-1\n", "");
	assert_int_equal(head(b, "some"), 0);
	assert_string_equal(sent(b, 0)->method, "HEAD");
	assert_string_equal(sent(b, 0)->authority, "some.s3.eu-west-1.amazonaws.com");
	expect_region(b, "some", "eu-west-1");
}

static void head_refusals_have_no_body(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 404, "", "");
	assert_int_equal(head(b, "none"), -ENOENT);
	assert_int_equal(log_lines_count(""), 0);
	script_answer(&b->script, 403, S3_ID, "");
	assert_int_equal(head(b, "theirs"), -EACCES);
	assert_int_equal(
	    log_lines_count("warn: HeadBucket of theirs: HTTP403 (HTTP 403, request id id1)"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    bench_test(list_on_the_wire),
	    bench_test(list_with_prefix_and_token_on_the_wire),
	    bench_test(list_one_page),
	    bench_test(list_of_nothing),
	    bench_test(list_dates_that_are_missing_or_wrong),
	    bench_test(list_unknown_elements_are_passed_over),
	    bench_test(list_regions_that_are_none_are_not_learned),
	    bench_test(list_answers_that_make_no_sense),
	    bench_test(list_that_repeats_its_token),
	    bench_test(list_that_is_truncated),
	    bench_test(many_buckets_in_ten_pages),
	    bench_test(many_buckets_in_one_page),
	    bench_test(many_buckets_of_a_server_without_pages),
	    bench_test(list_denied),
	    bench_test(list_page_for_check_tells_and_does_not_log),
	    bench_test(create_on_the_wire),
	    bench_test(create_in_us_east_1_names_no_region),
	    bench_test(create_goes_to_the_create_region),
	    bench_test(create_of_what_exists),
	    bench_test(create_whose_answer_was_lost),
	    bench_test(create_whose_answer_was_lost_and_is_anothers),
	    bench_test(create_that_was_not_sent_at_first),
	    bench_test(create_whose_answer_and_token_were_lost),
	    bench_test(delete_on_the_wire),
	    bench_test(delete_of_what_is_not_there),
	    bench_test(delete_of_what_is_not_empty),
	    bench_test(delete_whose_answer_was_lost),
	    bench_test(delete_that_was_not_sent_at_first),
	    bench_test(head_on_the_wire),
	    bench_test(head_refusals_have_no_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
