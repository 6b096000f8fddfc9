/*
 * aws/caller: one signed request to an AWS service and its answer: sign, send, understand an error
 * reply, mend the clock's skew, try again. STS and S3 both go through here.
 */
#ifndef XACCTFS_AWS_CALLER_H
#define XACCTFS_AWS_CALLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "xacctfs/aws/credentials.h"
#include "xacctfs/http/message.h"
#include "xacctfs/http/retry.h"
#include "xacctfs/http/transport.h"
#include "xacctfs/util/call.h"

/* What aws_send() and the functions built on it return beside 0 and a negative errno. */
enum {
	AWS_E_REPLY = 1, /* the service refused: aws_error.code says why */
	AWS_E_TRANSPORT, /* no complete answer came: aws_error.transport, .message */
};

/* Why a request failed, after the last attempt. Every text is printable and cut to fit. */
struct aws_error {
	int transport;       /* HTTP_E_*, 0 when the service answered */
	int os_errno;        /* of a refused or unreachable connection, else 0 */
	int status;          /* HTTP status, 0 when none came */
	char code[64];       /* "AccessDenied"; "HTTP404" where the answer had no body */
	char message[256];   /* the service's, or the transport's */
	char request_id[96]; /* "" when there was none */
	char region[65];     /* where the service says the bucket is; "" when it does not say */
	bool maybe_done;     /* an earlier sending than the last may have been carried out unseen */
	int attempts;
};

struct aws_caller {
	struct http_transport *transport;
	struct clock *clock;
	int max_attempts;
	struct retry_budget budget;
	pthread_mutex_t lock;
	int64_t server_offset_ms; /* lock: the server's wall clock less our boot clock */
};

/* One sending of a request, and what came of it. */
struct aws_attempt {
	int number;     /* 1 is the first of the aws_send */
	int status;     /* HTTP's; 0 when none came */
	bool throttled; /* the service says that requests are too many */
	int64_t ms;     /* that it took */
	/* bytes of bodies; of one that was not sent, or did not come, to its end: what is known */
	uint64_t sent, received;
};

struct aws_request {
	struct http_request *http;
	struct credentials *credentials;
	const char *region;  /* to sign for */
	const char *service; /* "s3", "sts" */
	size_t max_body;     /* bytes of answer accepted */
	int max_attempts;    /* 0: the caller's own */
	/* As in sigv4_params: NULL, or what stands for the payload's hash. */
	const char *payload_hash;
	/*
	 * NULL, or changes the request before each attempt is signed, as by what the sink was given
	 * up to then. A negative errno ends it.
	 */
	int (*prepare)(void *data, struct http_request *http);
	void *prepare_data;
	/* NULL, or told of each attempt when it has ended, by the thread that sends. */
	void (*ended)(void *data, const struct aws_attempt *attempt);
	void *ended_data;
};

/* Neither transport nor clock is owned. The wall clock is believed until a server says otherwise.
 */
void aws_caller_init(struct aws_caller *caller, struct http_transport *transport,
		     struct clock *clock, int max_attempts);
void aws_caller_deinit(struct aws_caller *caller);

/* The server's time as far as we know, in milliseconds since 1970: what is signed with. */
int64_t aws_caller_now_ms(struct aws_caller *caller);

/* Takes the Date of a response as the server's time, when it differs by over two seconds. */
void aws_caller_learn_time(struct aws_caller *caller, const struct http_response *response);

/* The wall clock was set by so much: the server's time is taken to have moved alike. */
void aws_caller_shift_time(struct aws_caller *caller, int64_t ms);

/*
 * Sends until an answer comes that is worth no other attempt. Repeated are broken connections,
 * throttling and 5xx answers, with back-off; so the request must bear being carried out twice. A
 * refusal for the clock's sake is mended by the answer's Date and sent once more. An attempt whose
 * request's sink was given bytes is not counted against max_attempts: it is progress, and the
 * call's deadline is its bound.
 * Returns 0 with a 2xx answer whose body is no error; AWS_E_REPLY or AWS_E_TRANSPORT with
 * *ret_error; -EINTR, -ETIMEDOUT (with *ret_error telling of the last attempt that was answered or
 * broke), -ENOMEM, or as prepare and sigv4_sign do. *ret_error is always written. ret_response is
 * given zeroed and is to be deinitialised in every case. Thread-safe.
 */
int aws_send(struct aws_caller *caller, struct call *call, const struct aws_request *request,
	     struct http_response *ret_response, struct aws_error *ret_error);

/* Reads an error answer, whose body is <Error> or <ErrorResponse><Error>; made for hostile bodies.
 */
void aws_error_parse(const struct http_response *response, struct aws_error *ret_error);

/* True for codes and statuses that mean "slow down". */
bool aws_error_is_throttle(const struct aws_error *error);
/* True when the same request may be answered otherwise a little later. */
bool aws_error_is_passing(const struct aws_error *error);
/* True when the credentials' token is what was refused. */
bool aws_error_is_token(const struct aws_error *error);

/* "AccessDenied: text (HTTP 403, request id X)", or the transport's text; cut to fit. */
void aws_error_format(const struct aws_error *error, char *ret_text, size_t size);

#endif
