/* Which server S3 and STS are asked at. */
#include "bench.h"

#define SERVICES                                                                                   \
	CONFIG "services = dev\nendpoint_url = https://p\n"                                        \
	       "[services dev]\ns3 =\n  endpoint_url = https://p-s3\n  other = 1\n"                \
	       "sts =\n  endpoint_url = https://p-sts\n"

static void assert_servers(struct bench *b, const char *s3, const char *sts)
{
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_parsed(b);
	if (s3)
		assert_string_equal(b->conf.s3_endpoint_url, s3);
	else
		assert_null(b->conf.s3_endpoint_url);
	if (sts)
		assert_string_equal(b->conf.sts_endpoint_url, sts);
	else
		assert_null(b->conf.sts_endpoint_url);
}

static void profile(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config", CONFIG "endpoint_url = https://p/\n");
	assert_servers(b, "https://p", "https://p");
	put(b, ".aws/config", SERVICES);
	assert_servers(b, "https://p-s3", "https://p-sts");
	put(b, ".aws/config",
	    CONFIG "services = dev\n[services dev]\nsts =\n  endpoint_url = https://p-sts\n");
	assert_servers(b, NULL, "https://p-sts");
	put(b, ".aws/config",
	    CONFIG "services = dev\n[services dev]\ns3 =\n  endpoint_url = dev\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "config:9: s3.endpoint_url: this is no endpoint URL");
}

/* As for the AWS CLI: a typo must not lead to another server. */
static void services_that_are_not_there(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config", CONFIG "services = none\nendpoint_url = https://p\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "config:6: services: there is no [services none] in /tmp/");
	setenv("AWS_ENDPOINT_URL_S3", "https://e-s3", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "config:6: services: ");
	/* nobody asks for it */
	setenv("AWS_ENDPOINT_URL_STS", "https://e-sts", 1);
	assert_servers(b, "https://e-s3", "https://e-sts");
	unsetenv("AWS_ENDPOINT_URL_S3");
	unsetenv("AWS_ENDPOINT_URL_STS");
	setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
	assert_servers(b, NULL, NULL);
}

static void each_level_beats_the_one_below(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config", SERVICES);
	put(b, "xacctfs.conf", "endpoint_url = https://f\n");
	assert_servers(b, "https://f", "https://f");
	put(b, "xacctfs.conf", "endpoint_url = https://f\nsts_endpoint_url = https://f-sts\n");
	assert_servers(b, "https://f", "https://f-sts");
	setenv("AWS_ENDPOINT_URL", "https://e", 1);
	assert_servers(b, "https://e", "https://e");
	setenv("AWS_ENDPOINT_URL_S3", "https://e-s3", 1);
	assert_servers(b, "https://e-s3", "https://e");
	setenv("AWS_ENDPOINT_URL_STS", "https://e-sts", 1);
	assert_servers(b, "https://e-s3", "https://e-sts");
	parse(b, "xacctfs", "-o", "endpoint_url=https://c", "accountB", "/m", NULL);
	assert_string_equal(b->conf.s3_endpoint_url, "https://c");
	assert_string_equal(b->conf.sts_endpoint_url, "https://c");
	parse(b, "xacctfs", "-o", "sts_endpoint_url=https://c-sts", "--endpoint-url=https://c",
	      "accountB", "/m", NULL);
	assert_string_equal(b->conf.s3_endpoint_url, "https://c");
	assert_string_equal(b->conf.sts_endpoint_url, "https://c-sts");
	parse(b, "xacctfs", "--sts-endpoint-url=https://c-sts", "accountB", "/m", NULL);
	assert_string_equal(b->conf.s3_endpoint_url, "https://e-s3");
	assert_string_equal(b->conf.sts_endpoint_url, "https://c-sts");
}

static void ignored_on_demand(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config", SERVICES);
	setenv("AWS_ENDPOINT_URL", "https://e", 1);
	setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
	assert_servers(b, NULL, NULL);
	parse(b, "xacctfs", "--s3-endpoint-url=https://c", "accountB", "/m", NULL);
	assert_string_equal(b->conf.s3_endpoint_url, "https://c");
	setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false", 1);
	assert_servers(b, "https://e", "https://e");
	unsetenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	put(b, ".aws/config", CONFIG "ignore_configured_endpoint_urls = true\n");
	assert_servers(b, NULL, NULL);
}

static void plain_http(void **state)
{
	struct bench *b = *state;

	setenv("AWS_ENDPOINT_URL", "http://s3.example.com:80", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "AWS_ENDPOINT_URL: plain http to s3.example.com would show everything");
	parse(b, "xacctfs", "--allow-http", "accountB", "/m", NULL);
	assert_parsed(b);
	assert_true(b->conf.allow_http);
	setenv("AWS_ENDPOINT_URL", "http://LOCALHOST:18090", 1);
	assert_servers(b, "http://localhost:18090", "http://localhost:18090");
	setenv("AWS_ENDPOINT_URL_STS", "http://10.0.0.1", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "AWS_ENDPOINT_URL_STS: plain http to 10.0.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(profile),
	    test(services_that_are_not_there),
	    test(each_level_beats_the_one_below),
	    test(ignored_on_demand),
	    test(plain_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
