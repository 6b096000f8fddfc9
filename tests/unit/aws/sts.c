/* AssumeRole and GetCallerIdentity: what goes over the wire, and what is made of the answers. */
#include "xacctfs/aws/sts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xacctfs/aws/partition.h"
#include "xacctfs/util/cleanup.h"

#include "log_lines.h"
#include "script_transport.h"
#include "test_clock.h"

#define NS   " xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""
#define NOON "Date: Mon, 23 Nov 2026 12:00:00 GMT\n"
#define KEYS                                                                                       \
	"<AccessKeyId>ASIAB</AccessKeyId><SecretAccessKey>sEcReT/+=</SecretAccessKey>"             \
	"<SessionToken>tOkEn/+==</SessionToken>"
#define EXPIRES "<Expiration>2026-11-23T13:00:00Z</Expiration>"
#define USER                                                                                       \
	"<AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId>"                                   \
	"<Arn>arn:aws:sts::222222222222:assumed-role/r/s</Arn></AssumedRoleUser>"
#define ANSWER(credentials)                                                                        \
	"<AssumeRoleResponse" NS "><AssumeRoleResult>" USER "<Credentials>" credentials            \
	"</Credentials></AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId>"              \
	"</ResponseMetadata></AssumeRoleResponse>"

#define ROLE_ARN "arn:aws:iam::222222222222:role/cross-account-s3-access"

struct bench {
	struct test_clock clock;
	struct script script;
	struct aws_caller caller;
	struct call call;
	struct credentials *anne;
	struct conf conf;
	struct conf_role role;
	struct sts sts;
	struct sts_role_session session;
	struct sts_identity identity;
	struct aws_error error;
};

static int setup(void **state)
{
	static char region[] = "eu-west-1", role_arn[] = ROLE_ARN, name[] = "xacctfs-host-1";
	static struct bench bench;
	struct bench *b = &bench;

	*b = (struct bench){.conf = {.region = region}};
	b->role =
	    (struct conf_role){.role_arn = role_arn, .session_name = name, .duration_s = 3600};
	test_clock_init(&b->clock, true);
	script_init(&b->script);
	aws_caller_init(&b->caller, &b->script.transport, &b->clock.clock, 3);
	call_init(&b->call, NULL, &b->clock.clock, 60000);
	log_lines_start(LOG_LEVEL_DEBUG);
	*state = b;
	if (credentials_new("AKIAANNE", "annes-secret", NULL, CLOCK_NEVER, &b->anne) != 0)
		return -1;
	return sts_init(&b->sts, &b->caller, &b->conf);
}

static int teardown(void **state)
{
	struct bench *b = *state;

	log_lines_stop();
	sts_role_session_deinit(&b->session);
	sts_identity_deinit(&b->identity);
	sts_deinit(&b->sts);
	credentials_unref(b->anne);
	call_deinit(&b->call);
	aws_caller_deinit(&b->caller);
	script_deinit(&b->script);
	test_clock_deinit(&b->clock);
	return 0;
}

static int assume(struct bench *b)
{
	sts_role_session_deinit(&b->session);
	return sts_assume_role(&b->sts, &b->call, b->anne, &b->role, 0, &b->session, &b->error);
}

static int assume_with_answer(struct bench *b, const char *headers, const char *body)
{
	script_answer(&b->script, 200, headers, body);
	return assume(b);
}

static const struct http_request *sent(struct bench *b, size_t i)
{
	const struct script_request *request = script_request(&b->script, i);

	assert_non_null(request);
	return &request->http;
}

/* ---- the request ---- */

static void assume_role_on_the_wire(void **state)
{
	struct bench *b = *state;
	const struct http_request *request;

	assert_int_equal(assume_with_answer(b, NOON, ANSWER(KEYS EXPIRES)), 0);
	request = sent(b, 0);
	assert_string_equal(request->method, "POST");
	assert_string_equal(request->scheme, "https");
	assert_string_equal(request->authority, "sts.eu-west-1.amazonaws.com");
	assert_string_equal(request->path, "/");
	assert_true(!request->query || !request->query[0]);
	assert_string_equal(http_headers_get(&request->headers, "Content-Type"),
			    "application/x-www-form-urlencoded; charset=utf-8");
	assert_string_equal(http_headers_get(&request->headers, "X-Amz-Date"), "20261123T120000Z");
	assert_null(http_headers_get(&request->headers, "X-Amz-Security-Token"));
	assert_non_null(strstr(http_headers_get(&request->headers, "Authorization"),
			       "Credential=AKIAANNE/20261123/eu-west-1/sts/aws4_request"));
	assert_string_equal(buf_str(&request->body),
			    "Action=AssumeRole&Version=2011-06-15"
			    "&RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2F"
			    "cross-account-s3-access"
			    "&RoleSessionName=xacctfs-host-1&DurationSeconds=3600");
	assert_int_equal(script_count(&b->script), 1);
}

static void external_id_is_sent(void **state)
{
	struct bench *b = *state;

	b->role.external_id = (char[]){"XX9812DDF2V"};
	assert_int_equal(assume_with_answer(b, NOON, ANSWER(KEYS EXPIRES)), 0);
	assert_non_null(strstr(buf_str(&sent(b, 0)->body), "&ExternalId=XX9812DDF2V"));
}

/* STS allows [\w+=,.@:\/-], and other servers may allow more: every byte must arrive. */
static void external_id_of_every_byte(void **state)
{
	struct bench *b = *state;
	_cleanup_(buf_deinit) struct buf expected = BUF_INIT;
	char id[256];
	const char *form;

	for (int i = 1; i < 256; i++)
		id[i - 1] = (char)i;
	id[255] = '\0';
	buf_add_str(&expected, "&ExternalId=");
	for (int i = 1; i < 256; i++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", i))
			buf_add_char(&expected, (char)i);
		else
			buf_printf(&expected, "%%%02X", i);
	b->role.external_id = id;
	assert_int_equal(assume_with_answer(b, NOON, ANSWER(KEYS EXPIRES)), 0);
	form = strstr(buf_str(&sent(b, 0)->body), "&ExternalId=");
	assert_non_null(form);
	assert_string_equal(form, buf_str(&expected));
}

static void session_name_and_duration_are_sent(void **state)
{
	struct bench *b = *state;

	b->role.session_name = (char[]){"a+b=c,d.e@f-g_h"};
	b->role.duration_s = 43200;
	assert_int_equal(assume_with_answer(b, NOON, ANSWER(KEYS EXPIRES)), 0);
	assert_non_null(strstr(buf_str(&sent(b, 0)->body),
			       "&RoleSessionName=a%2Bb%3Dc%2Cd.e%40f-g_h&DurationSeconds=43200"));
}

static void session_credentials_send_their_token(void **state)
{
	struct bench *b = *state;

	credentials_unref(b->anne);
	assert_int_equal(credentials_new("ASIAX", "s", "to/ken", CLOCK_NEVER, &b->anne), 0);
	assert_int_equal(assume_with_answer(b, NOON, ANSWER(KEYS EXPIRES)), 0);
	assert_string_equal(http_headers_get(&sent(b, 0)->headers, "X-Amz-Security-Token"),
			    "to/ken");
}

static void attempts_are_the_callers_or_as_asked(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 4; i++)
		script_answer(&b->script, 500, "", "");
	assert_int_equal(assume(b), AWS_E_REPLY);
	assert_int_equal(script_count(&b->script), 3);
	assert_int_equal(
	    sts_assume_role(&b->sts, &b->call, b->anne, &b->role, 1, &b->session, &b->error),
	    AWS_E_REPLY);
	assert_int_equal(script_count(&b->script), 4);
}

/* ---- the endpoint ---- */

static void expect_endpoint(struct bench *b, const char *authority, const char *path,
			    const char *region)
{
	char scope[100];

	sts_deinit(&b->sts);
	assert_int_equal(sts_init(&b->sts, &b->caller, &b->conf), 0);
	script_answer(&b->script, 403, "", "");
	assert_int_equal(assume(b), AWS_E_REPLY);
	assert_string_equal(sent(b, script_count(&b->script) - 1)->authority, authority);
	assert_string_equal(sent(b, script_count(&b->script) - 1)->path, path);
	snprintf(scope, sizeof(scope), "/20261123/%s/sts/aws4_request", region);
	assert_non_null(strstr(
	    http_headers_get(&sent(b, script_count(&b->script) - 1)->headers, "Authorization"),
	    scope));
}

static void endpoint_is_that_of_the_region(void **state)
{
	struct bench *b = *state;

	b->conf.region = (char[]){"ap-southeast-2"};
	expect_endpoint(b, "sts.ap-southeast-2.amazonaws.com", "/", "ap-southeast-2");
	b->conf.region = (char[]){"us-gov-west-1"};
	expect_endpoint(b, "sts.us-gov-west-1.amazonaws.com", "/", "us-gov-west-1");
}

static void endpoint_is_that_of_the_partition(void **state)
{
	struct bench *b = *state;

	b->conf.region = (char[]){"cn-north-1"};
	expect_endpoint(b, "sts.cn-north-1.amazonaws.com.cn", "/", "cn-north-1");
	b->conf.region = (char[]){"us-iso-east-1"};
	expect_endpoint(b, "sts.us-iso-east-1.c2s.ic.gov", "/", "us-iso-east-1");
}

static void suffixes_of_all_partitions(void **state)
{
	(void)state;
	assert_string_equal(aws_dns_suffix("us-east-1"), "amazonaws.com");
	assert_string_equal(aws_dns_suffix("us-gov-east-1"), "amazonaws.com");
	assert_string_equal(aws_dns_suffix("us-isob-east-1"), "sc2s.sgov.gov");
	assert_string_equal(aws_dns_suffix("us-isof-south-1"), "csp.hci.ic.gov");
	assert_string_equal(aws_dns_suffix("eu-isoe-west-1"), "cloud.adc-e.uk");
	assert_string_equal(aws_dns_suffix("eusc-de-east-1"), "amazonaws.eu");
	assert_string_equal(aws_dns_suffix("cn-northwest-1"), "amazonaws.com.cn");
}

static void legacy_endpoint_is_the_global_one(void **state)
{
	struct bench *b = *state;

	b->conf.sts_legacy_global = true;
	expect_endpoint(b, "sts.amazonaws.com", "/", "us-east-1");
}

/* Regions younger than the setting, and other partitions, never were served by the global one. */
static void legacy_endpoint_only_where_it_serves(void **state)
{
	struct bench *b = *state;

	b->conf.sts_legacy_global = true;
	b->conf.region = (char[]){"cn-north-1"};
	expect_endpoint(b, "sts.cn-north-1.amazonaws.com.cn", "/", "cn-north-1");
	b->conf.region = (char[]){"af-south-1"};
	expect_endpoint(b, "sts.af-south-1.amazonaws.com", "/", "af-south-1");
	b->conf.region = (char[]){"us-gov-west-1"};
	expect_endpoint(b, "sts.us-gov-west-1.amazonaws.com", "/", "us-gov-west-1");
}

static void endpoint_of_ones_own_wins(void **state)
{
	struct bench *b = *state;

	b->conf.sts_legacy_global = true;
	b->conf.sts_endpoint_url = (char[]){"http://127.0.0.1:18090"};
	expect_endpoint(b, "127.0.0.1:18090", "/", "eu-west-1");
	assert_string_equal(sent(b, 0)->scheme, "http");
}

static void endpoint_with_a_base_path(void **state)
{
	struct bench *b = *state;

	b->conf.sts_endpoint_url = (char[]){"https://Gateway.example:443/aws/sts/"};
	expect_endpoint(b, "gateway.example", "/aws/sts/", "eu-west-1");
}

static void endpoint_that_is_no_url(void **state)
{
	struct bench *b = *state;

	sts_deinit(&b->sts);
	b->conf.sts_endpoint_url = (char[]){"ftp://x"};
	assert_int_equal(sts_init(&b->sts, &b->caller, &b->conf), -EINVAL);
}

/* ---- the answer ---- */

static void answer_becomes_a_session(void **state)
{
	struct bench *b = *state;

	assert_int_equal(assume_with_answer(b, NOON, ANSWER(KEYS EXPIRES)), 0);
	assert_string_equal(b->session.credentials->access_key_id, "ASIAB");
	assert_string_equal(b->session.credentials->secret_access_key, "sEcReT/+=");
	assert_string_equal(b->session.credentials->session_token, "tOkEn/+==");
	assert_int_equal(b->session.credentials->expires_ms, TEST_CLOCK_BOOT_MS + 3600000);
	assert_int_equal(b->session.lifetime_ms, 3600000);
	assert_int_equal(b->session.expires_wall_ms, TEST_CLOCK_WALL_MS + 3600000);
	assert_string_equal(b->session.arn, "arn:aws:sts::222222222222:assumed-role/r/s");
}

/* Ceph writes nine digits. */
static void expiration_with_a_fraction(void **state)
{
	struct bench *b = *state;

	assert_int_equal(
	    assume_with_answer(
		b, NOON, ANSWER(KEYS "<Expiration>2026-11-23T12:59:59.045055511Z</Expiration>")),
	    0);
	assert_int_equal(b->session.lifetime_ms, 3599045);
}

/* The life is measured by the server's clock, however wrong ours is. */
static void lifetime_is_by_the_servers_date(void **state)
{
	struct bench *b = *state;

	assert_int_equal(
	    assume_with_answer(b, "Date: Mon, 23 Nov 2026 12:50:00 GMT\n", ANSWER(KEYS EXPIRES)),
	    0);
	assert_int_equal(b->session.lifetime_ms, 600000);
	assert_int_equal(b->session.credentials->expires_ms, TEST_CLOCK_BOOT_MS + 600000);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS + 3000000);
}

static void assert_life(struct bench *b, int64_t ms, int64_t learned_ms)
{
	assert_int_equal(b->session.lifetime_ms, ms);
	assert_int_equal(b->session.credentials->expires_ms, test_clock_boot_ms(&b->clock) + ms);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS + learned_ms);
}

/* A Date has whole seconds, and may come from a clock beside the one that STS counts by. */
static void date_a_little_behind_is_believed(void **state)
{
	struct bench *b = *state;

	assert_int_equal(
	    assume_with_answer(b, "Date: Mon, 23 Nov 2026 11:59:00 GMT\n", ANSWER(KEYS EXPIRES)),
	    0);
	assert_life(b, 3600000, -60000);
}

/* The session would be longer than was asked: it is not the session that is wrong. */
static void date_behind_is_not_believed(void **state)
{
	static const char *const dates[] = {"Date: Mon, 23 Nov 2026 11:58:59 GMT\n",
					    "Date: Mon, 23 Nov 2026 10:00:00 GMT\n",
					    "Date: Thu, 01 Jan 1970 00:00:00 GMT\n"};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		assert_int_equal(assume_with_answer(b, dates[i], ANSWER(KEYS EXPIRES)), 0);
		assert_life(b, 3600000, 0);
	}
}

/* The session would be over. */
static void date_ahead_of_the_end_is_not_believed(void **state)
{
	static const char *const dates[] = {"Date: Mon, 23 Nov 2026 13:00:00 GMT\n",
					    "Date: Mon, 23 Nov 2026 14:00:00 GMT\n",
					    "Date: Sun, 23 Nov 2036 12:00:00 GMT\n"};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		assert_int_equal(assume_with_answer(b, dates[i], ANSWER(KEYS EXPIRES)), 0);
		assert_life(b, 3600000, 0);
	}
}

/* Neither the Date nor our clock fits, but it may be a session that ends then. */
static void date_and_clock_wrong_alike(void **state)
{
	struct bench *b = *state;

	assert_int_equal(
	    assume_with_answer(b, "Date: Mon, 23 Nov 2026 11:00:00 GMT\n",
			       ANSWER(KEYS "<Expiration>2026-11-23T14:30:00Z</Expiration>")),
	    0);
	assert_life(b, 3600000, 0);
}

/* As of a machine whose clock begins in 1970, when the server does not look at a signature's. */
static void date_behind_and_a_clock_that_knows_nothing(void **state)
{
	struct bench *b = *state;

	aws_caller_shift_time(&b->caller, -TEST_CLOCK_WALL_MS);
	assert_int_equal(
	    assume_with_answer(b, "Date: Mon, 23 Nov 2026 11:00:00 GMT\n", ANSWER(KEYS EXPIRES)),
	    0);
	assert_life(b, 3600000, -TEST_CLOCK_WALL_MS);
}

static void without_a_date_our_clock_counts(void **state)
{
	static const char *const headers[] = {"", "Date: nonsense\n"};
	static const struct {
		const char *end;
		int64_t life_ms;
	} rows[] = {
	    {"<Expiration>2026-11-23T12:30:00Z</Expiration>", 1800000},
	    {"<Expiration>2026-11-23T13:00:00Z</Expiration>", 3600000},
	    {"<Expiration>2026-11-23T15:00:00Z</Expiration>", 3600000},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(headers) * ARRAY_LEN(rows); i++) {
		char body[1000];

		snprintf(body, sizeof(body), ANSWER(KEYS "%s"), rows[i / 2].end);
		assert_int_equal(assume_with_answer(b, headers[i % 2], body), 0);
		assert_life(b, rows[i / 2].life_ms, 0);
	}
}

static void who_we_are_may_be_unsaid(void **state)
{
	struct bench *b = *state;

	assert_int_equal(
	    assume_with_answer(b, NOON,
			       "<AssumeRoleResponse><AssumeRoleResult><Credentials>" KEYS EXPIRES
			       "</Credentials></AssumeRoleResult>"
			       "</AssumeRoleResponse>"),
	    0);
	assert_string_equal(b->session.arn, "");
}

static void unknown_elements_are_passed_over(void **state)
{
	struct bench *b = *state;

	assert_int_equal(
	    assume_with_answer(b, NOON,
			       "<AssumeRoleResponse" NS "><New><Credentials>x</Credentials></New>"
			       "<AssumeRoleResult><SourceIdentity>x</SourceIdentity>"
			       "<Wrap><Credentials><AccessKeyId>WRONG</AccessKeyId></Credentials>"
			       "</Wrap><Credentials><Deep><SecretAccessKey>WRONG</SecretAccessKey>"
			       "</Deep>" KEYS EXPIRES "<Other/></Credentials>"
			       "<PackedPolicySize>6</PackedPolicySize></AssumeRoleResult>"
			       "<!-- end --></AssumeRoleResponse>"),
	    0);
	assert_string_equal(b->session.credentials->access_key_id, "ASIAB");
	assert_string_equal(b->session.credentials->secret_access_key, "sEcReT/+=");
}

static void last_of_duplicates_counts(void **state)
{
	struct bench *b = *state;

	assert_int_equal(assume_with_answer(b, NOON,
					    ANSWER("<AccessKeyId>OLD</AccessKeyId>"
						   "<Expiration>x</Expiration>" KEYS EXPIRES)),
			 0);
	assert_string_equal(b->session.credentials->access_key_id, "ASIAB");
}

static void nonsense(struct bench *b, const char *headers, const char *body)
{
	memset(&b->error, 0xff, sizeof(b->error));
	assert_int_equal(assume_with_answer(b, headers, body), -EBADMSG);
	assert_null(b->session.credentials);
	assert_null(b->session.arn);
	assert_int_equal(b->error.status, 200);
	assert_string_equal(b->error.code, "MalformedAnswer");
	assert_non_null(strstr(b->error.message, "STS answered 200, but "));
	assert_null(strstr(b->error.message, "sEcReT"));
	assert_null(strstr(b->error.message, "tOkEn"));
	assert_int_equal(script_left(&b->script), 0);
}

static void missing_and_empty_fields(void **state)
{
#define ID     "<AccessKeyId>ASIAB</AccessKeyId>"
#define SECRET "<SecretAccessKey>sEcReT</SecretAccessKey>"
#define TOKEN  "<SessionToken>tOkEn</SessionToken>"
	nonsense(*state, NOON, ANSWER(SECRET TOKEN EXPIRES));
	nonsense(*state, NOON, ANSWER(ID TOKEN EXPIRES));
	nonsense(*state, NOON, ANSWER(ID SECRET EXPIRES));
	nonsense(*state, NOON, ANSWER(ID SECRET TOKEN));
	nonsense(*state, NOON, ANSWER("<AccessKeyId/>" SECRET TOKEN EXPIRES));
	nonsense(*state, NOON, ANSWER(ID "<SecretAccessKey></SecretAccessKey>" TOKEN EXPIRES));
	nonsense(*state, NOON, ANSWER(ID SECRET "<SessionToken/>" EXPIRES));
	nonsense(*state, NOON, ANSWER(ID SECRET TOKEN "<Expiration/>"));
	nonsense(*state, NOON, ANSWER(""));
	nonsense(*state, NOON, "<AssumeRoleResponse" NS "/>");
	nonsense(*state, NOON,
		 "<AssumeRoleResponse" NS "><AssumeRoleResult/></AssumeRoleResponse>");
}

static void expirations_that_make_no_sense(void **state)
{
	nonsense(*state, NOON, ANSWER(KEYS "<Expiration>soon</Expiration>"));
	nonsense(*state, NOON, ANSWER(KEYS "<Expiration>1795438800</Expiration>"));
	nonsense(*state, NOON, ANSWER(KEYS "<Expiration>2026-11-23T12:00:00Z</Expiration>"));
	nonsense(*state, NOON, ANSWER(KEYS "<Expiration>2026-11-23T11:59:59Z</Expiration>"));
	nonsense(*state, NOON, ANSWER(KEYS "<Expiration>1970-01-01T00:00:00Z</Expiration>"));
	nonsense(*state, NOON, ANSWER(KEYS "<Expiration>2026-12-01T12:00:00Z</Expiration>"));
	nonsense(*state, NOON, ANSWER(KEYS "<Expiration>9999-12-31T23:59:59Z</Expiration>"));
	nonsense(*state, "", ANSWER(KEYS "<Expiration>2026-11-23T12:00:00Z</Expiration>"));
	nonsense(*state, "", ANSWER(KEYS "<Expiration>2026-12-01T12:00:00Z</Expiration>"));
}

static void answers_of_another_kind(void **state)
{
	nonsense(*state, NOON, "");
	nonsense(*state, NOON, "{\"Credentials\":{}}");
	nonsense(*state, NOON, "<html><body>Please sign in</body></html>");
	nonsense(*state, NOON, "<GetCallerIdentityResponse" NS "/>");
	nonsense(*state, NOON,
		 "<AssumeRoleResponse xmlns=\"urn:x\"><AssumeRoleResult><Credentials>" KEYS EXPIRES
		 "</Credentials></AssumeRoleResult></AssumeRoleResponse>");
	nonsense(*state, NOON, "<!DOCTYPE a [<!ENTITY b \"c\">]>" ANSWER(KEYS EXPIRES));
}

/* Cut anywhere, even behind the last field that is needed. */
static void truncated_answers(void **state)
{
	static const char whole[] = ANSWER(KEYS EXPIRES);
	char cut[sizeof(whole)];

	for (size_t len = 0; len + 1 < sizeof(whole); len += 7) {
		memcpy(cut, whole, len);
		cut[len] = '\0';
		nonsense(*state, NOON, cut);
	}
}

static void answer_that_is_too_large(void **state)
{
	struct bench *b = *state;
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	for (int i = 0; i < 70000; i++)
		buf_add_char(&body, ' ');
	assert_int_equal(assume_with_answer(b, NOON, buf_str(&body)), AWS_E_TRANSPORT);
	assert_int_equal(b->error.transport, HTTP_E_TOO_LARGE);
}

static void refusal_is_passed_on(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 403, NOON,
		      "<ErrorResponse" NS "><Error><Type>Sender</Type><Code>AccessDenied</Code>"
		      "<Message>not authorized to perform: sts:AssumeRole</Message></Error>"
		      "<RequestId>r-9</RequestId></ErrorResponse>");
	assert_int_equal(assume(b), AWS_E_REPLY);
	assert_int_equal(b->error.status, 403);
	assert_string_equal(b->error.code, "AccessDenied");
	assert_string_equal(b->error.request_id, "r-9");
}

static void cancelled_call_sends_nothing(void **state)
{
	struct bench *b = *state;

	call_cancel(&b->call);
	assert_int_equal(assume(b), -EINTR);
	assert_int_equal(script_count(&b->script), 0);
}

/* ---- GetCallerIdentity ---- */

static int identify(struct bench *b, const char *body)
{
	sts_identity_deinit(&b->identity);
	script_answer(&b->script, 200, NOON, body);
	return sts_get_caller_identity(&b->sts, &b->call, b->anne, &b->identity, &b->error);
}

#define IDENTITY(fields)                                                                           \
	"<GetCallerIdentityResponse" NS "><GetCallerIdentityResult>" fields                        \
	"</GetCallerIdentityResult></GetCallerIdentityResponse>"

static void caller_identity(void **state)
{
	struct bench *b = *state;

	assert_int_equal(identify(b, IDENTITY("<Arn>arn:aws:iam::111111111111:user/Anne</Arn>"
					      "<UserId>AIDA</UserId>"
					      "<Account>111111111111</Account>")),
			 0);
	assert_string_equal(b->identity.arn, "arn:aws:iam::111111111111:user/Anne");
	assert_string_equal(b->identity.account, "111111111111");
	assert_string_equal(buf_str(&sent(b, 0)->body),
			    "Action=GetCallerIdentity&Version=2011-06-15");
}

/* The signature was good, so our time is; a Date that is not must not make the next one bad. */
static void caller_identity_teaches_no_time(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "Date: Mon, 23 Nov 2026 10:00:00 GMT\n",
		      IDENTITY("<Arn>a</Arn><Account>1</Account>"));
	assert_int_equal(
	    sts_get_caller_identity(&b->sts, &b->call, b->anne, &b->identity, &b->error), 0);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS);
}

static void caller_identity_that_makes_no_sense(void **state)
{
	static const char *const bodies[] = {
	    IDENTITY("<Arn>a</Arn>"),
	    IDENTITY("<Account>1</Account>"),
	    IDENTITY("<Arn>a</Arn><Account>1</Accoun>"),
	    "<AssumeRoleResponse/>",
	    "",
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		assert_int_equal(identify(b, bodies[i]), -EBADMSG);
		assert_string_equal(b->error.code, "MalformedAnswer");
		assert_null(b->identity.arn);
		assert_null(b->identity.account);
	}
}

static void caller_identity_refused(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 405, "", "");
	assert_int_equal(
	    sts_get_caller_identity(&b->sts, &b->call, b->anne, &b->identity, &b->error),
	    AWS_E_REPLY);
	assert_string_equal(b->error.code, "HTTP405");
}

static void nothing_secret_is_logged(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 503, NOON, "");
	assert_int_equal(assume_with_answer(b, NOON, ANSWER(KEYS EXPIRES)), 0);
	assert_true(log_lines_count("") > 0);
	assert_int_equal(log_lines_count("sEcReT"), 0);
	assert_int_equal(log_lines_count("tOkEn"), 0);
	assert_int_equal(log_lines_count("annes-secret"), 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(assume_role_on_the_wire),
	    test(external_id_is_sent),
	    test(external_id_of_every_byte),
	    test(session_name_and_duration_are_sent),
	    test(session_credentials_send_their_token),
	    test(attempts_are_the_callers_or_as_asked),
	    test(endpoint_is_that_of_the_region),
	    test(endpoint_is_that_of_the_partition),
	    test(suffixes_of_all_partitions),
	    test(legacy_endpoint_is_the_global_one),
	    test(legacy_endpoint_only_where_it_serves),
	    test(endpoint_of_ones_own_wins),
	    test(endpoint_with_a_base_path),
	    test(endpoint_that_is_no_url),
	    test(answer_becomes_a_session),
	    test(expiration_with_a_fraction),
	    test(lifetime_is_by_the_servers_date),
	    test(date_a_little_behind_is_believed),
	    test(date_behind_is_not_believed),
	    test(date_ahead_of_the_end_is_not_believed),
	    test(date_and_clock_wrong_alike),
	    test(date_behind_and_a_clock_that_knows_nothing),
	    test(without_a_date_our_clock_counts),
	    test(who_we_are_may_be_unsaid),
	    test(unknown_elements_are_passed_over),
	    test(last_of_duplicates_counts),
	    test(missing_and_empty_fields),
	    test(expirations_that_make_no_sense),
	    test(answers_of_another_kind),
	    test(truncated_answers),
	    test(answer_that_is_too_large),
	    test(refusal_is_passed_on),
	    test(cancelled_call_sends_nothing),
	    test(caller_identity),
	    test(caller_identity_teaches_no_time),
	    test(caller_identity_that_makes_no_sense),
	    test(caller_identity_refused),
	    test(nothing_secret_is_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
