/*
 * STS's answers: the first line says whether to AssumeRole or GetCallerIdentity is answered, the
 * rest is as in answers.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "fuzz.h"
#include "test_clock.h"
#include "xacctfs/aws/sts.h"
#include "xacctfs/util/cleanup.h"

static char role_arn[] = "arn:aws:iam::222222222222:role/r", session_name[] = "s";
static char region[] = "eu-west-1";
static const struct conf_role role = {
    .role_arn = role_arn, .session_name = session_name, .duration_s = 3600};
static const struct conf conf = {.region = region};

struct world {
	struct test_clock clock;
	struct script script;
	struct aws_caller caller;
	struct sts sts;
	struct call call;
	struct credentials *anne;
};

static void world_init(struct world *w, struct fuzz_rest *rest)
{
	test_clock_init(&w->clock, true);
	script_init(&w->script);
	script_callback(&w->script, fuzz_answer, rest);
	aws_caller_init(&w->caller, &w->script.transport, &w->clock.clock, 3);
	call_init(&w->call, NULL, &w->clock.clock, CLOCK_NEVER);
	MUST(sts_init(&w->sts, &w->caller, &conf) == 0);
	MUST(credentials_new("AKIAANNE", "secret", NULL, CLOCK_NEVER, &w->anne) == 0);
}

static void world_deinit(struct world *w)
{
	credentials_unref(w->anne);
	sts_deinit(&w->sts);
	call_deinit(&w->call);
	aws_caller_deinit(&w->caller);
	script_deinit(&w->script);
	test_clock_deinit(&w->clock);
}

static void check_failure(int r, const struct aws_error *error)
{
	MUST(r == AWS_E_REPLY || r == AWS_E_TRANSPORT || r == -EBADMSG);
	MUST(r != -EBADMSG || (error->code[0] && error->message[0]));
}

static void assume_role(struct world *w)
{
	struct sts_role_session session = {0};
	struct aws_error error;
	int r = sts_assume_role(&w->sts, &w->call, w->anne, &role, 0, &session, &error);

	if (r != 0) {
		check_failure(r, &error);
		MUST(!session.credentials && !session.arn);
		return;
	}
	MUST(session.arn && session.lifetime_ms > 0 && session.lifetime_ms <= 3600 * 1000);
	MUST(session.credentials->access_key_id[0] && session.credentials->secret_access_key[0] &&
	     session.credentials->session_token[0]);
	MUST(session.credentials->expires_ms <=
	     test_clock_boot_ms(&w->clock) + session.lifetime_ms);
	sts_role_session_deinit(&session);
}

static void get_caller_identity(struct world *w)
{
	struct sts_identity identity = {0};
	struct aws_error error;
	int r = sts_get_caller_identity(&w->sts, &w->call, w->anne, &identity, &error);

	if (r != 0)
		check_failure(r, &error);
	MUST(!identity.arn == (r != 0) && !identity.account == (r != 0));
	sts_identity_deinit(&identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_rest rest = {data, size};
	_cleanup_(freep) char *what = fuzz_line(&rest);
	struct world w;

	fuzz_watch_log();
	world_init(&w, &rest);
	if (!strcmp(what, "GetCallerIdentity"))
		get_caller_identity(&w);
	else
		assume_role(&w);
	/* the time that was learnt is one that can be signed with */
	MUST(aws_caller_now_ms(&w.caller) > INT64_C(-2300000000000));
	world_deinit(&w);
	return 0;
}
