/* Directories below the buckets: what is listed, in pages, while it changes. */
#include "tree_bench.h"

#include "log_lines.h"

#define PAGE 1000

static int setup(void **state)
{
	return tree_setup(state);
}

static int setup_pages(void **state)
{
	tree_setup(state);
	((struct bench *)*state)->s3.listing_size = 3;
	return 0;
}

static int teardown(void **state)
{
	return tree_teardown(state);
}

static size_t lists(struct bench *b)
{
	return count(b, MEMORY_LIST_OBJECTS);
}

/* ---- pages ---- */

/* n files "f0000" and on; returns how many there were, each once and in order. */
static unsigned int walk(struct bench *b, struct fs_dir *dir, uint64_t *offsets)
{
	struct fs_dirent dirent = {.next = 2};
	unsigned int n = 0;
	char name[32];
	int r;

	for (;;) {
		if (offsets)
			offsets[n] = dirent.next;
		r = fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent);
		if (r < 0)
			break;
		snprintf(name, sizeof(name), "f%04u", n++);
		assert_string_equal(dirent.name, name);
		assert_int_equal(dirent.mode, S_IFREG);
	}
	assert_int_equal(r, -ENOENT);
	return n;
}

static void assert_pages(struct bench *b, unsigned int n, size_t pages)
{
	struct fs_dir *dir;

	put_many(b, "one", "dir/f", n);
	if (n == 0)
		put(b, "one", "dir/", "");
	ino_of(b, "one/dir");
	memory_reset_counts(&b->s3);
	dir = open_dir(b, "one/dir");
	assert_int_equal(walk(b, dir, NULL), n);
	fs_releasedir(b->fs, dir);
	assert_int_equal(lists(b), pages);
	assert_int_equal(count(b, MEMORY_ANY), pages);
}

static void an_empty_directory_is_one_page(void **state)
{
	assert_pages(*state, 0, 1);
}

static void one_entry_is_one_page(void **state)
{
	assert_pages(*state, 1, 1);
}

static void one_entry_less_than_a_page(void **state)
{
	assert_pages(*state, PAGE - 1, 1);
}

static void one_page(void **state)
{
	assert_pages(*state, PAGE, 1);
}

static void one_entry_more_than_a_page(void **state)
{
	assert_pages(*state, PAGE + 1, 2);
}

static void several_pages(void **state)
{
	assert_pages(*state, 2500, 3);
}

static void the_first_page_is_shown_before_the_second_is_asked_for(void **state)
{
	struct bench *b = *state;
	struct fs_dirent dirent = {0};
	struct fs_dir *dir;

	put_many(b, "one", "f", 2500);
	dir = open_dir(b, "one");
	for (int i = 0; i < 2 + PAGE; i++)
		assert_int_equal(fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent), 0);
	assert_string_equal(dirent.name, "f0999");
	assert_int_equal(lists(b), 1);
	memory_fail(&b->s3, MEMORY_LIST_OBJECTS, 1, -EACCES);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent), -EACCES);
	/* the next try goes on */
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent), 0);
	assert_string_equal(dirent.name, "f1000");
	fs_releasedir(b->fs, dir);
}

static void every_offset_can_be_gone_back_to(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir;
	uint64_t offsets[2501];
	struct fs_dirent dirent;
	unsigned int at = 0;
	char name[32];

	put_many(b, "one", "f", 2500);
	dir = open_dir(b, "one");
	assert_int_equal(walk(b, dir, offsets), 2500);
	for (int i = 0; i < 200; i++) {
		at = (at + 1237) % 2500; /* prime to it: back and forth over all pages */
		assert_int_equal(fs_readdir(b->fs, &b->call, dir, offsets[at], &dirent), 0);
		snprintf(name, sizeof(name), "f%04u", at);
		assert_string_equal(dirent.name, name);
		assert_int_equal(dirent.next, offsets[at + 1]);
	}
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, offsets[2500], &dirent), -ENOENT);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, UINT64_C(1) << 40, &dirent), -ENOENT);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, offsets[999], &dirent), 0);
	assert_string_equal(dirent.name, "f0999");
	fs_releasedir(b->fs, dir);
}

/* readdir's buffer is full: the entry that did not fit is asked for again. */
static void an_entry_that_is_asked_for_again_costs_nothing(void **state)
{
	struct bench *b = *state;
	struct fs_dirent dirent = {.next = 2}, again;
	struct fs_dir *dir;

	put_many(b, "one", "f", 2500);
	dir = open_dir(b, "one");
	for (unsigned int i = 0; i < 2500; i++) {
		uint64_t offset = dirent.next;

		assert_int_equal(fs_readdir(b->fs, &b->call, dir, offset, &dirent), 0);
		assert_int_equal(fs_readdir(b->fs, &b->call, dir, offset, &again), 0);
		assert_string_equal(again.name, dirent.name);
	}
	assert_int_equal(lists(b), 3);
	fs_releasedir(b->fs, dir);
}

static void a_rewound_directory_is_fresh(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir;

	put(b, "one", "a", "");
	put(b, "one", "b", "");
	dir = open_dir(b, "one");
	assert_string_equal(names_in(b, dir), "a b ");
	put(b, "one", "c", "");
	assert_true(memory_remove(&b->s3, "one", "a"));
	assert_string_equal(names_in(b, dir), "b c ");
	assert_int_equal(lists(b), 2);
	fs_releasedir(b->fs, dir);
}

static void the_first_reading_is_that_of_the_opening(void **state)
{
	struct bench *b = *state;
	struct fs_dirent dirent;
	struct fs_dir *dir;

	put(b, "one", "a", "");
	dir = open_dir(b, "one");
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dirent), 0);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dirent), 0);
	assert_string_equal(names_in(b, dir), "a ");
	assert_int_equal(lists(b), 1);
	fs_releasedir(b->fs, dir);
}

/* By whichever name it has then. */
static void a_directory_that_was_renamed_is_read(void **state)
{
	struct bench *b = *state;
	struct fs_dir *read, *unread;

	put(b, "one", "a/x", "");
	read = open_dir(b, "one/a");
	assert_int_equal(fs_opendir(b->fs, &b->call, ino_of(b, "one/a"), &unread), 0);
	assert_string_equal(names_in(b, read), "x ");
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), 0);
	put(b, "one", "b/y", "");
	assert_string_equal(names_in(b, read), "x y ");
	assert_string_equal(names_in(b, unread), "x y ");
	fs_releasedir(b->fs, unread);
	fs_releasedir(b->fs, read);
}

static void a_rewind_that_fails_leaves_what_was_there(void **state)
{
	struct bench *b = *state;
	struct fs_dirent second, dirent;
	struct fs_dir *dir;

	put(b, "one", "a", "");
	put(b, "one", "b", "");
	dir = open_dir(b, "one");
	second = dirent_of(b, dir, "a");
	assert_string_equal(names_in(b, dir), "a b ");
	memory_fail(&b->s3, MEMORY_LIST_OBJECTS, 2, -EAGAIN);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dirent), -EAGAIN);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, second.next, &dirent), 0);
	assert_string_equal(dirent.name, "b");
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dirent), -EAGAIN);
	put(b, "one", "c", "");
	assert_string_equal(names_in(b, dir), "a b c ");
	fs_releasedir(b->fs, dir);
}

/* Programs open many directories that they never read. */
static void a_directory_that_is_not_read_costs_nothing(void **state)
{
	struct bench *b = *state;
	uint64_t one = ino_of(b, "one");
	struct fs_dir *dir = NULL;

	assert_int_equal(fs_opendir(b->fs, &b->call, one, &dir), 0);
	fs_releasedir(b->fs, dir);
	assert_int_equal(lists(b), 0);
}

static void a_directory_that_cannot_be_listed_says_so_when_it_is_read(void **state)
{
	struct bench *b = *state;
	uint64_t one = ino_of(b, "one");
	struct fs_dir *dir = NULL;
	struct fs_dirent dirent;

	assert_int_equal(fs_opendir(b->fs, &b->call, 77, &dir), -ESTALE);
	put(b, "one", "file", "");
	assert_int_equal(fs_opendir(b->fs, &b->call, ino_of(b, "one/file"), &dir), -ENOTDIR);
	assert_null(dir);
	assert_int_equal(fs_opendir(b->fs, &b->call, one, &dir), 0);
	memory_fail(&b->s3, MEMORY_LIST_OBJECTS, 1, -EACCES);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dirent), -EACCES);
	/* and is read by the next try, from wherever */
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 2, &dirent), 0);
	assert_string_equal(dirent.name, "file");
	fs_releasedir(b->fs, dir);
	assert_int_equal(fs_opendir(b->fs, &b->call, one, &dir), 0);
	assert_true(memory_remove_bucket(&b->s3, "one"));
	/* not ENOENT, which is the end of a directory */
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dirent), -ESTALE);
	fs_releasedir(b->fs, dir);
}

static void a_server_that_pages_for_ever_is_an_error(void **state)
{
	struct bench *b = *state;
	struct fs_dirent dirent;
	struct fs_dir *dir;

	put(b, "one", "a", "");
	b->s3.listing_size = 0;
	dir = open_dir(b, "one");
	log_lines_start(LOG_LEVEL_ERROR);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 2, &dirent), -EIO);
	assert_int_equal(log_lines_count("an empty page for ever"), 1);
	log_lines_stop();
	fs_releasedir(b->fs, dir);
}

static void directories_that_are_open_end_with_the_file_system(void **state)
{
	struct bench *b = *state;
	struct fs_dir *first, *closed;

	put_many(b, "one", "dir/f", 5);
	first = open_dir(b, "one/dir");
	closed = open_dir(b, "one");
	fs_releasedir(b->fs, closed);
	assert_int_equal(walk(b, first, NULL), 5);
}

/* ---- entries ---- */

static void directories_are_implicit_or_marked(void **state)
{
	struct bench *b = *state;

	put(b, "one", "implicit/deep/file", "");
	put(b, "one", "marked/", "");
	put(b, "one", "both/", "");
	put(b, "one", "both/file", "");
	put(b, "one", "file", "");
	assert_string_equal(names_at(b, "one"), "both/ file implicit/ marked/ ");
	assert_string_equal(names_at(b, "one/implicit"), "deep/ ");
	assert_string_equal(names_at(b, "one/implicit/deep"), "file ");
	/* its own marker is no entry */
	assert_string_equal(names_at(b, "one/marked"), "");
	assert_string_equal(names_at(b, "one/both"), "file ");
}

static void the_dots_come_first(void **state)
{
	struct bench *b = *state;
	struct fs_dirent dot, dots;
	struct fs_entry entry;
	struct fs_dir *dir;

	put(b, "one", "dir/-", "");
	dir = open_dir(b, "one/dir");
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dot), 0);
	assert_string_equal(dot.name, ".");
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dot, 0, &entry), 0);
	assert_int_equal(entry.ino, 0);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, dot.next, &dots), 0);
	assert_string_equal(dots.name, "..");
	assert_int_equal(dots.mode, S_IFDIR);
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dots, 0, &entry), 0);
	assert_int_equal(entry.ino, 0);
	fs_releasedir(b->fs, dir);
}

static void a_directory_wins_over_the_file_of_its_name(void **state)
{
	struct bench *b = *state;

	put(b, "one", "a", "x");
	put(b, "one", "a-b", "x");
	put(b, "one", "a/file", "x");
	put(b, "one", "b", "x");
	assert_string_equal(names_at(b, "one"), "a/ a-b b ");
	memory_reset_counts(&b->s3);
	assert_true(S_ISDIR(mode_at(b, "one/a")));
	assert_true(exists(b, "one/a-b"));
	assert_int_equal(count(b, MEMORY_ANY), 0);
}

/* Once, whether it is listed or looked for; of very many, the first. */
static void a_file_that_a_directory_covers_is_told_once(void **state)
{
	struct bench *b = *state;
	char key[32];

	put(b, "one", "in/a", "x");
	put(b, "one", "in/a-b", "x");
	put(b, "one", "in/a/file", "x");
	put(b, "two", "b", "x");
	put(b, "two", "b/", "");
	log_lines_start(LOG_LEVEL_WARN);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(names_at(b, "one/in"), "a/ a-b ");
		test_clock_advance(&b->clock, TTL_MS);
		assert_true(S_ISDIR(mode_at(b, "one/in/a")));
		assert_true(S_ISDIR(mode_at(b, "two/b")));
		assert_string_equal(names_at(b, "two"), "b/ ");
		test_clock_advance(&b->clock, TTL_MS);
	}
	assert_int_equal(
	    log_lines_count("warn: one/in/a is an object and a directory: the directory is shown"),
	    1);
	assert_int_equal(log_lines_count("warn: two/b is an object and a directory"), 1);
	assert_int_equal(log_lines_count("is an object and a directory"), 2);
	for (int i = 0; i < 400; i++) {
		snprintf(key, sizeof(key), "many/%03d", i);
		put(b, "two", key, "x");
		strcat(key, "/");
		put(b, "two", key, "");
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(strlen(names_at(b, "two/many")), strlen("000/ ") * 400);
	assert_int_equal(log_lines_count("is an object and a directory"), 256);
	assert_int_equal(log_lines_count("further ones are not told"), 1);
	log_lines_stop();
}

/* What is here only, until it is removed, is no object. */
static void a_directory_that_is_here_only_covers_nothing(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/file", "x");
	log_lines_start(LOG_LEVEL_WARN);
	assert_int_equal(unlink_file(b, "one/dir/file"), 0);
	assert_string_equal(names_at(b, "one"), "dir/ ");
	put(b, "one", "dir", "theirs");
	names_at(b, "one");
	assert_int_equal(log_lines_count(""), 0);
	log_lines_stop();
}

/* The key "a" is on the first page, its directory on the second or third. */
static void a_file_and_a_directory_of_one_name_across_pages_are_one_entry(void **state)
{
	struct bench *b = *state;

	log_lines_start(LOG_LEVEL_WARN);
	put(b, "one", "a", "x");
	put(b, "one", "a-1", "x");
	put(b, "one", "a-2", "x");
	for (int i = 0; i < 2; i++) {
		put(b, "one", i ? "a-3" : "b", "x");
		put(b, "one", "a/file", "x");
		assert_string_equal(names_at(b, "one"), i ? "a/ a-1 a-2 a-3 b " : "a a-1 a-2 b ");
	}
	/* who looks finds the directory, and who knows it is shown it */
	test_clock_advance(&b->clock, TTL_MS);
	assert_true(S_ISDIR(mode_at(b, "one/a")));
	assert_int_equal(log_lines_count("one/a is an object and a directory"), 1);
	log_lines_stop();
}

/* A program is in the directory: the listing of the one above it does not take it away. */
static void a_known_directory_stays_one_when_pages_part_it_from_its_file(void **state)
{
	struct bench *b = *state;
	uint64_t ino;
	struct fs_entry entry;
	struct fs_dirent dirent;
	struct fs_dir *dir;

	put(b, "one", "a", "x");
	put(b, "one", "a-1", "x");
	put(b, "one", "a-2", "x");
	put(b, "one", "a-3", "x");
	put(b, "one", "a/file", "x");
	ino = ino_of(b, "one/a");
	dir = open_dir(b, "one");
	assert_string_equal(names_in(b, dir), "a/ a-1 a-2 a-3 ");
	dirent = dirent_of(b, dir, "a");
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 0, &entry), 0);
	assert_int_equal(entry.ino, ino);
	assert_true(S_ISDIR(entry.attr.st_mode));
	fs_releasedir(b->fs, dir);
	assert_int_equal(ino_of(b, "one/a"), ino);
	assert_int_equal(fs_lookup(b->fs, &b->call, ino, "file", &entry), 0);
	assert_true(S_ISREG(entry.attr.st_mode));
}

static void keys_that_no_file_system_can_show_are_left_out(void **state)
{
	struct bench *b = *state;
	char name[NAME_MAX + 4];

	memset(name, 'z', sizeof(name) - 1);
	name[NAME_MAX + 1] = '\0';
	put(b, "one", name, "");
	name[NAME_MAX + 1] = '/';
	name[NAME_MAX + 2] = 'x';
	name[NAME_MAX + 3] = '\0';
	put(b, "one", name, "");
	name[NAME_MAX] = '\0'; /* this one can be */
	put(b, "one", name, "");
	put(b, "one", "/rooted", "");
	put(b, "one", "//", "");
	put(b, "one", ".", "");
	put(b, "one", "..", "");
	put(b, "one", "../x", "");
	put(b, "one", "./x", "");
	put(b, "one", "...", "");
	put(b, "one", "a//b", "");
	assert_string_equal(names_at(b, "one/a"), "");
	{
		const char *names = names_at(b, "one");

		assert_true(!strncmp(names, "... a/ zzz", 10));
		assert_int_equal(strlen(names), strlen("... a/ ") + NAME_MAX + 1);
	}
	/* the page's last entry is left out, and what follows comes */
	b->s3.listing_size = 1;
	assert_int_equal(strlen(names_at(b, "one")), strlen("... a/ ") + NAME_MAX + 1);
}

static void every_byte_that_a_key_may_have_is_shown(void **state)
{
	struct bench *b = *state;
	char key[300], expected[400];
	size_t n = 0;

	for (int c = 1; c < 128; c++)
		if (c != '/')
			key[n++] = (char)c;
	key[n] = '\0';
	put(b, "one", key, "text");
	snprintf(expected, sizeof(expected), "%s \xff\xfe ", key);
	put(b, "one", "\xff\xfe", "");
	assert_string_equal(names_at(b, "one"), expected);
	{
		struct fs_entry entry;

		assert_int_equal(fs_lookup(b->fs, &b->call, ino_of(b, "one"), key, &entry), 0);
		assert_int_equal(entry.attr.st_size, 4);
	}
}

static void st_ino_is_the_lookups(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	struct fs_dir *dir;
	uint64_t number;

	put(b, "one", "dir/file", "");
	dir = open_dir(b, "one/dir");
	assert_int_equal(find(b, "one/dir/file", &entry), 0);
	assert_int_equal(dirent_of(b, dir, "file").st_ino, entry.attr.st_ino);
	assert_int_equal(fs_number(b->fs, entry.ino, &number), 0);
	assert_int_equal(number, entry.attr.st_ino);
	assert_int_equal(find(b, "one/dir", &entry), 0);
	assert_int_equal(dirent_of(b, dir, ".").st_ino, entry.attr.st_ino);
	assert_int_equal(fs_number(b->fs, 77, &number), -ESTALE);
	fs_releasedir(b->fs, dir);
}

/* ---- what is here only ---- */

static void a_new_file_is_shown_before_it_is_uploaded(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put(b, "one", "a", "");
	put(b, "one", "c", "");
	file = create_file(b, "one/b");
	assert_string_equal(names_at(b, "one"), "a b c ");
	assert_false(memory_has(&b->s3, "one", "b"));
	assert_int_equal(close_file(b, file), 0);
	assert_string_equal(names_at(b, "one"), "a b c ");
}

static void local_names_have_their_place_in_pages(void **state)
{
	struct bench *b = *state;
	struct fs_file *files[4];

	for (int i = 0; i < 9; i++) {
		char key[8];

		snprintf(key, sizeof(key), "f%d", i);
		put(b, "one", key, "");
	}
	files[0] = create_file(b, "one/a");   /* before the first */
	files[1] = create_file(b, "one/f2x"); /* between two pages */
	files[2] = create_file(b, "one/f4x"); /* within one */
	files[3] = create_file(b, "one/z");   /* behind the last */
	assert_string_equal(names_at(b, "one"), "a f0 f1 f2 f2x f3 f4 f4x f5 f6 f7 f8 z ");
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_int_equal(close_file(b, files[i]), 0);
	assert_string_equal(names_at(b, "one"), "a f0 f1 f2 f2x f3 f4 f4x f5 f6 f7 f8 z ");
}

/* The file is uploaded between two pages, and is listed then, too. */
static void a_name_that_is_local_first_and_listed_later_comes_once(void **state)
{
	struct bench *b = *state;
	struct fs_dirent dirent = {.next = 2};
	struct fs_file *file;
	struct fs_dir *dir;
	char names[64] = "";

	for (int i = 0; i < 6; i++) {
		char key[8];

		snprintf(key, sizeof(key), "f%d", i);
		put(b, "one", key, "");
	}
	file = create_file(b, "one/f4x");
	dir = open_dir(b, "one");
	assert_int_equal(close_file(b, file), 0);
	while (fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent) == 0) {
		strcat(names, dirent.name);
		strcat(names, " ");
	}
	assert_string_equal(names, "f0 f1 f2 f3 f4 f4x f5 ");
	fs_releasedir(b->fs, dir);
}

static void an_emptied_directory_is_shown(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/file", "");
	put(b, "one", "e", "");
	assert_int_equal(unlink_file(b, "one/dir/file"), 0);
	assert_string_equal(names_at(b, "one"), "dir/ e ");
	assert_string_equal(names_at(b, "one/dir"), "");
	test_clock_advance(&b->clock, 10 * TTL_MS);
	assert_string_equal(names_at(b, "one"), "dir/ e ");
	assert_true(exists(b, "one/dir"));
}

/* ---- readdirplus ---- */

static void an_entry_of_a_directory_is_the_lookups_without_a_request(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry, looked;
	struct fs_dirent dirent;
	struct fs_dir *dir;
	size_t sent;

	put(b, "one", "dir/file", "text");
	put(b, "one", "dir/deep/x", "");
	dir = open_dir(b, "one/dir");
	sent = count(b, MEMORY_ANY);
	test_clock_advance(&b->clock, 100);
	dirent = dirent_of(b, dir, "file");
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 0, &entry), 0);
	assert_int_equal(entry.valid_ms, TTL_MS - 100);
	assert_int_equal(entry.attr.st_mode, S_IFREG | FILE_MODE);
	assert_int_equal(entry.attr.st_size, 4);
	assert_int_equal(entry.attr.st_ino, dirent.st_ino);
	assert_int_equal(find(b, "one/dir/file", &looked), 0);
	assert_int_equal(looked.ino, entry.ino);
	assert_memory_equal(&looked.attr, &entry.attr, sizeof(entry.attr));
	dirent = dirent_of(b, dir, "deep");
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 0, &entry), 0);
	assert_int_equal(entry.attr.st_mode, S_IFDIR | DIR_MODE);
	assert_int_equal(entry.valid_ms, TTL_MS - 100);
	assert_int_equal(count(b, MEMORY_ANY), sent);
	fs_releasedir(b->fs, dir);
}

static void an_old_pages_entry_is_not_kept(void **state)
{
	struct bench *b = *state;
	struct fs_dirent dirent;
	struct fs_entry entry;
	struct fs_dir *dir;

	put(b, "one", "file", "text");
	dir = open_dir(b, "one");
	test_clock_advance(&b->clock, TTL_MS);
	dirent = dirent_of(b, dir, "file");
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 0, &entry), 0);
	assert_int_equal(entry.valid_ms, 0);
	fs_releasedir(b->fs, dir);
}

/* The page is older than what this mount did in the directory: who wants to know asks. */
static void a_changed_directorys_entries_are_left_to_the_lookup(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry = {.ino = 42};
	struct fs_dirent dirent;
	struct fs_dir *dir;

	put(b, "one", "dir/a", "text");
	put(b, "one", "dir/b", "text");
	dir = open_dir(b, "one/dir");
	assert_int_equal(unlink_file(b, "one/dir/a"), 0);
	for (int i = 0; i < 2; i++) {
		dirent = dirent_of(b, dir, i ? "b" : "a");
		assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 0, &entry), 0);
		assert_int_equal(entry.ino, 0);
		assert_int_equal(entry.attr.st_ino, dirent.st_ino);
		assert_true(S_ISREG(entry.attr.st_mode));
	}
	assert_false(exists(b, "one/dir/a"));
	assert_true(exists(b, "one/dir/b"));
	fs_releasedir(b->fs, dir);
}

static void a_local_entry_is_the_lookups(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/file");
	struct fs_dirent dirent;
	struct fs_entry entry;
	struct fs_dir *dir;

	assert_int_equal(write_at(b, file, 0, "12345"), 0);
	dir = open_dir(b, "one");
	dirent = dirent_of(b, dir, "file");
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 0, &entry), 0);
	assert_int_equal(entry.ino, ino_of(b, "one/file"));
	assert_int_equal(entry.attr.st_size, 5);
	assert_int_equal(entry.attr.st_ino, dirent.st_ino);
	/* it goes while the directory is open */
	assert_int_equal(unlink_file(b, "one/file"), 0);
	dirent = dirent_of(b, dir, "file");
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 0, &entry), 0);
	assert_int_equal(entry.ino, 0);
	release(b, file);
	fs_releasedir(b->fs, dir);
}

static void a_listing_spares_the_lookups(void **state)
{
	struct bench *b = *state;
	char path[32];

	put_many(b, "one", "dir/f", 1500);
	assert_string_not_equal(names_at(b, "one/dir"), "");
	memory_reset_counts(&b->s3);
	for (unsigned int i = 0; i < 1500; i++) {
		snprintf(path, sizeof(path), "one/dir/f%04u", i);
		assert_true(exists(b, path));
	}
	assert_int_equal(count(b, MEMORY_ANY), 0);
}

/* ---- a page that is under way ---- */

struct during {
	struct bench *b;
	void (*fn)(struct bench *b);
	enum memory_when when;
	bool done;
};

static int hook(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct during *during = data;

	(void)name;
	if (op == MEMORY_LIST_OBJECTS && when == during->when && !during->done) {
		during->done = true;
		during->fn(during->b);
	}
	return 0;
}

/* Lists while fn happens: before the server looks, or when its answer is on the way. */
static void list_during(struct bench *b, const char *path, enum memory_when when,
			void (*fn)(struct bench *b))
{
	struct during during = {.b = b, .fn = fn, .when = when};
	uint64_t ino = ino_of(b, path);
	struct fs_dirent dirent;
	struct fs_dir *dir;

	memory_hook(&b->s3, hook, &during);
	assert_int_equal(fs_opendir(b->fs, &b->call, ino, &dir), 0);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dirent), 0);
	memory_hook(&b->s3, NULL, NULL);
	assert_true(during.done);
	fs_releasedir(b->fs, dir);
}

static struct fs_file *held; /* by the test, over an operation */

static void unlink_it(struct bench *b)
{
	assert_int_equal(unlink_file(b, "one/file"), 0);
}

static void an_older_page_does_not_bring_back_what_was_unlinked(void **state)
{
	struct bench *b = *state;

	put(b, "one", "file", "text");
	assert_true(exists(b, "one/file"));
	list_during(b, "one", MEMORY_AFTER, unlink_it);
	assert_false(exists(b, "one/file"));
	assert_string_equal(names_at(b, "one"), "");
}

static void write_it(struct bench *b)
{
	assert_int_equal(write_at(b, held, 0, "longer text"), 0);
	assert_int_equal(flush(b, held), 0);
}

static void an_older_page_does_not_undo_what_was_written(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	put(b, "one", "file", "text");
	held = open_file(b, "one/file", O_RDWR);
	list_during(b, "one", MEMORY_AFTER, write_it);
	assert_text(b, held, "longer text");
	assert_int_equal(find(b, "one/file", &entry), 0);
	assert_int_equal(entry.attr.st_size, strlen("longer text"));
	assert_int_equal(close_file(b, held), 0);
}

static void create_it(struct bench *b)
{
	held = create_file(b, "one/new");
	assert_int_equal(write_at(b, held, 0, "text"), 0);
	assert_int_equal(flush(b, held), 0);
}

static void an_older_page_does_not_hide_what_was_made(void **state)
{
	struct bench *b = *state;
	uint64_t ino;

	put(b, "one", "file", "");
	list_during(b, "one", MEMORY_AFTER, create_it);
	ino = ino_of(b, "one/new");
	assert_string_equal(names_at(b, "one"), "file new ");
	assert_int_equal(ino_of(b, "one/new"), ino);
	assert_text(b, held, "text");
	release(b, held);
}

static void empty_it(struct bench *b)
{
	assert_int_equal(unlink_file(b, "one/dir/file"), 0);
}

static void an_older_page_does_not_end_an_emptied_directory(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/file", "");
	list_during(b, "one", MEMORY_AFTER, empty_it);
	test_clock_advance(&b->clock, TTL_MS);
	assert_true(exists(b, "one/dir"));
	assert_string_equal(names_at(b, "one"), "dir/ ");
}

static void replace_it(struct bench *b)
{
	put(b, "one", "file", "another client's");
}

/* What others do counts, even when this mount is changing other names of the directory. */
static void write_another(struct bench *b)
{
	assert_int_equal(close_file(b, create_file(b, "one/other")), 0);
}

static void what_others_did_is_seen_though_this_mount_changes_the_directory(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	put(b, "one", "file", "text");
	assert_true(exists(b, "one/file"));
	replace_it(b);
	test_clock_advance(&b->clock, TTL_MS);
	list_during(b, "one", MEMORY_AFTER, write_another);
	assert_int_equal(find(b, "one/file", &entry), 0);
	assert_int_equal(entry.attr.st_size, strlen("another client's"));
}

/* ---- cancellation ---- */

struct reading {
	struct bench *b;
	struct fs_dir *dir;
	uint64_t offset;
	struct call call;
	pthread_t thread;
	int r;
};

static void *read_one(void *data)
{
	struct reading *reading = data;
	struct fs_dirent dirent;

	reading->r =
	    fs_readdir(reading->b->fs, &reading->call, reading->dir, reading->offset, &dirent);
	return NULL;
}

static void a_page_that_does_not_come_can_be_given_up(void **state)
{
	struct bench *b = *state;
	struct reading reading = {.b = b, .offset = 2 + 3};
	struct fs_dirent dirent;

	put_many(b, "one", "f", 5);
	reading.dir = open_dir(b, "one");
	for (int i = 0; i < 2; i++) {
		memory_hold(&b->s3, MEMORY_LIST_OBJECTS, i ? MEMORY_AFTER : MEMORY_BEFORE);
		call_init(&reading.call, NULL, &b->clock.clock, CLOCK_NEVER);
		assert_int_equal(pthread_create(&reading.thread, NULL, read_one, &reading), 0);
		assert_true(memory_wait_held(&b->s3, MEMORY_LIST_OBJECTS, 1));
		call_cancel(&reading.call);
		assert_int_equal(pthread_join(reading.thread, NULL), 0);
		assert_int_equal(reading.r, -EINTR);
		call_deinit(&reading.call);
		memory_release(&b->s3, MEMORY_LIST_OBJECTS);
	}
	assert_int_equal(fs_readdir(b->fs, &b->call, reading.dir, 2 + 3, &dirent), 0);
	assert_string_equal(dirent.name, "f0003");
	fs_releasedir(b->fs, reading.dir);
}

/* ---- a directory whose entries are to be asked for again ---- */

static void an_expired_directory_is_asked_for_again(void **state)
{
	struct bench *b = *state;
	_cleanup_(buf_deinit) struct buf names = BUF_INIT, inos = BUF_INIT;
	struct fs_entry entry;
	struct stat attr;
	int64_t valid_ms;
	uint64_t gone, dir;

	put(b, "one", "file", "text");
	put(b, "one", "gone", "text");
	put(b, "one", "dir/x", "text");
	gone = ino_of(b, "one/gone");
	dir = ino_of(b, "one/dir");
	assert_false(exists(b, "one/missing"));
	assert_true(exists(b, "one/file") && exists(b, "one/gone"));
	put(b, "one", "file", "longer text");
	assert_true(memory_remove(&b->s3, "one", "gone"));
	assert_true(memory_remove(&b->s3, "one", "dir/x"));
	assert_int_equal(find(b, "one/file", &entry), 0);
	assert_int_equal(entry.attr.st_size, 4);
	put(b, "one", "missing", "");
	assert_int_equal(fs_getattr(b->fs, &b->call, dir, &attr, &valid_ms), 0);
	assert_int_equal(fs_expire_dir(b->fs, ino_of(b, "one"), &names, &inos), 0);
	/* the kernel is to forget these; until it does, it asks for attributes */
	assert_non_null(memmem(names.data, names.len, "file", 5));
	assert_non_null(memmem(names.data, names.len, "gone", 5));
	assert_null(memmem(names.data, names.len, "missing", 8));
	assert_non_null(memmem(inos.data, inos.len, &gone, sizeof(gone)));
	assert_non_null(memmem(inos.data, inos.len, &dir, sizeof(dir)));
	assert_int_equal(fs_getattr(b->fs, &b->call, gone, &attr, &valid_ms), -ESTALE);
	assert_int_equal(fs_getattr(b->fs, &b->call, dir, &attr, &valid_ms), -ESTALE);
	buf_clear(&names);
	buf_clear(&inos);
	assert_int_equal(find(b, "one/file", &entry), 0);
	assert_int_equal(entry.attr.st_size, strlen("longer text"));
	assert_false(exists(b, "one/gone"));
	assert_true(exists(b, "one/missing"));
	assert_int_equal(fs_expire_dir(b->fs, entry.ino, &names, &inos), -ENOTDIR);
	assert_int_equal(fs_expire_dir(b->fs, 77, &names, &inos), -ESTALE);
	assert_int_equal(names.len, 0);
	/* the root's, too */
	memory_add_bucket(&b->s3, "three", CREATED_MS, "eu-west-1");
	assert_false(exists(b, "three"));
	assert_int_equal(fs_expire_dir(b->fs, FS_ROOT, &names, &inos), 0);
	assert_true(exists(b, "three"));
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_PAGES(name) cmocka_unit_test_setup_teardown(name, setup_pages, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_empty_directory_is_one_page),
	    TEST(one_entry_is_one_page),
	    TEST(one_entry_less_than_a_page),
	    TEST(one_page),
	    TEST(one_entry_more_than_a_page),
	    TEST(several_pages),
	    TEST(the_first_page_is_shown_before_the_second_is_asked_for),
	    TEST(every_offset_can_be_gone_back_to),
	    TEST(an_entry_that_is_asked_for_again_costs_nothing),
	    TEST(a_rewound_directory_is_fresh),
	    TEST(the_first_reading_is_that_of_the_opening),
	    TEST(a_directory_that_was_renamed_is_read),
	    TEST(a_rewind_that_fails_leaves_what_was_there),
	    TEST(a_directory_that_is_not_read_costs_nothing),
	    TEST(a_directory_that_cannot_be_listed_says_so_when_it_is_read),
	    TEST(a_server_that_pages_for_ever_is_an_error),
	    TEST(directories_that_are_open_end_with_the_file_system),
	    TEST_PAGES(directories_are_implicit_or_marked),
	    TEST(the_dots_come_first),
	    TEST(a_directory_wins_over_the_file_of_its_name),
	    TEST(a_file_that_a_directory_covers_is_told_once),
	    TEST(a_directory_that_is_here_only_covers_nothing),
	    TEST_PAGES(a_file_and_a_directory_of_one_name_across_pages_are_one_entry),
	    TEST_PAGES(a_known_directory_stays_one_when_pages_part_it_from_its_file),
	    TEST(keys_that_no_file_system_can_show_are_left_out),
	    TEST(every_byte_that_a_key_may_have_is_shown),
	    TEST(st_ino_is_the_lookups),
	    TEST(a_new_file_is_shown_before_it_is_uploaded),
	    TEST_PAGES(local_names_have_their_place_in_pages),
	    TEST_PAGES(a_name_that_is_local_first_and_listed_later_comes_once),
	    TEST(an_emptied_directory_is_shown),
	    TEST(an_entry_of_a_directory_is_the_lookups_without_a_request),
	    TEST(an_old_pages_entry_is_not_kept),
	    TEST(a_changed_directorys_entries_are_left_to_the_lookup),
	    TEST(a_local_entry_is_the_lookups),
	    TEST(a_listing_spares_the_lookups),
	    TEST(an_older_page_does_not_bring_back_what_was_unlinked),
	    TEST(an_older_page_does_not_undo_what_was_written),
	    TEST(an_older_page_does_not_hide_what_was_made),
	    TEST(an_older_page_does_not_end_an_emptied_directory),
	    TEST(what_others_did_is_seen_though_this_mount_changes_the_directory),
	    TEST_PAGES(a_page_that_does_not_come_can_be_given_up),
	    TEST(an_expired_directory_is_asked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
