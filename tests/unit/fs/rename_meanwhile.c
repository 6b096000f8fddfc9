/*
 * What is done below a directory while it is renamed is as if it had been done before the rename or
 * behind it: it is not undone, and not lost under either name.
 */
#include "tree_bench.h"

#include <stdatomic.h>

#include "meanwhile.h"

#define TEXT "text"
/* Of whoever waits for a rename that takes longer. */
#define PATIENCE_MS 1000

/* ---- another thread ---- */

/* Where a name is made, changed or removed, by the numbers that the kernel has. */
struct inos {
	uint64_t one, two, from, deep, f;
};

struct visitor;
typedef int visit_fn(struct visitor *v);

struct visitor {
	struct bench *b;
	visit_fn *fn;
	struct inos inos;
	struct meanwhile thread;
};

static int visit(struct call *call, void *data)
{
	struct visitor *v = data;

	(void)call; /* the operation takes it from the visitor */
	return v->fn(v);
}

static void visitor_init(struct visitor *v, struct bench *b, visit_fn *fn, const struct inos *inos)
{
	*v = (struct visitor){.b = b, .fn = fn, .inos = *inos};
	meanwhile_init(&v->thread, &b->clock, visit, v);
}

/* ---- what it does ---- */

static int unlink_f(struct visitor *v)
{
	return fs_unlink(v->b->fs, &v->thread.call, v->inos.deep, "f");
}

static int rmdir_empty(struct visitor *v)
{
	return fs_rmdir(v->b->fs, &v->thread.call, v->inos.deep, "empty");
}

static int mkdir_new(struct visitor *v)
{
	struct fs_entry entry;

	return fs_mkdir(v->b->fs, &v->thread.call, v->inos.deep, "new", MAKER, &entry);
}

static int create_new(struct visitor *v)
{
	struct fs_entry entry;
	struct fs_file *file;
	int r = fs_create(v->b->fs, &v->thread.call, v->inos.deep, "n", MAKER,
			  O_CREAT | O_EXCL | O_WRONLY, &entry, &file);

	if (r < 0)
		return r;
	r = fs_write(v->b->fs, &v->thread.call, file, 0, TEXT, strlen(TEXT));
	if (r == 0)
		r = fs_flush(v->b->fs, &v->thread.call, file);
	fs_release(v->b->fs, &v->thread.call, file);
	return r;
}

static int symlink_new(struct visitor *v)
{
	struct fs_entry entry;

	return fs_symlink(v->b->fs, &v->thread.call, v->inos.deep, "l", "target", MAKER, &entry);
}

static int rename_within(struct visitor *v)
{
	return fs_rename(v->b->fs, &v->thread.call, v->inos.deep, "f", v->inos.deep, "h", 0);
}

static int rename_out(struct visitor *v)
{
	return fs_rename(v->b->fs, &v->thread.call, v->inos.deep, "f", v->inos.two, "out", 0);
}

static int rename_in(struct visitor *v)
{
	return fs_rename(v->b->fs, &v->thread.call, v->inos.two, "in", v->inos.deep, "in", 0);
}

static int rename_dir_within(struct visitor *v)
{
	return fs_rename(v->b->fs, &v->thread.call, v->inos.deep, "empty", v->inos.deep, "hollow",
			 0);
}

static int rename_dir_out(struct visitor *v)
{
	return fs_rename(v->b->fs, &v->thread.call, v->inos.from, "deep", v->inos.two, "deep", 0);
}

static int rename_dir_in(struct visitor *v)
{
	return fs_rename(v->b->fs, &v->thread.call, v->inos.two, "dir", v->inos.deep, "dir", 0);
}

static int set(struct visitor *v, uint64_t ino, int what)
{
	struct stat attr = {.st_mode = 0711, .st_mtim.tv_sec = 1000}, now;
	int64_t valid_ms;

	return fs_setattr(v->b->fs, &v->thread.call, ino, NULL, &attr, what, &now, &valid_ms);
}

static int chmod_deep(struct visitor *v)
{
	return set(v, v->inos.deep, FS_SET_MODE);
}

static int chmod_from(struct visitor *v)
{
	return set(v, v->inos.from, FS_SET_MODE);
}

static int chmod_f(struct visitor *v)
{
	return set(v, v->inos.f, FS_SET_MODE);
}

static int utimens_f(struct visitor *v)
{
	return set(v, v->inos.f, FS_SET_MTIME);
}

static int truncate_f(struct visitor *v)
{
	return set(v, v->inos.f, FS_SET_SIZE);
}

static int rename_from(struct visitor *v)
{
	return fs_rename(v->b->fs, &v->thread.call, v->inos.one, "from", v->inos.one, "to", 0);
}

struct deed {
	const char *name;
	visit_fn *fn;
	bool posix;
	const char *one, *two; /* the keys at the end */
	const char *changed;   /* its mode is 0711 then, or NULL */
};

#define TWO "dir/x\nin\n"

static const struct deed deeds[] = {
    {"unlink", unlink_f, false, "to/deep/empty/\nto/deep/g\nto/z\n", TWO, NULL},
    {"rmdir", rmdir_empty, false, "to/deep/f\nto/deep/g\nto/z\n", TWO, NULL},
    {"mkdir", mkdir_new, false, "to/deep/empty/\nto/deep/f\nto/deep/g\nto/deep/new/\nto/z\n", TWO,
     NULL},
    {"create", create_new, false, "to/deep/empty/\nto/deep/f\nto/deep/g\nto/deep/n\nto/z\n", TWO,
     NULL},
    {"symlink", symlink_new, true, "to/deep/empty/\nto/deep/f\nto/deep/g\nto/deep/l\nto/z\n", TWO,
     NULL},
    {"rename within", rename_within, false, "to/deep/empty/\nto/deep/g\nto/deep/h\nto/z\n", TWO,
     NULL},
    {"rename out", rename_out, false, "to/deep/empty/\nto/deep/g\nto/z\n", "dir/x\nin\nout\n",
     NULL},
    {"rename in", rename_in, false, "to/deep/empty/\nto/deep/f\nto/deep/g\nto/deep/in\nto/z\n",
     "dir/x\n", NULL},
    {"rename a directory within", rename_dir_within, false,
     "to/deep/f\nto/deep/g\nto/deep/hollow/\nto/z\n", TWO, NULL},
    {"rename a directory out", rename_dir_out, false, "to/z\n",
     "deep/empty/\ndeep/f\ndeep/g\ndir/x\nin\n", NULL},
    {"rename a directory in", rename_dir_in, false,
     "to/deep/dir/x\nto/deep/empty/\nto/deep/f\nto/deep/g\nto/z\n", "in\n", NULL},
    {"chmod of a directory below", chmod_deep, true,
     "to/deep/\nto/deep/empty/\nto/deep/f\nto/deep/g\nto/z\n", TWO, "one/to/deep"},
    {"chmod of the directory", chmod_from, true,
     "to/\nto/deep/empty/\nto/deep/f\nto/deep/g\nto/z\n", TWO, "one/to"},
    {"chmod of a file", chmod_f, true, "to/deep/empty/\nto/deep/f\nto/deep/g\nto/z\n", TWO,
     "one/to/deep/f"},
    {"utimens of a file", utimens_f, true, "to/deep/empty/\nto/deep/f\nto/deep/g\nto/z\n", TWO,
     NULL},
    {"truncate of a file", truncate_f, false, "to/deep/empty/\nto/deep/f\nto/deep/g\nto/z\n", TWO,
     NULL},
};

/* ---- the account before it, and behind it ---- */

static void begin(struct bench *b, const struct deed *deed, struct inos *ret_inos)
{
	bench_prepare(b, TTL_MS);
	b->options.posix = deed->posix;
	bench_mount(b);
	memory_add_bucket(&b->s3, "one", CREATED_MS, "eu-west-1");
	memory_add_bucket(&b->s3, "two", CREATED_MS, "ap-south-1");
	put(b, "one", "from/deep/empty/", "");
	put(b, "one", "from/deep/f", TEXT);
	put(b, "one", "from/deep/g", "other");
	put(b, "one", "from/z", "z");
	put(b, "two", "in", TEXT);
	put(b, "two", "dir/x", TEXT);
	*ret_inos = (struct inos){
	    .one = ino_of(b, "one"),
	    .two = ino_of(b, "two"),
	    .from = ino_of(b, "one/from"),
	    .deep = ino_of(b, "one/from/deep"),
	    .f = ino_of(b, "one/from/deep/f"),
	};
	assert_true(exists(b, "one/from/deep/empty"));
}

static void assert_keys(struct bench *b, const char *bucket, const char *expected)
{
	_cleanup_(buf_deinit) struct buf buf = BUF_INIT;

	memory_keys(&b->s3, bucket, &buf);
	assert_string_equal(buf_str(&buf), expected);
}

/* The mount shows the keys below a prefix that it knows, and no others. */
static void assert_shown(struct bench *b, const char *bucket, const char *keys)
{
	static const char *const names[] = {
	    "from",      "from/deep", "from/deep/f", "to",        "to/deep",     "to/z",
	    "to/deep/f", "to/deep/g", "to/deep/h",   "to/deep/n", "to/deep/new", "to/deep/empty",
	    "deep/f",    "out",       "in",          "dir/x"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[64], line[64], all[512];
		bool there;

		snprintf(path, sizeof(path), "%s/%s", bucket, names[i]);
		snprintf(all, sizeof(all), "\n%s", keys);
		snprintf(line, sizeof(line), "\n%s\n", names[i]);
		there = strstr(all, line);
		snprintf(line, sizeof(line), "\n%s/", names[i]);
		there = there || strstr(all, line);
		/* a directory that lost its last name stays */
		if (!there && strcmp(names[i], "dir/x") != 0 && strcmp(names[i], "to/deep") != 0 &&
		    exists(b, path))
			fail_msg("%s is shown", path);
		if (there && !exists(b, path))
			fail_msg("%s is not shown", path);
	}
}

static void check(struct bench *b, const struct deed *deed)
{
	assert_keys(b, "one", deed->one);
	assert_keys(b, "two", deed->two);
	for (int i = 0; i < 2; i++) {
		assert_shown(b, "one", deed->one);
		assert_shown(b, "two", deed->two);
		if (deed->changed)
			assert_int_equal(mode_at(b, deed->changed) & 07777, 0711);
		test_clock_advance(&b->clock, TTL_MS);
	}
	if (deed->fn == create_new)
		assert_true(has_text(b, "one", "to/deep/n", TEXT));
	if (deed->fn == truncate_f)
		assert_true(has_text(b, "one", "to/deep/f", ""));
}

/* ---- one comes while the other is at a request ---- */

struct moment {
	enum memory_op op; /* MEMORY_ANY: one that changes something */
	enum memory_when when;
	const char *name; /* NULL: any */
	struct visitor *visitor;
	atomic_bool came;
};

static bool changes(enum memory_op op)
{
	return op == MEMORY_PUT_OBJECT || op == MEMORY_COPY_OBJECT || op == MEMORY_DELETE_OBJECT ||
	       op == MEMORY_DELETE_OBJECTS;
}

static int at_moment(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct moment *m = data;

	if (when != m->when || (m->op == MEMORY_ANY ? !changes(op) : op != m->op) ||
	    (m->name && strcmp(name, m->name) != 0))
		return 0;
	if (!atomic_exchange(&m->came, true))
		assert_true(meanwhile_start(&m->visitor->thread));
	return 0;
}

static void begins_at(const struct deed *deed, const struct moment *when)
{
	struct moment moment = *when;
	struct visitor visitor;
	struct inos inos;
	struct bench b;

	begin(&b, deed, &inos);
	visitor_init(&visitor, &b, deed->fn, &inos);
	moment.visitor = &visitor;
	memory_hook(&b.s3, at_moment, &moment);
	assert_int_equal(fs_rename(b.fs, &b.call, inos.one, "from", inos.one, "to", 0), 0);
	assert_true(moment.came);
	assert_int_equal(meanwhile_join(&visitor.thread), 0);
	memory_hook(&b.s3, NULL, NULL);
	meanwhile_deinit(&visitor.thread);
	check(&b, deed);
	bench_end(&b);
}

static void what_begins_while_a_directory_is_renamed_is_done(void **state)
{
	static const struct moment moments[] = {
	    {MEMORY_LIST_OBJECTS, MEMORY_AFTER, "one/from/", NULL, false},
	    {MEMORY_COPY_OBJECT, MEMORY_AFTER, "one/to/deep/f", NULL, false},
	    {MEMORY_COPY_OBJECT, MEMORY_BEFORE, "one/to/z", NULL, false},
	    {MEMORY_DELETE_OBJECTS, MEMORY_BEFORE, "one", NULL, false},
	    {MEMORY_DELETE_OBJECTS, MEMORY_AFTER, "one", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		for (size_t k = 0; k < ARRAY_LEN(moments); k++) {
			print_message("%s, at moment %zu\n", deeds[i].name, k);
			begins_at(&deeds[i], &moments[k]);
		}
	}
}

static void is_overtaken_at(const struct deed *deed, enum memory_when when)
{
	struct moment moment = {.op = MEMORY_ANY, .when = when};
	struct visitor visitor, own;
	struct inos inos;
	struct bench b;

	begin(&b, deed, &inos);
	visitor_init(&visitor, &b, rename_from, &inos);
	visitor_init(&own, &b, deed->fn, &inos);
	moment.visitor = &visitor;
	memory_hook(&b.s3, at_moment, &moment);
	assert_int_equal(own.fn(&own), 0);
	assert_true(moment.came);
	assert_int_equal(meanwhile_join(&visitor.thread), 0);
	memory_hook(&b.s3, NULL, NULL);
	meanwhile_deinit(&visitor.thread);
	meanwhile_deinit(&own.thread);
	check(&b, deed);
	bench_end(&b);
}

static void what_is_under_way_when_a_rename_begins_is_done(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		for (enum memory_when when = MEMORY_BEFORE; when <= MEMORY_AFTER; when++) {
			print_message("%s, %s\n", deeds[i].name, when ? "after" : "before");
			is_overtaken_at(&deeds[i], when);
		}
	}
}

/* ---- who waits ---- */

struct wait {
	struct visitor *visitor;
	enum memory_op op;
	bool interrupted; /* by a signal; else its patience would be over */
	bool came;
};

static int while_it_waits(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct wait *w = data;

	(void)name;
	if (op != w->op || when != MEMORY_BEFORE || w->came)
		return 0;
	w->came = true;
	assert_true(meanwhile_start(&w->visitor->thread));
	if (w->interrupted) {
		call_cancel(&w->visitor->thread.call);
		assert_int_equal(meanwhile_join(&w->visitor->thread), -EINTR);
	} else {
		test_clock_advance(&w->visitor->b->clock, 5 * PATIENCE_MS);
		assert_true(test_clock_settled(&w->visitor->b->clock, 1));
	}
	return 0;
}

static void a_signal_ends_the_wait(void **state)
{
	static const struct deed before = {
	    .one = "from/deep/empty/\nfrom/deep/f\nfrom/deep/g\nfrom/z\n", .two = TWO};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		struct wait w = {.op = MEMORY_LIST_OBJECTS, .interrupted = true};
		struct visitor visitor;
		struct inos inos;
		struct bench b;

		if (deeds[i].fn == truncate_f || deeds[i].posix)
			continue;
		begin(&b, &deeds[i], &inos);
		visitor_init(&visitor, &b, deeds[i].fn, &inos);
		w.visitor = &visitor;
		memory_hook(&b.s3, while_it_waits, &w);
		assert_int_equal(fs_rename(b.fs, &b.call, inos.one, "from", inos.one, "to", 0), 0);
		memory_hook(&b.s3, NULL, NULL);
		assert_true(w.came);
		meanwhile_deinit(&visitor.thread);
		assert_int_equal(fs_rename(b.fs, &b.call, inos.one, "to", inos.one, "from", 0), 0);
		check(&b, &before);
		bench_end(&b);
	}
}

static void a_rename_that_waits_is_interrupted(void **state)
{
	static const struct deed after = {.one = "from/deep/empty/\nfrom/deep/g\nfrom/z\n",
					  .two = TWO};
	struct wait w = {.op = MEMORY_DELETE_OBJECT, .interrupted = true};
	struct visitor visitor, own;
	struct inos inos;
	struct bench b;

	(void)state;
	begin(&b, &deeds[0], &inos);
	visitor_init(&visitor, &b, rename_from, &inos);
	visitor_init(&own, &b, unlink_f, &inos);
	w.visitor = &visitor;
	memory_hook(&b.s3, while_it_waits, &w);
	assert_int_equal(unlink_f(&own), 0);
	memory_hook(&b.s3, NULL, NULL);
	assert_true(w.came);
	meanwhile_deinit(&visitor.thread);
	meanwhile_deinit(&own.thread);
	check(&b, &after);
	bench_end(&b);
}

static void a_rename_may_take_longer_than_the_patience_of_who_waits(void **state)
{
	struct wait w = {.op = MEMORY_DELETE_OBJECTS};
	struct visitor visitor;
	struct inos inos;
	struct bench b;

	(void)state;
	begin(&b, &deeds[0], &inos);
	visitor_init(&visitor, &b, unlink_f, &inos);
	call_deinit(&visitor.thread.call);
	call_init(&visitor.thread.call, NULL, &b.clock.clock, PATIENCE_MS);
	w.visitor = &visitor;
	memory_hook(&b.s3, while_it_waits, &w);
	assert_int_equal(fs_rename(b.fs, &b.call, inos.one, "from", inos.one, "to", 0), 0);
	assert_true(w.came);
	assert_int_equal(meanwhile_join(&visitor.thread), 0);
	memory_hook(&b.s3, NULL, NULL);
	assert_int_equal(call_remaining_ms(&visitor.thread.call), PATIENCE_MS);
	meanwhile_deinit(&visitor.thread);
	check(&b, &deeds[0]);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_begins_while_a_directory_is_renamed_is_done),
	    cmocka_unit_test(what_is_under_way_when_a_rename_begins_is_done),
	    cmocka_unit_test(a_signal_ends_the_wait),
	    cmocka_unit_test(a_rename_that_waits_is_interrupted),
	    cmocka_unit_test(a_rename_may_take_longer_than_the_patience_of_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
