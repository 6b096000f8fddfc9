#include "xacctfs/http/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

static void add_keeps_order_and_copies(void **state)
{
	struct http_headers headers = {0};
	char value[] = "one";

	(void)state;
	assert_int_equal(http_headers_add(&headers, "A", value), 0);
	value[0] = 'x';
	assert_int_equal(http_headers_add(&headers, "B", ""), 0);
	assert_int_equal(http_headers_add(&headers, "a", "two"), 0);
	assert_int_equal(headers.n, 3);
	assert_string_equal(headers.v[0].value, "one");
	assert_string_equal(headers.v[1].value, "");
	assert_string_equal(headers.v[2].name, "a");
	http_headers_deinit(&headers);
	assert_int_equal(headers.n, 0);
	assert_null(headers.v);
}

static void lines_are_taken_as_they_come(void **state)
{
	static const struct {
		const char *line, *name, *value; /* no name: passed over */
	} cases[] = {
	    {"ETag: \"1\"\r\n", "ETag", "\"1\""},
	    {"ETag:\t\"1\" \t", "ETag", "\"1\""},
	    {"ETag:x", "ETag", "x"},
	    {"Date: Mon: 1\n", "Date", "Mon: 1"},
	    {"Empty:\r\n", "Empty", ""},
	    {"Empty: \t \r\n", "Empty", ""},
	    {":", NULL, NULL},
	    {"", NULL, NULL},
	    {"\r\n", NULL, NULL},
	    {"no colon\r\n", NULL, NULL},
	    {" folded: line\r\n", NULL, NULL},
	    {"Blank : x\r\n", NULL, NULL},
	    {"X: a\rb\r\n", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_headers headers = {0};

		assert_int_equal(
		    http_headers_add_line(&headers, cases[i].line, strlen(cases[i].line)), 0);
		assert_int_equal(headers.n, cases[i].name ? 1 : 0);
		if (cases[i].name) {
			assert_string_equal(headers.v[0].name, cases[i].name);
			assert_string_equal(headers.v[0].value, cases[i].value);
		}
		http_headers_deinit(&headers);
	}
}

static void get_finds_the_first_whatever_the_case(void **state)
{
	struct http_headers headers = {0};

	(void)state;
	assert_null(http_headers_get(&headers, "ETag"));
	http_headers_add(&headers, "ETag", "\"1\"");
	http_headers_add(&headers, "etag", "\"2\"");
	assert_string_equal(http_headers_get(&headers, "eTaG"), "\"1\"");
	assert_null(http_headers_get(&headers, "ETa"));
	assert_null(http_headers_get(&headers, "ETags"));
	http_headers_deinit(&headers);
}

static void set_adds_or_replaces_and_drops_the_others(void **state)
{
	struct http_headers headers = {0};

	(void)state;
	assert_int_equal(http_headers_set(&headers, "X", "1"), 0);
	http_headers_add(&headers, "x", "2");
	http_headers_add(&headers, "Y", "3");
	http_headers_add(&headers, "X", "4");
	assert_int_equal(http_headers_set(&headers, "x", "5"), 0);
	assert_int_equal(headers.n, 2);
	assert_string_equal(headers.v[0].name, "X");
	assert_string_equal(headers.v[0].value, "5");
	assert_string_equal(headers.v[1].value, "3");
	http_headers_deinit(&headers);
}

static void bytes_that_would_forge_a_header_are_refused(void **state)
{
	static const char *const names[] = {"", "A B", "A:", "A\r\nB", "A\n", "\x80", "(A)"};
	static const char *const values[] = {"a\r\nB: c", "a\n", "\r"};
	struct http_headers headers = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(http_headers_add(&headers, names[i], "v"), -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_int_equal(http_headers_add(&headers, "A", values[i]), -EINVAL);
	assert_int_equal(headers.n, 0);

	http_headers_add(&headers, "A", "old");
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_int_equal(http_headers_set(&headers, "A", values[i]), -EINVAL);
	assert_string_equal(http_headers_get(&headers, "A"), "old");
	http_headers_deinit(&headers);
}

static void bytes_above_ascii_pass_in_values(void **state)
{
	struct http_headers headers = {0};

	(void)state;
	assert_int_equal(http_headers_add(&headers, "x-amz-meta-a", "\xc3\xa4\t b"), 0);
	assert_string_equal(http_headers_get(&headers, "x-amz-meta-a"), "\xc3\xa4\t b");
	http_headers_deinit(&headers);
}

static void deinit_leaves_zero(void **state)
{
	struct http_request request = {.method = "PUT", .scheme = strdup("http")};
	struct http_response response = {.status = 200, .error = "x"};
	static const struct http_request no_request;
	static const struct http_response no_response;

	(void)state;
	request.query = strdup("uploads");
	http_headers_add(&request.headers, "A", "b");
	buf_add_str(&request.body, "body");
	http_request_deinit(&request);
	assert_memory_equal(&request, &no_request, sizeof(request));
	http_request_deinit(&request);

	http_headers_add(&response.headers, "A", "b");
	buf_add_str(&response.body, "body");
	http_response_deinit(&response);
	assert_memory_equal(&response, &no_response, sizeof(response));
	http_response_deinit(&response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(add_keeps_order_and_copies),
	    cmocka_unit_test(lines_are_taken_as_they_come),
	    cmocka_unit_test(get_finds_the_first_whatever_the_case),
	    cmocka_unit_test(set_adds_or_replaces_and_drops_the_others),
	    cmocka_unit_test(bytes_that_would_forge_a_header_are_refused),
	    cmocka_unit_test(bytes_above_ascii_pass_in_values),
	    cmocka_unit_test(deinit_leaves_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
