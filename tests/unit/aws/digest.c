#include "xacctfs/aws/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* RFC 1321, appendix A.5. */
static void md5_of_rfc_1321(void **state)
{
	static const struct {
		const char *text, *hex, *base64;
	} rows[] = {
	    {"", "d41d8cd98f00b204e9800998ecf8427e", "1B2M2Y8AsgTpgAmY7PhCfg=="},
	    {"a", "0cc175b9c0f1b6a831c399e269772661", "DMF1ucDxtqgxw5niaXcmYQ=="},
	    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0", "+WtpfXy3k41SWi8xqvFh0A=="},
	};
	uint8_t digest[MD5_LEN];
	char hex[MD5_HEX_LEN + 1], base64[MD5_BASE64_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(md5_digest(rows[i].text, strlen(rows[i].text), digest), 0);
		md5_hex(digest, hex);
		md5_base64(digest, base64);
		assert_string_equal(hex, rows[i].hex);
		assert_string_equal(base64, rows[i].base64);
	}
}

static void md5_of_no_bytes_anywhere(void **state)
{
	uint8_t none[MD5_LEN], empty[MD5_LEN];

	(void)state;
	assert_int_equal(md5_digest(NULL, 0, none), 0);
	assert_int_equal(md5_digest("", 0, empty), 0);
	assert_memory_equal(none, empty, MD5_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(md5_of_rfc_1321),
	    cmocka_unit_test(md5_of_no_bytes_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
