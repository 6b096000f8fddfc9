#include "xacctfs/util/log.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

struct captured {
	int n;
	enum log_level level;
	char line[8192];
};

static void keep(void *data, enum log_level level, const char *line)
{
	struct captured *captured = data;

	captured->n++;
	captured->level = level;
	snprintf(captured->line, sizeof(captured->line), "%s", line);
}

static struct captured captured;

static int set_up(void **state)
{
	(void)state;
	captured = (struct captured){0};
	log_init(LOG_SINK_STDERR, LOG_LEVEL_DEBUG);
	log_capture(keep, &captured);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_capture(NULL, NULL);
	return 0;
}

static void line_comes_whole_with_its_level(void **state)
{
	(void)state;
	log_warn("%s: %d", "bucket", 7);
	assert_int_equal(captured.n, 1);
	assert_int_equal(captured.level, LOG_LEVEL_WARN);
	assert_string_equal(captured.line, "bucket: 7");
	log_error("e");
	assert_int_equal(captured.level, LOG_LEVEL_ERROR);
	log_info("i");
	assert_int_equal(captured.level, LOG_LEVEL_INFO);
	log_debug("d");
	assert_int_equal(captured.level, LOG_LEVEL_DEBUG);
	assert_int_equal(captured.n, 4);
}

static void levels_above_the_bound_are_dropped(void **state)
{
	(void)state;
	log_init(LOG_SINK_STDERR, LOG_LEVEL_WARN);
	log_info("no");
	log_debug("no");
	assert_int_equal(captured.n, 0);
	assert_false(log_enabled(LOG_LEVEL_INFO));
	assert_true(log_enabled(LOG_LEVEL_WARN));
	log_warn("yes");
	log_error("yes");
	assert_int_equal(captured.n, 2);
}

static void control_characters_are_escaped(void **state)
{
	(void)state;
	log_error("%s", "a\nxacctfs: forged\r\t\x1b[2J\x7f\x01");
	assert_string_equal(captured.line, "a\\x0axacctfs: forged\\x0d\\x09\\x1b[2J\\x7f\\x01");
}

static void control_characters_in_utf8_are_escaped(void **state)
{
	(void)state;
	/* U+009B, which begins a sequence like ESC [ does; then an a-umlaut, an O-umlaut, U+00A0 */
	log_error("%s", "\xc2\x9b"
			"2J \xc3\xa4\xc3\x96\xc2\xa0");
	assert_string_equal(captured.line, "\\xc2\\x9b2J \xc3\xa4\xc3\x96\xc2\xa0");
}

static void long_line_is_cut(void **state)
{
	char text[6000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
	assert_in_range(strlen(captured.line), 4000, 4096);
	memset(text, '\n', sizeof(text) - 1);
	log_error("%s", text);
	assert_in_range(strlen(captured.line), 4000, 4096);
}

static void errno_survives(void **state)
{
	(void)state;
	errno = ENOTEMPTY;
	log_error("x");
	assert_int_equal(errno, ENOTEMPTY);
}

static void level_names(void **state)
{
	enum log_level level = LOG_LEVEL_DEBUG;

	(void)state;
	assert_int_equal(log_level_parse("error", &level), 0);
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse("warn", &level), 0);
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("info", &level), 0);
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("Error", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

static void stderr_lines_name_the_program_and_the_level(void **state)
{
	int saved = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	char text[256];
	size_t n;

	(void)state;
	log_capture(NULL, NULL);
	dup2(fileno(file), STDERR_FILENO);
	log_error("one");
	log_info("two\n");
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	assert_string_equal(text, "xacctfs: error: one\nxacctfs: two\\x0a\n");
}

static void *write_many(void *data)
{
	(void)data;
	for (int i = 0; i < 500; i++)
		log_info("line");
	return NULL;
}

static void threads_lose_no_line(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_create(&threads[i], NULL, write_many, NULL);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(captured.n, 2000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(line_comes_whole_with_its_level),
	    TEST(levels_above_the_bound_are_dropped),
	    TEST(control_characters_are_escaped),
	    TEST(control_characters_in_utf8_are_escaped),
	    TEST(long_line_is_cut),
	    TEST(errno_survives),
	    TEST(level_names),
	    TEST(stderr_lines_name_the_program_and_the_level),
	    TEST(threads_lose_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
