/* The refresher over days, through outages, and for many who ask at once. */
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

#include "xacctfs/aws/session.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/timefmt.h"

#include "script_transport.h"
#include "test_clock.h"

#define LIFE_S     3600
#define RENEWAL_MS (INT64_C(1000) * LIFE_S * 2 / 3)
#define THREADS    16

struct bench {
	struct test_clock clock;
	struct script script;
	struct aws_caller caller;
	struct sts sts;
	struct credentials_provider provider;
	struct session *session;
	struct call call;
	atomic_bool down;
	atomic_bool file_changed;
};

static int fetch(struct credentials_provider *provider, struct call *call,
		 struct credentials **ret_credentials, char **ret_why)
{
	struct bench *b = (struct bench *)((char *)provider - offsetof(struct bench, provider));

	(void)call;
	(void)ret_why;
	atomic_store(&b->file_changed, false);
	return credentials_new("AKIAEXAMPLE", "secret", NULL, CLOCK_NEVER, ret_credentials);
}

static bool changed(struct credentials_provider *provider)
{
	struct bench *b = (struct bench *)((char *)provider - offsetof(struct bench, provider));

	return atomic_load(&b->file_changed);
}

static int answer(void *data, struct call *call, const struct http_request *request,
		  struct http_response *ret_response)
{
	struct bench *b = data;
	char expires[TIME_ISO_LEN + 1], body[1024];

	(void)call;
	(void)request;
	if (atomic_load(&b->down))
		return script_respond(ret_response, 503, "", "");
	time_format_iso(b->clock.clock.wall_ms(&b->clock.clock) + LIFE_S * 1000, expires);
	snprintf(body, sizeof(body),
		 "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
		 "<AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>"
		 "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
		 "<Expiration>%s</Expiration></Credentials></AssumeRoleResult>"
		 "</AssumeRoleResponse>",
		 expires);
	return script_respond(ret_response, 200, "", body);
}

static char role_arn[] = "arn:aws:iam::222222222222:role/r";
static char session_name[] = "session";
static char region[] = "eu-west-1";
static const struct conf_role role = {
    .role_arn = role_arn, .session_name = session_name, .duration_s = LIFE_S};

static int setup(void **state)
{
	struct conf conf = {.region = region};
	struct session_failure failure;
	struct bench *b = calloc(1, sizeof(*b));

	log_init(LOG_SINK_STDERR, LOG_LEVEL_ERROR);
	test_clock_init(&b->clock, false);
	script_init(&b->script);
	script_callback(&b->script, answer, b);
	b->provider = (struct credentials_provider){"test", fetch, changed, NULL};
	aws_caller_init(&b->caller, &b->script.transport, &b->clock.clock, 1);
	assert_int_equal(sts_init(&b->sts, &b->caller, &conf), 0);
	assert_int_equal(session_new(&(struct session_options){.clock = &b->clock.clock,
							       .sts = &b->sts,
							       .provider = &b->provider,
							       .roles = &role,
							       .n_roles = 1},
				     &b->session),
			 0);
	call_init(&b->call, NULL, &b->clock.clock, CLOCK_NEVER);
	assert_int_equal(session_start(b->session, &b->call, &failure), 0);
	assert_true(test_clock_settled(&b->clock, 1));
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	session_free(b->session);
	call_deinit(&b->call);
	sts_deinit(&b->sts);
	aws_caller_deinit(&b->caller);
	script_deinit(&b->script);
	test_clock_deinit(&b->clock);
	free(b);
	return 0;
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

static int get(struct bench *b)
{
	struct credentials *credentials = NULL;
	int r = session_get(b->session, &b->call, &credentials);

	credentials_unref(credentials);
	return r;
}

static void *get_thread(void *data)
{
	return (void *)(intptr_t)get(data);
}

/* As get, for one that must wait until another attempt may be made. */
static int get_a_second_later(struct bench *b)
{
	pthread_t thread;
	void *r;

	assert_int_equal(pthread_create(&thread, NULL, get_thread, b), 0);
	assert_true(test_clock_settled(&b->clock, 2));
	test_clock_advance(&b->clock, 1000);
	pthread_join(thread, &r);
	return (int)(intptr_t)r;
}

static void renews_once_in_two_thirds_of_its_life_for_a_month(void **state)
{
	struct bench *b = *state;

	for (unsigned int i = 1; i <= 30 * 36; i++) {
		/* not before two thirds less a twentieth */
		advance(b, RENEWAL_MS - LIFE_S * 1000 / 20 - 1000);
		assert_int_equal(status(b).renewals, i - 1);
		advance(b, LIFE_S * 1000 / 20 + 1000);
		assert_int_equal(status(b).renewals, i);
		assert_int_equal(get(b), 0);
	}
	assert_int_equal(script_count(&b->script), 1 + 30 * 36);
}

static void keeps_the_old_session_while_sts_is_down(void **state)
{
	struct bench *b = *state;

	atomic_store(&b->down, true);
	advance(b, RENEWAL_MS);
	assert_true(status(b).failing);
	for (int i = 0; i < 10; i++) {
		advance(b, 60 * 1000);
		assert_int_equal(get(b), 0);
	}
	assert_true(status(b).failures >= 10);
	assert_int_equal(status(b).renewals, 0);
	atomic_store(&b->down, false);
	advance(b, 31 * 1000);
	assert_false(status(b).failing);
	assert_int_equal(status(b).renewals, 1);
}

static void expires_and_heals(void **state)
{
	struct bench *b = *state;

	atomic_store(&b->down, true);
	advance(b, LIFE_S * 1000 + 1000);
	assert_int_equal(get_a_second_later(b), -EKEYEXPIRED);
	assert_int_equal(status(b).remaining_ms, 0);
	atomic_store(&b->down, false);
	assert_true(test_clock_settled(&b->clock, 1));
	assert_int_equal(get_a_second_later(b), 0);
	assert_true(status(b).remaining_ms > 0);
}

static void a_changed_file_cuts_the_back_off_short(void **state)
{
	struct bench *b = *state;
	uint64_t failures;

	atomic_store(&b->down, true);
	advance(b, RENEWAL_MS);
	for (int i = 0; i < 10; i++)
		advance(b, 31 * 1000);
	failures = status(b).failures;
	advance(b, 1);
	assert_int_equal(status(b).failures, failures);
	atomic_store(&b->down, false);
	atomic_store(&b->file_changed, true);
	advance(b, 1000);
	assert_false(status(b).failing);
}

static void a_jump_of_the_wall_clock_renews(void **state)
{
	struct bench *b = *state;

	test_clock_jump_wall(&b->clock, 10 * 1000);
	advance(b, 10 * 1000);
	assert_int_equal(status(b).renewals, 0);
	test_clock_jump_wall(&b->clock, INT64_C(8) * 3600 * 1000);
	advance(b, 10 * 1000);
	assert_int_equal(status(b).renewals, 1);
	assert_int_equal(get(b), 0);
}

struct asker {
	struct bench *bench;
	struct credentials *refused, *got;
	int r;
};

static void *ask(void *data)
{
	struct asker *a = data;

	a->r = session_replace(a->bench->session, &a->bench->call, a->refused, &a->got);
	return NULL;
}

static void one_renewal_serves_all_who_were_refused(void **state)
{
	struct bench *b = *state;
	struct credentials *refused;
	struct asker askers[THREADS] = {0};
	pthread_t threads[THREADS];

	advance(b, 5000);
	assert_int_equal(session_get(b->session, &b->call, &refused), 0);
	for (int i = 0; i < THREADS; i++) {
		askers[i] = (struct asker){.bench = b, .refused = refused};
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(askers[i].r, 0);
		assert_ptr_not_equal(askers[i].got, refused);
		credentials_unref(askers[i].got);
	}
	assert_int_equal(script_count(&b->script), 2);
	credentials_unref(refused);
}

static void stops_while_sts_hangs(void **state)
{
	struct bench *b = *state;

	script_hold(&b->script);
	test_clock_advance(&b->clock, RENEWAL_MS);
	assert_true(script_wait_asked(&b->script, 2));
	session_stop(b->session);
	assert_int_equal(status(b).renewals, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(renews_once_in_two_thirds_of_its_life_for_a_month),
	    TEST(keeps_the_old_session_while_sts_is_down),
	    TEST(expires_and_heals),
	    TEST(a_changed_file_cuts_the_back_off_short),
	    TEST(a_jump_of_the_wall_clock_renews),
	    TEST(one_renewal_serves_all_who_were_refused),
	    TEST(stops_while_sts_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
