#include "xacctfs/util/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "xacctfs/util/cleanup.h"

#define LINE_MAX_BYTES 4096

static const struct {
	const char *name;
	int syslog_priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
    [LOG_LEVEL_WARN] = {"warn", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

static atomic_int max_level = LOG_LEVEL_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_sink sink = LOG_SINK_STDERR;                                /* lock */
static void (*capture)(void *data, enum log_level level, const char *line); /* lock */
static void *capture_data;                                                  /* lock */

void log_init(enum log_sink new_sink, enum log_level new_max_level)
{
	pthread_mutex_lock(&lock);
	if (new_sink == LOG_SINK_SYSLOG)
		openlog("xacctfs", LOG_PID, LOG_DAEMON);
	sink = new_sink;
	pthread_mutex_unlock(&lock);
	atomic_store(&max_level, (int)new_max_level);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load(&max_level);
}

int log_level_parse(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (!strcmp(name, levels[i].name)) {
			*ret_level = (enum log_level)i;
			return 0;
		}
	return -EINVAL;
}

void log_capture(void (*fn)(void *data, enum log_level level, const char *line), void *data)
{
	pthread_mutex_lock(&lock);
	capture = fn;
	capture_data = data;
	pthread_mutex_unlock(&lock);
}

/* Of ASCII, or of the C1 set (U+0080 to U+009F), which some terminals obey. p: NUL-terminated. */
static bool is_control(const unsigned char *p, bool after_c2)
{
	return *p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) ||
	       (after_c2 && *p >= 0x80 && *p <= 0x9f);
}

/* One line out of many: what a server says must not end the line or move the cursor. */
static void escape(const char *text, char *line, size_t size)
{
	const unsigned char *begin = (const unsigned char *)text;
	size_t o = 0;

	for (const unsigned char *p = begin; *p && o + 5 < size; p++)
		if (is_control(p, p > begin && p[-1] == 0xc2))
			o += (size_t)snprintf(line + o, size - o, "\\x%02x", *p);
		else
			line[o++] = (char)*p;
	line[o] = '\0';
}

void log_write(enum log_level level, const char *format, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	int saved = errno;
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	escape(text, line, sizeof(line));

	pthread_mutex_lock(&lock);
	if (capture)
		capture(capture_data, level, line);
	else if (sink == LOG_SINK_SYSLOG)
		syslog(levels[level].syslog_priority, "%s", line);
	else
		fprintf(stderr, "xacctfs: %s%s%s\n",
			level == LOG_LEVEL_INFO ? "" : levels[level].name,
			level == LOG_LEVEL_INFO ? "" : ": ", line);
	pthread_mutex_unlock(&lock);
	errno = saved;
}
