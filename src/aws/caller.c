#include "xacctfs/aws/caller.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/aws/sigv4.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/timefmt.h"

/* A Date has whole seconds and the answer was under way: less is not worth mending. */
#define SKEW_TOLERATED_MS 2000
/* S3 and STS refuse a signature that is more than 15 minutes off (5 for some services). */
#define SKEW_REFUSED_MS (4 * 60 * 1000)

void aws_caller_init(struct aws_caller *caller, struct http_transport *transport,
		     struct clock *clock, int max_attempts)
{
	*caller = (struct aws_caller){
	    .transport = transport,
	    .clock = clock,
	    .max_attempts = max_attempts,
	    .server_offset_ms = clock->wall_ms(clock) - clock->boot_ms(clock),
	};
	pthread_mutex_init(&caller->lock, NULL);
	retry_budget_init(&caller->budget);
}

void aws_caller_deinit(struct aws_caller *caller)
{
	retry_budget_deinit(&caller->budget);
	pthread_mutex_destroy(&caller->lock);
}

static int64_t server_offset_ms(struct aws_caller *caller)
{
	int64_t offset;

	pthread_mutex_lock(&caller->lock);
	offset = caller->server_offset_ms;
	pthread_mutex_unlock(&caller->lock);
	return offset;
}

int64_t aws_caller_now_ms(struct aws_caller *caller)
{
	return caller->clock->boot_ms(caller->clock) + server_offset_ms(caller);
}

void aws_caller_shift_time(struct aws_caller *caller, int64_t ms)
{
	pthread_mutex_lock(&caller->lock);
	caller->server_offset_ms += ms;
	pthread_mutex_unlock(&caller->lock);
}

/* The server's clock less our boot clock, as the response tells it; fallback when it has no date.
 */
static int64_t told_offset_ms(struct aws_caller *caller, const struct http_response *response,
			      int64_t fallback)
{
	const char *date = http_headers_get(&response->headers, "Date");
	int64_t server;

	if (!date || time_parse_http(date, &server) < 0)
		return fallback;
	return server - caller->clock->boot_ms(caller->clock);
}

/* True when that is news. */
static bool learn_time(struct aws_caller *caller, const struct http_response *response)
{
	int64_t told = told_offset_ms(caller, response, CLOCK_NEVER);
	bool news;

	if (told == CLOCK_NEVER)
		return false;
	pthread_mutex_lock(&caller->lock);
	news = llabs(told - caller->server_offset_ms) > SKEW_TOLERATED_MS;
	if (news)
		caller->server_offset_ms = told;
	pthread_mutex_unlock(&caller->lock);
	return news;
}

void aws_caller_learn_time(struct aws_caller *caller, const struct http_response *response)
{
	learn_time(caller, response);
}

static bool retryable_code(const char *code)
{
	static const char *const codes[] = {
	    "InternalError",           "InternalFailure",
	    "ServiceUnavailable",      "RequestTimeout",
	    "RequestTimeoutException", "OperationAborted",
	    "IDPCommunicationError",   "ConditionalRequestConflict",
	};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (!strcmp(code, codes[i]))
			return true;
	return false;
}

bool aws_error_is_throttle(const struct aws_error *error)
{
	static const char *const codes[] = {
	    "SlowDown",
	    "Throttling",
	    "ThrottlingException",
	    "ThrottledException",
	    "RequestThrottled",
	    "RequestThrottledException",
	    "TooManyRequestsException",
	    "RequestLimitExceeded",
	    "BandwidthLimitExceeded",
	    "LimitExceededException",
	    "PriorRequestNotComplete",
	    "EC2ThrottledException",
	    "503 SlowDown",
	};

	if (error->status == 429)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (!strcmp(error->code, codes[i]))
			return true;
	return false;
}

bool aws_error_is_token(const struct aws_error *error)
{
	static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "InvalidToken",
					    "TokenRefreshRequired"};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (!strcmp(error->code, codes[i]))
			return true;
	return false;
}

bool aws_error_is_passing(const struct aws_error *error)
{
	switch (error->status) {
	case 500:
	case 502:
	case 503:
	case 504:
		return true;
	default:
		return aws_error_is_throttle(error) || retryable_code(error->code);
	}
}

static bool retryable_transport(int e)
{
	switch (e) {
	case HTTP_E_RESOLVE:
	case HTTP_E_CONNECT:
	case HTTP_E_CONNECT_TIMEOUT:
	case HTTP_E_STALL:
	case HTTP_E_BROKEN:
		return true;
	default:
		return false;
	}
}

/* A refusal that another signing time would mend. skew_ms: the server's time less the signature's.
 */
static bool refused_for_time(const struct aws_error *error, int64_t skew_ms)
{
	static const char *const codes[] = {"RequestTimeTooSkewed",  "RequestExpired",
					    "SignatureDoesNotMatch", "InvalidSignatureException",
					    "AuthFailure",           "RequestInTheFuture",
					    "AccessDenied",          "HTTP403"};

	if (llabs(skew_ms) < SKEW_REFUSED_MS)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (!strcmp(error->code, codes[i]))
			return true;
	return false;
}

/* What of the response may be looked at, http/transport.h says. r: what perform returned. */
static void tell_ended(const struct aws_request *request, int r, int64_t ms,
		       const struct http_response *response, const struct aws_error *error)
{
	struct aws_attempt attempt = {
	    .number = error->attempts,
	    .ms = ms,
	    .received = response->sunk,
	};
	size_t len;

	if (!request->ended)
		return;
	http_request_body(request->http, &len);
	if (r == 0 || r == HTTP_E_SINK) {
		attempt.status = response->status;
		attempt.sent = len;
	}
	if (r == 0) {
		attempt.throttled = aws_error_is_throttle(error);
		attempt.received += response->body.len;
	}
	request->ended(request->ended_data, &attempt);
}

/* Sends, once. Returns as perform does; *error tells of the answer, if one came. */
static int perform(struct aws_caller *caller, struct call *call, const struct aws_request *request,
		   struct http_response *response, struct aws_error *error)
{
	struct clock *clock = caller->clock;
	int64_t began_ms = clock->boot_ms(clock);
	int r = caller->transport->perform(caller->transport, call, request->http,
					   request->max_body, response);

	if (r == 0)
		aws_error_parse(response, error);
	tell_ended(request, r, clock->boot_ms(clock) - began_ms, response, error);
	return r;
}

/* One attempt, signed by a clock so far from the boot clock. Returns as aws_send; *error was
 * zeroed. */
static int attempt(struct aws_caller *caller, struct call *call, const struct aws_request *request,
		   int64_t offset_ms, struct http_response *response, struct aws_error *error)
{
	struct sigv4_params params = {
	    .credentials = request->credentials,
	    .region = request->region,
	    .service = request->service,
	    .now_ms = caller->clock->boot_ms(caller->clock) + offset_ms,
	    .payload_hash = request->payload_hash,
	};
	int r = request->prepare ? request->prepare(request->prepare_data, request->http) : 0;

	if (r == 0)
		r = sigv4_sign(request->http, &params);
	if (r < 0)
		return r;
	http_response_deinit(response);
	r = perform(caller, call, request, response, error);
	error->maybe_done = error->maybe_done || response->sent_before;
	if (r < 0)
		return r;
	if (r > 0) {
		error->transport = r;
		error->os_errno = response->os_errno;
		snprintf(error->message, sizeof(error->message), "%s", response->error);
		return AWS_E_TRANSPORT;
	}
	if (error->status / 100 == 2 && error->code[0] == '\0')
		return 0;
	return AWS_E_REPLY;
}

/* Waits for the next attempt, if there is to be one. tried: how often without progress. 0, or as
 * aws_send returns. */
static int pause_before_retry(struct aws_caller *caller, struct call *call, int r,
			      const struct http_response *response, struct aws_error *error,
			      int tried, int max_attempts)
{
	bool timeout =
	    error->transport == HTTP_E_STALL || error->transport == HTTP_E_CONNECT_TIMEOUT;
	int64_t delay, retry_after = 0;
	int waited;

	if (r == AWS_E_TRANSPORT && !retryable_transport(error->transport))
		return r;
	if (r == AWS_E_REPLY && !aws_error_is_passing(error))
		return r;
	if (tried >= max_attempts)
		return r;
	if (r == AWS_E_REPLY)
		retry_after = retry_after_parse(http_headers_get(&response->headers, "Retry-After"),
						aws_caller_now_ms(caller));
	delay = retry_delay_ms(tried ? tried : 1, retry_after, retry_random());
	if (delay >= call_remaining_ms(call))
		return r;
	if (!retry_budget_take(&caller->budget, timeout ? RETRY_COST_TIMEOUT : RETRY_COST))
		return r;
	log_debug("attempt %d failed (%s), next in %" PRId64 " ms", error->attempts,
		  error->code[0] ? error->code : error->message, delay);
	waited = call_sleep(call, delay);
	return waited == -ETIMEDOUT ? r : waited;
}

static bool may_have_been_done(const struct aws_error *error)
{
	return error->transport == HTTP_E_STALL || error->transport == HTTP_E_BROKEN ||
	       error->status >= 500 || error->status / 100 == 2;
}

int aws_send(struct aws_caller *caller, struct call *call, const struct aws_request *request,
	     struct http_response *ret_response, struct aws_error *ret_error)
{
	int max_attempts = request->max_attempts ? request->max_attempts : caller->max_attempts;
	bool time_mended = false, maybe_done = false;
	struct aws_error error = {0}, last = {0};
	int attempts = 0, tried = 0, r;

	for (;;) {
		int64_t offset = server_offset_ms(caller), skew;

		error = (struct aws_error){.attempts = ++attempts, .maybe_done = maybe_done};
		tried++;
		r = attempt(caller, call, request, offset, ret_response, &error);
		if (r < 0) {
			/* what was wrong before the time ran out is the better story */
			*ret_error = attempts > 1 ? last : error;
			ret_error->maybe_done = error.maybe_done;
			return r;
		}
		*ret_error = last = error;
		maybe_done = error.maybe_done;
		if (r == 0) {
			retry_budget_give(&caller->budget, attempts > 1 ? RETRY_COST : 1);
			return 0;
		}
		/* not against the present offset: another request's answer may have mended it */
		skew = told_offset_ms(caller, ret_response, offset) - offset;
		if (r == AWS_E_REPLY && !time_mended && refused_for_time(&error, skew)) {
			time_mended = true;
			if (learn_time(caller, ret_response))
				log_warn("the clock is off by %" PRId64
					 " s against %s; signing by its time",
					 -skew / 1000, request->http->authority);
			continue;
		}
		if (ret_response->sunk > 0)
			tried = 0;
		r = pause_before_retry(caller, call, r, ret_response, ret_error, tried,
				       max_attempts);
		if (r != 0)
			return r;
		maybe_done = maybe_done || may_have_been_done(&error);
	}
}
