#include "xacctfs/util/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void empty_is_an_empty_string(void **state)
{
	struct buf b = BUF_INIT;
	char *stolen;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_clear(&b);
	buf_wipe(&b);
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	assert_string_equal(buf_str(&b), "");
	stolen = buf_steal(&b);
	assert_string_equal(stolen, "");
	free(stolen);
	stolen = buf_steal(&b);
	assert_string_equal(stolen, "");
	free(stolen);
}

static void grows_and_stays_terminated(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(buf_add_char(&b, (char)('a' + i % 26)), 0);
		assert_int_equal(b.len, i + 1);
		assert_int_equal(b.data[b.len], '\0');
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_str(&b), "");
	buf_deinit(&b);
	assert_null(b.data);
}

static void bytes_may_be_nul(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(buf_add(&b, "a\0b", 3), 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
	buf_deinit(&b);
}

static void too_large_changes_nothing(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOMEM);
	buf_add_str(&b, "keep");
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 4), -ENOMEM);
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 2 - 4), -ENOMEM);
	assert_string_equal(buf_str(&b), "keep");
	buf_deinit(&b);
}

static void reserve_keeps_the_bytes(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_add_str(&b, "keep");
	assert_int_equal(buf_reserve(&b, 100000), 0);
	assert_true(b.size > 100004);
	assert_string_equal(buf_str(&b), "keep");
	buf_deinit(&b);
}

static void steal_hands_over(void **state)
{
	struct buf b = BUF_INIT;
	char *stolen;

	(void)state;
	buf_add_str(&b, "mine");
	stolen = buf_steal(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.size, 0);
	assert_string_equal(stolen, "mine");
	free(stolen);
}

static void printf_appends(void **state)
{
	struct buf b = BUF_INIT;
	char text[300];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(buf_printf(&b, "%d-%s", 7, "seven"), 0);
	assert_string_equal(buf_str(&b), "7-seven");
	assert_int_equal(buf_printf(&b, "%s", text), 0);
	assert_int_equal(b.len, 7 + 299);
	assert_string_equal(b.data + 7, text);
	assert_int_equal(buf_printf(&b, "%s", ""), 0);
	assert_int_equal(b.len, 306);
	buf_deinit(&b);
}

static void hex_is_lower_case(void **state)
{
	const uint8_t data[] = {0x00, 0x0f, 0xa5, 0xff};
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(buf_add_hex(&b, data, sizeof(data)), 0);
	assert_string_equal(buf_str(&b), "000fa5ff");
	buf_deinit(&b);
}

static void encoding_is_that_of_sigv4(void **state)
{
	const char unreserved[] = "ABCXYZabcxyz0189-._~";
	struct buf b = BUF_INIT;

	(void)state;
	buf_add_encoded(&b, unreserved, strlen(unreserved), false);
	assert_string_equal(buf_str(&b), unreserved);
	buf_clear(&b);
	buf_add_encoded(&b, "a b+c/*'()!@:%\xc3\xa4\0", 17, false);
	assert_string_equal(buf_str(&b), "a%20b%2Bc%2F%2A%27%28%29%21%40%3A%25%C3%A4%00");
	buf_clear(&b);
	buf_add_encoded(&b, "/a b//", 6, true);
	assert_string_equal(buf_str(&b), "/a%20b//");
	buf_deinit(&b);
}

static void every_byte_is_encoded_or_unreserved(void **state)
{
	struct buf b = BUF_INIT;
	int kept = 0;

	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;

		buf_clear(&b);
		assert_int_equal(buf_add_encoded(&b, &byte, 1, false), 0);
		kept += b.len == 1;
		assert_true(b.len == 1 || b.len == 3);
		if (b.len == 3)
			assert_int_equal(strtol(b.data + 1, NULL, 16), c);
	}
	assert_int_equal(kept, 26 + 26 + 10 + 4);
	buf_deinit(&b);
}

static void decoding_undoes_encoding(void **state)
{
	struct buf encoded = BUF_INIT, decoded = BUF_INIT;
	char bytes[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	assert_int_equal(buf_add_encoded(&encoded, bytes, sizeof(bytes), false), 0);
	assert_int_equal(buf_add_decoded(&decoded, encoded.data), 0);
	assert_int_equal(decoded.len, sizeof(bytes));
	assert_memory_equal(decoded.data, bytes, sizeof(bytes));
	buf_deinit(&encoded);
	buf_deinit(&decoded);
}

static void decoding_takes_forms(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(buf_add_decoded(&b, "a+b%2bc%2Bd%20/%e9%"), 0);
	assert_string_equal(buf_str(&b), "a b+c+d /\xe9%");
	buf_clear(&b);
	assert_int_equal(buf_add_decoded(&b, "%4%g1%1g%%41%"), 0);
	assert_string_equal(buf_str(&b), "%4%g1%1g%A%");
	assert_int_equal(buf_add_decoded(&b, ""), 0);
	assert_string_equal(buf_str(&b), "%4%g1%1g%A%");
	buf_deinit(&b);
}

static void xml_references(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(buf_add_xml(&b, "<a b=\"c\" d='e'>&amp;</a>\xc3\xa4"), 0);
	assert_string_equal(buf_str(&b),
			    "&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;amp;&lt;/a&gt;\xc3\xa4");
	buf_deinit(&b);
}

static void a_field_stays_in_its_line(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(buf_add_escaped(&b, ""), 0);
	assert_int_equal(buf_add_escaped(&b, "a b\n\x1f\x7f\\~\xc3\xa4"), 0);
	assert_string_equal(buf_str(&b), "a b\\x0a\\x1f\\x7f\\x5c~\xc3\xa4");
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_is_an_empty_string),
	    cmocka_unit_test(grows_and_stays_terminated),
	    cmocka_unit_test(bytes_may_be_nul),
	    cmocka_unit_test(too_large_changes_nothing),
	    cmocka_unit_test(reserve_keeps_the_bytes),
	    cmocka_unit_test(steal_hands_over),
	    cmocka_unit_test(printf_appends),
	    cmocka_unit_test(hex_is_lower_case),
	    cmocka_unit_test(encoding_is_that_of_sigv4),
	    cmocka_unit_test(every_byte_is_encoded_or_unreserved),
	    cmocka_unit_test(decoding_undoes_encoding),
	    cmocka_unit_test(decoding_takes_forms),
	    cmocka_unit_test(xml_references),
	    cmocka_unit_test(a_field_stays_in_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
