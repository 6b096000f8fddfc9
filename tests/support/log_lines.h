/*
 * support/log_lines: what was logged since log_lines_start(), for asserts. Thread-safe.
 */
#ifndef SUPPORT_LOG_LINES_H
#define SUPPORT_LOG_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "xacctfs/util/log.h"

/* Forgets older lines and takes those up to this level from now on. */
void log_lines_start(enum log_level max_level);
/* The log goes to stderr again. */
void log_lines_stop(void);

/* How many lines have this text in them ("" counts all), at any level. */
size_t log_lines_count(const char *text);
/* The last line with this text, as "level: line", copied; "" for none. */
void log_lines_last(const char *text, char *ret_line, size_t size);
/* Waits for n lines with this text. False after ten real seconds. */
bool log_lines_wait(const char *text, size_t n);

#endif
