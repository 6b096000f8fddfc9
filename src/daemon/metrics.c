#include "metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

static int add_header(struct buf *text, const char *name, const char *type, const char *help)
{
	return buf_printf(text, "# HELP xacctfs_%s %s\n# TYPE xacctfs_%s %s\n", name, help, name,
			  type);
}

/* ---- one number each, or a few ---- */

struct sample {
	const char *name, *type, *help;
	const char *labels; /* with their braces, or "" */
	uint64_t value;
};

/* Those of one name stand together, below one header. */
static int add_samples(struct buf *text, const struct sample *samples, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct sample *s = &samples[i];

		if (i == 0 || strcmp(s->name, samples[i - 1].name) != 0)
			r = add_header(text, s->name, s->type, s->help);
		if (r == 0)
			r = buf_printf(text, "xacctfs_%s%s %" PRIu64 "\n", s->name, s->labels,
				       s->value);
	}
	return r;
}

static int add_session(struct buf *text, const struct session_status *s)
{
	const char *renewals = "Renewals of the session that succeeded, and attempts that failed.";
	const struct sample samples[] = {
	    {"session_renewals_total", "counter", renewals, "{result=\"ok\"}", s->renewals},
	    {"session_renewals_total", "counter", renewals, "{result=\"failed\"}", s->failures},
	    {"session_renewal_failing", "gauge", "1 while the last attempt to renew failed.", "",
	     s->failing},
	    {"session_remaining_seconds", "gauge",
	     "Seconds until the session ends; 0 when it has ended.", "",
	     (uint64_t)s->remaining_ms / 1000},
	    {"session_next_renewal_seconds", "gauge", "Seconds until the session is renewed.", "",
	     (uint64_t)s->next_renewal_ms / 1000},
	};

	return add_samples(text, samples, ARRAY_LEN(samples));
}

static int add_names(struct buf *text, const struct fs_stats *s)
{
	const char *lookups =
	    "Names below buckets that were looked up, by what was known or by asking S3.";
	const struct sample samples[] = {
	    {"hidden_keys_total", "counter",
	     "Keys that no file name can show, each time they were left out of a listing.", "",
	     s->hidden_keys},
	    {"lookups_total", "counter", lookups, "{answer=\"known\"}", s->lookups_known},
	    {"lookups_total", "counter", lookups, "{answer=\"asked\"}", s->lookups_asked},
	    {"inodes", "gauge", "Names that are known.", "", s->inodes},
	    {"open_directories", "gauge", "Open directories.", "", s->open_dirs},
	};

	return add_samples(text, samples, ARRAY_LEN(samples));
}

static int add_files(struct buf *text, const struct fs_stats *s)
{
	const struct sample samples[] = {
	    {"open_files", "gauge", "Open files, by their handles.", "", s->open_files},
	    {"unsaved_files", "gauge", "Open files that are not in S3 as they are.", "",
	     s->unsaved_files},
	    {"parts_under_way", "gauge", "Parts of files that are being sent.", "",
	     s->parts_under_way},
	    {"read_bytes_total", "counter", "Bytes of files that the kernel read.", "",
	     s->read_bytes},
	    {"written_bytes_total", "counter", "Bytes of files that the kernel wrote.", "",
	     s->written_bytes},
	};

	return add_samples(text, samples, ARRAY_LEN(samples));
}

#define READ  "{use=\"read\"}"
#define WRITE "{use=\"write\"}"

static int add_space(struct buf *text, const struct fs_stats *s)
{
	const char *used = "Bytes of files in memory.", *most = "The most that it ever was.";
	const char *limit = "The most that it may be, of memory_limit.";
	const struct sample samples[] = {
	    {"memory_bytes", "gauge", used, READ, s->read_memory.used},
	    {"memory_bytes", "gauge", used, WRITE, s->write_memory.used},
	    {"memory_most_bytes", "gauge", most, READ, s->read_memory.most},
	    {"memory_most_bytes", "gauge", most, WRITE, s->write_memory.most},
	    {"memory_limit_bytes", "gauge", limit, READ, s->read_memory.limit},
	    {"memory_limit_bytes", "gauge", limit, WRITE, s->write_memory.limit},
	    {"staging_bytes", "gauge", "Bytes of files in staging_dir.", "", s->staging_used},
	    {"staging_limit_bytes", "gauge", "The most that it may be.", "", s->staging_limit},
	};

	return add_samples(text, samples, ARRAY_LEN(samples));
}

/* ---- by operation of S3 ---- */

static const char *const outcomes[S3_OUTCOMES] = {
    [S3_NO_ANSWER] = "none", [S3_2XX] = "2xx", [S3_3XX] = "3xx", [S3_4XX] = "4xx", [S3_5XX] = "5xx",
};

static int add_requests(struct buf *text, const struct s3_stats *s3)
{
	int r = add_header(text, "s3_requests_total", "counter",
			   "HTTP requests to S3, by the class of the answer's status.");

	for (size_t i = 0; i < S3_OPERATIONS; i++)
		for (size_t j = 0; j < S3_OUTCOMES && r == 0; j++)
			r = buf_printf(
			    text,
			    "xacctfs_s3_requests_total{operation=\"%s\",status=\"%s\"} %" PRIu64
			    "\n",
			    s3->operations[i].name, outcomes[j], s3->operations[i].requests[j]);
	return r;
}

static const struct {
	const char *name, *help;
	size_t field; /* a uint64_t of struct s3_operation_stats */
} counters[] = {
    {"s3_retries_total", "Requests sent because the one before had failed.",
     offsetof(struct s3_operation_stats, retries)},
    {"s3_throttled_total", "Requests that S3 answered to be too many.",
     offsetof(struct s3_operation_stats, throttled)},
    {"s3_sent_bytes_total", "Bytes of the bodies of requests.",
     offsetof(struct s3_operation_stats, sent_bytes)},
    {"s3_received_bytes_total", "Bytes of the bodies of answers.",
     offsetof(struct s3_operation_stats, received_bytes)},
};

static int add_counter(struct buf *text, const struct s3_stats *s3, size_t which)
{
	int r = add_header(text, counters[which].name, "counter", counters[which].help);

	for (size_t i = 0; i < S3_OPERATIONS && r == 0; i++) {
		const struct s3_operation_stats *o = &s3->operations[i];
		uint64_t value;

		memcpy(&value, (const char *)o + counters[which].field, sizeof(value));
		r = buf_printf(text, "xacctfs_%s{operation=\"%s\"} %" PRIu64 "\n",
			       counters[which].name, o->name, value);
	}
	return r;
}

/* A summary without quantiles. */
static int add_seconds(struct buf *text, const struct s3_stats *s3)
{
	int r = add_header(text, "s3_request_seconds", "summary", "How long the requests took.");

	for (size_t i = 0; i < S3_OPERATIONS && r == 0; i++) {
		const struct s3_operation_stats *o = &s3->operations[i];
		uint64_t n = 0;

		for (size_t j = 0; j < S3_OUTCOMES; j++)
			n += o->requests[j];
		r = buf_printf(text,
			       "xacctfs_s3_request_seconds_sum{operation=\"%s\"} %" PRIu64
			       ".%03" PRIu64 "\n"
			       "xacctfs_s3_request_seconds_count{operation=\"%s\"} %" PRIu64 "\n",
			       o->name, o->ms / 1000, o->ms % 1000, o->name, n);
	}
	return r;
}

static int add_s3(struct buf *text, const struct metrics *metrics)
{
	const struct sample samples[] = {
	    {"s3_requests_in_flight", "gauge",
	     "Requests that are being sent, or wait to be sent again.", "", metrics->s3.in_flight},
	    {"s3_multipart_uploads", "gauge",
	     "Multipart uploads that were begun here, and neither completed nor aborted.", "",
	     metrics->uploads},
	};
	int r = add_requests(text, &metrics->s3);

	for (size_t i = 0; i < ARRAY_LEN(counters) && r == 0; i++)
		r = add_counter(text, &metrics->s3, i);
	if (r == 0)
		r = add_seconds(text, &metrics->s3);
	return r < 0 ? r : add_samples(text, samples, ARRAY_LEN(samples));
}

/* ---- all of it ---- */

int metrics_render(const struct metrics *metrics, struct buf *text)
{
	const struct sample info = {"info", "gauge", "The program's version.",
				    "{version=\"" XACCTFS_VERSION "\"}", 1};
	int r = add_samples(text, &info, 1);

	if (r == 0)
		r = add_session(text, &metrics->session);
	if (r == 0)
		r = add_s3(text, metrics);
	if (r == 0)
		r = add_names(text, &metrics->fs);
	if (r == 0)
		r = add_files(text, &metrics->fs);
	return r < 0 ? r : add_space(text, &metrics->fs);
}
