#include "log_lines.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_S 300

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char **lines;   /* lock */
static size_t n_lines; /* lock */

static void forget_locked(void)
{
	for (size_t i = 0; i < n_lines; i++)
		free(lines[i]);
	free(lines);
	lines = NULL;
	n_lines = 0;
}

static void take(void *data, enum log_level level, const char *line)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	char *text;

	(void)data;
	if (asprintf(&text, "%s: %s", names[level], line) < 0)
		abort();
	pthread_mutex_lock(&lock);
	lines = realloc(lines, (n_lines + 1) * sizeof(*lines));
	if (!lines)
		abort();
	lines[n_lines++] = text;
	pthread_mutex_unlock(&lock);
}

void log_lines_start(enum log_level max_level)
{
	log_capture(NULL, NULL);
	pthread_mutex_lock(&lock);
	forget_locked();
	pthread_mutex_unlock(&lock);
	log_init(LOG_SINK_STDERR, max_level);
	log_capture(take, NULL);
}

void log_lines_stop(void)
{
	log_lines_start(LOG_LEVEL_INFO);
	log_capture(NULL, NULL);
}

size_t log_lines_count(const char *text)
{
	size_t n = 0;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < n_lines; i++)
		n += strstr(lines[i], text) != NULL;
	pthread_mutex_unlock(&lock);
	return n;
}

void log_lines_last(const char *text, char *ret_line, size_t size)
{
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = n_lines; i > 0 && !strstr(lines[i - 1], text); i--)
		;
	snprintf(ret_line, size, "%s", i > 0 ? lines[i - 1] : "");
	pthread_mutex_unlock(&lock);
}

bool log_lines_wait(const char *text, size_t n)
{
	static const struct timespec slice = {.tv_nsec = 1000000};

	for (int i = 0; i < PATIENCE_S * 1000; i++) {
		if (log_lines_count(text) >= n)
			return true;
		nanosleep(&slice, NULL);
	}
	return false;
}
