#include "counters.h"

#include <stdlib.h>
#include <string.h>

/* All that the store sends, by the names of the Amazon S3 API Reference. */
static const char *const names[S3_OPERATIONS] = {
    "ListBuckets",
    "CreateBucket",
    "DeleteBucket",
    "HeadBucket",
    "ListObjectsV2",
    "HeadObject",
    "GetObject",
    "PutObject",
    "CopyObject",
    "DeleteObject",
    "DeleteObjects",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "ListMultipartUploads",
};

struct operation_counters *counters_of(struct counters *counters, const char *operation)
{
	for (size_t i = 0; i < S3_OPERATIONS; i++)
		if (!strcmp(names[i], operation))
			return &counters->operations[i];
	abort(); /* an operation is missing above */
}

static enum s3_outcome outcome_of(int status)
{
	switch (status / 100) {
	case 2:
		return S3_2XX;
	case 3:
		return S3_3XX;
	case 4:
		return S3_4XX;
	case 5:
		return S3_5XX;
	default:
		return S3_NO_ANSWER;
	}
}

void counters_add(void *data, const struct aws_attempt *attempt)
{
	struct operation_counters *o = data;

	o->requests[outcome_of(attempt->status)]++;
	o->retries += attempt->number > 1;
	o->throttled += attempt->throttled;
	o->sent_bytes += attempt->sent;
	o->received_bytes += attempt->received;
	o->ms += (uint64_t)attempt->ms;
}

static struct s3_operation_stats read_operation(const struct operation_counters *o,
						const char *name)
{
	struct s3_operation_stats stats = {
	    .name = name,
	    .retries = o->retries,
	    .throttled = o->throttled,
	    .sent_bytes = o->sent_bytes,
	    .received_bytes = o->received_bytes,
	    .ms = o->ms,
	};

	for (size_t i = 0; i < S3_OUTCOMES; i++)
		stats.requests[i] = o->requests[i];
	return stats;
}

void counters_read(const struct counters *counters, struct s3_stats *ret_stats)
{
	for (size_t i = 0; i < S3_OPERATIONS; i++)
		ret_stats->operations[i] = read_operation(&counters->operations[i], names[i]);
	ret_stats->in_flight = counters->in_flight;
}
