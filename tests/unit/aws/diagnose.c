/* What a refusal in the chain means. The names are part of `--check --json`. */
#include "xacctfs/aws/diagnose.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

static enum link_break reply(enum link link, int status, const char *code)
{
	struct aws_error error = {.status = status};

	snprintf(error.code, sizeof(error.code), "%s", code);
	return diagnose(link, AWS_E_REPLY, &error);
}

static void codes_mean_the_same_on_every_link(void **state)
{
	static const struct {
		int status;
		const char *code;
		enum link_break broken;
	} rows[] = {
	    {403, "InvalidClientTokenId", BREAK_KEY_REFUSED},
	    {403, "InvalidAccessKeyId", BREAK_KEY_REFUSED},
	    {403, "SignatureDoesNotMatch", BREAK_KEY_REFUSED},
	    {403, "IncompleteSignature", BREAK_KEY_REFUSED},
	    {403, "MissingAuthenticationToken", BREAK_KEY_REFUSED},
	    {403, "ExpiredToken", BREAK_TOKEN_EXPIRED},
	    {400, "InvalidToken", BREAK_TOKEN_EXPIRED},
	    {403, "RequestTimeTooSkewed", BREAK_CLOCK},
	    {403, "RequestExpired", BREAK_CLOCK},
	    {403, "RegionDisabledException", BREAK_REGION},
	    {400, "AuthorizationHeaderMalformed", BREAK_REGION},
	    {400, "ValidationError", BREAK_ROLE_PARAMETER},
	    {400, "InvalidParameterValue", BREAK_ROLE_PARAMETER},
	    {405, "MethodNotAllowed", BREAK_UNSUPPORTED},
	    {501, "NotImplemented", BREAK_UNSUPPORTED},
	    {400, "Throttling", BREAK_THROTTLED},
	    {503, "SlowDown", BREAK_THROTTLED},
	    {429, "HTTP429", BREAK_THROTTLED},
	    {500, "InternalError", BREAK_SERVER},
	    {503, "ServiceUnavailable", BREAK_SERVER},
	    {200, "InternalError", BREAK_SERVER},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (enum link link = LINK_IDENTITY; link <= LINK_LIST_BUCKETS; link++)
			assert_int_equal(reply(link, rows[i].status, rows[i].code), rows[i].broken);
}

static void denied_depends_on_the_link(void **state)
{
	(void)state;
	assert_int_equal(reply(LINK_IDENTITY, 403, "AccessDenied"), BREAK_KEY_REFUSED);
	assert_int_equal(reply(LINK_ROLE, 403, "AccessDenied"), BREAK_ASSUME_DENIED);
	assert_int_equal(reply(LINK_ROLE, 403, "HTTP403"), BREAK_ASSUME_DENIED);
	assert_int_equal(reply(LINK_LIST_BUCKETS, 403, "AccessDenied"), BREAK_LIST_DENIED);
}

/* Ceph has no GetCallerIdentity, and says so in many ways. */
static void identity_may_be_unsupported(void **state)
{
	(void)state;
	assert_int_equal(reply(LINK_IDENTITY, 405, "HTTP405"), BREAK_UNSUPPORTED);
	assert_int_equal(reply(LINK_IDENTITY, 400, "UnknownError"), BREAK_UNSUPPORTED);
	assert_int_equal(reply(LINK_IDENTITY, 404, "HTTP404"), BREAK_UNSUPPORTED);
	assert_int_equal(reply(LINK_ROLE, 404, "HTTP404"), BREAK_SERVER);
}

/* Ceph's word for it; AWS says AccessDenied. Of other links it is no word about the role. */
static void role_that_does_not_exist(void **state)
{
	(void)state;
	assert_int_equal(reply(LINK_ROLE, 404, "NoSuchEntity"), BREAK_ROLE_PARAMETER);
	assert_int_equal(reply(LINK_IDENTITY, 404, "NoSuchEntity"), BREAK_UNSUPPORTED);
	assert_int_equal(reply(LINK_LIST_BUCKETS, 404, "NoSuchEntity"), BREAK_SERVER);
	assert_non_null(strstr(link_break_remedy(BREAK_ROLE_PARAMETER), "role_arn"));
	assert_non_null(strstr(link_break_remedy(BREAK_ASSUME_DENIED), "role_arn"));
}

static void no_answer(void **state)
{
	static const struct {
		int transport;
		enum link_break broken;
	} rows[] = {
	    {HTTP_E_RESOLVE, BREAK_UNREACHABLE},
	    {HTTP_E_CONNECT, BREAK_UNREACHABLE},
	    {HTTP_E_TLS, BREAK_UNREACHABLE},
	    {HTTP_E_STALL, BREAK_UNREACHABLE},
	    {HTTP_E_PROXY, BREAK_UNREACHABLE},
	    {HTTP_E_BROKEN, BREAK_UNREACHABLE},
	    {HTTP_E_TOO_LARGE, BREAK_SERVER},
	    {HTTP_E_PROTOCOL, BREAK_SERVER},
	    {HTTP_E_CONNECT_TIMEOUT, BREAK_UNREACHABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aws_error error = {.transport = rows[i].transport};

		assert_int_equal(diagnose(LINK_ROLE, AWS_E_TRANSPORT, &error), rows[i].broken);
	}
}

static void errnos(void **state)
{
	struct aws_error error = {0};

	(void)state;
	assert_int_equal(diagnose(LINK_ROLE, 0, &error), BREAK_NONE);
	assert_int_equal(diagnose(LINK_BASE, 0, NULL), BREAK_NONE);
	assert_int_equal(diagnose(LINK_BASE, -ENOENT, NULL), BREAK_NO_CREDENTIALS);
	assert_int_equal(diagnose(LINK_BASE, -EACCES, NULL), BREAK_NO_CREDENTIALS);
	assert_int_equal(diagnose(LINK_ROLE, -ETIMEDOUT, &error), BREAK_UNREACHABLE);
	assert_int_equal(diagnose(LINK_ROLE, -EBADMSG, &error), BREAK_SERVER);
}

static void names_are_stable_and_every_break_has_a_remedy(void **state)
{
	static const char *const names[] = {
	    "none",      "no-credentials", "key-refused",    "token-expired", "assume-denied",
	    "clock",     "region",         "role-parameter", "list-denied",   "bucket-denied",
	    "no-bucket", "unreachable",    "throttled",      "unsupported",   "server",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *remedy = link_break_remedy((enum link_break)i);

		assert_string_equal(link_break_name((enum link_break)i), names[i]);
		assert_null(strchr(remedy, '\n'));
		assert_true(i == BREAK_NONE ? remedy[0] == '\0' : remedy[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(codes_mean_the_same_on_every_link),
	    cmocka_unit_test(denied_depends_on_the_link),
	    cmocka_unit_test(identity_may_be_unsupported),
	    cmocka_unit_test(role_that_does_not_exist),
	    cmocka_unit_test(no_answer),
	    cmocka_unit_test(errnos),
	    cmocka_unit_test(names_are_stable_and_every_break_has_a_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
