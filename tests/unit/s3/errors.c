/* The table of errors: what S3 says -> errno, and the one line that the log gets. */
#include "bench.h"

#include "../../../src/s3/private.h"

static const struct {
	int status;
	const char *code;
	int errno_value;
	const char *level, *remedy; /* remedy: a part of it; "" for none at all */
} codes[] = {
    {403, "AccessDenied", EACCES, "warn", "Allow the action in the role's permissions"},
    {403, "HTTP403", EACCES, "warn", "Allow the action in the role's permissions"},
    {403, "AllAccessDisabled", EACCES, "warn", "The bucket's owner or AWS has closed it"},
    {403, "AccountProblem", EACCES, "error", "ask AWS support"},
    {403, "InvalidAccessKeyId", EACCES, "error", "key is refused"},
    {403, "SignatureDoesNotMatch", EACCES, "error", "a proxy that changes requests"},
    {403, "RequestTimeTooSkewed", EACCES, "error", "clock"},
    {403, "InvalidObjectState", EACCES, "warn", "restore it first"},
    {400, "ExpiredToken", EKEYEXPIRED, "error", "was renewed and its new token is refused alike"},
    {403, "ExpiredTokenException", EKEYEXPIRED, "error",
     "was renewed and its new token is refused alike"},
    {400, "InvalidToken", EKEYEXPIRED, "error", "was renewed and its new token is refused alike"},
    {400, "TokenRefreshRequired", EKEYEXPIRED, "error",
     "was renewed and its new token is refused alike"},
    {404, "NoSuchKey", ENOENT, "debug", ""},
    {404, "NoSuchBucket", ENOENT, "debug", ""},
    {404, "HTTP404", ENOENT, "debug", ""},
    {409, "BucketNotEmpty", ENOTEMPTY, "info", "Old versions and unfinished uploads"},
    {409, "BucketAlreadyExists", EEXIST, "info", "take another"},
    {409, "BucketAlreadyOwnedByYou", EEXIST, "info", "has it already"},
    {400, "TooManyBuckets", EDQUOT, "warn", "quota of buckets"},
    {403, "QuotaExceeded", EDQUOT, "warn", "quota is used up"},
    {400, "InvalidBucketName", EINVAL, "info", "lower-case letters"},
    {400, "IllegalLocationConstraintException", EINVAL, "warn",
     "check region, create_region, endpoint_url"},
    {400, "InvalidLocationConstraint", EINVAL, "warn", "create_region"},
    {400, "AuthorizationHeaderMalformed", EINVAL, "error", "Check the region"},
    {400, "InvalidArgument", EINVAL, "error", ""},
    {400, "EntityTooSmall", EINVAL, "error", "larger parts"},
    {400, "EntityTooLarge", EFBIG, "warn", "larger than the server takes"},
    {400, "KeyTooLongError", ENAMETOOLONG, "info", "1024 bytes"},
    {405, "MethodNotAllowed", EOPNOTSUPP, "warn", "does not offer"},
    {501, "NotImplemented", EOPNOTSUPP, "warn", "does not offer"},
    {301, "PermanentRedirect", EREMOTE, "error", "not at this endpoint"},
    {301, "HTTP301", EREMOTE, "error", "not at this endpoint"},
    {307, "TemporaryRedirect", EREMOTE, "error", "not at this endpoint"},
    {307, "HTTP307", EREMOTE, "error", "not at this endpoint"},
    {412, "PreconditionFailed", ESTALE, "info", "no longer the one that was opened"},
    {412, "HTTP412", ESTALE, "info", "no longer the one that was opened"},
    {416, "InvalidRange", ERANGE, "info", ""},
    {416, "HTTP416", ERANGE, "info", ""},
    {404, "NoSuchUpload", ESTALE, "error", "ended from outside"},
    {409, "ConditionalRequestConflict", EBUSY, "warn", "try again"},
    {409, "OperationAborted", EBUSY, "warn", "try again"},
    {400, "RequestTimeout", ETIMEDOUT, "warn", "too slowly"},
    {503, "SlowDown", EAGAIN, "error", "too many requests"},
    {503, "ServiceUnavailable", EAGAIN, "error", "too many requests"},
    {503, "HTTP503", EAGAIN, "error", "too many requests"},
    {429, "HTTP429", EAGAIN, "error", "too many requests"},
    {400, "Throttling", EAGAIN, "error", "too many requests"},
    {400, "InvalidPart", EIO, "error", "write the file again"},
    {400, "BadDigest", EIO, "error", "damaged on its way"},
    {400, "InvalidDigest", EIO, "error", "damaged on its way"},
    {400, "XAmzContentSHA256Mismatch", EIO, "error", "damaged on its way"},
    {411, "MissingContentLength", EIO, "error", "A proxy"},
    {411, "HTTP411", EIO, "error", "A proxy"},
    {400, "HTTP400", EIO, "error", "does not say why"},
    {500, "InternalError", EIO, "error", "Try again later"},
    {502, "HTTP502", EIO, "error", "Try again later"},
    {304, "HTTP304", EIO, "error", ""},
    {400, "SomethingNew", EIO, "error", ""},
};

static void expect_code(size_t i)
{
	const struct s3_request request = {.operation = "GetObject", .bucket = "b"};
	struct aws_error error = {.status = codes[i].status};
	char line[1000], expected[200];

	snprintf(error.code, sizeof(error.code), "%s", codes[i].code);
	snprintf(expected, sizeof(expected), "%s: GetObject of b: %s (HTTP %d)%s", codes[i].level,
		 codes[i].code, codes[i].status, codes[i].remedy[0] ? ". " : "");
	assert_int_equal(s3_errno(AWS_E_REPLY, &error), -codes[i].errno_value);
	log_lines_start(LOG_LEVEL_DEBUG);
	assert_int_equal(s3_fail(&request, AWS_E_REPLY, &error), -codes[i].errno_value);
	assert_int_equal(log_lines_count(""), 1);
	log_lines_last("", line, sizeof(line));
	if (codes[i].remedy[0])
		assert_non_null(strstr(line, codes[i].remedy));
	else
		assert_string_equal(line, expected);
	line[strlen(expected)] = '\0';
	assert_string_equal(line, expected);
}

static void each_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		expect_code(i);
	log_lines_stop();
}

static int transport_errno(int transport, int os_errno)
{
	struct aws_error error = {.transport = transport, .os_errno = os_errno};

	return s3_errno(AWS_E_TRANSPORT, &error);
}

static void transports(void **state)
{
	(void)state;
	assert_int_equal(transport_errno(HTTP_E_CONNECT, ECONNREFUSED), -ECONNREFUSED);
	assert_int_equal(transport_errno(HTTP_E_CONNECT, EHOSTUNREACH), -EHOSTUNREACH);
	assert_int_equal(transport_errno(HTTP_E_CONNECT, ENETUNREACH), -EHOSTUNREACH);
	assert_int_equal(transport_errno(HTTP_E_CONNECT, 0), -EHOSTUNREACH);
	assert_int_equal(transport_errno(HTTP_E_RESOLVE, 0), -EHOSTUNREACH);
	assert_int_equal(transport_errno(HTTP_E_CONNECT_TIMEOUT, 0), -ETIMEDOUT);
	assert_int_equal(transport_errno(HTTP_E_STALL, 0), -ETIMEDOUT);
	assert_int_equal(transport_errno(HTTP_E_BROKEN, 0), -EIO);
	assert_int_equal(transport_errno(HTTP_E_TLS, 0), -EIO);
	assert_int_equal(transport_errno(HTTP_E_TOO_LARGE, 0), -EIO);
	assert_int_equal(transport_errno(HTTP_E_PROTOCOL, 0), -EIO);
	assert_int_equal(transport_errno(HTTP_E_PROXY, 0), -EIO);
}

static void errnos_are_passed_on(void **state)
{
	static const int errnos[] = {0, -EINTR, -ETIMEDOUT, -ENOMEM, -ENOSPC, -EKEYEXPIRED};
	struct aws_error error = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errnos); i++)
		assert_int_equal(s3_errno(errnos[i], &error), errnos[i]);
	assert_int_equal(s3_errno(-EBADMSG, &error), -EIO);
}

/* ---- the same, through a whole call ---- */

static void expect_create(struct bench *b, int status, const char *body, int r, const char *line)
{
	log_lines_start(LOG_LEVEL_INFO);
	script_answer(&b->script, status, S3_ID, body);
	assert_int_equal(create(b, "b1"), r);
	expect_last_line(line);
	assert_int_equal(log_lines_count(""), 1);
}

static void refusals_are_logged_once_with_all_that_is_known(void **state)
{
	expect_create(*state, 403, ERROR("AccessDenied"), -EACCES,
		      "warn: CreateBucket of b1: AccessDenied: because (HTTP 403, request id id1). "
		      "Allow the action in the role's permissions in Account B (and in the "
		      "bucket's policy).");
	expect_create(*state, 400, ERROR("TooManyBuckets"), -EDQUOT,
		      "warn: CreateBucket of b1: TooManyBuckets: because (HTTP 400, request id "
		      "id1). Ask for a higher quota of buckets in Account B.");
	expect_create(*state, 400, ERROR("IllegalLocationConstraintException"), -EINVAL,
		      "warn: CreateBucket of b1: IllegalLocationConstraintException: because (HTTP "
		      "400, request id id1). This endpoint makes no buckets in that region: check "
		      "region, create_region, endpoint_url.");
	expect_create(*state, 400, ERROR("InvalidBucketName"), -EINVAL,
		      "info: CreateBucket of b1: InvalidBucketName: because (HTTP 400, request id "
		      "id1). A bucket's name has 3 to 63 lower-case letters, digits, dots and "
		      "hyphens.");
	expect_create(*state, 409, ERROR("BucketAlreadyExists"), -EEXIST,
		      "info: CreateBucket of b1: BucketAlreadyExists: because (HTTP 409, request "
		      "id id1). Bucket names are shared by all accounts; take another.");
	expect_create(
	    *state, 403, "", -EACCES,
	    "warn: CreateBucket of b1: HTTP403 (HTTP 403, request id id1). Allow the "
	    "action in the role's permissions in Account B (and in the bucket's policy).");
	expect_create(
	    *state, 400, ERROR("SomethingNew"), -EIO,
	    "error: CreateBucket of b1: SomethingNew: because (HTTP 400, request id id1)");
}

static void throttling_after_all_retries(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 3; i++)
		script_answer(&b->script, 503, S3_ID, ERROR("SlowDown"));
	assert_int_equal(create(b, "b1"), -EAGAIN);
	assert_int_equal(script_count(&b->script), 3);
	expect_last_line("error: CreateBucket of b1: SlowDown: because (HTTP 503, request id id1), "
			 "after several attempts. Try again later; the account sends too many "
			 "requests.");
	assert_int_equal(log_lines_count(""), 1);
}

static void unreachable_after_all_retries(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 3; i++)
		script_fail(&b->script, HTTP_E_CONNECT, ECONNREFUSED);
	assert_int_equal(create(b, "b1"), -ECONNREFUSED);
	expect_last_line("error: CreateBucket of b1: scripted failure 2, after several attempts. "
			 "Check the network, the region, the endpoint URL, HTTPS_PROXY and the CA "
			 "bundle.");
}

static void deadline_is_told(void **state)
{
	struct bench *b = *state;

	call_deinit(&b->call);
	call_init(&b->call, NULL, &b->clock.clock, 5000);
	script_hang(&b->script);
	assert_int_equal(create(b, "b1"), -ETIMEDOUT);
	expect_last_line("error: CreateBucket of b1: timed out; Connection timed out");
}

static void cancellation_is_no_error(void **state)
{
	struct bench *b = *state;

	call_cancel(&b->call);
	assert_int_equal(create(b, "b1"), -EINTR);
	assert_int_equal(log_lines_count(""), 0);
}

/* A server that wants to forge a line of the log. */
static void hostile_texts_stay_in_their_line(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, "x-amz-request-id: a\tb\n",
		      "<Error><Code>AccessDenied</Code><Message>x&#10;error: y&#13;\x7f"
		      "</Message></Error>");
	assert_int_equal(create(b, "b1"), -EACCES);
	assert_int_equal(log_lines_count("AccessDenied: x error: y   (HTTP 403, request id a b). "),
			 1);
	assert_int_equal(log_lines_count(""), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_code),
	    cmocka_unit_test(transports),
	    cmocka_unit_test(errnos_are_passed_on),
	    bench_test(refusals_are_logged_once_with_all_that_is_known),
	    bench_test(throttling_after_all_retries),
	    bench_test(unreachable_after_all_retries),
	    bench_test(deadline_is_told),
	    bench_test(cancellation_is_no_error),
	    bench_test(hostile_texts_stay_in_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
