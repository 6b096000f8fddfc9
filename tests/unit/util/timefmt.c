#include "xacctfs/util/timefmt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

#define MOMENT_MS INT64_C(1795464798000) /* 2026-11-23T20:13:18Z */

struct case_ {
	const char *text;
	int64_t ms;
};

static void iso_is_parsed(void **state)
{
	static const struct case_ cases[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"2026-11-23T20:13:18Z", MOMENT_MS},
	    {"2026-11-23T20:13:18.000Z", MOMENT_MS},
	    {"2026-11-23T20:13:18.5Z", MOMENT_MS + 500},
	    {"2026-11-23T20:13:18.123Z", MOMENT_MS + 123},
	    {"2026-11-23T20:13:18.123999999Z", MOMENT_MS + 123},
	    {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
	    {"2000-02-29T23:59:59Z", INT64_C(951868799000)},
	    {"2016-12-31T23:59:60Z", INT64_C(1483228800000)}, /* a leap second */
	    {"1969-12-31T23:59:59Z", -1000},
	    {"9999-12-31T23:59:59Z", INT64_C(253402300799000)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = 42;

		assert_int_equal(time_parse_iso(cases[i].text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void bad_iso_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "2026",
	    "2026-11-23",
	    "2026-11-23T20:13:18",
	    "2026-11-23T20:13:18z",
	    "2026-11-23T20:13:18+00:00",
	    "2026-11-23T20:13:18.Z",
	    "2026-11-23T20:13:18.5",
	    "2026-11-23T20:13:18Z ",
	    " 2026-11-23T20:13:18Z",
	    "2026-11-23 20:13:18Z",
	    "2026-13-23T20:13:18Z",
	    "2026-00-23T20:13:18Z",
	    "2026-11-31T20:13:18Z",
	    "2026-11-00T20:13:18Z",
	    "2025-02-29T00:00:00Z",
	    "1900-02-29T00:00:00Z",
	    "2026-11-23T24:13:18Z",
	    "2026-11-23T20:60:18Z",
	    "2026-11-23T20:13:61Z",
	    "2026-11-23T-1:13:18Z",
	    "2026-1 -23T20:13:18Z",
	    "xxxx-11-23T20:13:18Z",
	    "2026/11/23T20:13:18Z",
	    "0000-11-23T20:13:18Z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t ms = 42;

		if (time_parse_iso(texts[i], &ms) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(ms, 42);
	}
}

static void http_date_is_parsed(void **state)
{
	static const struct case_ cases[] = {
	    {"Mon, 23 Nov 2026 20:13:18 GMT", MOMENT_MS},
	    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
	    {"Thu, 29 Feb 2024 00:00:00 GMT", INT64_C(1709164800000)},
	    {"Sat, 31 Dec 2016 23:59:60 GMT", INT64_C(1483228800000)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = 42;

		assert_int_equal(time_parse_http(cases[i].text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void bad_http_date_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "now",
	    "Mon, 23 Nov 2026 20:13:18",
	    "Mon, 23 Nov 2026 20:13:18 UTC",
	    "Mon, 23 Nov 2026 20:13:18 GMT+1",
	    "Mon, 23 Nov 2026 20:13:18 GMTx",
	    "Mon, 31 Nov 2026 20:13:18 GMT",
	    "Thu, 29 Feb 2025 00:00:00 GMT",
	    "Mon, 23 Nox 2026 20:13:18 GMT",
	    "Mon, 23 anF 2026 20:13:18 GMT",
	    "Mon, 23 No 2026 20:13:18 GMT",
	    "Mon, 23 Nov 2026 24:13:18 GMT",
	    "Mon, 23 Nov 2026 20:13:61 GMT",
	    "Mon, 23 Nov 26 20:13:18 GMT",
	    "Monday, 23-Nov-26 20:13:18 GMT",
	    "Mon Nov 23 20:13:18 2026",
	    "23 Nov 2026 20:13:18 GMT",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t ms = 42;

		if (time_parse_http(texts[i], &ms) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(ms, 42);
	}
}

static void formats(void **state)
{
	char iso[TIME_ISO_LEN + 1], amz[TIME_AMZ_LEN + 1];

	(void)state;
	time_format_iso(MOMENT_MS + 999, iso);
	assert_string_equal(iso, "2026-11-23T20:13:18Z");
	time_format_amz(MOMENT_MS + 999, amz);
	assert_string_equal(amz, "20261123T201318Z");
	time_format_amz(INT64_C(1709164800000), amz);
	assert_string_equal(amz, "20240229T000000Z");
	time_format_iso(0, iso);
	assert_string_equal(iso, "1970-01-01T00:00:00Z");
}

static void moments_without_a_form_are_told_as_the_nearest(void **state)
{
	static const struct {
		int64_t ms;
		const char *iso, *amz;
	} cases[] = {
	    {INT64_C(253402300799999), "9999-12-31T23:59:59Z", "99991231T235959Z"},
	    {INT64_C(253402300800000), "9999-12-31T23:59:59Z", "99991231T235959Z"},
	    {INT64_MAX, "9999-12-31T23:59:59Z", "99991231T235959Z"},
	    {INT64_C(-1), "1969-12-31T23:59:59Z", "19691231T235959Z"},
	    {INT64_C(-2208988800000), "1900-01-01T00:00:00Z", "19000101T000000Z"},
	    {INT64_C(-2208988800001), "1900-01-01T00:00:00Z", "19000101T000000Z"},
	    {INT64_MIN, "1900-01-01T00:00:00Z", "19000101T000000Z"},
	};
	char iso[TIME_ISO_LEN + 1], amz[TIME_AMZ_LEN + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		memset(iso, 'x', sizeof(iso));
		memset(amz, 'x', sizeof(amz));
		time_format_iso(cases[i].ms, iso);
		time_format_amz(cases[i].ms, amz);
		assert_memory_equal(iso, cases[i].iso, sizeof(iso));
		assert_memory_equal(amz, cases[i].amz, sizeof(amz));
	}
}

static void format_and_parse_agree(void **state)
{
	(void)state;
	for (int64_t ms = 0; ms < INT64_C(4102444800000); ms += INT64_C(86399000) * 7) {
		char iso[TIME_ISO_LEN + 1];
		int64_t back;

		time_format_iso(ms, iso);
		assert_int_equal(time_parse_iso(iso, &back), 0);
		assert_int_equal(back, ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(iso_is_parsed),
	    cmocka_unit_test(bad_iso_is_refused),
	    cmocka_unit_test(http_date_is_parsed),
	    cmocka_unit_test(bad_http_date_is_refused),
	    cmocka_unit_test(formats),
	    cmocka_unit_test(moments_without_a_form_are_told_as_the_nearest),
	    cmocka_unit_test(format_and_parse_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
