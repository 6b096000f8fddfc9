/* Where a request goes, and the three things that are mended on its way. */
#include "bench.h"

#define LONG_LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* ---- addressing ---- */

static void expect_address(struct bench *b, const char *bucket, const char *authority,
			   const char *path)
{
	size_t i = script_count(&b->script);

	bench_open(b);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, bucket), 0);
	assert_string_equal(sent(b, i)->authority, authority);
	assert_string_equal(sent(b, i)->path, path);
}

static void auto_on_aws_is_virtual_where_the_name_allows(void **state)
{
	struct bench *b = *state;

	expect_address(b, "plain-1", "plain-1.s3.eu-west-1.amazonaws.com", "/");
	expect_address(b, LONG_LABEL, LONG_LABEL ".s3.eu-west-1.amazonaws.com", "/");
	expect_address(b, "a.dotted.one", "s3.eu-west-1.amazonaws.com", "/a.dotted.one");
	expect_address(b, "Old_Name", "s3.eu-west-1.amazonaws.com", "/Old_Name");
	b->conf.region = (char[]){"cn-north-1"};
	expect_address(b, "plain-1", "plain-1.s3.cn-north-1.amazonaws.com.cn", "/");
}

static void path_on_aws(void **state)
{
	struct bench *b = *state;

	b->conf.addressing = CONF_ADDRESSING_PATH;
	expect_address(b, "plain-1", "s3.eu-west-1.amazonaws.com", "/plain-1");
	expect_address(b, "a.b", "s3.eu-west-1.amazonaws.com", "/a.b");
}

static void virtual_on_aws(void **state)
{
	struct bench *b = *state;

	b->conf.addressing = CONF_ADDRESSING_VIRTUAL;
	expect_address(b, "plain-1", "plain-1.s3.eu-west-1.amazonaws.com", "/");
	expect_address(b, "a.b", "a.b.s3.eu-west-1.amazonaws.com", "/");
	expect_address(b, "Old_Name", "s3.eu-west-1.amazonaws.com", "/Old_Name");
}

static void auto_on_an_endpoint_of_ones_own_is_path(void **state)
{
	struct bench *b = *state;

	b->conf.s3_endpoint_url = (char[]){"https://s3.example:8443"};
	expect_address(b, "plain-1", "s3.example:8443", "/plain-1");
	assert_string_equal(sent(b, 0)->scheme, "https");
	expect_scope(b, 0, "ASIA1", "eu-west-1");
	b->conf.addressing = CONF_ADDRESSING_PATH;
	expect_address(b, "plain-1", "s3.example:8443", "/plain-1");
}

static void virtual_on_an_endpoint_of_ones_own(void **state)
{
	struct bench *b = *state;

	b->conf.addressing = CONF_ADDRESSING_VIRTUAL;
	b->conf.s3_endpoint_url = (char[]){"http://s3.example"};
	expect_address(b, "plain-1", "plain-1.s3.example", "/");
	assert_string_equal(sent(b, 0)->scheme, "http");
	expect_address(b, "a.b", "a.b.s3.example", "/");
	expect_address(b, "Old_Name", "s3.example", "/Old_Name");
}

static void no_bucket_stands_before_an_address(void **state)
{
	struct bench *b = *state;

	b->conf.addressing = CONF_ADDRESSING_VIRTUAL;
	b->conf.s3_endpoint_url = (char[]){"http://127.0.0.1:18090"};
	expect_address(b, "plain-1", "127.0.0.1:18090", "/plain-1");
	b->conf.s3_endpoint_url = (char[]){"http://[::1]:18090"};
	expect_address(b, "plain-1", "[::1]:18090", "/plain-1");
}

static void base_path_stays_before_the_bucket(void **state)
{
	struct bench *b = *state;
	struct bucket_page page = {0};

	b->conf.s3_endpoint_url = (char[]){"https://gateway.example/aws/s3/"};
	expect_address(b, "plain-1", "gateway.example", "/aws/s3/plain-1");
	script_answer(&b->script, 200, "", "<ListAllMyBucketsResult/>");
	assert_int_equal(list(b, NULL, NULL, &page), 0);
	assert_string_equal(sent(b, 1)->path, "/aws/s3/");
	b->conf.addressing = CONF_ADDRESSING_VIRTUAL;
	expect_address(b, "plain-1", "plain-1.gateway.example", "/aws/s3/");
}

/* Whoever comes past the check of names comes no further than the path. */
static void odd_names_are_encoded_into_the_path(void **state)
{
	struct bench *b = *state;

	expect_address(b, "evil.example/#", "s3.eu-west-1.amazonaws.com", "/evil.example%2F%23");
	expect_address(b, "a@b", "s3.eu-west-1.amazonaws.com", "/a%40b");
	expect_address(b, "a\r\nHost: b", "s3.eu-west-1.amazonaws.com", "/a%0D%0AHost%3A%20b");
	b->conf.addressing = CONF_ADDRESSING_VIRTUAL;
	expect_address(b, "a/b", "s3.eu-west-1.amazonaws.com", "/a%2Fb");
}

static void endpoint_that_is_no_url(void **state)
{
	struct bench *b = *state;
	struct store *store = NULL;

	b->conf.s3_endpoint_url = (char[]){"s3.example"};
	assert_int_equal(s3_store_new(&b->caller, b->session, &b->conf, &store), -EINVAL);
	assert_null(store);
}

/* ---- regions ---- */

static void region_of_an_answer_is_learned(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "x-amz-bucket-region: ap-south-1\n", "");
	assert_int_equal(head(b, "there"), 0);
	expect_region(b, "there", "ap-south-1");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, "there"), 0);
	assert_string_equal(sent(b, 1)->authority, "there.s3.ap-south-1.amazonaws.com");
	expect_scope(b, 1, "ASIA1", "ap-south-1");
}

static void expect_mended(struct bench *b, int status, const char *headers, const char *body)
{
	size_t i = script_count(&b->script);

	bench_open(b);
	log_lines_start(LOG_LEVEL_INFO);
	script_answer(&b->script, status, headers, body);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, "there"), 0);
	assert_int_equal(script_count(&b->script), i + 2);
	assert_string_equal(sent(b, i)->authority, "there.s3.eu-west-1.amazonaws.com");
	assert_string_equal(sent(b, i + 1)->authority, "there.s3.sa-east-1.amazonaws.com");
	expect_scope(b, i + 1, "ASIA1", "sa-east-1");
	expect_region(b, "there", "sa-east-1");
	expect_last_line("info: bucket there is in region sa-east-1, not eu-west-1");
	assert_int_equal(log_lines_count(""), 1);
}

static void wrong_region_is_mended(void **state)
{
	expect_mended(*state, 301,
		      "x-amz-bucket-region: sa-east-1\nLocation: https://evil.example/\n",
		      ERROR("PermanentRedirect"));
	expect_mended(*state, 400, "",
		      "<Error><Code>AuthorizationHeaderMalformed</Code><Region>sa-east-1</Region>"
		      "</Error>");
	/* HEAD: no body */
	expect_mended(*state, 301, "x-amz-bucket-region: sa-east-1\n", "");
	expect_mended(*state, 400, "x-amz-bucket-region: sa-east-1\n", "");
	expect_mended(*state, 403, "x-amz-bucket-region: sa-east-1\n", "");
	expect_mended(*state, 307, "x-amz-bucket-region: sa-east-1\n", ERROR("TemporaryRedirect"));
}

static void wrong_region_is_mended_once(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 301, "x-amz-bucket-region: sa-east-1\n",
		      ERROR("PermanentRedirect"));
	script_answer(&b->script, 301, "x-amz-bucket-region: us-west-2\n",
		      ERROR("PermanentRedirect"));
	assert_int_equal(head(b, "there"), -EREMOTE);
	assert_int_equal(script_count(&b->script), 2);
}

static void redirect_that_does_not_say_where(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 301, "Location: https://evil.example/\n",
		      ERROR("PermanentRedirect"));
	assert_int_equal(head(b, "there"), -EREMOTE);
	script_answer(&b->script, 301, "Location: https://evil.example/\n", "");
	assert_int_equal(head(b, "there"), -EREMOTE);
	assert_int_equal(script_count(&b->script), 2);
}

static void redirect_to_where_we_are(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 301, "x-amz-bucket-region: eu-west-1\n",
		      ERROR("PermanentRedirect"));
	assert_int_equal(head(b, "there"), -EREMOTE);
	assert_int_equal(script_count(&b->script), 1);
}

/* What a server calls a region becomes part of a host name. */
static void bogus_regions_never_reach_a_host_name(void **state)
{
	static const char *const regions[] = {
	    "evil.example",     "evil.example/", "evil@host",  "EU-WEST-1", "eu-west-1.evil",
	    "eu west 1",        "-eu-west-1",    "eu-west-1-", "eu_west_1", "eu-west-1:80",
	    "eu-west-1%2f",     "\xc3\xa9",      "..",         "#",         "?",
	    LONG_LABEL "bcdef", /* longer than a region's name can be */
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(regions); i++) {
		char headers[200], body[300];

		snprintf(headers, sizeof(headers), "x-amz-bucket-region: %s\n", regions[i]);
		snprintf(body, sizeof(body),
			 "<Error><Code>PermanentRedirect</Code><Region>%s</Region></Error>",
			 regions[i]);
		script_answer(&b->script, 301, headers, "");
		assert_int_equal(head(b, "there"), -EREMOTE);
		script_answer(&b->script, 301, "", body);
		assert_int_equal(head(b, "there"), -EREMOTE);
		script_answer(&b->script, 200, headers, "");
		assert_int_equal(head(b, "there"), 0);
		expect_region(b, "there", NULL);
	}
	assert_int_equal(script_count(&b->script), 3 * ARRAY_LEN(regions));
	for (size_t i = 0; i < script_count(&b->script); i++)
		assert_string_equal(sent(b, i)->authority, "there.s3.eu-west-1.amazonaws.com");
}

static void denied_in_its_own_region_is_denied(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, "x-amz-bucket-region: eu-west-1\n", "");
	assert_int_equal(head(b, "theirs"), -EACCES);
	assert_int_equal(script_count(&b->script), 1);
}

/* On an endpoint of one's own a region is only what is signed for. */
static void region_of_an_endpoint_of_ones_own(void **state)
{
	struct bench *b = *state;

	b->conf.s3_endpoint_url = (char[]){"http://127.0.0.1:18090"};
	bench_open(b);
	script_answer(&b->script, 400, "x-amz-bucket-region: other-1\n", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, "there"), 0);
	assert_string_equal(sent(b, 1)->authority, "127.0.0.1:18090");
	expect_scope(b, 1, "ASIA1", "other-1");
}

/* A new bucket goes where it was to be made, not where an older one of that name was. */
static void create_does_not_follow_a_region(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "x-amz-bucket-region: ap-south-1\n", "");
	assert_int_equal(head(b, "there"), 0);
	script_answer(&b->script, 409, "x-amz-bucket-region: ap-south-1\n",
		      ERROR("BucketAlreadyOwnedByYou"));
	assert_int_equal(create(b, "there"), -EEXIST);
	assert_string_equal(sent(b, 1)->authority, "there.s3.eu-west-1.amazonaws.com");
	assert_int_equal(script_count(&b->script), 2);
}

/* ---- tokens ---- */

static void expect_replayed(struct bench *b, int status, const char *body)
{
	script_answer(&b->script, status, "", body);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, "some"), 0);
	assert_int_equal(script_count(&b->script), 2);
	expect_scope(b, 0, "ASIA1", "eu-west-1");
	expect_scope(b, 1, "ASIA2", "eu-west-1");
	expect_header(b, 1, "X-Amz-Security-Token", "tOkEn2");
	assert_int_equal(script_count(&b->sts_script), 2);
}

static void expired_token_is_replayed(void **state)
{
	expect_replayed(*state, 400, ERROR("ExpiredToken"));
}

static void invalid_token_is_replayed(void **state)
{
	expect_replayed(*state, 403, ERROR("InvalidToken"));
}

static void expired_token_is_replayed_once(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 400, "", ERROR("ExpiredToken"));
	script_answer(&b->script, 400, S3_ID, ERROR("ExpiredToken"));
	assert_int_equal(head(b, "some"), -EKEYEXPIRED);
	assert_int_equal(script_count(&b->script), 2);
	assert_int_equal(script_count(&b->sts_script), 2);
	expect_line(
	    "HeadBucket",
	    "error: HeadBucket of some: ExpiredToken: because (HTTP 400, request id "
	    "id1). The session was renewed and its new token is refused alike: is the "
	    "region enabled in Account B, and do the endpoints of STS and S3 belong together?");
	assert_int_equal(log_lines_count("HeadBucket"), 1);
}

static void expired_token_that_cannot_be_replaced(void **state)
{
	struct bench *b = *state;

	script_answer(&b->sts_script, 403, "", "");
	script_answer(&b->script, 400, "", ERROR("ExpiredToken"));
	assert_int_equal(head(b, "some"), -EKEYEXPIRED);
	assert_int_equal(script_count(&b->script), 1);
	assert_int_equal(log_lines_count("HeadBucket"), 0); /* the session says why */
	assert_true(log_lines_wait("session not renewed", 1));
}

static void token_and_region_are_both_mended(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 301, "x-amz-bucket-region: sa-east-1\n", "");
	script_answer(&b->script, 400, "", ERROR("ExpiredToken"));
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, "there"), 0);
	assert_int_equal(script_count(&b->script), 3);
	expect_scope(b, 2, "ASIA2", "sa-east-1");
	assert_string_equal(sent(b, 2)->authority, "there.s3.sa-east-1.amazonaws.com");
}

/* The last second of the session by our clock. The refresher renews before it gets there. */
static void come_near_the_end(struct bench *b)
{
	bench_sts_down(b, true);
	test_clock_advance(&b->session_clock, 3600000 - 1000 - 2000);
	assert_true(test_clock_settled(&b->session_clock, 1));
	for (int i = 0; i < 15; i++) {
		test_clock_advance(&b->session_clock, 100);
		assert_true(test_clock_settled(&b->session_clock, 1));
	}
	log_lines_start(LOG_LEVEL_INFO);
}

static void *head_some(void *data)
{
	struct bench *b = data;
	struct call call;
	int r;

	call_init(&call, NULL, &b->session_clock.clock, CLOCK_NEVER);
	r = b->store->head_bucket(b->store, &call, "some");
	call_deinit(&call);
	return (void *)(intptr_t)r;
}

/* A head that waits for the refresher, whose clock must go on for it. */
static int head_while_time_goes_on(struct bench *b)
{
	pthread_t thread;
	void *r;

	assert_int_equal(pthread_create(&thread, NULL, head_some, b), 0);
	assert_true(test_clock_settled(&b->session_clock, 2));
	bench_sts_down(b, false);
	test_clock_advance(&b->session_clock, 1000);
	pthread_join(thread, &r);
	return (int)(intptr_t)r;
}

static void denied_near_the_end_is_replayed(void **state)
{
	struct bench *b = *state;

	come_near_the_end(b);
	script_answer(&b->script, 403, "", ERROR("AccessDenied"));
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head_while_time_goes_on(b), 0);
	expect_scope(b, 1, "ASIA2", "eu-west-1");
}

static void bad_request_near_the_end_is_replayed(void **state)
{
	struct bench *b = *state;

	come_near_the_end(b);
	script_answer(&b->script, 400, "", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head_while_time_goes_on(b), 0);
	expect_scope(b, 1, "ASIA2", "eu-west-1");
}

static void denied_near_the_end_and_again_is_denied(void **state)
{
	struct bench *b = *state;

	come_near_the_end(b);
	script_answer(&b->script, 403, "", ERROR("AccessDenied"));
	script_answer(&b->script, 403, "", ERROR("AccessDenied"));
	assert_int_equal(head_while_time_goes_on(b), -EACCES);
	assert_int_equal(script_count(&b->script), 2);
}

static void denied_in_mid_life_is_denied(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, "", ERROR("AccessDenied"));
	assert_int_equal(head(b, "some"), -EACCES);
	script_answer(&b->script, 403, "", "");
	assert_int_equal(head(b, "some"), -EACCES);
	assert_int_equal(script_count(&b->script), 2);
	assert_int_equal(script_count(&b->sts_script), 1);
}

/* ---- tokens, and answers without a body to name them ---- */

/* As long after the last renewal as the next one may be asked for. */
static void let_renew(struct bench *b)
{
	test_clock_advance(&b->session_clock, 1000);
	assert_true(test_clock_settled(&b->session_clock, 1));
}

static void bare_400_of_head_is_replayed(void **state)
{
	expect_replayed(*state, 400, "");
}

/* It names the region as every answer of S3 to HeadBucket does. */
static void bare_400_of_head_in_the_right_region_is_replayed(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 400, "x-amz-bucket-region: sa-east-1\n", "");
	script_answer(&b->script, 400, "x-amz-bucket-region: sa-east-1\n", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, "some"), 0);
	assert_int_equal(script_count(&b->script), 3);
	expect_scope(b, 1, "ASIA1", "sa-east-1");
	expect_scope(b, 2, "ASIA2", "sa-east-1");
}

/* One renewal for as long as its credentials live, not one for each HEAD. */
static void bare_400_that_lasts_costs_one_renewal(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 4; i++)
		script_answer(&b->script, 400, S3_ID, "");
	assert_int_equal(head(b, "some"), -EIO);
	assert_int_equal(script_count(&b->script), 2);
	expect_line("HeadBucket",
		    "error: HeadBucket of some: HTTP400 (HTTP 400, request id id1). The "
		    "answer does not say why.");
	assert_int_equal(log_lines_count("HeadBucket"), 1);
	let_renew(b);
	assert_int_equal(head(b, "some"), -EIO);
	assert_int_equal(head(b, "other"), -EIO);
	assert_int_equal(script_count(&b->script), 4);
	assert_int_equal(script_count(&b->sts_script), 2);
}

/* The renewal is not held against those that come after it. */
static void bare_400_of_later_credentials_is_replayed(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 400, "", "");
	script_answer(&b->script, 400, "", "");
	assert_int_equal(head(b, "some"), -EIO);
	let_renew(b);
	script_answer(&b->script, 400, "", ERROR("ExpiredToken"));
	script_answer(&b->script, 200, "", "");
	assert_int_equal(remove_bucket(b, "some"), 0);
	expect_scope(b, 3, "ASIA3", "eu-west-1");
	let_renew(b);
	script_answer(&b->script, 400, "", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(head(b, "some"), 0);
	expect_scope(b, 5, "ASIA4", "eu-west-1");
}

/* That it was the token was a guess: the session is valid by our clock, so nothing has expired. */
static void bare_400_without_a_renewal_stands(void **state)
{
	struct bench *b = *state;

	bench_sts_down(b, true);
	script_answer(&b->script, 400, S3_ID, "");
	assert_int_equal(head(b, "some"), -EIO);
	assert_int_equal(script_count(&b->script), 1);
	assert_int_equal(log_lines_count("error: HeadBucket of some: HTTP400 (HTTP 400"), 1);
	assert_true(log_lines_wait("session not renewed", 1));
}

static void bare_400_says_nothing_of_other_methods(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 400, "", "");
	assert_int_equal(remove_bucket(b, "some"), -EIO);
	script_answer(&b->script, 400, "", ERROR("InvalidArgument"));
	assert_int_equal(head(b, "some"), -EINVAL);
	script_answer(&b->script, 405, "", "");
	assert_int_equal(head(b, "some"), -EIO);
	assert_int_equal(script_count(&b->script), 3);
	assert_int_equal(script_count(&b->sts_script), 1);
}

static void cancelled_call_sends_nothing(void **state)
{
	struct bench *b = *state;

	call_cancel(&b->call);
	assert_int_equal(head(b, "some"), -EINTR);
	assert_int_equal(script_count(&b->script), 0);
	assert_int_equal(log_lines_count(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    bench_test(auto_on_aws_is_virtual_where_the_name_allows),
	    bench_test(path_on_aws),
	    bench_test(virtual_on_aws),
	    bench_test(auto_on_an_endpoint_of_ones_own_is_path),
	    bench_test(virtual_on_an_endpoint_of_ones_own),
	    bench_test(no_bucket_stands_before_an_address),
	    bench_test(base_path_stays_before_the_bucket),
	    bench_test(odd_names_are_encoded_into_the_path),
	    bench_test(endpoint_that_is_no_url),
	    bench_test(region_of_an_answer_is_learned),
	    bench_test(wrong_region_is_mended),
	    bench_test(wrong_region_is_mended_once),
	    bench_test(redirect_that_does_not_say_where),
	    bench_test(redirect_to_where_we_are),
	    bench_test(bogus_regions_never_reach_a_host_name),
	    bench_test(denied_in_its_own_region_is_denied),
	    bench_test(region_of_an_endpoint_of_ones_own),
	    bench_test(create_does_not_follow_a_region),
	    bench_test(expired_token_is_replayed),
	    bench_test(invalid_token_is_replayed),
	    bench_test(expired_token_is_replayed_once),
	    bench_test(expired_token_that_cannot_be_replaced),
	    bench_test(token_and_region_are_both_mended),
	    bench_test(denied_near_the_end_is_replayed),
	    bench_test(bad_request_near_the_end_is_replayed),
	    bench_test(denied_near_the_end_and_again_is_denied),
	    bench_test(denied_in_mid_life_is_denied),
	    bench_test(bare_400_of_head_is_replayed),
	    bench_test(bare_400_of_head_in_the_right_region_is_replayed),
	    bench_test(bare_400_that_lasts_costs_one_renewal),
	    bench_test(bare_400_of_later_credentials_is_replayed),
	    bench_test(bare_400_without_a_renewal_stands),
	    bench_test(bare_400_says_nothing_of_other_methods),
	    bench_test(cancelled_call_sends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
