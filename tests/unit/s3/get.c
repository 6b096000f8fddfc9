/* GetObject: ranges, answers that break off, and answers that are not what was asked for. */
#include "bench.h"

#define BYTES       "0123456789abcdefghij" /* the object */
#define SIZE        20
#define ETAG        "ETag: \"e1\"\n"
#define OTHER       "ETag: \"e2\"\n"
#define PART(range) ETAG "Content-Range: bytes " range "/20\n"

/* What the caller of the store has got. */
struct basket {
	char bytes[4 * SIZE];
	size_t n;
	size_t room; /* the sink refuses more, with 77 */
	struct object told;
};

static int take(void *data, const void *bytes, size_t n)
{
	struct basket *basket = data;

	if (n > basket->room)
		return 77;
	basket->room -= n;
	memcpy(basket->bytes + basket->n, bytes, n);
	basket->n += n;
	return 0;
}

static int get_with(struct bench *b, uint64_t offset, uint64_t len, const char *if_match,
		    struct basket *basket, struct object *ret_object)
{
	struct object_id id = {"bucket", "k"};
	struct get_params params = {
	    .offset = offset, .len = len, .if_match = if_match, .sink = take, .sink_data = basket};

	basket->n = 0;
	if (basket->room == 0)
		basket->room = sizeof(basket->bytes);
	return b->store->get_object(b->store, &b->call, &id, &params, ret_object);
}

static int get(struct bench *b, uint64_t offset, uint64_t len, struct basket *basket)
{
	return get_with(b, offset, len, NULL, basket, NULL);
}

static void expect_bytes(const struct basket *basket, size_t offset, size_t len)
{
	assert_int_equal(basket->n, len);
	assert_memory_equal(basket->bytes, BYTES + offset, len);
}

static void cut(struct bench *b, const char *headers, const char *bytes)
{
	script_cut_bytes(&b->script, 206, headers, bytes, strlen(bytes));
}

static void expect_no_if_match(struct bench *b, size_t i)
{
	assert_null(http_headers_get(&sent(b, i)->headers, "If-Match"));
}

/* ---- in one answer ---- */

static void note_told(void *data, const struct object *object)
{
	struct object *seen = data;

	assert_null(seen->etag); /* once */
	seen->etag = strdup(object->etag);
	seen->size = object->size;
}

static int take_told_bytes(void *data, const void *bytes, size_t n)
{
	const struct basket *basket = data;

	assert_non_null(basket->told.etag);
	return take(data, bytes, n);
}

/* Even when the bytes come in two answers. */
static void it_is_told_before_its_bytes(void **state)
{
	_cleanup_(object_deinit) struct object seen = {0};
	struct bench *b = *state;
	struct basket basket = {.room = SIZE};
	struct object_id id = {"bucket", "k"};
	struct get_params params = {.offset = 3,
				    .len = 4,
				    .sink = take_told_bytes,
				    .sink_data = &basket,
				    .told = note_told,
				    .told_data = &basket.told};

	script_answer(&b->script, 206, PART("3-4") "Content-Length: 2\n", "34");
	script_answer(&b->script, 206, PART("5-6") "Content-Length: 2\n", "56");
	assert_int_equal(b->store->get_object(b->store, &b->call, &id, &params, NULL), 0);
	expect_bytes(&basket, 3, 4);
	seen = basket.told;
	assert_string_equal(seen.etag, "\"e1\"");
	assert_int_equal(seen.size, SIZE);
}

static void get_on_the_wire(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};
	struct object o;

	script_answer(&b->script, 206,
		      PART("3-6") "Content-Length: 4\nContent-Type: a/b\nx-amz-meta-mode: 1\n"
				  "Last-Modified: Mon, 23 Nov 2026 12:00:00 GMT\n",
		      "3456");
	assert_int_equal(get_with(b, 3, 4, NULL, &basket, &o), 0);
	assert_string_equal(sent(b, 0)->method, "GET");
	assert_string_equal(sent(b, 0)->path, "/k");
	expect_header(b, 0, "Range", "bytes=3-6");
	expect_no_if_match(b, 0);
	expect_bytes(&basket, 3, 4);
	assert_int_equal(o.size, SIZE);
	assert_int_equal(o.mtime_ms, TEST_CLOCK_WALL_MS);
	assert_string_equal(o.etag, "\"e1\"");
	assert_string_equal(o.content_type, "a/b");
	assert_string_equal(object_meta_get(&o, "mode"), "1");
	object_deinit(&o);
}

static void get_pinned(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	script_answer(&b->script, 206, PART("0-4"), "01234");
	assert_int_equal(get_with(b, 0, 5, "\"e1\"", &basket, NULL), 0);
	expect_header(b, 0, "If-Match", "\"e1\"");
	expect_bytes(&basket, 0, 5);
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(get_with(b, 0, 5, "\"e1\"", &basket, NULL), -ESTALE);
}

static void get_over_the_end(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	script_answer(&b->script, 206, PART("15-19"), "fghij");
	assert_int_equal(get(b, 15, 1000, &basket), 0);
	expect_bytes(&basket, 15, 5);
	script_answer(&b->script, 206, PART("15-19"), "fghij");
	assert_int_equal(get(b, 15, UINT64_MAX, &basket), 0);
	expect_header(b, 1, "Range", "bytes=15-9223372036854775806");
	expect_bytes(&basket, 15, 5);
}

static void get_behind_the_end(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	script_answer(&b->script, 416, "", ERROR("InvalidRange"));
	assert_int_equal(get(b, 20, 1, &basket), -ERANGE);
	assert_int_equal(basket.n, 0);
}

static void get_of_nothing_at_all(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	assert_int_equal(get(b, 0, 0, &basket), -EINVAL);
	assert_int_equal(script_count(&b->script), 0);
}

/* What is in an object is not looked at: it may be the XML of an error. */
static void get_of_an_error(void **state)
{
	static const char text[] = "<Error><Code>SlowDown</Code></Error>";
	struct bench *b = *state;
	struct basket basket = {0};

	script_answer(&b->script, 206, ETAG "Content-Range: bytes 0-35/36\n", text);
	assert_int_equal(get(b, 0, 100, &basket), 0);
	assert_int_equal(basket.n, 36);
	assert_memory_equal(basket.bytes, text, 36);
}

static void get_that_the_caller_ends(void **state)
{
	struct bench *b = *state;
	struct basket basket = {.room = 1};

	script_answer(&b->script, 206, PART("0-4"), "01234");
	assert_int_equal(get(b, 0, 5, &basket), 77);
	assert_int_equal(script_count(&b->script), 1);
	assert_int_equal(log_lines_count(""), 0);
}

/* ---- in several answers ---- */

static void get_that_breaks_off_goes_on(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};
	struct object o;

	cut(b, PART("2-17"), "23456");
	script_fail(&b->script, HTTP_E_CONNECT, ECONNREFUSED);
	cut(b, PART("7-17"), "7");
	script_answer(&b->script, 206, PART("8-17"), "89abcdefgh");
	assert_int_equal(get_with(b, 2, 16, NULL, &basket, &o), 0);
	expect_bytes(&basket, 2, 16);
	expect_header(b, 0, "Range", "bytes=2-17");
	expect_no_if_match(b, 0);
	expect_header(b, 1, "Range", "bytes=7-17");
	expect_header(b, 1, "If-Match", "\"e1\"");
	expect_header(b, 3, "Range", "bytes=8-17");
	assert_int_equal(o.size, SIZE);
	assert_int_equal(script_count(&b->script), 4);
	assert_int_equal(log_lines_count(""), 0);
	object_deinit(&o);
}

/* The bench's caller tries three times. */
static void get_that_brings_bytes_is_not_counted(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};
	char range[80];

	for (int i = 0; i < SIZE; i++) {
		snprintf(range, sizeof(range), ETAG "Content-Range: bytes %d-19/20\n", i);
		script_cut_bytes(&b->script, 206, range, &BYTES[i], 1);
	}
	assert_int_equal(get(b, 0, SIZE, &basket), 0);
	expect_bytes(&basket, 0, SIZE);
	assert_int_equal(script_count(&b->script), SIZE);
}

static void get_that_brings_nothing_any_more(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	cut(b, PART("0-19"), "0");
	for (int i = 0; i < 3; i++)
		script_fail(&b->script, HTTP_E_BROKEN, 0);
	assert_int_equal(get(b, 0, SIZE, &basket), -EIO);
	expect_bytes(&basket, 0, 1);
	assert_int_equal(script_left(&b->script), 0);
	assert_int_equal(log_lines_count("GetObject of bucket/k: scripted failure"), 1);
}

static void get_that_breaks_behind_the_last_byte(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	cut(b, PART("15-19"), "fghij");
	assert_int_equal(get(b, 15, 100, &basket), 0);
	expect_bytes(&basket, 15, 5);
	assert_int_equal(script_count(&b->script), 1);
}

static void get_of_what_changes_meanwhile(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	cut(b, PART("0-19"), "01234");
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(get(b, 0, SIZE, &basket), -ESTALE);
	expect_bytes(&basket, 0, 5);
	cut(b, PART("0-19"), "01234");
	script_answer(&b->script, 404, "", ERROR("NoSuchKey"));
	assert_int_equal(get(b, 0, SIZE, &basket), -ESTALE);
	/* a server that does not look at If-Match */
	cut(b, PART("0-19"), "01234");
	script_answer(&b->script, 206, OTHER "Content-Range: bytes 5-19/20\n", "56789abcdefghij");
	assert_int_equal(get(b, 0, SIZE, &basket), -ESTALE);
	expect_bytes(&basket, 0, 5);
	cut(b, PART("0-19"), "01234");
	script_answer(&b->script, 206, ETAG "Content-Range: bytes 5-19/21\n", "56789abcdefghij");
	assert_int_equal(get(b, 0, SIZE, &basket), -ESTALE);
	expect_bytes(&basket, 0, 5);
	script_answer(&b->script, 206, PART("0-19"), BYTES);
	assert_int_equal(get_with(b, 0, SIZE, "\"e3\"", &basket, NULL), -ESTALE);
	assert_int_equal(basket.n, 0);
	assert_int_equal(script_left(&b->script), 0);
}

static void get_of_the_rest_of_what_has_no_etag(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	cut(b, "Content-Range: bytes 0-19/20\n", "01234");
	assert_int_equal(get(b, 0, SIZE, &basket), -EIO);
	expect_bytes(&basket, 0, 5);
	assert_int_equal(script_count(&b->script), 1);
}

static void get_of_less_than_was_asked_for_goes_on(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	script_answer(&b->script, 206, PART("0-4"), "01234");
	script_answer(&b->script, 206, PART("5-9"), "56789");
	assert_int_equal(get(b, 0, 10, &basket), 0);
	expect_bytes(&basket, 0, 10);
	expect_header(b, 1, "Range", "bytes=5-9");
	expect_header(b, 1, "If-Match", "\"e1\"");
}

static void get_goes_on_in_another_region(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	cut(b, PART("0-9"), "01234");
	script_answer(&b->script, 301, "x-amz-bucket-region: us-west-2\n",
		      ERROR("PermanentRedirect"));
	script_answer(&b->script, 206, PART("5-9"), "56789");
	assert_int_equal(get(b, 0, 10, &basket), 0);
	expect_bytes(&basket, 0, 10);
	expect_scope(b, 2, "ASIA1", "us-west-2");
	expect_header(b, 2, "Range", "bytes=5-9");
}

/* ---- servers without ranges ---- */

#define WHOLE ETAG "Content-Length: 20\n"

static void get_of_a_server_without_ranges(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};
	struct object o;

	script_answer(&b->script, 200, WHOLE, BYTES);
	assert_int_equal(get_with(b, 0, SIZE, NULL, &basket, &o), 0);
	expect_bytes(&basket, 0, SIZE);
	assert_int_equal(o.size, SIZE);
	object_deinit(&o);
	script_answer(&b->script, 200, WHOLE, BYTES);
	assert_int_equal(get(b, 7, 5, &basket), 0);
	expect_bytes(&basket, 7, 5);
	script_answer(&b->script, 200, WHOLE, BYTES);
	assert_int_equal(get(b, 18, 50, &basket), 0);
	expect_bytes(&basket, 18, 2);
	script_answer(&b->script, 200, WHOLE, BYTES);
	assert_int_equal(get(b, 20, 1, &basket), -ERANGE);
	assert_int_equal(basket.n, 0);
	script_answer(&b->script, 200, ETAG "Content-Length: 0\n", "");
	assert_int_equal(get(b, 0, 1, &basket), -ERANGE);
}

/* A server that sends its object byte by byte, and counts those that are taken. */
static int drip(void *data, struct call *call, const struct http_request *request,
		struct http_response *response)
{
	size_t *taken = data;

	(void)call;
	script_respond(response, 200, WHOLE, "");
	for (const char *p = BYTES; *p; p++, ++*taken)
		if (request->sink(request->sink_data, response, p, 1))
			return HTTP_E_SINK;
	return 0;
}

static void get_does_not_wait_for_the_rest(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};
	size_t taken = 0;

	script_callback(&b->script, drip, &taken);
	assert_int_equal(get(b, 2, 5, &basket), 0);
	expect_bytes(&basket, 2, 5);
	assert_int_equal(taken, 7);
	assert_int_equal(log_lines_count(""), 0);
}

static void get_that_breaks_off_goes_on_without_ranges(void **state)
{
	struct bench *b = *state;
	struct basket basket = {0};

	script_cut_bytes(&b->script, 200, WHOLE, BYTES, 9);
	script_cut_bytes(&b->script, 200, WHOLE, BYTES, 3);
	script_answer(&b->script, 200, WHOLE, BYTES);
	assert_int_equal(get(b, 7, 10, &basket), 0);
	expect_bytes(&basket, 7, 10);
	assert_int_equal(script_count(&b->script), 3);
}

/* ---- wrong answers ---- */

static void wrong(struct bench *b, int status, const char *headers, const char *body)
{
	struct basket basket = {0};
	size_t asked = script_count(&b->script);

	script_answer(&b->script, status, headers, body);
	assert_int_equal(get(b, 5, 10, &basket), -EIO);
	assert_memory_equal(basket.bytes, BYTES + 5, basket.n);
	assert_int_equal(script_count(&b->script), asked + 1);
	assert_int_equal(log_lines_count("error: GetObject of bucket/k: MalformedAnswer"), 1);
	log_lines_start(LOG_LEVEL_INFO);
}

static void get_of_another_range_is_no_answer(void **state)
{
	static const char *const ranges[] = {
	    "bytes 4-13/20",
	    "bytes 6-14/20",
	    "bytes 5-15/20",
	    "bytes 5-4/20",
	    "bytes 5-14/14",
	    "bytes 5-14/*",
	    "bytes */20",
	    "items 5-14/20",
	    "bytes 5-14",
	    "bytes 5-/20",
	    "bytes -14/20",
	    "bytes 5-14/x",
	    "bytes 5 - 14/20",
	    "bytes 5-14/9223372036854775808",
	    "",
	};
	char headers[200];

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		snprintf(headers, sizeof(headers), ETAG "Content-Range: %s\n", ranges[i]);
		wrong(*state, 206, headers, "56789abcde");
	}
	wrong(*state, 206, ETAG, "56789abcde");
}

static void get_of_too_many_or_no_bytes_is_no_answer(void **state)
{
	wrong(*state, 206, PART("5-9"), "56789abcde");
	wrong(*state, 206, PART("5-14"), "56789abcdef");
	wrong(*state, 206, PART("5-14"), "");
	wrong(*state, 200, ETAG "Content-Length: 20\n", "");
	wrong(*state, 200, ETAG, BYTES);
	wrong(*state, 203, ETAG "Content-Length: 20\n", BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    bench_test(get_on_the_wire),
	    bench_test(it_is_told_before_its_bytes),
	    bench_test(get_pinned),
	    bench_test(get_over_the_end),
	    bench_test(get_behind_the_end),
	    bench_test(get_of_nothing_at_all),
	    bench_test(get_of_an_error),
	    bench_test(get_that_the_caller_ends),
	    bench_test(get_that_breaks_off_goes_on),
	    bench_test(get_that_brings_bytes_is_not_counted),
	    bench_test(get_that_brings_nothing_any_more),
	    bench_test(get_that_breaks_behind_the_last_byte),
	    bench_test(get_of_what_changes_meanwhile),
	    bench_test(get_of_the_rest_of_what_has_no_etag),
	    bench_test(get_of_less_than_was_asked_for_goes_on),
	    bench_test(get_goes_on_in_another_region),
	    bench_test(get_of_a_server_without_ranges),
	    bench_test(get_does_not_wait_for_the_rest),
	    bench_test(get_that_breaks_off_goes_on_without_ranges),
	    bench_test(get_of_another_range_is_no_answer),
	    bench_test(get_of_too_many_or_no_bytes_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
