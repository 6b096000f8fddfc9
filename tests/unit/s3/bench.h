/*
 * A store before a scripted S3, with a session before a scripted STS.
 *
 * S3's clock jumps over every pause; the session's stands still, a second after the sign-in, so
 * that its refresher does only what is asked of it.
 */
#ifndef S3_BENCH_H
#define S3_BENCH_H

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

#include "xacctfs/s3/client.h"
#include "xacctfs/util/cleanup.h"

#include "log_lines.h"
#include "script_transport.h"
#include "test_clock.h"

#define S3_NS    " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define S3_ID    "x-amz-request-id: id1\n"
#define ERROR(c) "<Error><Code>" c "</Code><Message>because</Message></Error>"

struct bench {
	struct test_clock clock, session_clock;
	struct script script, sts_script;
	struct aws_caller caller, sts_caller;
	struct sts sts;
	struct credentials_provider provider;
	struct session *session;
	struct conf conf;
	struct call call;
	struct store *store;
	unsigned int serial; /* of the refresher: the last key that STS gave */
	atomic_bool sts_down;
};

static char eu_west_1[] = "eu-west-1";
static char role_arn[] = "arn:aws:iam::222222222222:role/r";
static char session_name[] = "s";
static const struct conf_role role = {
    .role_arn = role_arn, .session_name = session_name, .duration_s = 3600};

static inline int bench_fetch(struct credentials_provider *provider, struct call *call,
			      struct credentials **ret_credentials, char **ret_why)
{
	(void)provider;
	(void)call;
	(void)ret_why;
	return credentials_new("AKIAANNE", "annes-secret", NULL, CLOCK_NEVER, ret_credentials);
}

static inline bool bench_changed(struct credentials_provider *provider)
{
	(void)provider;
	return false;
}

/* Keys ASIA1, for an hour from noon, and ASIA2, ... for longer. */
static inline int bench_sts(void *data, struct call *call, const struct http_request *request,
			    struct http_response *ret_response)
{
	struct bench *b = data;
	char body[512];

	(void)call;
	(void)request;
	if (atomic_load(&b->sts_down))
		return script_respond(ret_response, 500, "", "");
	b->serial++;
	snprintf(body, sizeof(body),
		 "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA%u"
		 "</AccessKeyId><SecretAccessKey>sEcReT</SecretAccessKey><SessionToken>tOkEn%u"
		 "</SessionToken><Expiration>2026-11-23T%d:00:00Z</Expiration></Credentials>"
		 "<AssumedRoleUser><Arn>arn:aws:sts::222222222222:assumed-role/r/s</Arn>"
		 "</AssumedRoleUser>"
		 "</AssumeRoleResult></AssumeRoleResponse>",
		 b->serial, b->serial, b->serial == 1 ? 13 : 23);
	return script_respond(ret_response, 200, "", body);
}

static inline void bench_sts_down(struct bench *b, bool down)
{
	atomic_store(&b->sts_down, down);
}

/* The store anew, by the conf as it is now. */
static inline void bench_open(struct bench *b)
{
	store_free(b->store);
	b->store = NULL;
	assert_int_equal(s3_store_new(&b->caller, b->session, &b->conf, &b->store), 0);
}

static inline int bench_setup(void **state)
{
	static struct bench bench;
	struct bench *b = &bench;
	struct session_failure failure;

	*b = (struct bench){
	    .provider = {"scripted", bench_fetch, bench_changed, NULL},
	    .conf = {.region = eu_west_1, .create_region = eu_west_1},
	};
	test_clock_init(&b->clock, true);
	test_clock_init(&b->session_clock, false);
	script_init(&b->script);
	script_init(&b->sts_script);
	script_callback(&b->sts_script, bench_sts, b);
	aws_caller_init(&b->caller, &b->script.transport, &b->clock.clock, 3);
	aws_caller_init(&b->sts_caller, &b->sts_script.transport, &b->session_clock.clock, 1);
	assert_int_equal(sts_init(&b->sts, &b->sts_caller, &b->conf), 0);
	assert_int_equal(session_new(&(struct session_options){.clock = &b->session_clock.clock,
							       .sts = &b->sts,
							       .provider = &b->provider,
							       .roles = &role,
							       .n_roles = 1},
				     &b->session),
			 0);
	call_init(&b->call, NULL, &b->clock.clock, CLOCK_NEVER);
	assert_int_equal(session_start(b->session, &b->call, &failure), 0);
	test_clock_advance(&b->session_clock, 1000);
	assert_true(test_clock_settled(&b->session_clock, 1));
	bench_open(b);
	log_lines_start(LOG_LEVEL_INFO);
	*state = b;
	return 0;
}

static inline int bench_teardown(void **state)
{
	struct bench *b = *state;

	store_free(b->store);
	session_free(b->session);
	log_lines_stop();
	call_deinit(&b->call);
	sts_deinit(&b->sts);
	aws_caller_deinit(&b->caller);
	aws_caller_deinit(&b->sts_caller);
	script_deinit(&b->script);
	script_deinit(&b->sts_script);
	test_clock_deinit(&b->clock);
	test_clock_deinit(&b->session_clock);
	return 0;
}

/* ---- what went over the wire ---- */

static inline const struct http_request *sent(struct bench *b, size_t i)
{
	const struct script_request *request = script_request(&b->script, i);

	assert_non_null(request);
	return &request->http;
}

static inline void expect_header(struct bench *b, size_t i, const char *name, const char *value)
{
	const char *found = http_headers_get(&sent(b, i)->headers, name);

	assert_non_null(found);
	assert_string_equal(found, value);
}

/* The i-th request was signed with this key for this region. */
static inline void expect_scope(struct bench *b, size_t i, const char *key_id, const char *region)
{
	const char *authorization = http_headers_get(&sent(b, i)->headers, "Authorization");
	char scope[200];

	snprintf(scope, sizeof(scope), "Credential=%s/20261123/%s/s3/aws4_request,", key_id,
		 region);
	assert_non_null(authorization);
	assert_non_null(strstr(authorization, scope));
}

/* The last line that has this text in it. */
static inline void expect_line(const char *text, const char *line)
{
	char last[1000];

	log_lines_last(text, last, sizeof(last));
	assert_string_equal(last, line);
}

/* Not where the session was renewed: its refresher logs that at a time of its own. */
static inline void expect_last_line(const char *line)
{
	expect_line("", line);
}

static inline int create(struct bench *b, const char *name)
{
	return b->store->create_bucket(b->store, &b->call, name);
}

static inline int remove_bucket(struct bench *b, const char *name)
{
	return b->store->delete_bucket(b->store, &b->call, name);
}

static inline int head(struct bench *b, const char *name)
{
	return b->store->head_bucket(b->store, &b->call, name);
}

static inline int list(struct bench *b, const char *prefix, const char *token,
		       struct bucket_page *ret_page)
{
	return b->store->list_buckets(b->store, &b->call, prefix, token, ret_page);
}

/* What the store knows of a bucket's region; NULL for nothing. */
static inline void expect_region(struct bench *b, const char *name, const char *region)
{
	char found[S3_REGION_MAX + 1];
	int r = b->store->bucket_region(b->store, name, found);

	assert_int_equal(r, region ? 0 : -ENODATA);
	if (region)
		assert_string_equal(found, region);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

#endif
