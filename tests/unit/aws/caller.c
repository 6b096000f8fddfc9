/* One signed request: what is tried again, when, how often, and by which clock it is signed. */
#include "xacctfs/aws/caller.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

#include "log_lines.h"
#include "script_transport.h"
#include "test_clock.h"

#define NOON       "Date: Mon, 23 Nov 2026 12:00:00 GMT\n"
#define NOON_20    "Date: Mon, 23 Nov 2026 12:20:00 GMT\n"
#define SKEWED     "<Error><Code>RequestTimeTooSkewed</Code></Error>"
#define TIMEOUT_MS 60000

struct bench {
	struct test_clock clock;
	struct script script;
	struct aws_caller caller;
	struct call call;
	struct credentials *credentials;
	struct http_request http;
	struct aws_request request;
	struct http_response response;
	struct aws_error error;
};

static void make_bench(struct bench *b, bool auto_advance, int64_t timeout_ms)
{
	*b = (struct bench){0};
	test_clock_init(&b->clock, auto_advance);
	script_init(&b->script);
	aws_caller_init(&b->caller, &b->script.transport, &b->clock.clock, 5);
	call_init(&b->call, NULL, &b->clock.clock, timeout_ms);
	assert_int_equal(
	    credentials_new("AKIDEXAMPLE", "secret", NULL, CLOCK_NEVER, &b->credentials), 0);
	b->http = (struct http_request){
	    .method = "GET",
	    .scheme = strdup("https"),
	    .authority = strdup("s3.eu-west-1.amazonaws.com"),
	    .path = strdup("/"),
	};
	b->request = (struct aws_request){
	    .http = &b->http,
	    .credentials = b->credentials,
	    .region = "eu-west-1",
	    .service = "s3",
	    .max_body = 1000,
	};
	log_lines_start(LOG_LEVEL_DEBUG);
}

static int setup(void **state)
{
	static struct bench bench;

	make_bench(&bench, true, TIMEOUT_MS);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	log_lines_stop();
	http_response_deinit(&b->response);
	http_request_deinit(&b->http);
	credentials_unref(b->credentials);
	call_deinit(&b->call);
	aws_caller_deinit(&b->caller);
	script_deinit(&b->script);
	test_clock_deinit(&b->clock);
	return 0;
}

/* A call of another patience. */
static void set_timeout(struct bench *b, int64_t ms)
{
	call_deinit(&b->call);
	call_init(&b->call, NULL, &b->clock.clock, ms);
}

static int send(struct bench *b)
{
	return aws_send(&b->caller, &b->call, &b->request, &b->response, &b->error);
}

static const char *sent_header(struct bench *b, size_t i, const char *name)
{
	const struct script_request *request = script_request(&b->script, i);

	assert_non_null(request);
	return http_headers_get(&request->http.headers, name);
}

static int64_t sent_at(struct bench *b, size_t i)
{
	assert_non_null(script_request(&b->script, i));
	return script_request(&b->script, i)->boot_ms;
}

/* ---- one attempt ---- */

static void first_answer_is_returned(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "ETag: x\n", "hello");
	assert_int_equal(send(b), 0);
	assert_int_equal(b->response.status, 200);
	assert_string_equal(buf_str(&b->response.body), "hello");
	assert_string_equal(http_headers_get(&b->response.headers, "etag"), "x");
	assert_int_equal(b->error.attempts, 1);
	assert_int_equal(b->error.status, 200);
	assert_false(b->error.maybe_done);
}

static void request_is_signed_by_the_wall_clock(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_string_equal(sent_header(b, 0, "X-Amz-Date"), "20261123T120000Z");
	assert_non_null(strstr(sent_header(b, 0, "Authorization"),
			       "Credential=AKIDEXAMPLE/20261123/eu-west-1/s3/aws4_request"));
}

static void error_in_a_200_is_a_refusal(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "", "<Error><Code>AccessDenied</Code></Error>");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(b->error.status, 200);
	assert_string_equal(b->error.code, "AccessDenied");
}

static void internal_error_in_a_200_is_tried_again(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "", "<Error><Code>InternalError</Code></Error>");
	script_answer(&b->script, 200, "", "<Done/>");
	assert_int_equal(send(b), 0);
	assert_string_equal(buf_str(&b->response.body), "<Done/>");
}

static void request_that_cannot_be_signed_is_not_sent(void **state)
{
	struct bench *b = *state;

	assert_int_equal(http_headers_add(&b->http.headers, "Host", "x"), 0);
	assert_int_equal(send(b), -EINVAL);
	assert_int_equal(script_count(&b->script), 0);
}

static void payload_hash_is_as_given(void **state)
{
	struct bench *b = *state;

	b->http.payload = "hello";
	b->http.payload_len = 5;
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_string_equal(sent_header(b, 0, "X-Amz-Content-SHA256"),
			    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	b->request.payload_hash = "UNSIGNED-PAYLOAD";
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_string_equal(sent_header(b, 1, "X-Amz-Content-SHA256"), "UNSIGNED-PAYLOAD");
	assert_string_equal(buf_str(&script_request(&b->script, 1)->http.body), "hello");
}

/* ---- a request that changes from attempt to attempt ---- */

struct changes {
	int n, end_at;
	size_t sunk;
};

static int change(void *data, struct http_request *http)
{
	struct changes *changes = data;
	char text[20];

	if (++changes->n == changes->end_at)
		return -ECANCELED;
	snprintf(text, sizeof(text), "%d", changes->n);
	return http_headers_set(&http->headers, "Range", text);
}

static int swallow(void *data, const struct http_response *response, const void *bytes, size_t n)
{
	struct changes *changes = data;

	(void)response;
	(void)bytes;
	changes->sunk += n;
	return 0;
}

static void prepare_is_called_before_each_signature(void **state)
{
	struct bench *b = *state;
	struct changes changes = {0};

	b->request.prepare = change;
	b->request.prepare_data = &changes;
	script_answer(&b->script, 500, "", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_string_equal(sent_header(b, 0, "Range"), "1");
	assert_string_equal(sent_header(b, 1, "Range"), "2");
	assert_non_null(strstr(sent_header(b, 1, "Authorization"), ";range;"));
	assert_string_not_equal(sent_header(b, 0, "Authorization"),
				sent_header(b, 1, "Authorization"));
}

static void prepare_may_end_it(void **state)
{
	struct bench *b = *state;
	struct changes changes = {.end_at = 2};

	b->request.prepare = change;
	b->request.prepare_data = &changes;
	script_answer(&b->script, 500, "", "");
	assert_int_equal(send(b), -ECANCELED);
	assert_int_equal(b->error.status, 500);
	assert_int_equal(script_count(&b->script), 1);
}

/* Of five attempts that are allowed, the ones that bring bytes are not counted. */
static void bytes_that_came_are_progress(void **state)
{
	struct bench *b = *state;
	struct changes changes = {0};

	b->http.sink = swallow;
	b->http.sink_data = &changes;
	for (int i = 0; i < 10; i++)
		script_cut_bytes(&b->script, 200, "", "x", 1);
	for (int i = 0; i < 5; i++)
		script_fail(&b->script, HTTP_E_BROKEN, 0);
	assert_int_equal(send(b), AWS_E_TRANSPORT);
	assert_int_equal(changes.sunk, 10);
	assert_int_equal(script_count(&b->script), 15);
	assert_int_equal(b->error.attempts, 15);
}

static void bytes_do_not_outlast_the_deadline(void **state)
{
	struct bench *b = *state;
	struct changes changes = {0};

	b->http.sink = swallow;
	b->http.sink_data = &changes;
	set_timeout(b, 1000);
	for (int i = 0; i < 100; i++)
		script_cut_bytes(&b->script, 200, "", "x", 1);
	assert_int_equal(send(b), AWS_E_TRANSPORT);
	assert_true(script_left(&b->script) > 0);
	assert_true(test_clock_boot_ms(&b->clock) < TEST_CLOCK_BOOT_MS + 1000);
}

static void sink_that_wants_no_more_is_final(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_SINK, 0);
	assert_int_equal(send(b), AWS_E_TRANSPORT);
	assert_int_equal(b->error.transport, HTTP_E_SINK);
	assert_int_equal(script_count(&b->script), 1);
}

static void error_in_a_200_may_have_been_done(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "", "<Error><Code>InternalError</Code></Error>");
	script_answer(&b->script, 404, "", "<Error><Code>NoSuchUpload</Code></Error>");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_true(b->error.maybe_done);
}

/* ---- what is tried again ---- */

static void broken_transports_that_are_tried_again(void **state)
{
	static const int errors[] = {HTTP_E_RESOLVE, HTTP_E_CONNECT, HTTP_E_CONNECT_TIMEOUT,
				     HTTP_E_STALL, HTTP_E_BROKEN};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		size_t before = script_count(&b->script);

		script_fail(&b->script, errors[i], 0);
		script_answer(&b->script, 200, "", "");
		assert_int_equal(send(b), 0);
		assert_int_equal(script_count(&b->script) - before, 2);
	}
}

static void broken_transports_that_are_final(void **state)
{
	static const int errors[] = {HTTP_E_TLS, HTTP_E_TOO_LARGE, HTTP_E_PROTOCOL, HTTP_E_PROXY};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		char text[40];

		script_fail(&b->script, errors[i], 0);
		assert_int_equal(send(b), AWS_E_TRANSPORT);
		assert_int_equal(script_count(&b->script), i + 1);
		assert_int_equal(b->error.transport, errors[i]);
		assert_int_equal(b->error.status, 0);
		snprintf(text, sizeof(text), "scripted failure %d", errors[i]);
		assert_string_equal(b->error.message, text);
	}
}

static void os_errno_of_a_refused_connection_is_kept(void **state)
{
	struct bench *b = *state;

	b->request.max_attempts = 1;
	script_fail(&b->script, HTTP_E_CONNECT, ECONNREFUSED);
	assert_int_equal(send(b), AWS_E_TRANSPORT);
	assert_int_equal(b->error.os_errno, ECONNREFUSED);
}

struct reply {
	int status;
	const char *code; /* NULL: no body */
};

static size_t attempts_for(struct bench *b, const struct reply *reply)
{
	char body[200] = "";
	size_t before = script_count(&b->script);

	if (reply->code)
		snprintf(body, sizeof(body), "<Error><Code>%s</Code></Error>", reply->code);
	script_answer(&b->script, reply->status, "", body);
	script_answer(&b->script, 204, "", "");
	assert_int_equal(send(b), 0);
	return script_count(&b->script) - before;
}

static void replies_that_are_tried_again(void **state)
{
	static const struct reply replies[] = {
	    {500, NULL},
	    {502, NULL},
	    {503, NULL},
	    {504, NULL},
	    {429, NULL},
	    {500, "InternalError"},
	    {503, "SlowDown"},
	    {503, "ServiceUnavailable"},
	    {400, "RequestTimeout"},
	    {400, "Throttling"},
	    {400, "ThrottlingException"},
	    {400, "RequestLimitExceeded"},
	    {409, "OperationAborted"},
	    {400, "IDPCommunicationError"},
	};

	for (size_t i = 0; i < ARRAY_LEN(replies); i++)
		assert_int_equal(attempts_for(*state, &replies[i]), 2);
}

static void final_once(struct bench *b, int status, const char *code)
{
	char body[200];

	snprintf(body, sizeof(body), "<Error><Code>%s</Code></Error>", code);
	script_answer(&b->script, status, NOON, code[0] ? body : "");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(b->error.attempts, 1);
	assert_int_equal(b->error.status, status);
	assert_int_equal(script_left(&b->script), 0);
}

static void replies_that_are_final(void **state)
{
	final_once(*state, 301, "PermanentRedirect");
	final_once(*state, 307, "TemporaryRedirect");
	final_once(*state, 400, "");
	final_once(*state, 400, "InvalidBucketName");
	final_once(*state, 400, "ExpiredToken");
	final_once(*state, 403, "AccessDenied");
	final_once(*state, 403, "SignatureDoesNotMatch");
	final_once(*state, 403, "RequestTimeTooSkewed"); /* though the Date is ours */
	final_once(*state, 404, "");
	final_once(*state, 404, "NoSuchBucket");
	final_once(*state, 405, "MethodNotAllowed");
	final_once(*state, 409, "BucketNotEmpty");
	final_once(*state, 501, "NotImplemented");
}

/* ---- how often ---- */

static void attempts_end_at_the_callers_number(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 5; i++)
		script_answer(&b->script, 503, "x-amz-request-id: id\n", "");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(script_count(&b->script), 5);
	assert_int_equal(b->error.attempts, 5);
	assert_string_equal(b->error.code, "HTTP503");
	assert_string_equal(b->error.request_id, "id");
}

static void attempts_end_at_the_requests_number(void **state)
{
	struct bench *b = *state;

	b->request.max_attempts = 2;
	script_answer(&b->script, 503, "", "");
	script_fail(&b->script, HTTP_E_BROKEN, 0);
	assert_int_equal(send(b), AWS_E_TRANSPORT);
	assert_int_equal(b->error.attempts, 2);
	assert_int_equal(b->error.status, 0);
	assert_int_equal(b->error.transport, HTTP_E_BROKEN);
}

static void each_attempt_is_signed_anew(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 503, "Retry-After: 5\n", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_string_equal(sent_header(b, 1, "X-Amz-Date"), "20261123T120005Z");
}

static void budget_ends_the_retries_of_all(void **state)
{
	struct bench *b = *state;
	size_t sent;

	b->request.max_attempts = 1000;
	set_timeout(b, CLOCK_NEVER);
	for (int i = 0; i < RETRY_BUDGET_TOKENS / RETRY_COST + 2; i++)
		script_answer(&b->script, 500, "", "");
	assert_int_equal(send(b), AWS_E_REPLY);
	sent = script_count(&b->script);
	assert_int_equal(sent, RETRY_BUDGET_TOKENS / RETRY_COST + 1);
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(script_count(&b->script), sent + 1);
}

static void timeouts_cost_twice(void **state)
{
	struct bench *b = *state;

	b->request.max_attempts = 2;
	script_fail(&b->script, HTTP_E_STALL, 0);
	script_fail(&b->script, HTTP_E_BROKEN, 0);
	assert_int_equal(send(b), AWS_E_TRANSPORT);
	assert_int_equal(b->caller.budget.tokens, RETRY_BUDGET_TOKENS - RETRY_COST_TIMEOUT);
}

static void success_gives_back(void **state)
{
	struct bench *b = *state;

	b->caller.budget.tokens = 100;
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_int_equal(b->caller.budget.tokens, 101);
	script_answer(&b->script, 500, "", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_int_equal(b->caller.budget.tokens, 101);
}

/* ---- when ---- */

static void pause_grows_and_is_bounded(void **state)
{
	struct bench *b = *state;
	int64_t bound = RETRY_BASE_MS;

	for (int i = 0; i < 5; i++)
		script_answer(&b->script, 500, "", "");
	assert_int_equal(send(b), AWS_E_REPLY);
	for (size_t i = 1; i < 5; i++, bound *= 2)
		assert_in_range(sent_at(b, i) - sent_at(b, i - 1), 0, bound);
}

static void retry_after_is_respected(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 503, "Retry-After: 7\n", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_in_range(sent_at(b, 1) - sent_at(b, 0), 7000, 7000);
}

static void retry_after_as_a_date_is_by_the_servers_clock(void **state)
{
	struct bench *b = *state;

	/* the server is 20 minutes ahead, and says so */
	script_answer(&b->script, 403, NOON_20, SKEWED);
	script_answer(&b->script, 503, NOON_20 "Retry-After: Mon, 23 Nov 2026 12:20:07 GMT\n", "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_in_range(sent_at(b, 2) - sent_at(b, 1), 7000, 7000);
}

static void retry_after_past_the_deadline_is_not_waited_for(void **state)
{
	struct bench *b = *state;
	int64_t before = test_clock_boot_ms(&b->clock);

	script_answer(&b->script, 503, "Retry-After: 60\n", "");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(script_count(&b->script), 1);
	assert_int_equal(test_clock_boot_ms(&b->clock), before);
	assert_int_equal(b->caller.budget.tokens, RETRY_BUDGET_TOKENS);
}

static void deadline_is_not_overshot(void **state)
{
	struct bench *b = *state;
	int64_t start = test_clock_boot_ms(&b->clock);

	set_timeout(b, 1000);
	b->request.max_attempts = 1000;
	b->caller.budget.tokens = RETRY_BUDGET_TOKENS;
	for (int i = 0; i < 101; i++)
		script_answer(&b->script, 500, "", "");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_true(test_clock_boot_ms(&b->clock) - start < 1000);
	assert_string_equal(b->error.code, "HTTP500");
}

static void deadline_in_an_attempt_tells_of_the_one_before(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 500, "", "<Error><Code>InternalError</Code></Error>");
	script_hang(&b->script);
	assert_int_equal(send(b), -ETIMEDOUT);
	assert_string_equal(b->error.code, "InternalError");
	assert_int_equal(b->error.attempts, 1);
	assert_int_equal(test_clock_boot_ms(&b->clock) - TEST_CLOCK_BOOT_MS, TIMEOUT_MS);
}

static void deadline_in_the_first_attempt(void **state)
{
	struct bench *b = *state;

	script_hang(&b->script);
	assert_int_equal(send(b), -ETIMEDOUT);
	assert_int_equal(b->error.attempts, 1);
	assert_int_equal(b->error.status, 0);
}

static void *cancel_it(void *data)
{
	struct bench *b = data;

	if (test_clock_settled(&b->clock, 1))
		call_cancel(&b->call);
	return NULL;
}

/* A clock that stands still: the pause would never end. */
static void cancel_ends_the_pause(void **state)
{
	struct bench *b = *state;
	pthread_t thread;
	int r;

	teardown(state);
	make_bench(b, false, TIMEOUT_MS);
	script_answer(&b->script, 503, "Retry-After: 7\n", "");
	assert_int_equal(pthread_create(&thread, NULL, cancel_it, b), 0);
	r = send(b);
	pthread_join(thread, NULL);
	assert_int_equal(r, -EINTR);
	assert_int_equal(script_count(&b->script), 1);
	assert_string_equal(b->error.code, "HTTP503");
}

static void cancel_ends_a_hanging_attempt(void **state)
{
	struct bench *b = *state;
	pthread_t thread;
	int r;

	teardown(state);
	make_bench(b, false, TIMEOUT_MS);
	script_hang(&b->script);
	assert_int_equal(pthread_create(&thread, NULL, cancel_it, b), 0);
	r = send(b);
	pthread_join(thread, NULL);
	assert_int_equal(r, -EINTR);
}

/* ---- may it have been done? ---- */

static bool maybe_done_after(struct bench *b)
{
	script_answer(&b->script, 404, "", "");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_string_equal(b->error.code, "HTTP404");
	assert_int_equal(b->error.attempts, 2);
	return b->error.maybe_done;
}

static void what_was_sent_may_have_been_done(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_STALL, 0);
	assert_true(maybe_done_after(b));
	script_fail(&b->script, HTTP_E_BROKEN, 0);
	assert_true(maybe_done_after(b));
	script_answer(&b->script, 500, "", "");
	assert_true(maybe_done_after(b));
	script_answer(&b->script, 503, "", "");
	assert_true(maybe_done_after(b));
}

static void what_was_not_sent_was_not_done(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_RESOLVE, 0);
	assert_false(maybe_done_after(b));
	script_fail(&b->script, HTTP_E_CONNECT, 0);
	assert_false(maybe_done_after(b));
	script_fail(&b->script, HTTP_E_CONNECT_TIMEOUT, 0);
	assert_false(maybe_done_after(b));
	script_answer(&b->script, 429, "", "");
	assert_false(maybe_done_after(b));
	script_answer(&b->script, 403, NOON_20, SKEWED);
	assert_false(maybe_done_after(b));
}

static void maybe_done_is_not_forgotten(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_fail(&b->script, HTTP_E_CONNECT, 0);
	script_answer(&b->script, 403, NOON_20, SKEWED);
	script_answer(&b->script, 409, "", "");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_true(b->error.maybe_done);
	assert_int_equal(b->error.attempts, 4);
}

static void maybe_done_stays_when_the_next_attempt_is_none(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_fail(&b->script, -ENOMEM, 0);
	assert_int_equal(send(b), -ENOMEM);
	assert_int_equal(b->error.transport, HTTP_E_BROKEN);
	assert_true(b->error.maybe_done);

	script_fail(&b->script, HTTP_E_CONNECT, 0);
	script_fail(&b->script, -ENOMEM, 0);
	assert_int_equal(send(b), -ENOMEM);
	assert_false(b->error.maybe_done);
}

/* The transport sent it anew by itself. */
static void what_the_transport_sent_twice_may_have_been_done(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 409, "", "");
	script_sent_before(&b->script);
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_true(b->error.maybe_done);
	assert_int_equal(b->error.attempts, 1);

	script_answer(&b->script, 409, "", "");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_false(b->error.maybe_done);
}

static void what_the_transport_sent_twice_is_not_forgotten(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_CONNECT, 0);
	script_sent_before(&b->script);
	assert_true(maybe_done_after(b));
	script_answer(&b->script, 429, "", "");
	script_sent_before(&b->script);
	assert_true(maybe_done_after(b));
	script_answer(&b->script, 403, NOON_20, SKEWED);
	script_sent_before(&b->script);
	assert_true(maybe_done_after(b));
}

/* ---- the clock ---- */

static void skew_is_mended_by_the_date(void **state)
{
	struct bench *b = *state;
	char line[300];

	script_answer(&b->script, 403, NOON_20, SKEWED);
	script_answer(&b->script, 200, NOON_20, "");
	assert_int_equal(send(b), 0);
	assert_int_equal(script_count(&b->script), 2);
	assert_string_equal(sent_header(b, 0, "X-Amz-Date"), "20261123T120000Z");
	assert_string_equal(sent_header(b, 1, "X-Amz-Date"), "20261123T122000Z");
	assert_int_equal(log_lines_count("the clock is off"), 1);
	log_lines_last("", line, sizeof(line));
	assert_string_equal(line, "warn: the clock is off by -1200 s against "
				  "s3.eu-west-1.amazonaws.com; signing by its time");
}

static void skew_once_mended_stays_mended(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, NOON_20, SKEWED);
	script_answer(&b->script, 200, NOON_20, "");
	script_answer(&b->script, 200, NOON_20, "");
	assert_int_equal(send(b), 0);
	assert_int_equal(send(b), 0);
	assert_int_equal(script_count(&b->script), 3);
	assert_string_equal(sent_header(b, 2, "X-Amz-Date"), "20261123T122000Z");
}

static void skew_is_mended_backwards_too(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, "Date: Mon, 23 Nov 2026 09:00:00 GMT\n", SKEWED);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_string_equal(sent_header(b, 1, "X-Amz-Date"), "20261123T090000Z");
}

static void skew_is_mended_for_each_code_that_hides_it(void **state)
{
	static const char *const codes[] = {"RequestTimeTooSkewed",
					    "RequestExpired",
					    "SignatureDoesNotMatch",
					    "InvalidSignatureException",
					    "AccessDenied",
					    "RequestInTheFuture",
					    "AuthFailure"};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		char body[100], date[60];

		snprintf(body, sizeof(body), "<Error><Code>%s</Code></Error>", codes[i]);
		snprintf(date, sizeof(date), "Date: Mon, 23 Nov 2026 %02zu:00:00 GMT\n", 13 + i);
		script_answer(&b->script, 403, date, body);
		script_answer(&b->script, 200, "", "");
		assert_int_equal(send(b), 0);
	}
}

/* The answer to a HEAD has no body, so no code. */
static void skew_is_mended_without_a_body(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, NOON_20, "");
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
	assert_string_equal(sent_header(b, 1, "X-Amz-Date"), "20261123T122000Z");
}

static void skew_is_mended_even_with_one_attempt(void **state)
{
	struct bench *b = *state;

	b->request.max_attempts = 1;
	script_answer(&b->script, 403, NOON_20, SKEWED);
	script_answer(&b->script, 200, "", "");
	assert_int_equal(send(b), 0);
}

static void small_skew_is_not_why(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, "Date: Mon, 23 Nov 2026 12:03:00 GMT\n",
		      "<Error><Code>AccessDenied</Code></Error>");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(script_count(&b->script), 1);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS);
}

static void skew_of_another_refusal_is_not_why(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 404, NOON_20, "<Error><Code>NoSuchBucket</Code></Error>");
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(script_count(&b->script), 1);
}

static void server_that_keeps_refusing_is_asked_twice(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, NOON_20, SKEWED);
	script_answer(&b->script, 403, "Date: Mon, 23 Nov 2026 15:00:00 GMT\n", SKEWED);
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(script_count(&b->script), 2);
	assert_string_equal(b->error.code, "RequestTimeTooSkewed");
}

static void refusal_without_a_date_is_final(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, "", SKEWED);
	script_answer(&b->script, 403, "Date: yesterday\n", SKEWED);
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(send(b), AWS_E_REPLY);
	assert_int_equal(script_count(&b->script), 2);
}

/* While this request was under way, another one's answer mended the clock. */
static int refused_while_another_mends(void *data, struct call *call,
				       const struct http_request *request,
				       struct http_response *ret_response)
{
	struct bench *b = data;

	(void)call;
	if (!strcmp(http_headers_get(&request->headers, "X-Amz-Date"), "20261123T122000Z"))
		return script_respond(ret_response, 200, NOON_20, "");
	script_respond(ret_response, 403, NOON_20, SKEWED);
	aws_caller_learn_time(&b->caller, ret_response);
	return 0;
}

static void skew_that_another_request_mended(void **state)
{
	struct bench *b = *state;

	script_callback(&b->script, refused_while_another_mends, b);
	assert_int_equal(send(b), 0);
	assert_int_equal(script_count(&b->script), 2);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS + 1200000);
}

/* After the refusal that was mended nothing came. */
static void deadline_after_a_mended_clock_tells_of_the_refusal(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, NOON_20, SKEWED);
	script_hang(&b->script);
	assert_int_equal(send(b), -ETIMEDOUT);
	assert_string_equal(b->error.code, "RequestTimeTooSkewed");
	assert_int_equal(b->error.attempts, 1);
}

static void learned_time_tolerates_two_seconds(void **state)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct bench *b = *state;

	script_respond(&response, 200, "Date: Mon, 23 Nov 2026 12:00:02 GMT\n", "");
	aws_caller_learn_time(&b->caller, &response);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS);
	http_response_deinit(&response);
	script_respond(&response, 200, "Date: Mon, 23 Nov 2026 12:00:03 GMT\n", "");
	aws_caller_learn_time(&b->caller, &response);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS + 3000);
}

/* A clock by which another thread learns the time while the first one looks at it. */
struct meddling_clock {
	struct clock clock;
	struct aws_caller *caller;
	struct http_response *response;
	bool meddled;
};

static int64_t meddling_boot_ms(struct clock *clock)
{
	struct meddling_clock *m = (struct meddling_clock *)clock;

	if (m->response && !m->meddled) {
		m->meddled = true;
		aws_caller_learn_time(m->caller, m->response);
	}
	return TEST_CLOCK_BOOT_MS;
}

static int64_t meddling_wall_ms(struct clock *clock)
{
	(void)clock;
	return TEST_CLOCK_WALL_MS;
}

static void time_learned_by_two_at_once_is_learned_once(void **state)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct bench *b = *state;
	struct aws_caller caller;
	struct meddling_clock clock = {
	    .clock = {meddling_boot_ms, meddling_wall_ms, NULL},
	    .caller = &caller,
	};

	aws_caller_init(&caller, &b->script.transport, &clock.clock, 1);
	script_respond(&response, 200, NOON_20, "");
	clock.response = &response;
	aws_caller_learn_time(&caller, &response);
	assert_int_equal(aws_caller_now_ms(&caller), TEST_CLOCK_WALL_MS + 1200000);
	aws_caller_deinit(&caller);
}

static void servers_time_goes_on_with_the_boot_clock(void **state)
{
	struct bench *b = *state;

	test_clock_jump_wall(&b->clock, 3600000);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS);
	test_clock_advance(&b->clock, 5000);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS + 5000);
	aws_caller_shift_time(&b->caller, -1000);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS + 4000);
}

/* ---- what codes mean ---- */

static void throttles(void **state)
{
	(void)state;
	assert_true(aws_error_is_throttle(&(struct aws_error){.code = "SlowDown"}));
	assert_true(aws_error_is_throttle(&(struct aws_error){.code = "Throttling"}));
	assert_true(aws_error_is_throttle(&(struct aws_error){.status = 429}));
	assert_false(aws_error_is_throttle(&(struct aws_error){.status = 500}));
	assert_false(aws_error_is_throttle(&(struct aws_error){.code = "AccessDenied"}));
}

static void tokens(void **state)
{
	(void)state;
	assert_true(aws_error_is_token(&(struct aws_error){.code = "ExpiredToken"}));
	assert_true(aws_error_is_token(&(struct aws_error){.code = "InvalidToken"}));
	assert_true(aws_error_is_token(&(struct aws_error){.code = "TokenRefreshRequired"}));
	assert_false(aws_error_is_token(&(struct aws_error){.code = "AccessDenied"}));
	assert_false(aws_error_is_token(&(struct aws_error){.code = ""}));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(first_answer_is_returned),
	    test(request_is_signed_by_the_wall_clock),
	    test(error_in_a_200_is_a_refusal),
	    test(internal_error_in_a_200_is_tried_again),
	    test(request_that_cannot_be_signed_is_not_sent),
	    test(payload_hash_is_as_given),
	    test(prepare_is_called_before_each_signature),
	    test(prepare_may_end_it),
	    test(bytes_that_came_are_progress),
	    test(bytes_do_not_outlast_the_deadline),
	    test(sink_that_wants_no_more_is_final),
	    test(error_in_a_200_may_have_been_done),
	    test(broken_transports_that_are_tried_again),
	    test(broken_transports_that_are_final),
	    test(os_errno_of_a_refused_connection_is_kept),
	    test(replies_that_are_tried_again),
	    test(replies_that_are_final),
	    test(attempts_end_at_the_callers_number),
	    test(attempts_end_at_the_requests_number),
	    test(each_attempt_is_signed_anew),
	    test(budget_ends_the_retries_of_all),
	    test(timeouts_cost_twice),
	    test(success_gives_back),
	    test(pause_grows_and_is_bounded),
	    test(retry_after_is_respected),
	    test(retry_after_as_a_date_is_by_the_servers_clock),
	    test(retry_after_past_the_deadline_is_not_waited_for),
	    test(deadline_is_not_overshot),
	    test(deadline_in_an_attempt_tells_of_the_one_before),
	    test(deadline_in_the_first_attempt),
	    test(cancel_ends_the_pause),
	    test(cancel_ends_a_hanging_attempt),
	    test(what_was_sent_may_have_been_done),
	    test(what_was_not_sent_was_not_done),
	    test(maybe_done_is_not_forgotten),
	    test(maybe_done_stays_when_the_next_attempt_is_none),
	    test(what_the_transport_sent_twice_may_have_been_done),
	    test(what_the_transport_sent_twice_is_not_forgotten),
	    test(skew_is_mended_by_the_date),
	    test(skew_once_mended_stays_mended),
	    test(skew_is_mended_backwards_too),
	    test(skew_is_mended_for_each_code_that_hides_it),
	    test(skew_is_mended_without_a_body),
	    test(skew_is_mended_even_with_one_attempt),
	    test(small_skew_is_not_why),
	    test(skew_of_another_refusal_is_not_why),
	    test(server_that_keeps_refusing_is_asked_twice),
	    test(refusal_without_a_date_is_final),
	    test(skew_that_another_request_mended),
	    test(deadline_after_a_mended_clock_tells_of_the_refusal),
	    test(learned_time_tolerates_two_seconds),
	    test(time_learned_by_two_at_once_is_learned_once),
	    test(servers_time_goes_on_with_the_boot_clock),
	    test(throttles),
	    test(tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
