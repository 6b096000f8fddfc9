#include "xacctfs/util/url.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

static void good_urls(void **state)
{
	static const struct {
		const char *text, *scheme, *authority, *path;
		bool loopback, is_ip;
	} cases[] = {
	    {"https://s3.eu-west-1.amazonaws.com", "https", "s3.eu-west-1.amazonaws.com", "", false,
	     false},
	    {"HTTPS://S3.Example.COM/", "https", "s3.example.com", "", false, false},
	    {"https://s3.example.com:443", "https", "s3.example.com", "", false, false},
	    {"http://s3.example.com:80/", "http", "s3.example.com", "", false, false},
	    {"https://s3.example.com:80", "https", "s3.example.com:80", "", false, false},
	    {"http://s3.example.com:443", "http", "s3.example.com:443", "", false, false},
	    {"http://s3.example.com:09000", "http", "s3.example.com:9000", "", false, false},
	    {"http://s3.example.com:65535/a/B%20c///", "http", "s3.example.com:65535", "/a/B%20c",
	     false, false},
	    {"http://localhost:9000", "http", "localhost:9000", "", true, false},
	    {"http://LOCALHOST", "http", "localhost", "", true, false},
	    {"http://127.0.0.1:1", "http", "127.0.0.1:1", "", true, true},
	    {"http://127.255.0.9", "http", "127.255.0.9", "", true, true},
	    {"http://128.0.0.1", "http", "128.0.0.1", "", false, true},
	    {"http://[::1]:9000/x", "http", "[::1]:9000", "/x", true, true},
	    {"https://[2001:DB8::1]", "https", "[2001:db8::1]", "", false, true},
	    {"http://localhost.example.com", "http", "localhost.example.com", "", false, false},
	    {"http://127.0.0.1.example.com", "http", "127.0.0.1.example.com", "", false, false},
	    {"http://minio_1:9000", "http", "minio_1:9000", "", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *why = "untouched";
		struct url url;

		if (url_parse(cases[i].text, &url, &why) != 0)
			fail_msg("%s: %s", cases[i].text, why);
		assert_string_equal(url.scheme, cases[i].scheme);
		assert_string_equal(url.authority, cases[i].authority);
		assert_string_equal(url.path, cases[i].path);
		assert_int_equal(url.loopback, cases[i].loopback);
		assert_int_equal(url.is_ip, cases[i].is_ip);
		assert_null(why);
		url_deinit(&url);
		assert_null(url.authority);
	}
}

static void bad_urls(void **state)
{
	static const char *const texts[] = {
	    "",
	    "s3.example.com",
	    "s3.example.com:443",
	    "//s3.example.com",
	    "ftp://s3.example.com",
	    "https:/s3.example.com",
	    "https//s3.example.com",
	    " https://s3.example.com",
	    "https://",
	    "https:///path",
	    "https://:443",
	    "https://host:",
	    "https://host:0",
	    "https://host:65536",
	    "https://host:99999999999999999999",
	    "https://host:-1",
	    "https://host:+1",
	    "https://host: 1",
	    "https://host:44a",
	    "https://host:1:2",
	    "https://user@host",
	    "https://user:secret@host",
	    "https://@host",
	    "https://ho st",
	    "https://host\n",
	    "https://host\\path",
	    "https://h%6fst",
	    "https://.host",
	    "https://-host",
	    "https://h\xc3\xb6st",
	    "https://*.example.com",
	    "https://[",
	    "https://[]",
	    "https://[::1",
	    "https://::1",
	    "https://[::1]x",
	    "https://[::1]x:80",
	    "https://[::g]",
	    "https://[127.0.0.1]",
	    "https://[::1%25lo]",
	    "https://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
	    "https://host?x",
	    "https://host/?x=y",
	    "https://host/a?x",
	    "https://host#f",
	    "https://host/a#f",
	    "https://host/a b",
	    "https://host/a\r\nX: y",
	    "https://host/\xc3\xa4",
	    "https://host/\x7f",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct url url = {.is_ip = true};
		const char *why = NULL;

		if (url_parse(texts[i], &url, &why) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
		assert_non_null(why);
		assert_null(url.scheme);
		assert_true(url.is_ip);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_urls),
	    cmocka_unit_test(bad_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
