/*
 * daemon/metrics: what the program counts, as Prometheus reads it.
 * Source: Prometheus, "Exposition formats", text format 0.0.4.
 */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "xacctfs/aws/session.h"
#include "xacctfs/fs/fs.h"
#include "xacctfs/s3/client.h"

struct metrics {
	struct session_status session;
	struct s3_stats s3;
	struct fs_stats fs;
	size_t uploads; /* multipart uploads that were begun and did not end */
};

/* Appends all of it. Returns 0, -ENOMEM. Pure. */
int metrics_render(const struct metrics *metrics, struct buf *text);

#endif
