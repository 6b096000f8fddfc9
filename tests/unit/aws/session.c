/* The states of a session: signing in and failing to, the calls that wait, and the way out. */
#include "xacctfs/aws/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/timefmt.h"

#include "log_lines.h"
#include "script_transport.h"
#include "test_clock.h"

#define LIFE_MS    3600000
#define RENEWAL_MS (LIFE_MS * 2 / 3)
#define SPACING_MS 1000  /* between two attempts that requests ask for */
#define ATTEMPT_MS 20000 /* the patience of one attempt */
#define WAITERS    8
/* In every secret that there is: no log line and no failure may have it. */
#define SECRET "sEcReT"

#define FIRST_ARN  "arn:aws:iam::222222222222:role/first"
#define SECOND_ARN "arn:aws:iam::333333333333:role/second"

struct bench {
	struct test_clock clock;
	struct script script;
	struct aws_caller caller;
	struct sts sts;
	struct credentials_provider provider;
	struct session *session;
	struct session_failure failure;
	struct call call;
	atomic_bool refusing;      /* STS */
	atomic_int sessions;       /* that STS gave */
	atomic_int fetch_r;        /* what the provider answers */
	_Atomic(const char *) key; /* the access key that it has */
};

static int fetch(struct credentials_provider *provider, struct call *call,
		 struct credentials **ret_credentials, char **ret_why)
{
	struct bench *b = (struct bench *)((char *)provider - offsetof(struct bench, provider));
	int r = atomic_load(&b->fetch_r);

	(void)call;
	if (r == 0)
		return credentials_new(atomic_load(&b->key), "base-" SECRET, NULL, CLOCK_NEVER,
				       ret_credentials);
	if (r != -EINTR && r != -ENOMEM)
		*ret_why = strdup("no key in the file");
	return r;
}

static bool changed(struct credentials_provider *provider)
{
	(void)provider;
	return false;
}

/* STS, whose clock goes with the boot clock, whatever is done to our wall clock. */
static int answer(void *data, struct call *call, const struct http_request *request,
		  struct http_response *ret_response)
{
	struct bench *b = data;
	int64_t now_ms = TEST_CLOCK_WALL_MS + test_clock_boot_ms(&b->clock) - TEST_CLOCK_BOOT_MS;
	char expires[TIME_ISO_LEN + 1], body[1024];
	int n;

	(void)call;
	(void)request;
	if (atomic_load(&b->refusing))
		return script_respond(ret_response, 403, "",
				      "<ErrorResponse><Error><Code>AccessDenied</Code>"
				      "</Error></ErrorResponse>");
	n = atomic_fetch_add(&b->sessions, 1) + 1;
	time_format_iso(now_ms + LIFE_MS, expires);
	snprintf(body, sizeof(body),
		 "<AssumeRoleResponse><AssumeRoleResult>"
		 "<AssumedRoleUser><Arn>arn:aws:sts::2:assumed-role/r/%d</Arn></AssumedRoleUser>"
		 "<Credentials><AccessKeyId>ASIA%d</AccessKeyId>"
		 "<SecretAccessKey>session-" SECRET "</SecretAccessKey>"
		 "<SessionToken>token-" SECRET "-%d</SessionToken>"
		 "<Expiration>%s</Expiration></Credentials></AssumeRoleResult>"
		 "</AssumeRoleResponse>",
		 n, n, n, expires);
	return script_respond(ret_response, 200, "", body);
}

static void make_session(struct bench *b, size_t n_roles)
{
	static char first[] = FIRST_ARN, second[] = SECOND_ARN, name[] = "session";
	static const struct conf_role roles[] = {
	    {.role_arn = first, .session_name = name, .duration_s = LIFE_MS / 1000},
	    {.role_arn = second, .session_name = name, .duration_s = LIFE_MS / 1000},
	};
	struct session_options options = {
	    .clock = &b->clock.clock,
	    .sts = &b->sts,
	    .provider = &b->provider,
	    .roles = roles,
	    .n_roles = n_roles,
	};

	session_free(b->session);
	assert_int_equal(session_new(&options, &b->session), 0);
}

static struct bench *make_bench(bool auto_advance)
{
	static char region[] = "eu-west-1";
	struct conf conf = {.region = region};
	struct bench *b = calloc(1, sizeof(*b));

	log_lines_start(LOG_LEVEL_DEBUG);
	test_clock_init(&b->clock, auto_advance);
	script_init(&b->script);
	script_callback(&b->script, answer, b);
	b->provider = (struct credentials_provider){"test", fetch, changed, NULL};
	atomic_store(&b->key, "AKIAANNE");
	aws_caller_init(&b->caller, &b->script.transport, &b->clock.clock, 1);
	assert_int_equal(sts_init(&b->sts, &b->caller, &conf), 0);
	call_init(&b->call, NULL, &b->clock.clock, CLOCK_NEVER);
	make_session(b, 1);
	return b;
}

/* Not signed in; a wait jumps to its deadline. */
static int setup(void **state)
{
	*state = make_bench(true);
	return 0;
}

/* Not signed in; the clock stands still. */
static int setup_still(void **state)
{
	*state = make_bench(false);
	return 0;
}

/* Signed in; the refresher waits for the test to move the clock. */
static int setup_started(void **state)
{
	struct bench *b = make_bench(false);

	assert_int_equal(session_start(b->session, &b->call, &b->failure), 0);
	assert_true(test_clock_settled(&b->clock, 1));
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	size_t leaks;

	session_free(b->session);
	leaks = log_lines_count(SECRET);
	log_lines_stop();
	call_deinit(&b->call);
	sts_deinit(&b->sts);
	aws_caller_deinit(&b->caller);
	script_deinit(&b->script);
	test_clock_deinit(&b->clock);
	free(b);
	return leaks == 0 ? 0 : -1;
}

static void advance(struct bench *b, int64_t ms)
{
	test_clock_advance(&b->clock, ms);
	assert_true(test_clock_settled(&b->clock, 1));
}

static struct session_status status(struct bench *b)
{
	struct session_status s;

	session_get_status(b->session, &s);
	return s;
}

static struct credentials *get(struct bench *b)
{
	struct credentials *credentials = NULL;

	assert_int_equal(session_get(b->session, &b->call, &credentials), 0);
	return credentials;
}

/* The session ends, and STS refuses another. */
static void end_session(struct bench *b)
{
	atomic_store(&b->refusing, true);
	advance(b, LIFE_MS);
	assert_int_equal(status(b).remaining_ms, 0);
}

/* ---- the first sign-in ---- */

static void assert_start_fails(struct bench *b, int r, enum link link, enum link_break broken,
			       const char *text)
{
	struct session_status s;

	memset(&b->failure, 0xff, sizeof(b->failure));
	assert_int_equal(session_start(b->session, &b->call, &b->failure), r);
	assert_int_equal(b->failure.link, link);
	assert_int_equal(b->failure.broken, broken);
	if (!strstr(b->failure.text, text))
		print_message("'%s' does not say '%s'\n", b->failure.text, text);
	assert_non_null(strstr(b->failure.text, text));
	assert_null(strstr(b->failure.text, SECRET));
	s = status(b);
	assert_int_equal(s.remaining_ms, 0);
	assert_string_equal(s.arn, "");
}

static void base_credentials_that_are_not_there(void **state)
{
	static const int errnos[] = {-ENOENT, -EINVAL, -EACCES};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(errnos); i++) {
		atomic_store(&b->fetch_r, errnos[i]);
		assert_start_fails(b, -EACCES, LINK_BASE, BREAK_NO_CREDENTIALS,
				   "base credentials (test): no key in the file");
	}
	assert_int_equal(script_count(&b->script), 0);
}

/* The provider was stopped, or had no memory: nothing is wrong with the key. */
static void base_credentials_that_were_not_looked_for(void **state)
{
	struct bench *b = *state;

	atomic_store(&b->fetch_r, -EINTR);
	assert_start_fails(b, -EINTR, LINK_BASE, BREAK_NO_CREDENTIALS, strerror(EINTR));
	atomic_store(&b->fetch_r, -ENOMEM);
	assert_start_fails(b, -ENOMEM, LINK_BASE, BREAK_NO_CREDENTIALS, strerror(ENOMEM));
}

static void role_that_is_refused(void **state)
{
	static const struct {
		int status;
		const char *code;
		int r;
		enum link_break broken;
	} rows[] = {
	    {403, "AccessDenied", -EACCES, BREAK_ASSUME_DENIED},
	    {403, "InvalidClientTokenId", -EACCES, BREAK_KEY_REFUSED},
	    {403, "SignatureDoesNotMatch", -EACCES, BREAK_KEY_REFUSED},
	    {403, "ExpiredToken", -EACCES, BREAK_TOKEN_EXPIRED},
	    {403, "RequestTimeTooSkewed", -EACCES, BREAK_CLOCK},
	    {403, "RegionDisabledException", -EACCES, BREAK_REGION},
	    {400, "ValidationError", -EACCES, BREAK_ROLE_PARAMETER},
	    {404, "NoSuchEntity", -EACCES, BREAK_ROLE_PARAMETER},
	    {400, "Throttling", -EIO, BREAK_THROTTLED},
	    {503, "ServiceUnavailable", -EIO, BREAK_SERVER},
	    {501, "NotImplemented", -EIO, BREAK_UNSUPPORTED},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char body[200], text[200];

		snprintf(body, sizeof(body),
			 "<ErrorResponse><Error><Code>%s</Code><Message>so it is</Message></Error>"
			 "</ErrorResponse>",
			 rows[i].code);
		snprintf(text, sizeof(text),
			 "sts:AssumeRole of " FIRST_ARN ": %s: so it is (HTTP %d", rows[i].code,
			 rows[i].status);
		script_answer(&b->script, rows[i].status, "", body);
		assert_start_fails(b, rows[i].r, LINK_ROLE, rows[i].broken, text);
		assert_int_equal(b->failure.role, 0);
	}
}

static void sts_that_gives_no_answer(void **state)
{
	static const struct {
		int error, r;
		enum link_break broken;
	} rows[] = {
	    {HTTP_E_RESOLVE, -EHOSTUNREACH, BREAK_UNREACHABLE},
	    {HTTP_E_CONNECT, -EHOSTUNREACH, BREAK_UNREACHABLE},
	    {HTTP_E_TLS, -EHOSTUNREACH, BREAK_UNREACHABLE},
	    {HTTP_E_STALL, -EHOSTUNREACH, BREAK_UNREACHABLE},
	    {HTTP_E_PROTOCOL, -EIO, BREAK_SERVER},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		script_fail(&b->script, rows[i].error, 0);
		assert_start_fails(b, rows[i].r, LINK_ROLE, rows[i].broken,
				   "sts:AssumeRole of " FIRST_ARN ": scripted failure");
	}
}

static void answer_of_sts_that_makes_no_sense(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "",
		      "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
		      "<SecretAccessKey>" SECRET "</SecretAccessKey>"
		      "</Credentials></AssumeRoleResult></AssumeRoleResponse>");
	assert_start_fails(b, -EIO, LINK_ROLE, BREAK_SERVER, "MalformedAnswer: STS answered 200");
}

static void sts_that_hangs_until_the_deadline(void **state)
{
	struct bench *b = *state;

	call_deinit(&b->call);
	call_init(&b->call, NULL, &b->clock.clock, 5000);
	script_hang(&b->script);
	assert_start_fails(b, -ETIMEDOUT, LINK_ROLE, BREAK_UNREACHABLE,
			   "sts:AssumeRole of " FIRST_ARN ": timed out");
}

static void start_that_was_cancelled_asks_nobody(void **state)
{
	struct bench *b = *state;

	call_cancel(&b->call);
	assert_int_equal(session_start(b->session, &b->call, &b->failure), -EINTR);
	assert_int_equal(script_count(&b->script), 0);
}

/* ---- a chain of roles ---- */

static const char *sent_header(struct bench *b, size_t i, const char *name)
{
	const char *value;

	assert_non_null(script_request(&b->script, i));
	value = http_headers_get(&script_request(&b->script, i)->http.headers, name);
	return value ? value : "";
}

static void assert_asked(struct bench *b, size_t i, const char *key, const char *token,
			 const char *role)
{
	char text[200];

	snprintf(text, sizeof(text), "Credential=%s/", key);
	assert_non_null(strstr(sent_header(b, i, "Authorization"), text));
	assert_string_equal(sent_header(b, i, "X-Amz-Security-Token"), token);
	assert_non_null(strstr(buf_str(&script_request(&b->script, i)->http.body), role));
}

static void each_role_is_assumed_by_the_one_before(void **state)
{
	struct bench *b = *state;
	_cleanup_(credentials_unrefp) struct credentials *credentials = NULL;

	make_session(b, 2);
	assert_int_equal(session_start(b->session, &b->call, &b->failure), 0);
	assert_asked(b, 0, "AKIAANNE", "", "role%2Ffirst");
	assert_asked(b, 1, "ASIA1", "token-" SECRET "-1", "role%2Fsecond");
	credentials = get(b);
	assert_string_equal(credentials->access_key_id, "ASIA2");
	assert_string_equal(status(b).arn, "arn:aws:sts::2:assumed-role/r/2");
}

static void chain_is_walked_anew_at_a_renewal(void **state)
{
	struct bench *b = *state;
	_cleanup_(credentials_unrefp) struct credentials *credentials = NULL;

	make_session(b, 2);
	assert_int_equal(session_start(b->session, &b->call, &b->failure), 0);
	assert_true(test_clock_settled(&b->clock, 1));
	advance(b, RENEWAL_MS);
	assert_int_equal(script_count(&b->script), 4);
	assert_asked(b, 2, "AKIAANNE", "", "role%2Ffirst");
	assert_asked(b, 3, "ASIA3", "token-" SECRET "-3", "role%2Fsecond");
	credentials = get(b);
	assert_string_equal(credentials->access_key_id, "ASIA4");
}

static void second_role_of_a_chain_that_refuses(void **state)
{
	struct bench *b = *state;

	make_session(b, 2);
	script_answer(&b->script, 200, "",
		      "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
		      "<AccessKeyId>ASIA1</AccessKeyId>"
		      "<SecretAccessKey>" SECRET "</SecretAccessKey>"
		      "<SessionToken>" SECRET "</SessionToken>"
		      "<Expiration>2026-11-23T13:00:00Z</Expiration>"
		      "</Credentials></AssumeRoleResult></AssumeRoleResponse>");
	atomic_store(&b->refusing, true);
	assert_start_fails(b, -EACCES, LINK_ROLE, BREAK_ASSUME_DENIED,
			   "sts:AssumeRole of " SECOND_ARN ": AccessDenied");
	assert_int_equal(b->failure.role, 1);
	assert_null(strstr(b->failure.text, FIRST_ARN));
	assert_int_equal(script_count(&b->script), 2);
}

/* ---- credentials at hand ---- */

static void valid_credentials_come_from_memory(void **state)
{
	struct bench *b = *state;
	_cleanup_(credentials_unrefp) struct credentials *one = get(b), *two = NULL;

	call_cancel(&b->call); /* there is nothing to wait for */
	two = get(b);
	assert_ptr_equal(one, two);
	assert_int_equal(script_count(&b->script), 1);
}

/* Until the last millisecond, and no longer. */
static void credentials_are_valid_until_their_end(void **state)
{
	struct bench *b = *state;
	struct call call;
	struct credentials *credentials = NULL;

	atomic_store(&b->refusing, true);
	advance(b, LIFE_MS - 1);
	credentials_unref(get(b));
	assert_int_equal(status(b).remaining_ms, 1);
	advance(b, 1);
	call_init(&call, NULL, &b->clock.clock, 0);
	assert_int_equal(session_get(b->session, &call, &credentials), -ETIMEDOUT);
	assert_int_equal(status(b).remaining_ms, 0);
	call_deinit(&call);
}

static void may_have_ended_from_a_second_before_the_end(void **state)
{
	struct bench *b = *state;
	_cleanup_(credentials_unrefp) struct credentials *role = get(b), *user = NULL;

	assert_int_equal(credentials_new("AKIA", "s", NULL, CLOCK_NEVER, &user), 0);
	atomic_store(&b->refusing, true);
	assert_false(session_may_have_ended(b->session, role));
	advance(b, LIFE_MS - 1001);
	assert_false(session_may_have_ended(b->session, role));
	advance(b, 1);
	assert_true(session_may_have_ended(b->session, role));
	advance(b, 1000);
	assert_true(session_may_have_ended(b->session, role));
	advance(b, LIFE_MS);
	assert_true(session_may_have_ended(b->session, role));
	assert_false(session_may_have_ended(b->session, user));
}

/* ---- calls that wait ---- */

struct waiter {
	pthread_t thread;
	struct bench *b;
	struct call call;
	struct credentials *refused; /* NULL: session_get */
	struct credentials *got;
	int r;
};

static void *waiter_main(void *data)
{
	struct waiter *w = data;

	w->r = w->refused ? session_replace(w->b->session, &w->call, w->refused, &w->got)
			  : session_get(w->b->session, &w->call, &w->got);
	return NULL;
}

static void start_waiter(struct bench *b, struct waiter *w, struct credentials *refused,
			 int64_t timeout_ms)
{
	*w = (struct waiter){.b = b, .refused = refused};
	call_init(&w->call, NULL, &b->clock.clock, timeout_ms);
	assert_int_equal(pthread_create(&w->thread, NULL, waiter_main, w), 0);
}

/* What it returned; what it got is in *ret, if it is wanted. */
static int join_waiter(struct waiter *w, struct credentials **ret)
{
	pthread_join(w->thread, NULL);
	call_deinit(&w->call);
	if (ret)
		*ret = steal(&w->got);
	credentials_unref(w->got);
	return w->r;
}

/* n of them, and the refresher, wait. */
static void start_waiters(struct bench *b, struct waiter *w, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		start_waiter(b, &w[i], NULL, CLOCK_NEVER);
	assert_true(test_clock_settled(&b->clock, n + 1));
}

/* The session has ended while STS is still to answer the refresher. */
static void end_session_while_sts_is_held(struct bench *b)
{
	script_hold(&b->script);
	test_clock_advance(&b->clock, LIFE_MS);
	assert_true(script_wait_asked(&b->script, 2));
	assert_true(test_clock_settled(&b->clock, 1));
}

static void renewal_is_shared_by_all_who_wait(void **state)
{
	struct bench *b = *state;
	struct waiter w[WAITERS];
	struct credentials *got[WAITERS];

	end_session_while_sts_is_held(b);
	start_waiters(b, w, WAITERS);
	script_release(&b->script);
	for (int i = 0; i < WAITERS; i++) {
		assert_int_equal(join_waiter(&w[i], &got[i]), 0);
		assert_ptr_equal(got[i], got[0]);
	}
	assert_string_equal(got[0]->access_key_id, "ASIA2");
	for (int i = 0; i < WAITERS; i++)
		credentials_unref(got[i]);
	assert_int_equal(script_count(&b->script), 2);
}

static void failed_renewal_is_shared_by_all_who_wait(void **state)
{
	struct bench *b = *state;
	struct waiter w[WAITERS];

	end_session_while_sts_is_held(b);
	atomic_store(&b->refusing, true);
	start_waiters(b, w, WAITERS);
	script_release(&b->script);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(join_waiter(&w[i], NULL), -EKEYEXPIRED);
	assert_int_equal(script_count(&b->script), 2);
	assert_true(log_lines_wait(
	    "error: session has ended and is not renewed: sts:AssumeRole of " FIRST_ARN
	    ": AccessDenied",
	    1));
}

static void session_that_ended_heals(void **state)
{
	struct bench *b = *state;
	struct waiter w;

	end_session(b);
	start_waiter(b, &w, NULL, CLOCK_NEVER);
	assert_true(test_clock_settled(&b->clock, 2));
	test_clock_advance(&b->clock, SPACING_MS);
	assert_int_equal(join_waiter(&w, NULL), -EKEYEXPIRED);

	atomic_store(&b->refusing, false);
	assert_true(test_clock_settled(&b->clock, 1));
	start_waiter(b, &w, NULL, CLOCK_NEVER);
	assert_true(test_clock_settled(&b->clock, 2));
	test_clock_advance(&b->clock, SPACING_MS);
	assert_int_equal(join_waiter(&w, NULL), 0);
	assert_false(status(b).failing);
	assert_true(log_lines_wait("warn: session renewed after failures", 1));
}

/* However many calls come, STS is asked but once a second. */
static void attempts_that_calls_ask_for_are_a_second_apart(void **state)
{
	struct bench *b = *state;
	_cleanup_(credentials_unrefp) struct credentials *refused = get(b);
	struct waiter w;

	start_waiter(b, &w, refused, CLOCK_NEVER);
	assert_true(test_clock_settled(&b->clock, 2));
	test_clock_advance(&b->clock, SPACING_MS - 1);
	assert_true(test_clock_settled(&b->clock, 2));
	assert_int_equal(script_count(&b->script), 1);
	test_clock_advance(&b->clock, 1);
	assert_int_equal(join_waiter(&w, NULL), 0);
	/* and no more than they asked for */
	assert_true(test_clock_settled(&b->clock, 1));
	advance(b, SPACING_MS);
	assert_int_equal(script_count(&b->script), 2);
}

static void cancelled_waiter_leaves_alone(void **state)
{
	struct bench *b = *state;
	struct waiter w[2];

	end_session_while_sts_is_held(b);
	start_waiters(b, w, 2);
	call_cancel(&w[0].call);
	assert_int_equal(join_waiter(&w[0], NULL), -EINTR);
	script_release(&b->script);
	assert_int_equal(join_waiter(&w[1], NULL), 0);
	assert_int_equal(script_count(&b->script), 2);
}

static void call_cancelled_before_does_not_wait(void **state)
{
	struct bench *b = *state;
	struct credentials *credentials = NULL;

	end_session(b);
	call_cancel(&b->call);
	assert_int_equal(session_get(b->session, &b->call, &credentials), -EINTR);
	assert_null(credentials);
}

static void waiter_leaves_at_its_deadline(void **state)
{
	struct bench *b = *state;
	struct waiter w[2];

	end_session_while_sts_is_held(b);
	start_waiter(b, &w[0], NULL, ATTEMPT_MS / 4);
	start_waiter(b, &w[1], NULL, CLOCK_NEVER);
	assert_true(test_clock_settled(&b->clock, 3));
	test_clock_advance(&b->clock, ATTEMPT_MS / 4 - 1);
	assert_true(test_clock_settled(&b->clock, 3));
	test_clock_advance(&b->clock, 1);
	assert_int_equal(join_waiter(&w[0], NULL), -ETIMEDOUT);
	script_release(&b->script);
	assert_int_equal(join_waiter(&w[1], NULL), 0);
}

static void stop_wakes_all_who_wait(void **state)
{
	struct bench *b = *state;
	struct waiter w[WAITERS];

	end_session_while_sts_is_held(b);
	start_waiters(b, w, WAITERS);
	session_stop(b->session);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(join_waiter(&w[i], NULL), -EINTR);
	session_stop(b->session);
}

static void nobody_waits_for_a_session_that_was_stopped(void **state)
{
	struct bench *b = *state;
	_cleanup_(credentials_unrefp) struct credentials *credentials = get(b), *other = NULL;

	session_stop(b->session);
	credentials_unref(get(b)); /* as long as they are valid */
	assert_int_equal(session_replace(b->session, &b->call, credentials, &other), -EINTR);
	test_clock_advance(&b->clock, LIFE_MS);
	assert_int_equal(session_get(b->session, &b->call, &other), -EINTR);
	assert_null(other);
	assert_int_equal(script_count(&b->script), 1);
}

/* ---- credentials that were refused ---- */

static void refused_ones_that_are_renewed_already(void **state)
{
	struct bench *b = *state;
	_cleanup_(credentials_unrefp) struct credentials *refused = get(b), *fresh = NULL;

	advance(b, RENEWAL_MS);
	assert_int_equal(script_count(&b->script), 2);
	assert_int_equal(session_replace(b->session, &b->call, refused, &fresh), 0);
	assert_string_equal(fresh->access_key_id, "ASIA2");
	assert_int_equal(script_count(&b->script), 2);
}

/* The old ones may still do for others: it was one request that was refused. */
static void refused_ones_that_cannot_be_renewed(void **state)
{
	struct bench *b = *state;
	_cleanup_(credentials_unrefp) struct credentials *refused = get(b), *still = NULL;
	struct waiter w;

	atomic_store(&b->refusing, true);
	start_waiter(b, &w, refused, CLOCK_NEVER);
	assert_true(test_clock_settled(&b->clock, 2));
	test_clock_advance(&b->clock, SPACING_MS);
	assert_int_equal(join_waiter(&w, NULL), -EKEYEXPIRED);
	still = get(b);
	assert_ptr_equal(still, refused);
	assert_true(log_lines_wait("warn: session not renewed: sts:AssumeRole of " FIRST_ARN, 1));
	assert_int_equal(log_lines_count("The old one is valid for 3599 s more"), 1);
}

/* ---- the refresher ---- */

static void status_tells_what_happened(void **state)
{
	struct bench *b = *state;
	struct session_status s = status(b);

	assert_string_equal(s.arn, "arn:aws:sts::2:assumed-role/r/1");
	assert_int_equal(s.expires_wall_ms, TEST_CLOCK_WALL_MS + LIFE_MS);
	assert_int_equal(s.remaining_ms, LIFE_MS);
	assert_int_equal(s.renewals + s.failures, 0);
	assert_false(s.failing);
	assert_in_range(s.next_renewal_ms, RENEWAL_MS - LIFE_MS / 20, RENEWAL_MS);
	assert_string_equal(s.last_failure, "");
	assert_int_equal(s.last_failure_wall_ms, 0);

	atomic_store(&b->refusing, true);
	advance(b, RENEWAL_MS);
	s = status(b);
	assert_string_equal(s.arn, "arn:aws:sts::2:assumed-role/r/1");
	assert_int_equal(s.remaining_ms, LIFE_MS - RENEWAL_MS);
	assert_int_equal(s.renewals, 0);
	assert_int_equal(s.failures, 1);
	assert_true(s.failing);
	assert_in_range(s.next_renewal_ms, 100, 200); /* the back-off */
	assert_non_null(strstr(s.last_failure, "sts:AssumeRole of " FIRST_ARN ": AccessDenied"));
	assert_int_equal(s.last_failure_wall_ms, TEST_CLOCK_WALL_MS + RENEWAL_MS);

	atomic_store(&b->refusing, false);
	advance(b, SPACING_MS);
	s = status(b);
	assert_string_equal(s.arn, "arn:aws:sts::2:assumed-role/r/2");
	assert_int_equal(s.expires_wall_ms, TEST_CLOCK_WALL_MS + RENEWAL_MS + SPACING_MS + LIFE_MS);
	assert_int_equal(s.remaining_ms, LIFE_MS);
	assert_int_equal(s.renewals, 1);
	assert_int_equal(s.failures, 1);
	assert_false(s.failing);
	/* that is past, but told */
	assert_non_null(strstr(s.last_failure, "sts:AssumeRole of " FIRST_ARN));
	assert_int_equal(s.last_failure_wall_ms, TEST_CLOCK_WALL_MS + RENEWAL_MS);
}

/* Between half and all of a time that doubles, from 200 ms up to half a minute. */
static void attempts_that_fail_come_further_and_further_apart(void **state)
{
	struct bench *b = *state;
	int64_t delay_ms = 200;
	uint64_t failures = 1;

	atomic_store(&b->refusing, true);
	advance(b, RENEWAL_MS);
	assert_int_equal(status(b).failures, failures);
	for (int i = 0; i < 12; i++) {
		advance(b, delay_ms / 2 - 1);
		assert_int_equal(status(b).failures, failures);
		advance(b, delay_ms - delay_ms / 2 + 1);
		assert_int_equal(status(b).failures, ++failures);
		delay_ms = delay_ms * 2 < 30000 ? delay_ms * 2 : 30000;
	}
}

static void attempt_that_hangs_is_given_up(void **state)
{
	struct bench *b = *state;

	script_hang(&b->script);
	test_clock_advance(&b->clock, RENEWAL_MS);
	assert_true(script_wait_asked(&b->script, 2));
	assert_true(test_clock_settled(&b->clock, 1));
	advance(b, ATTEMPT_MS - 1);
	assert_int_equal(status(b).failures, 0);
	advance(b, 1);
	assert_int_equal(status(b).failures, 1);
	assert_true(log_lines_wait("not renewed: sts:AssumeRole of " FIRST_ARN ": timed out", 1));
}

static void key_rotated_in_its_file_signs_the_next_renewal(void **state)
{
	struct bench *b = *state;

	atomic_store(&b->key, "AKIAROTATED");
	advance(b, RENEWAL_MS);
	assert_asked(b, 1, "AKIAROTATED", "", "role%2Ffirst");
	assert_int_equal(status(b).renewals, 1);
}

static void renewal_without_base_credentials(void **state)
{
	struct bench *b = *state;

	atomic_store(&b->fetch_r, -ENOENT);
	advance(b, RENEWAL_MS);
	assert_int_equal(status(b).failures, 1);
	credentials_unref(get(b));
	assert_int_equal(script_count(&b->script), 1);
	assert_true(log_lines_wait(
	    "warn: session not renewed: base credentials (test): no key in the file", 1));
}

/* Somebody set it right: the server's time, which we know, did not move. */
static void wall_clock_set_back_renews(void **state)
{
	struct bench *b = *state;

	test_clock_jump_wall(&b->clock, -INT64_C(8) * 3600 * 1000);
	advance(b, 1000);
	assert_int_equal(status(b).renewals, 1);
	assert_int_equal(log_lines_count("the wall clock jumped by -28800 s"), 1);
	assert_int_equal(aws_caller_now_ms(&b->caller), TEST_CLOCK_WALL_MS + 1000);
	advance(b, 10000);
	assert_int_equal(status(b).renewals, 1);
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, setup, teardown)
#define STILL(name)   cmocka_unit_test_setup_teardown(name, setup_still, teardown)
#define STARTED(name) cmocka_unit_test_setup_teardown(name, setup_started, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(base_credentials_that_are_not_there),
	    TEST(base_credentials_that_were_not_looked_for),
	    TEST(role_that_is_refused),
	    TEST(sts_that_gives_no_answer),
	    TEST(answer_of_sts_that_makes_no_sense),
	    TEST(sts_that_hangs_until_the_deadline),
	    TEST(start_that_was_cancelled_asks_nobody),
	    TEST(second_role_of_a_chain_that_refuses),
	    STILL(each_role_is_assumed_by_the_one_before),
	    STILL(chain_is_walked_anew_at_a_renewal),
	    STARTED(valid_credentials_come_from_memory),
	    STARTED(credentials_are_valid_until_their_end),
	    STARTED(may_have_ended_from_a_second_before_the_end),
	    STARTED(renewal_is_shared_by_all_who_wait),
	    STARTED(failed_renewal_is_shared_by_all_who_wait),
	    STARTED(session_that_ended_heals),
	    STARTED(attempts_that_calls_ask_for_are_a_second_apart),
	    STARTED(cancelled_waiter_leaves_alone),
	    STARTED(call_cancelled_before_does_not_wait),
	    STARTED(waiter_leaves_at_its_deadline),
	    STARTED(stop_wakes_all_who_wait),
	    STARTED(nobody_waits_for_a_session_that_was_stopped),
	    STARTED(refused_ones_that_are_renewed_already),
	    STARTED(refused_ones_that_cannot_be_renewed),
	    STARTED(status_tells_what_happened),
	    STARTED(attempts_that_fail_come_further_and_further_apart),
	    STARTED(attempt_that_hangs_is_given_up),
	    STARTED(key_rotated_in_its_file_signs_the_next_renewal),
	    STARTED(renewal_without_base_credentials),
	    STARTED(wall_clock_set_back_renews),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
