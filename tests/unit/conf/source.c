/* SOURCE: who, and which bucket and prefix. */
#include "bench.h"

#include "../../../src/conf/source.h"

#define X255 /* as many bytes as a name may have */                                                \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"    \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"    \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *text, *name, *bucket, *prefix;
} good[] = {
    {"accountB", "accountB", NULL, NULL},
    {"", "", NULL, NULL},
    {"a/b", "a/b", NULL, NULL},
    {"accountB:bucket", "accountB", "bucket", ""},
    {"accountB:bucket/", "accountB", "bucket", ""},
    {"accountB:bucket/some/prefix", "accountB", "bucket", "some/prefix/"},
    {"accountB:bucket/some/prefix/", "accountB", "bucket", "some/prefix/"},
    {"accountB:bucket/a:b/c", "accountB", "bucket", "a:b/c/"},
    {"accountB:bucket/a b,\\/\xc3\xa9", "accountB", "bucket", "a b,\\/\xc3\xa9/"},
    {"accountB:bucket/...", "accountB", "bucket", ".../"},
    {"sso:dev:bucket/x", "sso:dev", "bucket", "x/"},
    {":bucket", NULL, "bucket", ""},
    {":bucket/x", NULL, "bucket", "x/"},
    {"b:abc", "b", "abc", ""},
    {"b:Legacy_Bucket.1", "b", "Legacy_Bucket.1", ""},
    {"b:bucket/" X255, "b", "bucket", X255 "/"},
    {ROLE, ROLE, NULL, NULL},
    {ROLE ":bucket", ROLE, "bucket", ""},
    {ROLE ":bucket/a:b/c", ROLE, "bucket", "a:b/c/"},
    {"arn:aws:iam::222222222222:role/path/to/x:bucket", "arn:aws:iam::222222222222:role/path/to/x",
     "bucket", ""},
    {"arn:aws:iam::222222222222:user/x", "arn:aws:iam::222222222222:user/x", NULL, NULL},
    {"arn:", "arn:", NULL, NULL},
};

static void parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct conf_source source = {0};
		char *why = NULL;

		if (conf_source_parse(good[i].text, &source, &why) != 0)
			fail_msg("'%s': %s", good[i].text, why ? why : "");
		if (good[i].name)
			assert_string_equal(source.name, good[i].name);
		else
			assert_null(source.name);
		if (good[i].bucket) {
			assert_string_equal(source.bucket, good[i].bucket);
			assert_string_equal(source.prefix, good[i].prefix);
		} else {
			assert_null(source.bucket);
			assert_null(source.prefix);
		}
		conf_source_deinit(&source);
	}
}

static const struct {
	const char *text, *why;
} bad[] = {
    {"accountB:", "SOURCE: the bucket is missing behind 'accountB:'"},
    {ROLE ":", "SOURCE: the bucket is missing behind '" ROLE ":'"},
    {":", "SOURCE: the bucket is missing behind ':'"},
    {"accountB:/bucket", "behind 'accountB:' the bucket's name begins, without a slash"},
    {"bucket:/path", "behind 'bucket:' the bucket's name begins, without a slash"},
    {"accountB:s3://bucket", "behind 'accountB:s3:' the bucket's name begins, without a slash"},
    {ROLE ":/bucket", "behind '" ROLE ":' the bucket's name begins, without a slash"},
    {"accountB:ab", "SOURCE: 'ab' is not a bucket's name"},
    {"accountB:-abc", "SOURCE: '-abc' is not a bucket's name"},
    {"accountB:.xacctfs", "SOURCE: '.xacctfs' is not a bucket's name"},
    {"accountB:a b c/x", "SOURCE: 'a b c' is not a bucket's name"},
    {"accountB:b\xc3\xbc"
     "cket",
     "is not a bucket's name"},
    {"accountB:" X255 "x", "is not a bucket's name"},
    {"accountB:bucket//x", "the prefix '/x' has an empty part"},
    {"accountB:bucket/x//", "the prefix 'x//' has an empty part"},
    {"accountB:bucket/./x", "the prefix './x' has a part '.' or '..'"},
    {"accountB:bucket/x/..", "the prefix 'x/..' has a part '.' or '..'"},
    {"accountB:bucket/x\ny", "has control characters"},
    {"accountB:bucket/" X255 "x", "has a part of more than 255 bytes"},
    {"accountB:bucket/" X255 "/" X255 "/" X255 "/" X255, "is too long: a key has at most 1024"},
};

static void complaints(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		parse(b, "xacctfs", bad[i].text, "/m", NULL);
		assert_why(b, bad[i].why);
		assert_ptr_equal(strstr(b->why, "SOURCE: "), b->why);
		parse(b, "xacctfs", "--check", bad[i].text, NULL);
		assert_why(b, bad[i].why);
	}
}

static void of_a_mount(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_parsed(b);
	assert_null(b->conf.bucket);
	assert_string_equal(b->conf.prefix, "");
	parse(b, "xacctfs", "accountB:reports/2026", "/m", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.source, "accountB:reports/2026");
	assert_string_equal(b->conf.bucket, "reports");
	assert_string_equal(b->conf.prefix, "2026/");
	assert_string_equal(b->conf.roles[0].role_arn, ROLE);
	parse(b, "xacctfs", "--profile=Anne", "--region=x", ROLE ":reports", "/m", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.source, ROLE ":reports");
	assert_string_equal(b->conf.roles[0].role_arn, ROLE);
	assert_string_equal(b->conf.bucket, "reports");
	assert_string_equal(b->conf.prefix, "");
	parse(b, "xacctfs", "--check", "accountB:reports", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.bucket, "reports");
	parse(b, "xacctfs", "nobody:reports", "/m", NULL);
	assert_why(b, "has no section [nobody]");
	parse(b, "xacctfs", "arn:aws:iam::222222222222:user/x:reports", "/m", NULL);
	assert_why(b, "is not a role's ARN");
}

static void of_a_section(void **state)
{
	struct bench *b = *state;

	put(b, "xacctfs.conf", "[accountB]\nmetadata_ttl = 7\n");
	parse(b, "xacctfs", "accountB:reports", "/m", NULL);
	assert_parsed(b);
	assert_int_equal(b->conf.metadata_ttl_ms, 7000);
	assert_string_equal(b->conf.source, "accountB:reports");
}

static void without_a_name(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    "[profile sso:dev]\nrole_arn = " ROLE "\nsource_profile = Anne\nregion = x\n");
	parse(b, "xacctfs", "--profile=sso:dev", ":reports/x", "/m", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.bucket, "reports");
	assert_string_equal(b->conf.prefix, "x/");
	assert_string_equal(b->conf.source, "sso:dev:reports/x");
	parse(b, "xacctfs", "--profile=sso:dev", "/m", NULL);
	assert_parsed(b);
	assert_null(b->conf.bucket);
}

static void in_the_render(void **state)
{
	struct bench *b = *state;
	struct buf text = BUF_INIT;

	parse(b, "xacctfs", "accountB:reports/2026", "/m", NULL);
	assert_parsed(b);
	assert_int_equal(conf_render(&b->conf, &text), 0);
	assert_non_null(strstr(buf_str(&text), "source = accountB:reports/2026\n"
					       "bucket = reports  # SOURCE\n"
					       "prefix = 2026/  # SOURCE\n"));
	buf_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(parts),        test(complaints),     test(of_a_mount),
	    test(of_a_section), test(without_a_name), test(in_the_render),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
