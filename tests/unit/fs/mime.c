/* The content type that a name tells. */
#include "bench.h"

#include "../../../src/fs/mime.h"

/* A file of types; its name is to be unlinked. */
static void write_types(char *path, const char *text)
{
	int fd;

	strcpy(path, "/tmp/xacctfs-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static void assert_type(const struct mime *mime, const char *name, const char *type)
{
	const char *found = mime_find(mime, name);

	if (type)
		assert_string_equal(found, type);
	else
		assert_null(found);
}

static void our_own_table_knows_the_common_ones(void **state)
{
	const struct mime mime = {0};

	(void)state;
	assert_type(&mime, "a.txt", "text/plain");
	assert_type(&mime, "a.7z", "application/x-7z-compressed"); /* the first of the table */
	assert_type(&mime, "a.zst", "application/zstd");           /* the last */
	assert_type(&mime, "A.JPEG", "image/jpeg");
	assert_type(&mime, "archive.tar.gz", "application/gzip");
	assert_type(&mime, ".html", "text/html");
	assert_type(&mime, "a.parquet", "application/vnd.apache.parquet");
	assert_type(&mime, "a.yml", "application/yaml");
}

static void every_suffix_of_our_own_table_is_found(void **state)
{
	static const char *const suffixes[] = {
	    "7z",    "avif",  "avro",    "bmp",  "bz2", "css",  "csv",  "doc",  "docx", "eml",
	    "epub",  "flac",  "gif",     "gz",   "htm", "html", "ico",  "ics",  "jpeg", "jpg",
	    "js",    "json",  "log",     "md",   "mjs", "mov",  "mp3",  "mp4",  "mpeg", "odt",
	    "ogg",   "otf",   "parquet", "pdf",  "png", "ppt",  "pptx", "ps",   "rtf",  "svg",
	    "tar",   "tif",   "tiff",    "ttf",  "txt", "wasm", "wav",  "webm", "webp", "woff",
	    "woff2", "xhtml", "xls",     "xlsx", "xml", "xz",   "yaml", "yml",  "zip",  "zst"};
	const struct mime mime = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char name[32];

		snprintf(name, sizeof(name), "name.%s", suffixes[i]);
		assert_non_null(mime_find(&mime, name));
	}
}

static void other_names_tell_nothing(void **state)
{
	const struct mime mime = {0};

	(void)state;
	assert_type(&mime, "", NULL);
	assert_type(&mime, "txt", NULL);
	assert_type(&mime, "a.", NULL);
	assert_type(&mime, ".", NULL);
	assert_type(&mime, "a.txt.", NULL);
	assert_type(&mime, "a.tx", NULL);
	assert_type(&mime, "a.txtt", NULL);
	assert_type(&mime, "a.txt ", NULL);
	assert_type(&mime, "a.\xff\xfe", NULL);
	assert_type(&mime, "a.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL);
}

static void a_file_of_types_is_asked_first(void **state)
{
	char path[32];
	struct mime mime;

	(void)state;
	write_types(path, "# a comment\n"
			  "text/x-mine\tmine  Mine2\n"
			  "\n"
			  "text/x-other mine txt # txt is not ours any more\n"
			  "#text/x-no html\n"
			  "application/x-none\n"
			  "text/x-long aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ok\n"
			  "  text/x-last last");
	mime_init(&mime, path);
	assert_type(&mime, "a.mine", "text/x-mine"); /* the first one counts */
	assert_type(&mime, "a.mine2", "text/x-mine");
	assert_type(&mime, "a.MINE2", "text/x-mine");
	assert_type(&mime, "a.txt", "text/x-other");
	assert_type(&mime, "a.is", NULL);
	assert_type(&mime, "a.ok", "text/x-long");
	assert_type(&mime, "a.last", "text/x-last");
	assert_type(&mime, "a.html", "text/html"); /* what it does not know is ours */
	mime_deinit(&mime);
	assert_int_equal(unlink(path), 0);
}

static void a_suffix_in_capitals_is_the_first_ones_too(void **state)
{
	char path[32];
	struct mime mime;

	(void)state;
	write_types(path, "text/x-one ABC\ntext/x-two abc\ntext/x-three Abc\n");
	mime_init(&mime, path);
	assert_type(&mime, "a.abc", "text/x-one");
	mime_deinit(&mime);
	assert_int_equal(unlink(path), 0);
}

static void without_the_file_our_own_table_remains(void **state)
{
	struct mime mime;

	(void)state;
	mime_init(&mime, "/nonexistent/mime.types");
	assert_type(&mime, "a.png", "image/png");
	mime_deinit(&mime);
	mime_init(&mime, "/"); /* opened, and not to be read */
	assert_type(&mime, "a.png", "image/png");
	mime_deinit(&mime);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(our_own_table_knows_the_common_ones),
	    cmocka_unit_test(every_suffix_of_our_own_table_is_found),
	    cmocka_unit_test(other_names_tell_nothing),
	    cmocka_unit_test(a_file_of_types_is_asked_first),
	    cmocka_unit_test(a_suffix_in_capitals_is_the_first_ones_too),
	    cmocka_unit_test(without_the_file_our_own_table_remains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
