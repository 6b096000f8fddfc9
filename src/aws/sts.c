#include "xacctfs/aws/sts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/aws/partition.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/secret.h"
#include "xacctfs/util/timefmt.h"
#include "xacctfs/util/xml.h"

#define STS_XMLNS      "https://sts.amazonaws.com/doc/2011-06-15/"
#define STS_VERSION    "2011-06-15"
#define STS_MAX_ANSWER ((size_t)64 * 1024)
/* An expiry further away than this is no expiry that STS gives (the longest session: 36 hours). */
#define LIFETIME_MAX_MS ((int64_t)7 * 24 * 3600 * 1000)
/* A Date may be so much behind the clock by which STS counts: a signature bears it. */
#define DATE_TOLERATED_MS (60 * 1000)

/*
 * Where sts_regional_endpoints = legacy means the global endpoint; younger regions and other
 * partitions never had it (botocore, args.py, LEGACY_GLOBAL_STS_REGIONS).
 */
static bool legacy_region(const char *region)
{
	static const char *const regions[] = {
	    "ap-northeast-1", "ap-south-1",   "ap-southeast-1", "ap-southeast-2",
	    "aws-global",     "ca-central-1", "eu-central-1",   "eu-north-1",
	    "eu-west-1",      "eu-west-2",    "eu-west-3",      "sa-east-1",
	    "us-east-1",      "us-east-2",    "us-west-1",      "us-west-2",
	};

	for (size_t i = 0; i < ARRAY_LEN(regions); i++)
		if (!strcmp(region, regions[i]))
			return true;
	return false;
}

int sts_init(struct sts *sts, struct aws_caller *caller, const struct conf *conf)
{
	_cleanup_(freep) char *made = NULL;
	const char *url = conf->sts_endpoint_url, *why;
	const char *region = conf->region;

	*sts = (struct sts){.caller = caller};
	if (!url && conf->sts_legacy_global && legacy_region(region)) {
		url = "https://sts.amazonaws.com";
		region = "us-east-1";
	} else if (!url) {
		if (asprintf(&made, "https://sts.%s.%s", region, aws_dns_suffix(region)) < 0)
			return -ENOMEM;
		url = made;
	}
	sts->region = strdup(region);
	return sts->region ? url_parse(url, &sts->endpoint, &why) : -ENOMEM;
}

void sts_deinit(struct sts *sts)
{
	url_deinit(&sts->endpoint);
	free(sts->region);
	*sts = (struct sts){0};
}

void sts_role_session_deinit(struct sts_role_session *session)
{
	credentials_unref(session->credentials);
	free(session->arn);
	*session = (struct sts_role_session){0};
}

void sts_identity_deinit(struct sts_identity *identity)
{
	free(identity->arn);
	free(identity->account);
	*identity = (struct sts_identity){0};
}

static int add_parameter(struct buf *body, const char *name, const char *value)
{
	int r = buf_printf(body, "%s%s=", body->len ? "&" : "", name);

	return r < 0 ? r : buf_add_encoded(body, value, strlen(value), false);
}

/* A POST of the form that body gets afterwards. */
static int make_request(const struct sts *sts, const char *action, struct http_request *request)
{
	int r;

	*request = (struct http_request){.method = "POST"};
	request->scheme = strdup(sts->endpoint.scheme);
	request->authority = strdup(sts->endpoint.authority);
	if (asprintf(&request->path, "%s/", sts->endpoint.path) < 0)
		request->path = NULL;
	if (!request->scheme || !request->authority || !request->path)
		return -ENOMEM;
	r = http_headers_add(&request->headers, "Content-Type",
			     "application/x-www-form-urlencoded; charset=utf-8");
	if (r == 0)
		r = add_parameter(&request->body, "Action", action);
	if (r == 0)
		r = add_parameter(&request->body, "Version", STS_VERSION);
	return r;
}

static int send_request(struct sts *sts, struct call *call, struct credentials *credentials,
			struct http_request *request, int max_attempts,
			struct http_response *ret_response, struct aws_error *ret_error)
{
	struct aws_request aws = {
	    .http = request,
	    .credentials = credentials,
	    .region = sts->region,
	    .service = "sts",
	    .max_body = STS_MAX_ANSWER,
	    .max_attempts = max_attempts,
	};

	return aws_send(sts->caller, call, &aws, ret_response, ret_error);
}

/* Takes the text of an element; a second one of the same name replaces the first. */
static int take_text(struct xml *xml, char **field)
{
	secret_free(*field);
	*field = NULL;
	return xml_text(xml, field);
}

struct role_answer {
	char *key_id, *secret, *token, *expiration, *arn;
};

static void role_answer_deinit(struct role_answer *a)
{
	secret_free(a->key_id);
	secret_free(a->secret);
	secret_free(a->token);
	free(a->expiration);
	free(a->arn);
}

static int read_credentials(struct xml *xml, struct role_answer *a)
{
	const char *name;
	int r;

	while ((r = xml_child(xml, 2, &name)) == 0) {
		if (!strcmp(name, "AccessKeyId"))
			r = take_text(xml, &a->key_id);
		else if (!strcmp(name, "SecretAccessKey"))
			r = take_text(xml, &a->secret);
		else if (!strcmp(name, "SessionToken"))
			r = take_text(xml, &a->token);
		else if (!strcmp(name, "Expiration"))
			r = take_text(xml, &a->expiration);
		if (r < 0)
			return r;
	}
	return r == XML_E_END ? 0 : r;
}

static int read_user(struct xml *xml, struct role_answer *a)
{
	const char *name;
	int r;

	while ((r = xml_child(xml, 2, &name)) == 0)
		if (!strcmp(name, "Arn") && (r = take_text(xml, &a->arn)) < 0)
			return r;
	return r == XML_E_END ? 0 : r;
}

static int read_role_result(struct xml *xml, struct role_answer *a)
{
	const char *name;
	int r;

	while ((r = xml_child(xml, 1, &name)) == 0) {
		if (!strcmp(name, "Credentials"))
			r = read_credentials(xml, a);
		else if (!strcmp(name, "AssumedRoleUser"))
			r = read_user(xml, a);
		if (r < 0)
			return r;
	}
	return r == XML_E_END ? 0 : r;
}

static int read_role_answer(const struct http_response *response, struct role_answer *a)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;
	const char *name;
	int r;

	r = xml_open(response->body.data, response->body.len, &xml);
	if (r == 0)
		r = xml_root(xml, "AssumeRoleResponse", STS_XMLNS);
	if (r != 0)
		return r == -ENOMEM ? r : -EBADMSG;
	while ((r = xml_child(xml, 0, &name)) == 0) {
		if (!strcmp(name, "AssumeRoleResult"))
			r = read_role_result(xml, a);
		if (r < 0)
			return r;
	}
	return r == XML_E_END ? 0 : r;
}

/* Says why an answer with status 200 is worth nothing. */
static int nonsense(struct aws_error *error, const char *what)
{
	snprintf(error->message, sizeof(error->message), "STS answered 200, but %s", what);
	snprintf(error->code, sizeof(error->code), "MalformedAnswer");
	return -EBADMSG;
}

static bool empty(const char *s)
{
	return !s || s[0] == '\0';
}

static bool in_reason(int64_t lifetime_ms)
{
	return lifetime_ms > 0 && lifetime_ms <= LIFETIME_MAX_MS;
}

/*
 * How long a session lasts that was asked for so long and ends then. No server gives more than it
 * was asked for, and most give just that, so it stands in for a Date that cannot be. Without a Date
 * the time that we know has to do. 0 when the end makes no sense by either.
 */
static int64_t lifetime_ms(struct sts *sts, const struct http_response *response, int64_t asked_ms,
			   int64_t expires_ms)
{
	const char *date = http_headers_get(&response->headers, "Date");
	int64_t left_ms = expires_ms - aws_caller_now_ms(sts->caller), date_ms;

	if (date && time_parse_http(date, &date_ms) == 0) {
		int64_t told_ms = expires_ms - date_ms;

		if (told_ms > 0 && told_ms <= asked_ms + DATE_TOLERATED_MS) {
			aws_caller_learn_time(sts->caller, response);
			left_ms = told_ms;
		} else if (in_reason(told_ms) || in_reason(left_ms)) {
			log_debug("STS's Date (%s) is not believed", date);
			return asked_ms;
		}
	}
	if (!in_reason(left_ms))
		return 0;
	return left_ms < asked_ms ? left_ms : asked_ms;
}

static int make_role_session(struct sts *sts, const struct role_answer *a,
			     const struct http_response *response, const struct conf_role *role,
			     struct sts_role_session *ret_session, struct aws_error *error)
{
	struct clock *clock = sts->caller->clock;
	struct sts_role_session session = {0};
	int r;

	if (empty(a->key_id) || empty(a->secret) || empty(a->token))
		return nonsense(error, "without an access key, secret or session token");
	if (empty(a->expiration) || time_parse_iso(a->expiration, &session.expires_wall_ms) < 0)
		return nonsense(error, "its Expiration is not a date");
	session.lifetime_ms =
	    lifetime_ms(sts, response, (int64_t)role->duration_s * 1000, session.expires_wall_ms);
	if (session.lifetime_ms == 0)
		return nonsense(error, "its Expiration is past, or days away");
	session.arn = strdup(a->arn ? a->arn : "");
	if (!session.arn)
		return -ENOMEM;
	r = credentials_new(a->key_id, a->secret, a->token,
			    clock->boot_ms(clock) + session.lifetime_ms, &session.credentials);
	if (r < 0) {
		sts_role_session_deinit(&session);
		return r;
	}
	*ret_session = session;
	return 0;
}

static int add_role_parameters(struct buf *body, const struct conf_role *role)
{
	char duration[16];
	int r;

	snprintf(duration, sizeof(duration), "%d", role->duration_s);
	r = add_parameter(body, "RoleArn", role->role_arn);
	if (r == 0)
		r = add_parameter(body, "RoleSessionName", role->session_name);
	if (r == 0)
		r = add_parameter(body, "DurationSeconds", duration);
	if (r == 0 && role->external_id)
		r = add_parameter(body, "ExternalId", role->external_id);
	return r;
}

int sts_assume_role(struct sts *sts, struct call *call, struct credentials *credentials,
		    const struct conf_role *role, int max_attempts,
		    struct sts_role_session *ret_session, struct aws_error *ret_error)
{
	_cleanup_(http_request_deinit) struct http_request request = {0};
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(role_answer_deinit) struct role_answer answer = {0};
	int r;

	*ret_error = (struct aws_error){0};
	r = make_request(sts, "AssumeRole", &request);
	if (r == 0)
		r = add_role_parameters(&request.body, role);
	if (r == 0)
		r = send_request(sts, call, credentials, &request, max_attempts, &response,
				 ret_error);
	if (r != 0)
		return r;
	r = read_role_answer(&response, &answer);
	if (r == 0)
		r = make_role_session(sts, &answer, &response, role, ret_session, ret_error);
	else if (r == -EBADMSG)
		nonsense(ret_error, "not with the XML of AssumeRole");
	buf_wipe(&response.body);
	return r;
}

static int read_identity_result(struct xml *xml, struct sts_identity *identity)
{
	const char *name;
	int r;

	while ((r = xml_child(xml, 1, &name)) == 0) {
		if (!strcmp(name, "Arn"))
			r = take_text(xml, &identity->arn);
		else if (!strcmp(name, "Account"))
			r = take_text(xml, &identity->account);
		if (r < 0)
			return r;
	}
	return r == XML_E_END ? 0 : r;
}

static int read_identity(const struct http_response *response, struct sts_identity *identity)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;
	const char *name;
	int r;

	r = xml_open(response->body.data, response->body.len, &xml);
	if (r == 0)
		r = xml_root(xml, "GetCallerIdentityResponse", STS_XMLNS);
	if (r != 0)
		return r == -ENOMEM ? r : -EBADMSG;
	while ((r = xml_child(xml, 0, &name)) == 0) {
		if (!strcmp(name, "GetCallerIdentityResult"))
			r = read_identity_result(xml, identity);
		if (r < 0)
			return r;
	}
	if (r != XML_E_END)
		return r;
	return identity->arn && identity->account ? 0 : -EBADMSG;
}

int sts_get_caller_identity(struct sts *sts, struct call *call, struct credentials *credentials,
			    struct sts_identity *ret_identity, struct aws_error *ret_error)
{
	_cleanup_(http_request_deinit) struct http_request request = {0};
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct sts_identity identity = {0};
	int r;

	*ret_error = (struct aws_error){0};
	r = make_request(sts, "GetCallerIdentity", &request);
	if (r == 0)
		r = send_request(sts, call, credentials, &request, 0, &response, ret_error);
	if (r != 0)
		return r;
	r = read_identity(&response, &identity);
	if (r == -EBADMSG)
		nonsense(ret_error, "not with the XML of GetCallerIdentity");
	if (r < 0) {
		sts_identity_deinit(&identity);
		return r;
	}
	*ret_identity = identity;
	return 0;
}
