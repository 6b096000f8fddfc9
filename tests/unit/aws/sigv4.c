/* AWS's published examples, and what they leave out: the key cache, signing again, secrets. */
#include "xacctfs/aws/sigv4.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/timefmt.h"

#define ID     "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define TOKEN  "IQoJb3JpZ2luX2VjEXAMPLETOKEN//////////wEaCXVzLXdlc3QtMiJH"

static int64_t at(const char *iso)
{
	int64_t ms;

	assert_int_equal(time_parse_iso(iso, &ms), 0);
	return ms;
}

static struct credentials *make_credentials(const char *id, const char *secret, const char *token)
{
	struct credentials *credentials;

	assert_int_equal(credentials_new(id, secret, token, CLOCK_NEVER, &credentials), 0);
	return credentials;
}

static struct http_request make_request(const char *method, const char *authority, const char *path,
					const char *query)
{
	struct http_request request = {.method = method};

	request.scheme = strdup("https");
	request.authority = strdup(authority);
	request.path = strdup(path);
	request.query = query ? strdup(query) : NULL;
	return request;
}

static void add_header(struct http_request *request, const char *name, const char *value)
{
	assert_int_equal(http_headers_add(&request->headers, name, value), 0);
}

static const char *header(const struct http_request *request, const char *name)
{
	return http_headers_get(&request->headers, name);
}

static void assert_ends(const char *text, const char *end)
{
	assert_non_null(text);
	assert_true(strlen(text) >= strlen(end));
	assert_string_equal(text + strlen(text) - strlen(end), end);
}

/* The last line of the string to sign: the hash of the canonical request. */
static void assert_canonical_hash(const struct http_request *request,
				  const struct sigv4_params *params, const char *hash)
{
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(sigv4_string_to_sign(request, params, &text), 0);
	assert_ends(text, hash);
}

/* ---- "Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference ---- */

static struct sigv4_params s3_example(void)
{
	return (struct sigv4_params){
	    .credentials = make_credentials(ID, SECRET, NULL),
	    .region = "us-east-1",
	    .service = "s3",
	    .now_ms = at("2013-05-24T00:00:00Z"),
	};
}

static struct http_request s3_example_request(const char *method, const char *path,
					      const char *query)
{
	return make_request(method, "examplebucket.s3.amazonaws.com", path, query);
}

static void test_s3_get_object(void **state)
{
	_cleanup_(http_request_deinit) struct http_request request =
	    s3_example_request("GET", "/test.txt", NULL);
	struct sigv4_params params = s3_example();

	(void)state;
	add_header(&request, "Range", "bytes=0-9");
	assert_int_equal(sigv4_sign(&request, &params), 0);
	assert_string_equal(header(&request, "X-Amz-Date"), "20130524T000000Z");
	assert_string_equal(header(&request, "X-Amz-Content-SHA256"),
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(
	    header(&request, "Authorization"),
	    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
	    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
	    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	assert_canonical_hash(&request, &params,
			      "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
	credentials_unref(params.credentials);
}

static void test_s3_put_object(void **state)
{
	_cleanup_(http_request_deinit) struct http_request request =
	    s3_example_request("PUT", "/test%24file.text", NULL);
	struct sigv4_params params = s3_example();

	(void)state;
	add_header(&request, "Date", "Fri, 24 May 2013 00:00:00 GMT");
	add_header(&request, "x-amz-storage-class", "REDUCED_REDUNDANCY");
	assert_int_equal(buf_add_str(&request.body, "Welcome to Amazon S3."), 0);
	assert_int_equal(sigv4_sign(&request, &params), 0);
	assert_string_equal(header(&request, "X-Amz-Content-SHA256"),
			    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
	assert_ends(header(&request, "Authorization"),
		    "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
	credentials_unref(params.credentials);
}

static void test_s3_get_lifecycle(void **state)
{
	_cleanup_(http_request_deinit) struct http_request request =
	    s3_example_request("GET", "/", "lifecycle");
	struct sigv4_params params = s3_example();

	(void)state;
	assert_int_equal(sigv4_sign(&request, &params), 0);
	assert_ends(header(&request, "Authorization"),
		    "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	credentials_unref(params.credentials);
}

/* The example's parameters, the other way round: the order they are sent in does not matter. */
static void test_s3_list_objects(void **state)
{
	_cleanup_(http_request_deinit) struct http_request request =
	    s3_example_request("GET", "/", "prefix=J&max-keys=2");
	struct sigv4_params params = s3_example();

	(void)state;
	assert_int_equal(sigv4_sign(&request, &params), 0);
	assert_ends(header(&request, "Authorization"),
		    "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
	assert_string_equal(request.query, "prefix=J&max-keys=2");
	credentials_unref(params.credentials);
}

/* ---- "Signature Version 4 signing process" and its test suite, AWS General Reference ---- */

static struct sigv4_params general_example(const char *service)
{
	return (struct sigv4_params){
	    .credentials =
		make_credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL),
	    .region = "us-east-1",
	    .service = service,
	    .now_ms = at("2015-08-30T12:36:00Z"),
	};
}

static void test_iam_list_users(void **state)
{
	static const uint8_t key[32] = {0xc4, 0xaf, 0xb1, 0xcc, 0x57, 0x71, 0xd8, 0x71,
					0x76, 0x3a, 0x39, 0x3e, 0x44, 0xb7, 0x03, 0x57,
					0x1b, 0x55, 0xcc, 0x28, 0x42, 0x4d, 0x1a, 0x5e,
					0x86, 0xda, 0x6e, 0xd3, 0xc1, 0x54, 0xa4, 0xb9};
	_cleanup_(http_request_deinit) struct http_request request =
	    make_request("GET", "iam.amazonaws.com", "/", "Action=ListUsers&Version=2010-05-08");
	struct sigv4_params params = general_example("iam");

	(void)state;
	add_header(&request, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
	assert_int_equal(sigv4_sign(&request, &params), 0);
	assert_string_equal(
	    header(&request, "Authorization"),
	    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
	    "SignedHeaders=content-type;host;x-amz-date, "
	    "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
	assert_canonical_hash(&request, &params,
			      "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
	assert_null(header(&request, "X-Amz-Content-SHA256"));
	assert_string_equal(params.credentials->keys[0].scope, "20150830/us-east-1/iam");
	assert_memory_equal(params.credentials->keys[0].key, key, sizeof(key));
	credentials_unref(params.credentials);
}

/* The test suite's get-vanilla and its paths that are normalised to "/". */
static void test_paths_of_the_test_suite(void **state)
{
	static const char *const paths[] = {"/", "//", "/./", "/example/..",
					    "/example1/example2/../.."};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		_cleanup_(http_request_deinit) struct http_request request =
		    make_request("GET", "example.amazonaws.com", paths[i], NULL);
		struct sigv4_params params = general_example("service");

		assert_int_equal(sigv4_sign(&request, &params), 0);
		assert_ends(
		    header(&request, "Authorization"),
		    "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
		credentials_unref(params.credentials);
	}
}

/* ---- canonical requests ---- */

static void assert_canonical_path(const char *service, const char *path, const char *canonical)
{
	_cleanup_(http_request_deinit) struct http_request request =
	    make_request("GET", "a.example", path, NULL);
	struct sigv4_params params = general_example(service);
	_cleanup_(freep) char *text = NULL, *start = NULL;

	assert_int_equal(sigv4_sign(&request, &params), 0);
	assert_int_equal(sigv4_canonical_request(&request, &params, &text), 0);
	assert_true(asprintf(&start, "GET\n%s\n\nhost:a.example\n", canonical) > 0);
	assert_memory_equal(text, start, strlen(start));
	credentials_unref(params.credentials);
}

static void test_s3_path_stays(void **state)
{
	static const char *const paths[] = {"/",       "//",    "/b/a//b",
					    "/b/./..", "/b/..", "/b/a%20%2F/"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_canonical_path("s3", paths[i], paths[i]);
}

static void test_other_path_is_normalised(void **state)
{
	(void)state;
	assert_canonical_path("sts", "/sts", "/sts");
	assert_canonical_path("sts", "/sts/", "/sts/");
	assert_canonical_path("sts", "//a//b/", "/a/b/");
	assert_canonical_path("sts", "/a/./b/../c", "/a/c");
	assert_canonical_path("sts", "/../..", "/");
	assert_canonical_path("sts", "/a/b/..", "/a");
	assert_canonical_path("sts", "/a%20b", "/a%2520b");
}

static void test_canonical_request(void **state)
{
	_cleanup_(http_request_deinit) struct http_request request =
	    make_request("PUT", "localhost:9000", "/b/k", "b=2&a-=3&a&b=1&a=%2B&ab=&a=1");
	struct sigv4_params params = s3_example();
	_cleanup_(freep) char *text = NULL;

	(void)state;
	params.payload_hash = SIGV4_UNSIGNED_PAYLOAD;
	add_header(&request, "x-amz-meta-b", "  two \t words ");
	add_header(&request, "X-Amz-Meta-A", "1");
	add_header(&request, "User-Agent", "not signed");
	add_header(&request, "Connection", "not signed");
	add_header(&request, "Expect", "not signed");
	add_header(&request, "Transfer-Encoding", "not signed");
	add_header(&request, "X-Amzn-Trace-Id", "not signed");
	add_header(&request, "Empty", " ");
	add_header(&request, "x-amz-meta-a", "2");
	assert_int_equal(sigv4_sign(&request, &params), 0);
	assert_int_equal(sigv4_canonical_request(&request, &params, &text), 0);
	assert_string_equal(
	    text, "PUT\n/b/k\na=&a=%2B&a=1&a-=3&ab=&b=1&b=2\n"
		  "empty:\nhost:localhost:9000\nx-amz-content-sha256:UNSIGNED-PAYLOAD\n"
		  "x-amz-date:20130524T000000Z\nx-amz-meta-a:1,2\nx-amz-meta-b:two words\n"
		  "\nempty;host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-meta-b\n"
		  "UNSIGNED-PAYLOAD");
	assert_string_equal(header(&request, "X-Amz-Content-SHA256"), "UNSIGNED-PAYLOAD");
	credentials_unref(params.credentials);
}

static void test_steps_hold_no_secret(void **state)
{
	_cleanup_(http_request_deinit) struct http_request request =
	    s3_example_request("GET", "/k", NULL);
	struct sigv4_params params = s3_example();
	_cleanup_(freep) char *one = NULL, *two = NULL;

	(void)state;
	credentials_unref(params.credentials);
	params.credentials = make_credentials(ID, SECRET, TOKEN);
	assert_int_equal(sigv4_sign(&request, &params), 0);
	assert_string_equal(header(&request, "X-Amz-Security-Token"), TOKEN);
	assert_non_null(strstr(header(&request, "Authorization"), ";x-amz-security-token,"));
	assert_null(strstr(header(&request, "Authorization"), SECRET));
	assert_int_equal(sigv4_canonical_request(&request, &params, &one), 0);
	assert_int_equal(sigv4_string_to_sign(&request, &params, &two), 0);
	assert_non_null(strstr(one, "\nx-amz-security-token:" SIGV4_MASK "\n"));
	assert_null(strstr(one, TOKEN));
	assert_null(strstr(one, SECRET));
	assert_null(strstr(two, TOKEN));
	assert_null(strstr(two, SECRET));
	credentials_unref(params.credentials);
}

/* ---- signing again ---- */

static size_t count(const struct http_request *request, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < request->headers.n; i++)
		n += !strcasecmp(request->headers.v[i].name, name);
	return n;
}

static void sign_with(struct http_request *request, struct sigv4_params *params, const char *token)
{
	credentials_unref(params->credentials);
	params->credentials = make_credentials(ID, SECRET, token);
	assert_int_equal(sigv4_sign(request, params), 0);
}

static void test_signing_again_replaces(void **state)
{
	_cleanup_(http_request_deinit) struct http_request request =
	    s3_example_request("GET", "/test.txt", NULL);
	struct sigv4_params params = s3_example();

	(void)state;
	add_header(&request, "Range", "bytes=0-9");
	params.now_ms = at("2014-01-01T00:00:00Z");
	params.payload_hash = SIGV4_UNSIGNED_PAYLOAD;
	sign_with(&request, &params, "first");
	sign_with(&request, &params, TOKEN);
	assert_string_equal(header(&request, "X-Amz-Security-Token"), TOKEN);
	assert_int_equal(request.headers.n, 5);

	params.now_ms = at("2013-05-24T00:00:00Z");
	params.payload_hash = NULL;
	sign_with(&request, &params, NULL);
	assert_int_equal(count(&request, "X-Amz-Date"), 1);
	assert_int_equal(count(&request, "X-Amz-Content-SHA256"), 1);
	assert_int_equal(count(&request, "X-Amz-Security-Token"), 0);
	assert_int_equal(count(&request, "Authorization"), 1);
	assert_ends(header(&request, "Authorization"),
		    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	credentials_unref(params.credentials);
}

static void test_forbidden_headers(void **state)
{
	static const char *const names[] = {"host", "Content-Length"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_(http_request_deinit) struct http_request request =
		    s3_example_request("GET", "/", NULL);
		struct sigv4_params params = s3_example();

		add_header(&request, names[i], "1");
		assert_int_equal(sigv4_sign(&request, &params), -EINVAL);
		assert_null(header(&request, "Authorization"));
		credentials_unref(params.credentials);
	}
}

static void test_token_with_newline(void **state)
{
	_cleanup_(http_request_deinit) struct http_request request =
	    s3_example_request("GET", "/", NULL);
	struct sigv4_params params = s3_example();

	(void)state;
	credentials_unref(params.credentials);
	params.credentials = make_credentials(ID, SECRET, "a\r\nX-Forged: b");
	assert_int_equal(sigv4_sign(&request, &params), -EINVAL);
	credentials_unref(params.credentials);
}

/* ---- the key cache ---- */

static void sign_in(struct credentials *credentials, const char *region, const char *iso,
		    char ret_authorization[512])
{
	_cleanup_(http_request_deinit) struct http_request request =
	    s3_example_request("GET", "/", NULL);
	struct sigv4_params params = {
	    .credentials = credentials, .region = region, .service = "s3", .now_ms = at(iso)};

	assert_int_equal(sigv4_sign(&request, &params), 0);
	snprintf(ret_authorization, 512, "%s", header(&request, "Authorization"));
}

static unsigned int used_slots(const struct credentials *credentials)
{
	unsigned int n = 0;

	for (size_t i = 0; i < SIGV4_KEY_SLOTS; i++)
		n += credentials->keys[i].scope[0] != '\0';
	return n;
}

static void test_key_cache(void **state)
{
	struct credentials *credentials = make_credentials(ID, SECRET, NULL);
	char a[512], b[512];

	(void)state;
	sign_in(credentials, "us-east-1", "2026-11-23T00:00:00Z", a);
	sign_in(credentials, "us-east-1", "2026-11-23T23:59:59Z", b);
	assert_int_equal(used_slots(credentials), 1);
	assert_string_not_equal(a, b);
	sign_in(credentials, "us-east-1", "2026-11-24T00:00:00Z", b);
	assert_int_equal(used_slots(credentials), 2);
	assert_memory_not_equal(credentials->keys[0].key, credentials->keys[1].key, 32);
	sign_in(credentials, "eu-west-1", "2026-11-24T00:00:00Z", b);
	assert_int_equal(used_slots(credentials), 3);
	assert_memory_not_equal(credentials->keys[1].key, credentials->keys[2].key, 32);
	sign_in(credentials, "us-east-1", "2026-11-23T00:00:00Z", b);
	assert_int_equal(used_slots(credentials), 3);
	assert_string_equal(a, b);
	credentials_unref(credentials);
}

/* That the key is taken from the slot, and not derived again. */
static void test_key_cache_is_used(void **state)
{
	struct credentials *credentials = make_credentials(ID, SECRET, NULL);
	char a[512], b[512];

	(void)state;
	sign_in(credentials, "us-east-1", "2026-11-23T00:00:00Z", a);
	credentials->keys[0].key[0] ^= 1;
	sign_in(credentials, "us-east-1", "2026-11-23T00:00:00Z", b);
	assert_string_not_equal(a, b);
	credentials_unref(credentials);
}

static void test_key_cache_overflows(void **state)
{
	struct credentials *credentials = make_credentials(ID, SECRET, NULL);
	char a[512], b[512], region[16];

	(void)state;
	sign_in(credentials, "us-east-1", "2026-11-23T00:00:00Z", a);
	for (unsigned int i = 0; i < SIGV4_KEY_SLOTS; i++) {
		snprintf(region, sizeof(region), "region-%u", i);
		sign_in(credentials, region, "2026-11-23T00:00:00Z", b);
	}
	assert_int_equal(used_slots(credentials), SIGV4_KEY_SLOTS);
	sign_in(credentials, "us-east-1", "2026-11-23T00:00:00Z", b);
	assert_string_equal(a, b);
	credentials_unref(credentials);
}

/* A scope that no slot can hold is signed all the same, and never mistaken for another. */
static void test_key_cache_long_region(void **state)
{
	struct credentials *credentials = make_credentials(ID, SECRET, NULL);
	char a[512], b[512], region[2 * SIGV4_KEY_SCOPE_MAX];

	(void)state;
	memset(region, 'r', sizeof(region));
	region[sizeof(region) - 1] = '\0';
	sign_in(credentials, region, "2026-11-23T00:00:00Z", a);
	region[sizeof(region) - 2] = 's';
	sign_in(credentials, region, "2026-11-23T00:00:00Z", b);
	assert_int_equal(used_slots(credentials), 0);
	assert_string_not_equal(strstr(a, "Signature="), strstr(b, "Signature="));
	credentials_unref(credentials);
}

#define THREADS 8
#define REGIONS (SIGV4_KEY_SLOTS + 2)

struct signer {
	pthread_t thread;
	struct credentials *credentials;
	const char (*expected)[512];
	bool alike;
};

static void *sign_much(void *data)
{
	struct signer *signer = data;
	char region[16], authorization[512];

	signer->alike = true;
	for (unsigned int i = 0; i < 40 * REGIONS; i++) {
		snprintf(region, sizeof(region), "region-%u", i % REGIONS);
		sign_in(signer->credentials, region, "2026-11-23T00:00:00Z", authorization);
		if (strcmp(authorization, signer->expected[i % REGIONS]) != 0)
			signer->alike = false;
	}
	return NULL;
}

static void test_key_cache_in_threads(void **state)
{
	struct credentials *credentials = make_credentials(ID, SECRET, TOKEN);
	char expected[REGIONS][512], region[16];
	struct signer signers[THREADS];

	(void)state;
	for (unsigned int i = 0; i < REGIONS; i++) {
		struct credentials *fresh = make_credentials(ID, SECRET, TOKEN);

		snprintf(region, sizeof(region), "region-%u", i);
		sign_in(fresh, region, "2026-11-23T00:00:00Z", expected[i]);
		credentials_unref(fresh);
	}
	for (size_t i = 0; i < THREADS; i++) {
		signers[i] = (struct signer){.credentials = credentials,
					     .expected = (const char(*)[512])expected};
		assert_int_equal(pthread_create(&signers[i].thread, NULL, sign_much, &signers[i]),
				 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(signers[i].thread, NULL);
		assert_true(signers[i].alike);
	}
	credentials_unref(credentials);
}

static void test_sha256_hex(void **state)
{
	char hex[SHA256_HEX_LEN + 1];

	(void)state;
	/* FIPS 180-2, B.1 */
	assert_int_equal(sha256_hex("abc", 3, hex), 0);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sha256_hex(NULL, 0, hex), 0);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_s3_get_object),
	    cmocka_unit_test(test_s3_put_object),
	    cmocka_unit_test(test_s3_get_lifecycle),
	    cmocka_unit_test(test_s3_list_objects),
	    cmocka_unit_test(test_iam_list_users),
	    cmocka_unit_test(test_paths_of_the_test_suite),
	    cmocka_unit_test(test_s3_path_stays),
	    cmocka_unit_test(test_other_path_is_normalised),
	    cmocka_unit_test(test_canonical_request),
	    cmocka_unit_test(test_steps_hold_no_secret),
	    cmocka_unit_test(test_signing_again_replaces),
	    cmocka_unit_test(test_forbidden_headers),
	    cmocka_unit_test(test_token_with_newline),
	    cmocka_unit_test(test_key_cache),
	    cmocka_unit_test(test_key_cache_is_used),
	    cmocka_unit_test(test_key_cache_overflows),
	    cmocka_unit_test(test_key_cache_long_region),
	    cmocka_unit_test(test_key_cache_in_threads),
	    cmocka_unit_test(test_sha256_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
