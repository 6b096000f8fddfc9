/*
 * fuzz/answers: an input as the answers of a server. Blocks with a line "====" between them:
 *
 *	200
 *	ETag: "1"
 *
 *	<the body>
 *	====
 *	206 cut
 *	...
 *
 * After "cut" the connection breaks behind the body. The last answer was given: the next request
 * fails for good.
 */
#ifndef FUZZ_ANSWERS_H
#define FUZZ_ANSWERS_H

#include "fuzz.h"
#include "script_transport.h"

/* For script_callback; data: struct fuzz_rest, which is taken from. */
script_fn fuzz_answer;

/* The body behind headers, which are added. */
struct fuzz_rest fuzz_headers(struct fuzz_rest *block, struct http_headers *headers);

/* From now on each line of the log is looked at: it is one line, and nothing in it is a control. */
void fuzz_watch_log(void);

#endif
