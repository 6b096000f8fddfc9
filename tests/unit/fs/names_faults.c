/*
 * rename, unlink, mkdir and rmdir, when one of their requests goes wrong: each of them in turn, in
 * each of these ways. What is there then is what was there before, or what was wanted, or (of a
 * rename) both: no byte is lost, nothing else changes, and the operation can be repeated.
 */
#include "tree_bench.h"

#include <sched.h>
#include <stdatomic.h>

#include "log_lines.h"

#include "../../../src/fs/private.h"

enum way {
	REFUSED,        /* nothing is done */
	LOST,           /* it is done, and not answered */
	DOWN,           /* nor is any other one: then the mount ends, as by a crash */
	CANCELLED,      /* the caller gives up just before it */
	CANCELLED_LATE, /* and when it was done */
	WAYS,
};

static const char *const way_names[] = {"refused", "lost", "down", "cancelled", "cancelled late"};

/* ---- one request goes wrong ---- */

static struct trouble {
	enum way way;
	size_t nth; /* 0: none */
	struct call *call;
	atomic_size_t seen;
	_Atomic(enum memory_op) op; /* of the nth */
} trouble;

static _Thread_local bool is_mine;

static int go_wrong(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	(void)data;
	(void)name;
	if (when == MEMORY_BEFORE) {
		size_t n = atomic_fetch_add(&trouble.seen, 1) + 1;

		is_mine = n == trouble.nth;
		if (is_mine)
			trouble.op = op;
		if (trouble.way == DOWN && trouble.nth && n >= trouble.nth)
			return -ETIMEDOUT;
		if (is_mine && trouble.way == CANCELLED)
			call_cancel(trouble.call);
		return is_mine && trouble.way == REFUSED ? -EACCES : 0;
	}
	if (when == MEMORY_AFTER && is_mine && trouble.way == CANCELLED_LATE)
		call_cancel(trouble.call);
	return when == MEMORY_AFTER && is_mine && trouble.way == LOST ? -ETIMEDOUT : 0;
}

static void trouble_begins(struct bench *b, enum way way, size_t nth)
{
	trouble.way = way;
	trouble.nth = nth;
	trouble.call = &b->call;
	trouble.seen = 0;
	trouble.op = MEMORY_ANY;
	memory_hook(&b->s3, go_wrong, NULL);
}

/* How many requests there were. */
static size_t trouble_ends(struct bench *b)
{
	memory_hook(&b->s3, NULL, NULL);
	call_deinit(&b->call);
	call_init(&b->call, NULL, &b->clock.clock, CLOCK_NEVER);
	return trouble.seen;
}

/* ---- the account ---- */

static uint64_t part_size(int number)
{
	return number < 6 ? 16 : 32;
}

static void mount_it(struct bench *b)
{
	static const struct content_limits limits = {.part_size = part_size, .copy_max = 1000};

	bench_mount(b);
	b->fs->room.limits = &limits;
}

static void begin(struct bench *b, bool posix, size_t page)
{
	bench_prepare(b, TTL_MS);
	b->options.posix = posix;
	b->s3.part_min = 16;
	if (page)
		b->s3.listing_size = page;
	memory_add_bucket(&b->s3, "one", CREATED_MS, "eu-west-1");
	memory_add_bucket(&b->s3, "two", CREATED_MS, "ap-south-1");
	mount_it(b);
	log_lines_start(LOG_LEVEL_ERROR); /* what goes wrong is asked for */
}

static void end(struct bench *b)
{
	log_lines_stop();
	bench_end(b);
}

/* A crash: what was open ends, and nothing is saved. */
static void mount_again(struct bench *b)
{
	fs_free(b->fs);
	mount_it(b);
}

/* "bucket/key" */
static struct object_id id_of(const char *path, char buffer[S3_KEY_MAX])
{
	char *slash;

	snprintf(buffer, S3_KEY_MAX, "%s", path);
	slash = strchr(buffer, '/');
	*slash = '\0';
	return (struct object_id){buffer, slash + 1};
}

static void put_path(struct bench *b, const char *path, const char *text)
{
	char buffer[S3_KEY_MAX];
	struct object_id id = id_of(path, buffer);

	put(b, id.bucket, id.key, text);
}

static bool has_path(struct bench *b, const char *path)
{
	char buffer[S3_KEY_MAX];
	struct object_id id = id_of(path, buffer);

	return memory_has(&b->s3, id.bucket, id.key);
}

static bool path_is(struct bench *b, const char *path, const char *text)
{
	char buffer[S3_KEY_MAX];
	struct object_id id = id_of(path, buffer);

	return has_text(b, id.bucket, id.key, text);
}

/* ---- what the mount shows is what there is ---- */

static void assert_file_shown(struct bench *b, const char *path)
{
	char buffer[S3_KEY_MAX];
	struct object_id id = id_of(path, buffer);
	_cleanup_(object_deinit) struct object object = {0};
	struct fs_entry entry;
	struct fs_file *file;

	assert_true(memory_stat(&b->s3, id.bucket, id.key, &object));
	assert_int_equal(find(b, path, &entry), 0);
	assert_int_equal(entry.attr.st_size, object.size);
	if (object.size > MIB)
		return;
	file = open_file(b, path, O_RDONLY);
	{
		int r;
		const char *text = text_of(b, file, &r);

		assert_int_equal(r, 0);
		assert_true(path_is(b, path, text));
	}
	release(b, file);
}

/* How many files are below. */
static size_t walk(struct bench *b, const char *path)
{
	_cleanup_(freep) char *names = strdup(names_at(b, path));
	char *rest = names, *name;
	size_t n = 0;

	while ((name = strsep(&rest, " ")) && *name) {
		char below[S3_KEY_MAX];
		size_t len = (size_t)snprintf(below, sizeof(below), "%s/%s", path, name);

		if (below[len - 1] == '/') {
			below[len - 1] = '\0';
			n += walk(b, below);
		} else {
			assert_file_shown(b, below);
			n++;
		}
	}
	return n;
}

static void assert_bucket_shown(struct bench *b, const char *bucket)
{
	_cleanup_(buf_deinit) struct buf keys = BUF_INIT;
	char path[S3_KEY_MAX], *rest, *key;
	size_t n = 0;

	memory_keys(&b->s3, bucket, &keys);
	rest = keys.len ? (char *)keys.data : NULL;
	while ((key = strsep(&rest, "\n")) && *key) {
		size_t len = (size_t)snprintf(path, sizeof(path), "%s/%s", bucket, key);

		if (path[len - 1] != '/') {
			n++;
			continue;
		}
		path[len - 1] = '\0';
		assert_true(exists(b, path));
	}
	assert_int_equal(walk(b, bucket), n);
}

static void assert_shown(struct bench *b)
{
	test_clock_advance(&b->clock, TTL_MS);
	assert_bucket_shown(b, "one");
	assert_bucket_shown(b, "two");
}

/* ---- rename ---- */

#define RELS     8
#define MANY_MAX 1100

/* What is renamed. Keys below a place are told by what follows it: "/a", and "" for the place. */
struct shape {
	const char *name, *from, *to;
	const char *rels[RELS];
	unsigned int many;       /* "/many0000" and so on, too */
	const char *target;      /* this key is there, with the text "target" */
	const char *written;     /* rel of a file that is open, and not saved */
	const char *made, *sent; /* of one that is new; and the parts of it that were sent */
	const char *big;         /* of one of more than 5 GiB */
	size_t page;             /* of listings; 0: as S3's */
	int r;                   /* what it ends with, when nothing goes wrong */
};

static const struct shape shapes[] = {
    {.name = "nothing", .from = "one/d", .to = "one/e", .rels = {"/"}},
    {.name = "flat", .from = "one/d", .to = "one/e", .rels = {"/a", "/b", "/c"}},
    {.name = "with markers",
     .from = "one/d",
     .to = "one/e",
     .rels = {"/", "/a", "/deep/", "/deep/er/", "/deep/er/b"}},
    {.name = "across buckets, in pages",
     .from = "one/d",
     .to = "two/x",
     .rels = {"/a", "/deep/b", "/deep/er/c", "/deeper/d", "/e"},
     .page = 2},
    {.name = "an empty target",
     .from = "one/d",
     .to = "two/x",
     .rels = {"/a", "/b/c"},
     .target = "two/x/"},
    {.name = "an empty target, with markers",
     .from = "one/d",
     .to = "one/e",
     .rels = {"/", "/a"},
     .target = "one/e/"},
    {.name = "a target that is not empty",
     .from = "one/d",
     .to = "one/e",
     .rels = {"/", "/a"},
     .target = "one/e/f",
     .r = -ENOTEMPTY},
    {.name = "a target that is a file",
     .from = "one/d",
     .to = "one/e",
     .rels = {"/", "/a"},
     .target = "one/e",
     .r = -ENOTDIR},
    {.name = "open files below",
     .from = "one/d",
     .to = "one/e",
     .rels = {"/a", "/deep/b", "/c"},
     .written = "/deep/b",
     .made = "/new",
     .sent = "/deep/stream"},
    {.name = "a large file below", .from = "one/d", .to = "two/x", .rels = {"/a"}, .big = "/big"},
    {.name = "more than one can delete at once",
     .from = "one/d",
     .to = "one/e",
     .rels = {"/"},
     .many = 1050},
    {.name = "a file", .from = "one/a", .to = "one/b", .rels = {""}},
    {.name = "a file over another",
     .from = "one/a",
     .to = "two/b",
     .rels = {""},
     .target = "two/b"},
    {.name = "an open file over another",
     .from = "one/a",
     .to = "one/b",
     .rels = {""},
     .written = "",
     .target = "one/b"},
    {.name = "a new file", .from = "one/a", .to = "one/b", .made = ""},
    {.name = "a stream", .from = "one/a", .to = "two/b", .sent = ""},
    {.name = "a large file", .from = "one/a", .to = "two/b", .big = ""},
};

struct item {
	char rel[32];
	bool there, is_big;
	char was[128], now[128]; /* its text before, and what its handle wrote */
	struct fs_file *handle;  /* NULL: none */
};

struct trial {
	struct bench b;
	const struct shape *shape;
	enum way way;
	size_t nth;
	struct item items[RELS + MANY_MAX];
	size_t n;
};

static const char *const others[] = {"one/d-not", "one/da", "one/f/x", "one/e.txt",
				     "one/ab",    "two/xy", "two/b-"};

static const char *at(const char *place, const struct item *item, char buffer[S3_KEY_MAX])
{
	assert_true(snprintf(buffer, S3_KEY_MAX, "%s%s", place, item->rel) < S3_KEY_MAX);
	return buffer;
}

/* The item's object is there, as it was or as it is now. Another one there is the target. */
static bool is_at(struct trial *t, const char *place, const struct item *item)
{
	char path[S3_KEY_MAX], buffer[S3_KEY_MAX];
	_cleanup_(object_deinit) struct object object = {0};
	struct object_id id = id_of(at(place, item, path), buffer);

	if (!memory_stat(&t->b.s3, id.bucket, id.key, &object))
		return false;
	if (item->is_big)
		return object.size == S3_PUT_MAX + 1;
	if (path_is(&t->b, path, item->now) || (item->there && path_is(&t->b, path, item->was)))
		return true;
	assert_true(t->shape->target && !strcmp(t->shape->target, path) &&
		    path_is(&t->b, path, "target"));
	return false;
}

static struct item *add_item(struct trial *t, const char *rel)
{
	struct item *item = &t->items[t->n++];

	assert_true(t->n <= ARRAY_LEN(t->items));
	*item = (struct item){0};
	snprintf(item->rel, sizeof(item->rel), "%s", rel);
	snprintf(item->was, sizeof(item->was), "%s was", rel);
	snprintf(item->now, sizeof(item->now), "%s was", rel);
	return item;
}

static void add_object(struct trial *t, const char *rel)
{
	struct item *item = add_item(t, rel);
	char path[S3_KEY_MAX];

	item->there = true;
	put_path(&t->b, at(t->shape->from, item, path), item->was);
}

static void add_big(struct trial *t, const char *rel)
{
	struct item *item = add_item(t, rel);
	char path[S3_KEY_MAX], buffer[S3_KEY_MAX];
	struct object_id id = id_of(at(t->shape->from, item, path), buffer);

	item->there = item->is_big = true;
	memory_put_zeros(&t->b.s3, id.bucket, id.key, S3_PUT_MAX + 1);
}

static void write_item(struct trial *t, struct item *item, const char *text)
{
	snprintf(item->now, sizeof(item->now), "%s", text);
	assert_int_equal(write_at(&t->b, item->handle, 0, text), 0);
	while (atomic_load(&t->b.fs->room.under_way) > 0)
		sched_yield();
}

static void add_new(struct trial *t, const char *rel, const char *text)
{
	struct item *item = add_item(t, rel);
	char path[S3_KEY_MAX];

	item->handle = create_file(&t->b, at(t->shape->from, item, path));
	write_item(t, item, text);
}

static void write_old(struct trial *t, const char *rel)
{
	struct item *item = t->items;
	char path[S3_KEY_MAX];

	while (strcmp(item->rel, rel) != 0)
		item++;
	item->handle = open_file(&t->b, at(t->shape->from, item, path), O_RDWR);
	write_item(t, item, "now, and longer than it was");
}

static void trial_begin(struct trial *t, bool posix)
{
	const struct shape *shape = t->shape;
	char rel[32];

	begin(&t->b, posix, shape->page);
	t->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		put_path(&t->b, others[i], "other");
	if (shape->target)
		put_path(&t->b, shape->target, "target");
	for (size_t i = 0; i < RELS && shape->rels[i]; i++)
		add_object(t, shape->rels[i]);
	for (unsigned int i = 0; i < shape->many; i++) {
		snprintf(rel, sizeof(rel), "/many%04u", i);
		add_object(t, rel);
	}
	if (shape->big)
		add_big(t, shape->big);
	if (shape->written)
		write_old(t, shape->written);
	if (shape->made)
		add_new(t, shape->made, "new");
	if (shape->sent) {
		add_new(t, shape->sent, "a text of more than one part, and of more than two");
		assert_true(count(&t->b, MEMORY_UPLOAD_PART) > 0);
	}
}

enum outcome {
	UNDONE, /* all is at the old name, and of a directory only a crash left some at the new */
	DONE,   /* all is at the new name, and of a directory some may be at the old one still */
};

static bool is_directory(const struct trial *t)
{
	return t->items[0].rel[0] == '/';
}

/* Whatever went wrong: no byte is lost, and nothing else is touched. */
static enum outcome look(struct trial *t)
{
	const char *there = t->shape->target;
	size_t old = 0, unsaved = 0, new = 0, target = 0, marker = 0;
	struct bench *b = &t->b;

	for (size_t i = 0; i < t->n; i++) {
		bool is_old = is_at(t, t->shape->from, &t->items[i]);

		old += is_old;
		unsaved += !is_old && !t->items[i].there;
		new += is_at(t, t->shape->to, &t->items[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_true(path_is(b, others[i], "other"));
	if (there)
		target = path_is(b, there, "target");
	/* the empty directory is there still, if with the other's marker */
	if (there && !target && has_path(b, there))
		marker = there[strlen(there) - 1] == '/';
	assert_true(old + unsaved == t->n || new == t->n);
	assert_int_equal(memory_objects(&b->s3, NULL), old + new + target + ARRAY_LEN(others));
	if (new == t->n && (old == 0 || is_directory(t)))
		return DONE;
	/* a copy of a file is no harm */
	if (new == 1 && !is_directory(t))
		return UNDONE;
	assert_true(new == marker || t->way == DOWN);
	assert_int_equal(target + marker, there != NULL);
	return UNDONE;
}

/* Such a request was done, and the mount does not know. */
static bool is_lost(const struct trial *t, enum memory_op op)
{
	return trouble.op == op && (t->way == LOST || t->way == CANCELLED_LATE);
}

static void assert_wanted(struct trial *t)
{
	for (size_t i = 0; i < t->n; i++) {
		char path[S3_KEY_MAX];

		assert_true(is_at(t, t->shape->to, &t->items[i]));
		assert_false(has_path(&t->b, at(t->shape->from, &t->items[i], path)));
	}
	/* of an upload whose beginning was not answered nobody knows */
	assert_true(
	    memory_uploads(&t->b.s3, NULL) == 0 ||
	    (trouble.op == MEMORY_CREATE_UPLOAD && (t->way == LOST || t->way == CANCELLED_LATE)));
}

static int rename_it(struct trial *t)
{
	return rename_path(&t->b, t->shape->from, t->shape->to, 0);
}

/* What is left at the old name, as a user does. */
static void remove_rest(struct trial *t)
{
	for (size_t i = t->n; i-- > 0;) {
		char path[S3_KEY_MAX];
		size_t len = strlen(at(t->shape->from, &t->items[i], path));

		if (!has_path(&t->b, path))
			continue;
		if (path[len - 1] != '/') {
			assert_int_equal(unlink_file(&t->b, path), 0);
		} else {
			path[len - 1] = '\0';
			assert_int_equal(remove_dir(&t->b, path), 0);
		}
	}
}

/* The handles write on, to wherever their file is. */
static void close_item(struct trial *t, struct item *item)
{
	int r;

	assert_int_equal(flush(&t->b, item->handle), 0);
	memcpy(item->was, item->now, sizeof(item->was));
	write_item(t, item, "what was written since is longer than all that was there before");
	r = close_file(&t->b, item->handle);
	/* only the server knows that the file has the new name */
	assert_true(r == 0 || (r == -ESTALE && is_lost(t, MEMORY_DELETE_OBJECT)));
	if (r < 0)
		memcpy(item->now, item->was, sizeof(item->now));
	item->handle = NULL;
	item->there = true;
}

static void close_all(struct trial *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->items[i].handle)
			close_item(t, &t->items[i]);
}

static void assert_latest(struct trial *t, const char *place)
{
	char path[S3_KEY_MAX];

	for (size_t i = 0; i < t->n; i++)
		if (!t->items[i].is_big)
			assert_true(path_is(&t->b, at(place, &t->items[i], path), t->items[i].now));
}

/* The mount goes on. */
static void go_on(struct trial *t, int r)
{
	enum outcome outcome;

	close_all(t);
	outcome = look(t);
	assert_true(r < 0 || outcome == DONE);
	assert_latest(t, outcome == DONE ? t->shape->to : t->shape->from);
	assert_shown(&t->b);
	if (outcome == UNDONE) {
		assert_int_equal(rename_it(t), t->shape->r);
		if (t->shape->r < 0)
			return;
	} else {
		remove_rest(t);
	}
	assert_wanted(t);
	assert_shown(&t->b);
}

/* How many requests it was. */
static size_t try_rename(struct trial *t, bool posix)
{
	struct bench *b = &t->b;
	enum outcome outcome;
	size_t n;
	int r;

	trial_begin(t, posix);
	ino_of(b, t->shape->from);
	trouble_begins(b, t->way, t->nth);
	r = rename_it(t);
	if (t->way == DOWN && t->nth)
		mount_again(b);
	n = trouble_ends(b);
	assert_true(r == t->shape->r || (t->nth && n >= t->nth));
	outcome = look(t);
	if (r == 0)
		assert_wanted(t);
	/* whoever gives up a rename has it, or has it not */
	if (t->way >= CANCELLED && outcome == DONE)
		assert_int_equal(r, 0);
	if (t->way == DOWN && t->nth) {
		assert_shown(b);
	} else {
		go_on(t, r);
		mount_again(b);
		assert_shown(b);
	}
	end(b);
	return n;
}

/* Of many requests of a kind only some, and the first and last ones. */
static size_t next_of(size_t nth, size_t n)
{
	return n < 40 || nth < 3 || nth + 5 > n ? nth + 1
	       : nth + n / 3 < n - 4            ? nth + n / 3
						: n - 4;
}

static void try_shape(struct trial *t, const struct shape *shape, bool posix)
{
	size_t n;

	*t = (struct trial){.shape = shape};
	n = try_rename(t, posix);
	for (t->nth = 1; t->nth <= n; t->nth = next_of(t->nth, n)) {
		for (int way = 0; way < WAYS; way++) {
			t->way = (enum way)way;
			print_message("%s: request %zu of %zu %s\n", shape->name, t->nth, n,
				      way_names[way]);
			try_rename(t, posix);
		}
	}
}

static void try_shapes(bool posix)
{
	static struct trial trial;

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		if (!posix || !shapes[i].many)
			try_shape(&trial, &shapes[i], posix);
}

static void renames(void **state)
{
	(void)state;
	try_shapes(false);
}

static void renames_with_posix_attributes(void **state)
{
	(void)state;
	try_shapes(true);
}

/* ---- unlink, mkdir, rmdir ---- */

struct deed {
	const char *name;
	int (*run)(struct bench *b, const char *path);
	const char *path;
	const char *there[3];
	const char *key;    /* what comes or goes: there before or not */
	const char *opened; /* a file that is written to, and not saved */
	int again;          /* what it ends with when it was done before */
};

static const struct deed deeds[] = {
    {"unlink", unlink_file, "one/d/a", {"one/d/a", "one/d/b"}, "one/d/a", NULL, -ENOENT},
    {"unlink the last", unlink_file, "one/d/a", {"one/d/a", "one/d/"}, "one/d/a", NULL, -ENOENT},
    {"unlink what is open", unlink_file, "one/a", {"one/a"}, "one/a", "one/a", -ENOENT},
    {"rmdir", remove_dir, "one/d", {"one/d/"}, "one/d/", NULL, -ENOENT},
    {"mkdir", make_dir, "one/d", {"one/a"}, "one/d/", NULL, 0},
    {"mkdir in mkdir", make_dir, "one/d/e", {"one/d/"}, "one/d/e/", NULL, 0},
};

static void assert_others(struct bench *b, const struct deed *deed)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(deed->there) && deed->there[i]; i++) {
		if (!strcmp(deed->there[i], deed->key))
			continue;
		assert_true(path_is(b, deed->there[i], "text"));
		n++;
	}
	assert_int_equal(memory_objects(&b->s3, NULL), n + has_path(b, deed->key));
}

static size_t try_deed(const struct deed *deed, enum way way, size_t nth)
{
	struct fs_file *file = NULL;
	const char *name;
	struct bench b;
	bool before, done;
	size_t n;
	int r;

	begin(&b, false, 0);
	for (size_t i = 0; i < ARRAY_LEN(deed->there) && deed->there[i]; i++)
		put_path(&b, deed->there[i], "text");
	before = has_path(&b, deed->key);
	if (deed->opened) {
		file = open_file(&b, deed->opened, O_RDWR);
		assert_int_equal(write_at(&b, file, 0, "TEXT"), 0);
	}
	parent_of(&b, deed->path, &name);
	trouble_begins(&b, way, nth);
	r = deed->run(&b, deed->path);
	if (way == DOWN && nth) {
		mount_again(&b);
		file = NULL;
	}
	n = trouble_ends(&b);
	done = has_path(&b, deed->key) != before;
	if (r == 0)
		assert_true(done);
	else
		assert_true(nth && n >= nth && (way == LOST || way == CANCELLED_LATE || !done));
	assert_others(&b, deed);
	if (file) {
		int closed = close_file(&b, file);

		/* what has its name still is saved; the rest goes nowhere */
		assert_true(closed == 0 || (closed == -ESTALE && r < 0 && done));
		assert_int_equal(path_is(&b, deed->opened, "TEXT"), !done);
	}
	assert_shown(&b);
	assert_int_equal(deed->run(&b, deed->path), done ? deed->again : 0);
	assert_true(has_path(&b, deed->key) != before);
	assert_others(&b, deed);
	mount_again(&b);
	assert_shown(&b);
	end(&b);
	return n;
}

static void what_comes_and_goes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		size_t n = try_deed(&deeds[i], REFUSED, 0);

		for (size_t nth = 1; nth <= n; nth++) {
			for (int way = 0; way < WAYS; way++) {
				print_message("%s: request %zu of %zu %s\n", deeds[i].name, nth, n,
					      way_names[way]);
				try_deed(&deeds[i], (enum way)way, nth);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_comes_and_goes),
	    cmocka_unit_test(renames),
	    cmocka_unit_test(renames_with_posix_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
