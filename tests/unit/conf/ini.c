/* conf/ini: the grammar, and files that are none. */
#include "bench.h"

#include "../../../src/conf/ini.h"

static struct conf_ini ini;

static int read_text(struct bench *b, const char *text, size_t len, unsigned int flags)
{
	put_bytes(b, "file", text, len);
	free(b->why);
	b->why = NULL;
	b->r = conf_ini_read(at(b, "file"), flags, &ini, &b->why);
	return b->r;
}

#define read_string(b, text, flags) read_text(b, text, strlen(text), flags)

static void assert_bad(struct bench *b, const char *text, size_t len, unsigned int flags,
		       const char *why)
{
	read_text(b, text, len, flags);
	assert_why(b, why);
	b->r = 1;
}

static const char *value(const char *section, const char *key)
{
	const struct conf_ini_entry *entry;
	size_t i;

	if (!conf_ini_section(&ini, section, &i))
		return NULL;
	entry = conf_ini_find(&ini, i, key);
	return entry ? entry->value : NULL;
}

static void sections_keys_and_comments(void **state)
{
	struct bench *b = *state;

	read_string(
	    b,
	    "# head\n\n[ one ] # note\nA Key=1\n; x = y\nb : two words  \n[two]\nb=a=b:c\nempty "
	    "=\n",
	    0);
	assert_parsed(b);
	assert_string_equal(value("one", "a key"), "1");
	assert_string_equal(value("one", "b"), "two words");
	assert_null(value("one", "x"));
	assert_string_equal(value("two", "b"), "a=b:c");
	assert_string_equal(value("two", "empty"), "");
	assert_null(value("three", "b"));
	assert_int_equal(ini.entries[0].line, 4);
	assert_int_equal(ini.entries[3].line, 9);
	conf_ini_deinit(&ini);
}

static void aws_values_have_no_comment(void **state)
{
	struct bench *b = *state;

	read_string(b, "[a]\nk = one # two ; three\n", 0);
	assert_parsed(b);
	assert_string_equal(value("a", "k"), "one # two ; three");
	conf_ini_deinit(&ini);
}

static void own_values_have_comments(void **state)
{
	struct bench *b = *state;

	read_string(b, "top = 1 # one\n[a]\nk = one#two ; three\nl = # nothing\n", CONF_INI_OWN);
	assert_parsed(b);
	assert_string_equal(value("", "top"), "1");
	assert_string_equal(value("a", "k"), "one#two");
	assert_string_equal(value("a", "l"), "");
	conf_ini_deinit(&ini);
}

static void nested_keys(void **state)
{
	struct bench *b = *state;

	read_string(
	    b,
	    "[a]\ns3 =\n  addressing_style = path\n  # no\n\n\tmax = 3\nregion = x\n"
	    "[services y]\ns3 =\n  endpoint_url = https://a\nsts =\n endpoint_url = https://b\n",
	    0);
	assert_parsed(b);
	assert_string_equal(value("a", "s3.addressing_style"), "path");
	assert_string_equal(value("a", "s3.max"), "3");
	assert_string_equal(value("a", "region"), "x");
	assert_string_equal(value("services y", "s3.endpoint_url"), "https://a");
	assert_string_equal(value("services y", "sts.endpoint_url"), "https://b");
	conf_ini_deinit(&ini);
	assert_bad(b, "[a]\ns3 =\n  what\n", 17, 0, ":3: expected key = value");
}

static void indented_as_a_whole(void **state)
{
	struct bench *b = *state;

	read_string(b, "[a]\n    one = 1\n    two = 2\n  [b]\n  three = 3\n", CONF_INI_OWN);
	assert_parsed(b);
	assert_string_equal(value("a", "two"), "2");
	assert_string_equal(value("b", "three"), "3");
	conf_ini_deinit(&ini);
}

static void continued_values(void **state)
{
	struct bench *b = *state;

	read_string(b, "[a]\nk = one\n  two\n\n  three\nl = 2\n", 0);
	assert_parsed(b);
	assert_string_equal(value("a", "k"), "one\ntwo\nthree");
	assert_string_equal(value("a", "l"), "2");
	conf_ini_deinit(&ini);
	assert_bad(b, "a = 1\n  b = 2\n", 14, CONF_INI_OWN, ":2: the line is indented");
}

/* As many as a file may have. */
static void many_continued_lines(void **state)
{
	struct bench *b = *state;
	struct buf text = BUF_INIT, whole = BUF_INIT;

	assert_int_equal(buf_add_str(&text, "[a]\nk = 0"), 0);
	assert_int_equal(buf_add_str(&whole, "0"), 0);
	for (int i = 1; i < CONF_INI_MAX_LINES - 2; i++) {
		assert_int_equal(buf_printf(&text, "\n  %045d", i), 0);
		assert_int_equal(buf_printf(&whole, "\n%045d", i), 0);
	}
	assert_int_equal(buf_add_str(&text, "\nl = 2\n"), 0);
	read_string(b, buf_str(&text), 0);
	assert_parsed(b);
	assert_string_equal(value("a", "k"), buf_str(&whole));
	assert_string_equal(value("a", "l"), "2");
	conf_ini_deinit(&ini);
	buf_deinit(&text);
	buf_deinit(&whole);
}

static void crlf_bom_and_no_newline_at_the_end(void **state)
{
	struct bench *b = *state;

	read_string(b, "\xef\xbb\xbf[a]\r\nk = 1\r\n\r\ns3 =\r\n  x = 2\r\n[b]\r\nk=3", 0);
	assert_parsed(b);
	assert_string_equal(value("a", "k"), "1");
	assert_string_equal(value("a", "s3.x"), "2");
	assert_string_equal(value("b", "k"), "3");
	conf_ini_deinit(&ini);
}

static void empty_files(void **state)
{
	struct bench *b = *state;

	assert_int_equal(read_string(b, "", 0), 0);
	assert_int_equal(ini.n_sections, 0);
	conf_ini_deinit(&ini);
	assert_int_equal(read_string(b, "\xef\xbb\xbf", 0), 0);
	conf_ini_deinit(&ini);
	assert_int_equal(read_string(b, "\n\n#", 0), 0);
	conf_ini_deinit(&ini);
	b->r = conf_ini_read("/dev/null", 0, &ini, &b->why);
	assert_parsed(b);
	conf_ini_deinit(&ini);
}

static void long_values_stay_whole(void **state)
{
	struct bench *b = *state;
	char text[CONF_INI_MAX_LINE + 64];
	size_t len = 20000;
	int n = sprintf(text, "[profile %0100d]\naws_session_token = ", 7);

	memset(text + n, 'T', len);
	strcpy(text + n + len, "\n");
	read_string(b, text, 0);
	assert_parsed(b);
	assert_int_equal(strlen(ini.entries[0].value), len);
	assert_int_equal(strlen(ini.sections[0].name), 108);
	conf_ini_deinit(&ini);
}

static void too_much(void **state)
{
	struct bench *b = *state;
	size_t size = CONF_INI_MAX_SIZE + 2;
	char *text = malloc(size);

	assert_non_null(text);
	memset(text, 'x', size);
	memcpy(text, "[a]\nk=", 6);
	assert_bad(b, text, CONF_INI_MAX_LINE + 10, 0, "file:2: the line is too long");
	assert_bad(b, text, size, 0, "file: the file is larger than");
	memset(text, '\n', size);
	assert_bad(b, text, CONF_INI_MAX_LINES + 1, 0, ":20001: the file has too many lines");
	free(text);
}

static void bad_lines(void **state)
{
	struct bench *b = *state;
	static const struct {
		const char *text, *why;
	} cases[] = {
	    {"[a]\nnonsense\n", "file:2: expected [section] or key = value"},
	    {"[a\n", "file:1: a section is a line of its own"},
	    {"[]\n", "file:1: the section has no name"},
	    {"[ ]\n", "file:1: the section has no name"},
	    {"[a] b\n", "file:1: there is text after the section's name"},
	    {"[a]\n\n= 1\n", "file:3: the key before '=' is missing"},
	    {"k = 1\n", "file:1: a key stands above the first [section]"},
	    {"[a]\n[b]\n[a]\n", "file:3: the section [a] is on line 1 already"},
	    {"[a]\nk=1\nK=2\n", "file:3: k: it is on line 2 already"},
	    {"[a]\ns3=\n x=1\n x=2\n", "file:4: s3.x: it is on line 3 already"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_bad(b, cases[i].text, strlen(cases[i].text), 0, cases[i].why);
	assert_bad(b, "[a]\nk=\0secret\n", 14, 0, "file:2: there is a NUL byte");
	assert_null(strstr(b->why, "secret"));
}

static void no_file(void **state)
{
	struct bench *b = *state;

	b->r = conf_ini_read(at(b, "none"), 0, &ini, &b->why);
	assert_int_equal(b->r, -ENOENT);
	assert_null(b->why);
	assert_string_equal(ini.path, at(b, "none"));
	conf_ini_deinit(&ini);
	assert_int_equal(conf_ini_read(at(b, "xacctfs.conf/below"), 0, &ini, &b->why), -ENOENT);
	conf_ini_deinit(&ini);
	b->r = conf_ini_read(b->dir, 0, &ini, &b->why);
	assert_why(b, "cannot read /tmp/xacctfs-conf-");
	assert_why(b, "Is a directory");
	b->r = 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(sections_keys_and_comments),
	    test(aws_values_have_no_comment),
	    test(own_values_have_comments),
	    test(nested_keys),
	    test(indented_as_a_whole),
	    test(continued_values),
	    test(many_continued_lines),
	    test(crlf_bom_and_no_newline_at_the_end),
	    test(empty_files),
	    test(long_values_stay_whole),
	    test(too_much),
	    test(bad_lines),
	    test(no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
