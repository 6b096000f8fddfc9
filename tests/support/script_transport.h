/*
 * support/script_transport: a transport that answers by a script and remembers what it was asked.
 *
 *	struct script script;
 *	script_init(&script);
 *	script_answer(&script, 503, "Retry-After: 1\n", "");
 *	script_answer(&script, 200, "", "<...>");
 *	aws_caller_init(&caller, &script.transport, ...);
 *	...
 *	assert_string_equal(script_request(&script, 0)->path, "/");
 *
 * Answers are given in order; then the callback answers, if there is one; then every request fails
 * with HTTP_E_PROTOCOL. Like the real one it refuses a call that is cancelled or past its deadline,
 * and a body over max_body; a sink is given its body in pieces. Thread-safe, init and deinit
 * excepted.
 */
#ifndef SUPPORT_SCRIPT_TRANSPORT_H
#define SUPPORT_SCRIPT_TRANSPORT_H

#include "xacctfs/http/transport.h"

/* A request as it came. */
struct script_request {
	struct http_request http; /* its method is a copy of the caller's constant text */
	int64_t boot_ms;          /* when, by the call's clock */
};

/* Returns as perform does. Called by the thread that sends, without a lock. */
typedef int script_fn(void *data, struct call *call, const struct http_request *request,
		      struct http_response *ret_response);

struct script_step;

struct script {
	struct http_transport transport; /* first: what is handed out is a pointer to it */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct script_step *steps;     /* lock */
	struct script_request **asked; /* lock */
	size_t n_asked;                /* lock */
	size_t under_way;              /* lock: requests that have no answer yet */
	bool holding;                  /* lock */
	script_fn *fn;                 /* lock */
	void *data;                    /* lock */
};

void script_init(struct script *script);
void script_deinit(struct script *script);

/* The next answer. headers: lines "Name: value\n". Texts are copied. */
void script_answer(struct script *script, int status, const char *headers, const char *body);
void script_answer_bytes(struct script *script, int status, const char *headers, const char *body,
			 size_t len);
/* The next answer breaks (HTTP_E_BROKEN) behind these bytes of its body. */
void script_cut_bytes(struct script *script, int status, const char *headers, const char *body,
		      size_t len);
/* Next comes no answer: HTTP_E_*, or a negative errno. */
void script_fail(struct script *script, int error, int os_errno);
/* Has the step given last say that its request was sent before (http_response.sent_before). */
void script_sent_before(struct script *script);
/* Next comes nothing at all, until the call is cancelled or past its deadline. */
void script_hang(struct script *script);
/* Who answers when the list is done. */
void script_callback(struct script *script, script_fn *fn, void *data);
/* For callbacks: fills in an answer. Returns 0. */
int script_respond(struct http_response *ret_response, int status, const char *headers,
		   const char *body);

/* From now on every request is noted, and then waits for release, cancellation or its deadline. */
void script_hold(struct script *script);
void script_release(struct script *script);

size_t script_count(struct script *script);
/* The i-th request, from 0; NULL when it never came. Valid until deinit. */
const struct script_request *script_request(struct script *script, size_t i);
/* Waits until n requests came and were answered; with `held`, until n came. False after 10 s. */
bool script_wait_answered(struct script *script, size_t n);
bool script_wait_asked(struct script *script, size_t n);
/* How many answers of the list were not given. */
size_t script_left(struct script *script);

#endif
