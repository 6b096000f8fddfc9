/*
 * util/log: the program's log, one line a message, to stderr or to syslog (and so the journal).
 *
 * Who logs: the S3 client, the session and the daemon, where the context is; lower rooms return.
 * What never is logged: a secret access key, a session token, an Authorization header.
 * All functions are thread-safe; a line is written whole.
 */
#ifndef XACCTFS_UTIL_LOG_H
#define XACCTFS_UTIL_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR, /* somebody must act, or a call failed for a reason that needs a person */
	LOG_LEVEL_WARN,  /* it goes on, but a person would want to know */
	LOG_LEVEL_INFO,  /* a change of state: mounted, session renewed, region learned */
	LOG_LEVEL_DEBUG, /* every request */
};

enum log_sink {
	LOG_SINK_STDERR,
	LOG_SINK_SYSLOG, /* facility daemon, ident xacctfs */
};

/* Where lines go from now on, and up to which level. Until called: stderr, LOG_LEVEL_INFO. */
void log_init(enum log_sink sink, enum log_level max_level);

/* True when a message of this level would be written: for callers whose message is dear to make. */
bool log_enabled(enum log_level level);

/* The level of that name ("error", "warn", "info", "debug"). Returns 0, or -EINVAL. */
int log_level_parse(const char *name, enum log_level *ret_level);

/*
 * For tests: each line (no newline) goes to fn instead of a sink; fn NULL ends it. fn is called
 * with the log's lock held and must not log.
 */
void log_capture(void (*fn)(void *data, enum log_level level, const char *line), void *data);

/* Control characters in the text are written as \xNN, so that no server can forge a line. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
