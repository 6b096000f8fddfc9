/*
 * s3/counters: what was sent, counted by operation; each attempt is one request. Thread-safe,
 * without a lock.
 */
#ifndef S3_COUNTERS_H
#define S3_COUNTERS_H

#include <stdatomic.h>

#include "xacctfs/aws/caller.h"
#include "xacctfs/s3/client.h"

struct operation_counters {
	atomic_uint_fast64_t requests[S3_OUTCOMES];
	atomic_uint_fast64_t retries, throttled, sent_bytes, received_bytes, ms;
};

/* Zeroed, nothing was sent yet. */
struct counters {
	struct operation_counters operations[S3_OPERATIONS];
	atomic_uint in_flight;
};

/* Of an operation by S3's name, which must be one of those that the store has. */
struct operation_counters *counters_of(struct counters *counters, const char *operation);
/* As aws_request.ended; data: the operation's. */
void counters_add(void *data, const struct aws_attempt *attempt);
void counters_read(const struct counters *counters, struct s3_stats *ret_stats);

#endif
