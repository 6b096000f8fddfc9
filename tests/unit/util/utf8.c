#include "xacctfs/util/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void characters(void **state)
{
	static const char *const valid[] = {
	    "",
	    "\x01\x7f",
	    "\xc2\x80",
	    "\xdf\xbf",
	    "\xe0\xa0\x80",
	    "\xed\x9f\xbf",
	    "\xee\x80\x80",
	    "\xef\xbf\xbf",
	    "\xf0\x90\x80\x80",
	    "\xf4\x8f\xbf\xbf",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		assert_true(utf8_valid(valid[i]));
	assert_true(utf8_valid("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"));
}

/* Lone and missing bytes, forms that are too long, surrogates, and what is over U+10FFFF. */
static void what_is_none(void **state)
{
	static const char *const invalid[] = {
	    "\x80",
	    "\xbf",
	    "\xc0\x80",
	    "\xc1\xbf",
	    "\xc2",
	    "\xc2z",
	    "\xe0\x9f\xbf",
	    "\xe2\x82",
	    "\xed\xa0\x80",
	    "\xf0\x8f\xbf\xbf",
	    "\xf0\x9f\x98",
	    "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80",
	    "\xff",
	};
	char behind[20];

	(void)state;
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		assert_int_equal(utf8_len((const unsigned char *)invalid[i]), 0);
		assert_false(utf8_valid(invalid[i]));
		snprintf(behind, sizeof(behind), "a\xc3\xa4%s", invalid[i]);
		assert_false(utf8_valid(behind));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(characters),
	    cmocka_unit_test(what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
