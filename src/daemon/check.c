#include "check.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "xacctfs/s3/client.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/timefmt.h"

/* A clock this far off is worth a line. */
#define SKEW_WORTH_TELLING_MS 5000

/* What is told, as it goes; the JSON is printed at the end. */
struct report {
	bool as_json;
	bool ok;
	json_t *links;
};

enum outcome {
	HOLDS,
	BROKEN,
	UNKNOWN, /* cannot be told here; no reason to stop */
};

static void tell(struct report *report, const char *link, enum outcome outcome,
		 enum link_break broken, const char *text)
{
	static const char *const marks[] = {
	    [HOLDS] = "ok  ", [BROKEN] = "FAIL", [UNKNOWN] = "--  "};
	const char *remedy = outcome == BROKEN ? link_break_remedy(broken) : "";

	if (outcome == BROKEN)
		report->ok = false;
	if (report->as_json) {
		json_t *entry = json_pack("{s:s, s:b, s:s}", "link", link, "ok", outcome != BROKEN,
					  "text", text);

		if (entry && outcome != HOLDS)
			json_object_set_new(entry, "reason", json_string(link_break_name(broken)));
		if (entry && outcome == BROKEN)
			json_object_set_new(entry, "remedy", json_string(remedy));
		json_array_append_new(report->links, entry);
		return;
	}
	printf("%s  %-12s %s\n", marks[outcome], link, text);
	if (remedy[0])
		printf("      %-12s %s\n", "mend it:", remedy);
	fflush(stdout);
}

/* ---- the links ---- */

static bool check_key(struct report *report, struct stack *stack, struct call *call,
		      struct credentials **ret_credentials)
{
	struct credentials_provider *provider = stack->provider;
	_cleanup_(freep) char *why = NULL;
	char text[512];
	int r = provider->fetch(provider, call, ret_credentials, &why);

	if (r < 0) {
		snprintf(text, sizeof(text), "%s: %s", provider->name, why ? why : strerror(-r));
		tell(report, "key", BROKEN, BREAK_NO_CREDENTIALS, text);
		return false;
	}
	snprintf(text, sizeof(text), "%s, from the %s", (*ret_credentials)->access_key_id,
		 provider->name);
	tell(report, "key", HOLDS, BREAK_NONE, text);
	return true;
}

static bool check_identity(struct report *report, struct stack *stack, struct call *call,
			   struct credentials *credentials)
{
	_cleanup_(sts_identity_deinit) struct sts_identity identity = {0};
	struct aws_error error;
	enum link_break broken;
	char text[512];
	int r = sts_get_caller_identity(&stack->sts, call, credentials, &identity, &error);

	if (r == 0) {
		tell(report, "identity", HOLDS, BREAK_NONE, identity.arn);
		return true;
	}
	broken = diagnose(LINK_IDENTITY, r, &error);
	if (broken == BREAK_UNSUPPORTED) {
		snprintf(text, sizeof(text),
			 "this server does not offer GetCallerIdentity (%s); going on", error.code);
		tell(report, "identity", UNKNOWN, broken, text);
		return true;
	}
	if (r == -EINTR)
		snprintf(text, sizeof(text), "interrupted");
	else
		aws_error_format(&error, text, sizeof(text));
	tell(report, "identity", BROKEN, broken, text);
	return false;
}

static void check_clock(struct report *report, struct stack *stack)
{
	struct clock *clock = clock_system();
	int64_t ahead = clock->wall_ms(clock) - aws_caller_now_ms(&stack->caller);
	char text[128];

	if (ahead < SKEW_WORTH_TELLING_MS && ahead > -SKEW_WORTH_TELLING_MS)
		return;
	snprintf(text, sizeof(text),
		 "this machine's is %" PRId64
		 " s %s the server's; requests are signed by the server's",
		 (ahead > 0 ? ahead : -ahead) / 1000, ahead > 0 ? "ahead of" : "behind");
	tell(report, "clock", UNKNOWN, BREAK_CLOCK, text);
}

static bool check_roles(struct report *report, struct stack *stack, const struct conf *conf,
			struct call *call)
{
	struct session_failure failure = {0};
	int r = session_start(stack->session, call, &failure);
	size_t held = r == 0 ? conf->n_roles : failure.link == LINK_ROLE ? failure.role : 0;

	for (size_t i = 0; i < held; i++)
		tell(report, "role", HOLDS, BREAK_NONE, conf->roles[i].role_arn);
	if (r == -EINTR)
		tell(report, "role", BROKEN, BREAK_UNREACHABLE, "interrupted");
	else if (r < 0)
		tell(report, "role", BROKEN, failure.broken, failure.text);
	return r == 0;
}

static void tell_session(struct report *report, struct stack *stack)
{
	struct session_status status;
	char expires[TIME_ISO_LEN + 1], text[320];

	session_get_status(stack->session, &status);
	time_format_iso(status.expires_wall_ms, expires);
	snprintf(text, sizeof(text), "%s, until %s", status.arn[0] ? status.arn : "assumed",
		 expires);
	tell(report, "session", HOLDS, BREAK_NONE, text);
}

/* All pages, so that the number is true. */
static int count_buckets(struct stack *stack, struct call *call, size_t *ret_n,
			 struct aws_error *error)
{
	_cleanup_(freep) char *token = NULL;
	size_t n = 0;

	do {
		struct bucket_page page = {0};
		int r = s3_list_buckets_page(stack->store, call, NULL, token, &page, error);

		if (r != 0)
			return r;
		n += page.n;
		free(token);
		token = steal(&page.next_token);
		bucket_page_deinit(&page);
	} while (token);
	*ret_n = n;
	return 0;
}

static bool check_buckets(struct report *report, struct stack *stack, struct call *call)
{
	struct aws_error error;
	char text[512];
	size_t n = 0;
	int r = count_buckets(stack, call, &n, &error);

	if (r == 0) {
		snprintf(text, sizeof(text), "%zu", n);
		tell(report, "buckets", HOLDS, BREAK_NONE, text);
		return true;
	}
	if (r == -EINTR)
		snprintf(text, sizeof(text), "interrupted");
	else
		aws_error_format(&error, text, sizeof(text));
	tell(report, "buckets", BROKEN, diagnose(LINK_LIST_BUCKETS, r, &error), text);
	return false;
}

/* The store logs what it was, and only the errno comes back. */
static enum link_break bucket_break(int r)
{
	switch (r) {
	case -EACCES:
		return BREAK_BUCKET_DENIED;
	case -ENOENT:
		return BREAK_NO_BUCKET;
	case -EAGAIN:
		return BREAK_THROTTLED;
	case -ETIMEDOUT:
	case -ECONNREFUSED:
	case -EHOSTUNREACH:
		return BREAK_UNREACHABLE;
	default:
		return BREAK_SERVER;
	}
}

/* The one bucket that is mounted: that its keys can be listed. */
static void check_bucket(struct report *report, struct stack *stack, const struct conf *conf,
			 struct call *call)
{
	struct list_params params = {.prefix = conf->prefix, .max_keys = 1};
	struct object_page page = {0};
	char text[1400];
	int r = stack->store->list_objects(stack->store, call, conf->bucket, &params, &page);

	object_page_deinit(&page);
	snprintf(text, sizeof(text), "%s%s%s%s%s", conf->bucket, *conf->prefix ? "/" : "",
		 conf->prefix, r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
	tell(report, "bucket", r < 0 ? BROKEN : HOLDS, r < 0 ? bucket_break(r) : BREAK_NONE, text);
}

static void tell_region(struct report *report, const struct conf *conf)
{
	char text[512];

	if (conf->s3_endpoint_url)
		snprintf(text, sizeof(text), "%s, at %s", conf->region, conf->s3_endpoint_url);
	else
		snprintf(text, sizeof(text), "%s", conf->region);
	tell(report, "region", HOLDS, BREAK_NONE, text);
}

static void walk(struct report *report, struct stack *stack, const struct conf *conf,
		 struct call *call)
{
	_cleanup_(credentials_unrefp) struct credentials *credentials = NULL;
	bool ok;

	tell_region(report, conf);
	ok = check_key(report, stack, call, &credentials) &&
	     check_identity(report, stack, call, credentials);
	if (ok) {
		ok = check_roles(report, stack, conf, call);
		check_clock(report, stack);
	}
	if (ok) {
		tell_session(report, stack);
		if (conf->bucket)
			check_bucket(report, stack, conf, call);
		else
			check_buckets(report, stack, call);
	}
}

int check_run(struct stack *stack, const struct conf *conf, struct call_group *group)
{
	struct report report = {.as_json = conf->json, .ok = true};
	json_auto_t *whole = NULL;
	struct call call;

	report.links = json_array();
	call_init(&call, group, clock_system(), conf->request_timeout_ms);
	walk(&report, stack, conf, &call);
	call_deinit(&call);

	whole = json_pack("{s:b, s:s, s:o}", "ok", report.ok, "source", conf->source, "links",
			  report.links);
	if (conf->json && whole) {
		json_dumpf(whole, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (report.ok) {
		printf("All links hold.\n");
	}
	return report.ok ? 0 : 1;
}
