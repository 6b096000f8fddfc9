/*
 * Generated sequences of operations on files and directories in two buckets, against a plain model
 * of fs.h's contract:
 *
 *	each object in S3 changes only as the operation of the moment may change it: to the bytes
 *	that the file has, as a whole, when it is uploaded, or not at all; when a flush returns 0 it
 *	is these bytes; what fails leaves it as it was, or, where only the answer was lost, as it
 *	was meant; a handle reads what was written through any handle of the file, or ESTALE when
 *	another client came between, and never a mix; what this mount did is seen at once, and what
 *	others did within a TTL; a crash loses nothing that was flushed; no upload is left behind.
 *
 * Parts are a few bytes long, so that small files have all the states of large ones. Requests fail
 * before they are done or after, other clients change objects between operations and while requests
 * are under way, files are unlinked while their directory is renamed, time passes, and the mount
 *crashes: between operations, or in the middle of one, with a server that answers no more.
 */
#include "tree_bench.h"

#include "log_lines.h"
#include "meanwhile.h"
#include "sequence.h"

#include "../../../src/fs/private.h"

#define SEQUENCES 2000
#define STEPS     50
#define SIZE_MOST 400
#define HANDLES   6
#define FILES     64

/* ---- what there is ---- */

/* Where each directory may be: it begins at the first place, and is renamed to the other and back.
 */
static const struct {
	const char *places[2]; /* "bucket/prefix" */
	bool moves;
} dirs[] = {
    {{"one", NULL}, false},
    {{"one/d", "two/x"}, true},
    {{"two/e", NULL}, false},
};
static const char *const names[] = {"a", "b", "a-b.txt"};

#define DIRS  ARRAY_LEN(dirs)
#define NAMES ARRAY_LEN(names)
#define PATHS (DIRS * NAMES)

/* Bytes of a file or object. */
struct bytes {
	bool there;
	size_t n;
	char v[SIZE_MOST];
};

#define STATES 8

struct path {
	struct bytes now; /* the object, as it was seen after the last step */
	int64_t
	    unsure_until;  /* another client changed it, or nobody knows: the mount may not know */
	struct file *file; /* what the mount has open under this name; NULL: nothing */
	/* of this step: what the object may be after it, besides what it is now */
	struct bytes may[STATES];
	size_t n_may;
	bool must; /* it must have changed to one of these */
};

/* What is open: the bytes as its handles see them. */
struct file {
	struct bytes bytes;
	unsigned int handles;
	size_t path;    /* where it is, or PATHS when the name is gone */
	bool dirty;     /* there is something to upload */
	bool uploaded;  /* it is an object, or was opened as one */
	bool told;      /* a flush has failed */
	bool disturbed; /* another client came between: ESTALE may follow */
	bool loose;     /* it may be saved already, by a rename that failed or by a read */
	bool shaky;     /* a part of it has failed: what follows may fail until a flush succeeds */
};

struct handle {
	struct fs_file *fs; /* NULL: closed */
	struct file *file;  /* NULL: nobody knows what it shows */
	bool writes;
};

/* A file is unlinked by another thread while its directory is renamed. */
struct interference {
	struct model *model;
	unsigned int in; /* model->lock: at the how manieth request; 0: not, or it has begun */
	bool begun;      /* model->lock */
	bool under_way;  /* model->lock: it has come to a halt, or to its end */
	uint64_t parent;
	const char *name;
	struct meanwhile thread;
	int r;
};

struct model {
	struct sequence *seq;
	struct bench b;
	int64_t ttl_ms;
	struct path paths[PATHS];
	size_t place[DIRS];
	struct file files[FILES];
	size_t n_files;
	struct handle handles[HANDLES];
	unsigned int written; /* so that no two writes are the same */
	bool over;            /* the rest of the sequence cannot be told */

	pthread_mutex_t lock; /* of what follows: hooks run in the pool's threads, too */
	pthread_cond_t under_way;
	pthread_t main;
	enum memory_op fault_op;
	enum memory_when fault_when;
	unsigned int fault_in; /* the how manieth; 0: none */
	int fault_error;
	bool goes_down; /* then, and the mount crashes in this step */
	atomic_bool is_down;
	atomic_bool shakes; /* so the unsaved files are shaky */
	atomic_bool failed; /* it came */
	struct interference meanwhile;
	bool others;             /* another client came in this step */
	bool quiet;              /* nothing happens meanwhile */
	atomic_size_t left_over; /* uploads whose beginning nobody was told of, or that could not be
			     aborted */
};

/* ---- paths ---- */

static const char *place_of(const struct model *m, size_t dir)
{
	return dirs[dir].places[m->place[dir]];
}

/* "bucket/prefix/name" of a path, as it is now. */
static const char *path_of(const struct model *m, size_t p, char *buffer)
{
	sprintf(buffer, "%s/%s", place_of(m, p / NAMES), names[p % NAMES]);
	return buffer;
}

static struct object_id id_of(const struct model *m, size_t p, char *buffer)
{
	char *slash;

	path_of(m, p, buffer);
	slash = strchr(buffer, '/');
	*slash = '\0';
	return (struct object_id){buffer, slash + 1};
}

#define PATH_SIZE 64

static struct bytes object_at(struct model *m, const struct object_id *id)
{
	_cleanup_(buf_deinit) struct buf buf = BUF_INIT;
	struct bytes bytes = {0};

	bytes.there = memory_read(&m->b.s3, id->bucket, id->key, &buf);
	HOLDS(m, buf.len <= SIZE_MOST);
	bytes.n = buf.len;
	if (buf.len)
		memcpy(bytes.v, buf.data, buf.len);
	return bytes;
}

static struct bytes object_of_path(struct model *m, size_t p)
{
	char buffer[PATH_SIZE];
	struct object_id id = id_of(m, p, buffer);

	return object_at(m, &id);
}

static bool same(const struct bytes *a, const struct bytes *b)
{
	return a->there == b->there && a->n == b->n && !memcmp(a->v, b->v, a->n);
}

static const char *told(const struct bytes *bytes, char *buffer)
{
	if (!bytes->there)
		return "nothing";
	sprintf(buffer, "%zu bytes %.8s...", bytes->n, bytes->n ? bytes->v : "");
	for (char *c = buffer; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = '?';
	return buffer;
}

/* ---- what an object may become in this step ---- */

static void may_be(struct model *m, size_t p, const struct bytes *bytes)
{
	if (p == PATHS)
		return;
	HOLDS(m, m->paths[p].n_may < STATES);
	m->paths[p].may[m->paths[p].n_may++] = *bytes;
}

static void may_be_gone(struct model *m, size_t p)
{
	may_be(m, p, &(struct bytes){0});
}

/* That, and nothing else. */
static void must_be(struct model *m, size_t p, const struct bytes *bytes)
{
	if (p == PATHS)
		return;
	may_be(m, p, bytes);
	m->paths[p].must = true;
}

static int64_t now_ms(struct model *m)
{
	return test_clock_boot_ms(&m->b.clock);
}

static void unsure(struct model *m, size_t p)
{
	if (p < PATHS)
		m->paths[p].unsure_until = now_ms(m) + m->ttl_ms;
}

static bool is_sure(struct model *m, size_t p)
{
	return now_ms(m) >= m->paths[p].unsure_until;
}

static void check_path(struct model *m, size_t p)
{
	struct path *path = &m->paths[p];
	struct bytes now = object_of_path(m, p);
	bool found = !path->must && same(&now, &path->now);
	char buffer[PATH_SIZE], text[64];

	for (size_t i = 0; i < path->n_may; i++)
		found = found || same(&now, &path->may[i]);
	if (!found) {
		trace(m, "%s is %s\n", path_of(m, p, buffer), told(&now, text));
		trace(m, "  and was %s\n", told(&path->now, text));
		for (size_t i = 0; i < path->n_may; i++)
			trace(m, "  or %s\n", told(&path->may[i], text));
	}
	HOLDS(m, found);
	path->now = now;
	path->n_may = 0;
	path->must = false;
}

static void check_objects(struct model *m)
{
	for (size_t p = 0; p < PATHS; p++)
		check_path(m, p);
}

/* ---- other clients ---- */

static struct bytes some_bytes(struct model *m, size_t most)
{
	struct bytes bytes = {.there = true, .n = below(m, most + 1)};
	char text[16];
	int n = snprintf(text, sizeof(text), "<%u>", ++m->written);

	for (size_t i = 0; i < bytes.n; i++)
		bytes.v[i] = text[i % (size_t)n];
	return bytes;
}

static void step_other(struct model *m)
{
	size_t p = below(m, PATHS);
	char buffer[PATH_SIZE], text[64];
	struct object_id id = id_of(m, p, buffer);
	struct file *file = m->paths[p].file;
	struct bytes bytes = {0}, before = object_at(m, &id);

	if (one_in(m, 3)) {
		memory_remove(&m->b.s3, id.bucket, id.key);
	} else {
		bytes = some_bytes(m, 100);
		memory_put(&m->b.s3, id.bucket, id.key, bytes.v, bytes.n);
	}
	trace(m, "another makes %s/%s %s\n", id.bucket, id.key, told(&bytes, text));
	may_be(m, p, &bytes);
	unsure(m, p);
	if (file) {
		file->disturbed = true;
		/* a read has completed its upload, maybe: then nothing is left to save over this */
		file->loose = file->loose || (file->dirty && same(&before, &file->bytes));
	}
	m->others = true;
}

static void step_clock(struct model *m)
{
	const int64_t steps[] = {1, m->ttl_ms / 2, m->ttl_ms, m->ttl_ms + 1, 2 * m->ttl_ms};
	int64_t ms = steps[below(m, ARRAY_LEN(steps))];

	test_clock_advance(&m->b.clock, ms);
	trace(m, "%" PRId64 " ms pass\n", ms);
}

/* ---- faults ---- */

static bool fault_comes(struct model *m, enum memory_op op, enum memory_when when)
{
	if (m->is_down && op == MEMORY_ABORT_UPLOAD && when == MEMORY_BEFORE)
		m->left_over++;
	if (m->is_down)
		return when == MEMORY_BEFORE;
	if (m->fault_in == 0 || (m->fault_op != MEMORY_ANY && m->fault_op != op) ||
	    m->fault_when != when || --m->fault_in > 0)
		return false;
	m->failed = true;
	m->shakes = true;
	m->is_down = m->goes_down;
	if ((op == MEMORY_CREATE_UPLOAD && when == MEMORY_AFTER) || op == MEMORY_ABORT_UPLOAD)
		m->left_over++;
	if (pthread_equal(pthread_self(), m->main))
		trace(m, "  request %d fails %s%s\n", (int)op, when ? "after" : "before",
		      m->is_down ? ", and all that follow" : "");
	return true;
}

static int unlink_meanwhile(struct call *call, void *data)
{
	struct interference *w = data;

	return fs_unlink(w->model->b.fs, call, w->parent, w->name);
}

static void begin_meanwhile(struct model *m)
{
	struct interference *w = &m->meanwhile;

	meanwhile_init(&w->thread, &m->b.clock, unlink_meanwhile, w);
	HOLDS(m, meanwhile_start(&w->thread));
}

static int hook(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct model *m = data;
	bool begins;
	int r = 0;

	(void)name;
	pthread_mutex_lock(&m->lock);
	if (fault_comes(m, op, when))
		r = m->fault_error;
	begins = m->meanwhile.in > 0 && --m->meanwhile.in == 0;
	m->meanwhile.begun = m->meanwhile.begun || begins;
	pthread_mutex_unlock(&m->lock);
	if (begins) {
		begin_meanwhile(m);
		pthread_mutex_lock(&m->lock);
		m->meanwhile.under_way = true;
		pthread_cond_signal(&m->under_way);
		pthread_mutex_unlock(&m->lock);
	}
	/* another client, while a request of this thread is under way */
	if (r == 0 && pthread_equal(pthread_self(), m->main) && !m->quiet && !m->others &&
	    one_in(m, 24)) {
		trace(m, "  meanwhile: ");
		step_other(m);
	}
	return r;
}

static void plan_fault(struct model *m)
{
	static const int errors[] = {-EIO, -EACCES, -EAGAIN, -ETIMEDOUT, -EKEYEXPIRED};
	static const enum memory_op ops[] = {
	    MEMORY_ANY,           MEMORY_ANY,          MEMORY_ANY,         MEMORY_PUT_OBJECT,
	    MEMORY_UPLOAD_PART,   MEMORY_COPY_PART,    MEMORY_COPY_OBJECT, MEMORY_COMPLETE_UPLOAD,
	    MEMORY_CREATE_UPLOAD, MEMORY_LIST_OBJECTS, MEMORY_GET_OBJECT};

	pthread_mutex_lock(&m->lock);
	m->failed = m->others = false;
	m->fault_in = one_in(m, 4) ? 1 + (unsigned int)below(m, one_in(m, 3) ? 12 : 4) : 0;
	m->goes_down = one_in(m, 6);
	m->fault_op = ops[below(m, ARRAY_LEN(ops))];
	m->fault_when = one_in(m, 2) ? MEMORY_BEFORE : MEMORY_AFTER;
	m->fault_error = errors[below(m, ARRAY_LEN(errors))];
	pthread_mutex_unlock(&m->lock);
}

static void no_fault(struct model *m)
{
	if (atomic_exchange(&m->shakes, false))
		for (size_t i = 0; i < m->n_files; i++)
			m->files[i].shaky = m->files[i].shaky || m->files[i].dirty;
	pthread_mutex_lock(&m->lock);
	m->fault_in = 0;
	m->is_down = false;
	pthread_mutex_unlock(&m->lock);
}

/* Something of this step may have gone wrong by the test's doing. */
static bool troubled(const struct model *m)
{
	return m->failed || m->others;
}

/* ---- names ---- */

/* Looks a place up: its errno, or 0 with the number. */
static int look(struct model *m, const char *path, struct fs_entry *ret_entry)
{
	return find(&m->b, path, ret_entry);
}

/* What the mount shows of a path whose object it knows as it is. */
static struct bytes shown(const struct model *m, size_t p)
{
	const struct path *path = &m->paths[p];

	return path->file ? path->file->bytes : path->now;
}

static void step_lookup(struct model *m)
{
	size_t p = below(m, PATHS);
	bool sure = is_sure(m, p) && !(m->paths[p].file && m->paths[p].file->disturbed);
	struct bytes expected = shown(m, p);
	char buffer[PATH_SIZE];
	struct fs_entry entry;
	int r = look(m, path_of(m, p, buffer), &entry);

	trace(m, "lookup %s: %d\n", buffer, r);
	no_fault(m);
	m->quiet = true;
	if (!sure || troubled(m))
		return;
	HOLDS(m, r == (expected.there ? 0 : -ENOENT));
	if (r == 0) {
		struct stat attr;
		int64_t valid_ms;

		HOLDS(m, S_ISREG(entry.attr.st_mode));
		HOLDS(m, (size_t)entry.attr.st_size == expected.n);
		HOLDS(m, fs_getattr(m->b.fs, &m->b.call, entry.ino, &attr, &valid_ms) == 0);
		HOLDS(m, (size_t)attr.st_size == expected.n);
	}
}

static void step_readdir(struct model *m)
{
	size_t d = below(m, DIRS);
	bool seen[NAMES] = {false};
	struct fs_dirent dirent = {0};
	struct fs_entry entry;
	struct fs_dir *dir;
	int r = look(m, place_of(m, d), &entry);

	if (r == 0)
		r = fs_opendir(m->b.fs, &m->b.call, entry.ino, &dir);
	trace(m, "readdir %s: %d\n", place_of(m, d), r);
	HOLDS(m, r == 0 || troubled(m));
	if (r < 0)
		return;
	while ((r = fs_readdir(m->b.fs, &m->b.call, dir, dirent.next, &dirent)) == 0) {
		if (one_in(m, 2))
			HOLDS(m,
			      fs_readdir_entry(m->b.fs, &m->b.call, dir, &dirent, 0, &entry) == 0);
		for (size_t i = 0; i < NAMES; i++) {
			if (strcmp(names[i], dirent.name) != 0)
				continue;
			HOLDS(m, !seen[i]);
			HOLDS(m, dirent.mode == S_IFREG);
			seen[i] = true;
		}
	}
	fs_releasedir(m->b.fs, dir);
	HOLDS(m, r == -ENOENT || m->failed);
	for (size_t i = 0; i < NAMES && !troubled(m); i++) {
		size_t p = d * NAMES + i;
		const struct file *file = m->paths[p].file;

		/* a fresh listing shows what is there; a file that is written is there, too */
		if (!file || !file->disturbed)
			HOLDS(m, seen[i] == shown(m, p).there);
	}
}

/* ---- open files ---- */

static struct file *new_file(struct model *m, size_t p)
{
	struct file *file;

	HOLDS(m, m->n_files < FILES);
	file = &m->files[m->n_files++];
	*file = (struct file){.path = p, .bytes.there = true};
	m->paths[p].file = file;
	return file;
}

/* All of it; the errno of reading. */
static int read_all(struct model *m, struct fs_file *fs, struct bytes *ret_bytes)
{
	struct bytes bytes = {.there = true};
	int r = fs_read(m->b.fs, &m->b.call, fs, 0, SIZE_MOST, bytes.v, &bytes.n);

	if (r == 0)
		*ret_bytes = bytes;
	return r;
}

static struct handle *free_handle(struct model *m)
{
	for (size_t i = 0; i < HANDLES; i++)
		if (!m->handles[i].fs)
			return &m->handles[i];
	return NULL;
}

/* An upload may be completed before its time, because the file is read or changed elsewhere. */
static void may_settle(struct model *m, const struct file *file)
{
	if (file->dirty)
		may_be(m, file->path, &file->bytes);
}

/* Which file the new handle is of, when another client came between: what it shows tells. */
static void find_out(struct model *m, struct handle *h, size_t p)
{
	struct path *path = &m->paths[p];
	struct bytes bytes, now;
	int r;

	no_fault(m);
	m->quiet = true;
	now = object_of_path(m, p);
	r = read_all(m, h->fs, &bytes);
	m->quiet = false;
	if (r < 0) {
		HOLDS(m, r == -ESTALE || m->failed || (path->file && path->file->shaky));
		return;
	}
	if (path->file && same(&bytes, &path->file->bytes)) {
		h->file = path->file;
		/* which of two that are the same now need not stay the same */
		if (path->file->loose && same(&bytes, &now))
			m->over = true;
	} else if (same(&bytes, &now) || same(&bytes, &path->now) || bytes.n == 0) {
		h->file = new_file(m, p);
		h->file->bytes = bytes;
		h->file->uploaded = true;
		h->file->disturbed = true;
	} else {
		sequence_broken("what is read is what is there, or was", __FILE__, __LINE__);
	}
	h->file->handles++;
}

/* known: what the handle shows can be told, whatever failed meanwhile (a fetch ahead of a reader
 * may fail in a later step than the one that began it). */
static void attach(struct model *m, struct handle *h, size_t p, bool sure, bool known)
{
	struct path *path = &m->paths[p];

	if (path->file && ((path->file->dirty && !path->file->loose) || !path->file->disturbed)) {
		h->file = path->file;
	} else if (!path->file && sure && (known || !troubled(m))) {
		h->file = new_file(m, p);
		h->file->bytes = path->now;
		h->file->uploaded = true;
	} else {
		find_out(m, h, p);
		return;
	}
	h->file->handles++;
}

static void truncate_file(struct file *file, size_t size)
{
	if (size == file->bytes.n)
		return;
	if (size > file->bytes.n)
		memset(file->bytes.v + file->bytes.n, 0, size - file->bytes.n);
	file->bytes.n = size;
	file->dirty = file->path < PATHS;
	file->loose = false;
}

static void step_open(struct model *m)
{
	struct handle *h = free_handle(m);
	size_t p = below(m, PATHS);
	bool sure = is_sure(m, p), keep, truncate = one_in(m, 3);
	int flags = one_in(m, 3) ? O_RDONLY : O_RDWR;
	struct file *file = m->paths[p].file;
	struct bytes expected = shown(m, p);
	char buffer[PATH_SIZE];
	struct fs_entry entry;
	int r;

	if (!h)
		return;
	if (truncate && flags == O_RDWR)
		flags |= O_TRUNC;
	/* what nobody knows is not truncated: it could not be told then */
	if (!sure || (file && file->disturbed))
		flags &= ~O_TRUNC;
	if ((flags & O_TRUNC))
		m->quiet = true;
	if (file)
		may_settle(m, file);
	r = -ESTALE;
	/* behind that the kernel looks once more: the name is of another node now */
	for (int i = 0; i < 2 && r == -ESTALE; i++) {
		r = look(m, path_of(m, p, buffer), &entry);
		if (r == 0)
			r = fs_open(m->b.fs, &m->b.call, entry.ino, flags, &h->fs, &keep);
	}
	m->quiet = false;
	trace(m, "handle %zu: open %s %s%s: %d\n", (size_t)(h - m->handles), buffer,
	      flags & O_RDWR ? "rw" : "r", flags & O_TRUNC ? " truncated" : "", r);
	if (r < 0) {
		h->fs = NULL;
		HOLDS(m, !expected.there || !sure || troubled(m) ||
			     (file && (file->disturbed || file->shaky)));
		HOLDS(m, r == -ENOENT || r == -ESTALE || m->failed || (file && file->shaky));
		return;
	}
	*h = (struct handle){.fs = h->fs, .writes = flags & O_RDWR};
	attach(m, h, p, sure, flags & O_TRUNC);
	if (h->file && (flags & O_TRUNC))
		truncate_file(h->file, 0);
}

static void step_create(struct model *m)
{
	struct handle *h = free_handle(m);
	size_t p = below(m, PATHS);
	int flags = O_CREAT | O_RDWR | (one_in(m, 3) ? O_EXCL : 0);
	char buffer[PATH_SIZE];
	struct fs_entry entry, made;
	int r;

	/* the kernel creates what it did not find */
	if (!h || m->paths[p].file || m->paths[p].now.there || !is_sure(m, p))
		return;
	m->quiet = true;
	r = look(m, place_of(m, p / NAMES), &entry);
	if (r == 0)
		r = fs_create(m->b.fs, &m->b.call, entry.ino, names[p % NAMES], MAKER, flags, &made,
			      &h->fs);
	m->quiet = false;
	trace(m, "handle %zu: create %s%s: %d\n", (size_t)(h - m->handles), path_of(m, p, buffer),
	      flags & O_EXCL ? " exclusively" : "", r);
	HOLDS(m, r == 0 || m->failed);
	if (r < 0) {
		h->fs = NULL;
		return;
	}
	*h = (struct handle){.fs = h->fs, .writes = true, .file = new_file(m, p)};
	h->file->handles = 1;
	h->file->dirty = true;
}

static struct handle *some_handle(struct model *m)
{
	struct handle *h = &m->handles[below(m, HANDLES)];

	return h->fs ? h : NULL;
}

/* A change of an open file may fail, besides by this step's faults. */
static bool may_fail(const struct file *file)
{
	return file->disturbed || file->shaky || file->path == PATHS;
}

static void step_read(struct model *m)
{
	struct handle *h = some_handle(m);
	struct bytes bytes;
	int r;

	if (!h || !h->file)
		return;
	may_settle(m, h->file);
	r = read_all(m, h->fs, &bytes);
	trace(m, "handle %zu: read: %d\n", (size_t)(h - m->handles), r);
	if (r == 0)
		HOLDS(m, same(&bytes, &h->file->bytes));
	else
		HOLDS(m, troubled(m) || may_fail(h->file));
}

static void step_write(struct model *m)
{
	struct handle *h = some_handle(m);
	struct bytes bytes = some_bytes(m, 60);
	struct file *file;
	size_t offset;
	int r;

	if (!h || !h->file || !h->writes || bytes.n == 0)
		return;
	file = h->file;
	offset = one_in(m, 2) ? file->bytes.n : below(m, file->bytes.n + 40);
	if (offset + bytes.n > SIZE_MOST)
		return;
	may_settle(m, file);
	r = fs_write(m->b.fs, &m->b.call, h->fs, offset, bytes.v, bytes.n);
	trace(m, "handle %zu: write %zu at %zu of %zu: %d\n", (size_t)(h - m->handles), bytes.n,
	      offset, file->bytes.n, r);
	HOLDS(m, r == 0 || troubled(m) || may_fail(file));
	if (r < 0)
		return;
	if (offset + bytes.n > file->bytes.n)
		truncate_file(file, offset + bytes.n);
	memcpy(file->bytes.v + offset, bytes.v, bytes.n);
	file->dirty = file->path < PATHS;
	file->loose = false;
}

static void step_truncate(struct model *m)
{
	struct handle *h = some_handle(m);
	struct stat attr, now;
	struct file *file;
	int64_t valid_ms;
	char buffer[PATH_SIZE];
	struct fs_entry entry;
	int r;

	if (!h || !h->file || !h->writes || h->file->path == PATHS)
		return;
	file = h->file;
	attr = (struct stat){.st_size = (off_t)below(m, one_in(m, 3) ? 1 : 200)};
	if (m->paths[file->path].file != file ||
	    look(m, path_of(m, file->path, buffer), &entry) != 0)
		return;
	may_settle(m, file);
	r = fs_setattr(m->b.fs, &m->b.call, entry.ino, h->fs, &attr, FS_SET_SIZE, &now, &valid_ms);
	trace(m, "handle %zu: truncate to %jd of %zu: %d\n", (size_t)(h - m->handles),
	      (intmax_t)attr.st_size, file->bytes.n, r);
	HOLDS(m, r == 0 || troubled(m) || may_fail(file));
	if (r < 0)
		return;
	truncate_file(file, (size_t)attr.st_size);
}

/* What an upload of the file that ended with r means. */
static void uploaded(struct model *m, struct file *file, int r)
{
	if (r == 0 && (m->others || file->loose))
		may_be(m, file->path, &file->bytes);
	else if (r == 0)
		must_be(m, file->path, &file->bytes);
	else
		may_be(m, file->path, &file->bytes);
	if (r < 0) {
		file->told = true;
		/* the answer may be lost: then the object is another than the mount knows */
		unsure(m, file->path);
		return;
	}
	file->dirty = file->shaky = file->told = file->loose = false;
	file->uploaded = true;
}

static void step_flush(struct model *m)
{
	struct handle *h = some_handle(m);
	struct file *file;
	bool fsync = one_in(m, 2), dirty;
	int r;

	if (!h || !h->file)
		return;
	file = h->file;
	dirty = file->dirty && (fsync || h->writes);
	r = fsync ? fs_fsync(m->b.fs, &m->b.call, h->fs) : fs_flush(m->b.fs, &m->b.call, h->fs);
	trace(m, "handle %zu: %s: %d\n", (size_t)(h - m->handles), fsync ? "fsync" : "flush", r);
	HOLDS(m, r == 0 || (dirty && (troubled(m) || may_fail(file))));
	if (dirty)
		uploaded(m, file, r);
}

/* The last handle of a file is gone. */
static void end_file(struct model *m, struct file *file)
{
	if (file->path < PATHS && m->paths[file->path].file == file)
		m->paths[file->path].file = NULL;
	if (file->dirty)
		unsure(m, file->path);
	file->path = PATHS;
}

static void release_handle(struct model *m, struct handle *h)
{
	struct file *file = h->file;
	bool saves = file && file->handles == 1 && file->dirty;

	fs_release(m->b.fs, &m->b.call, h->fs);
	trace(m, "handle %zu: release\n", (size_t)(h - m->handles));
	h->fs = NULL;
	if (!file || --file->handles > 0)
		return;
	/* whoever was told of a failure may have been told enough */
	if (saves && !troubled(m) && !may_fail(file) && !file->told && !file->loose) {
		must_be(m, file->path, &file->bytes);
		file->dirty = false;
	} else if (saves) {
		may_be(m, file->path, &file->bytes);
	}
	end_file(m, file);
}

static void step_release(struct model *m)
{
	struct handle *h = some_handle(m);

	if (h)
		release_handle(m, h);
}

/* ---- unlink, rename ---- */

/* The name of the open file is gone. */
static void lose_name(struct model *m, size_t p)
{
	struct file *file = m->paths[p].file;

	m->paths[p].file = NULL;
	if (file) {
		file->path = PATHS;
		file->dirty = false;
	}
}

static void step_unlink(struct model *m)
{
	size_t p = below(m, PATHS);
	struct file *file = m->paths[p].file;
	bool sure = is_sure(m, p) && !(file && file->disturbed);
	bool there = shown(m, p).there;
	char buffer[PATH_SIZE];
	struct fs_entry entry;
	int r;

	if (!sure)
		return; /* what is unlinked then could not be told */
	m->quiet = true;
	r = look(m, place_of(m, p / NAMES), &entry);
	if (r == 0)
		r = fs_unlink(m->b.fs, &m->b.call, entry.ino, names[p % NAMES]);
	m->quiet = false;
	trace(m, "unlink %s: %d\n", path_of(m, p, buffer), r);
	HOLDS(m, r == (there ? 0 : -ENOENT) || m->failed);
	if (r == 0) {
		must_be(m, p, &(struct bytes){0});
		lose_name(m, p);
	} else if (there) {
		may_be_gone(m, p);
		unsure(m, p);
		if (file)
			file->disturbed = true;
	}
}

static void step_rename(struct model *m)
{
	size_t p = below(m, PATHS), q = below(m, PATHS);
	unsigned int flags = one_in(m, 4) ? RENAME_NOREPLACE : 0;
	struct file *file = m->paths[p].file, *target = m->paths[q].file;
	struct bytes bytes = shown(m, p), over = shown(m, q);
	char from[PATH_SIZE], to[PATH_SIZE];
	struct fs_entry parent, new_parent;
	int r;

	if (p == q || !is_sure(m, p) || !is_sure(m, q) || (file && file->disturbed) ||
	    (target && target->disturbed))
		return;
	m->quiet = true;
	r = look(m, place_of(m, p / NAMES), &parent);
	if (r == 0)
		r = look(m, place_of(m, q / NAMES), &new_parent);
	if (r == 0)
		r = fs_rename(m->b.fs, &m->b.call, parent.ino, names[p % NAMES], new_parent.ino,
			      names[q % NAMES], flags);
	m->quiet = false;
	trace(m, "rename %s %s%s: %d\n", path_of(m, p, from), path_of(m, q, to),
	      flags ? " (no replace)" : "", r);
	if (!bytes.there)
		HOLDS(m, r == -ENOENT || m->failed);
	else if (flags && over.there)
		HOLDS(m, r == -EEXIST || m->failed);
	else
		HOLDS(m, r == 0 || m->failed || (file && file->shaky));
	if (r == 0) {
		must_be(m, p, &(struct bytes){0});
		must_be(m, q, &bytes);
		lose_name(m, q);
		m->paths[p].file = NULL;
		m->paths[q].file = file;
		if (file) {
			file->path = q;
			file->dirty = file->shaky = file->told = false;
			file->uploaded = true;
		}
		return;
	}
	if (!bytes.there || (flags && over.there))
		return;
	/* it is there still, or already, or both */
	{
		struct bytes now = object_of_path(m, p), then = object_of_path(m, q);

		HOLDS(m, same(&now, &m->paths[p].now) || same(&now, &bytes) || same(&then, &bytes));
	}
	may_be(m, p, &bytes);
	may_be_gone(m, p);
	may_be(m, q, &bytes);
	unsure(m, p);
	unsure(m, q);
	if (file)
		file->disturbed = file->loose = true;
	if (target)
		target->disturbed = true;
}

/* Some file of the directory that is not open will be unlinked at some request. */
static void plan_meanwhile(struct model *m, size_t d, struct interference *w)
{
	char buffer[PATH_SIZE];
	struct fs_entry entry;
	size_t i = below(m, NAMES);
	unsigned int in = 1 + (unsigned int)below(m, 16);

	pthread_mutex_lock(&m->lock);
	*w = (struct interference){.model = m};
	pthread_mutex_unlock(&m->lock);
	if (!one_in(m, 2) || m->paths[d * NAMES + i].file || !m->paths[d * NAMES + i].now.there ||
	    look(m, place_of(m, d), &entry) != 0)
		return;
	w->parent = entry.ino;
	w->name = names[i];
	trace(m, "unlink %s at request %u of\n", path_of(m, d * NAMES + i, buffer), in);
	pthread_mutex_lock(&m->lock);
	w->in = in;
	pthread_mutex_unlock(&m->lock);
}

/* True when it came; what it returned is in w->r. */
static bool end_meanwhile(struct model *m, struct interference *w)
{
	bool begun;

	pthread_mutex_lock(&m->lock);
	w->in = 0;
	begun = w->begun;
	while (begun && !w->under_way)
		pthread_cond_wait(&m->under_way, &m->lock);
	pthread_mutex_unlock(&m->lock);
	if (!begun)
		return false;
	w->r = meanwhile_join(&w->thread);
	meanwhile_deinit(&w->thread);
	trace(m, "  meanwhile, unlink %s: %d\n", w->name, w->r);
	return true;
}

/* A directory with all that is in it, to its other place. */
static void step_rename_dir(struct model *m)
{
	size_t d = 1;
	struct bytes bytes[NAMES], at[2][NAMES];
	bool shaky = false, unlinked;
	struct fs_entry parent = {0}, new_parent = {0};
	const char *name, *new_name;
	char buffer[PATH_SIZE];
	int r;

	if (!one_in(m, 3))
		return;
	for (size_t i = 0; i < NAMES; i++) {
		const struct path *path = &m->paths[d * NAMES + i];

		if (!is_sure(m, d * NAMES + i) || (path->file && path->file->disturbed))
			return;
		bytes[i] = shown(m, d * NAMES + i);
		shaky = shaky || (path->file && path->file->shaky);
	}
	name = strchr(dirs[d].places[m->place[d]], '/') + 1;
	new_name = strchr(dirs[d].places[!m->place[d]], '/') + 1;
	m->quiet = true;
	r = look(m, m->place[d] ? "two" : "one", &parent);
	if (r == 0)
		r = look(m, m->place[d] ? "one" : "two", &new_parent);
	plan_meanwhile(m, d, &m->meanwhile);
	if (r == 0)
		r = fs_rename(m->b.fs, &m->b.call, parent.ino, name, new_parent.ino, new_name, 0);
	unlinked = end_meanwhile(m, &m->meanwhile);
	m->quiet = false;
	trace(m, "rename %s %s: %d\n", dirs[d].places[m->place[d]], dirs[d].places[!m->place[d]],
	      r);
	for (int place = 0; place < 2; place++) {
		for (size_t i = 0; i < NAMES; i++)
			at[place][i] = object_of_path(m, d * NAMES + i);
		m->place[d] = !m->place[d];
	}
	if (unlinked && m->meanwhile.r < 0) {
		HOLDS(m, m->failed);
		m->over = true;
		return;
	}
	for (size_t i = 0; i < NAMES && unlinked; i++)
		if (!strcmp(names[i], m->meanwhile.name))
			bytes[i] = (struct bytes){0};
	if (r < 0) {
		bool is_old = true, is_new = true;

		HOLDS(m, m->failed || shaky);
		for (size_t i = 0; i < NAMES; i++) {
			const struct bytes *was = &m->paths[d * NAMES + i].now;

			is_old = is_old && (same(&at[0][i], was) || same(&at[0][i], &bytes[i]));
			is_new = is_new && same(&at[1][i], &bytes[i]);
			may_be(m, d * NAMES + i, &at[0][i]);
		}
		/* nothing is lost; what became of the rest cannot be told */
		HOLDS(m, is_old || is_new);
		m->over = true;
		return;
	}
	m->place[d] = !m->place[d];
	for (size_t i = 0; i < NAMES; i++) {
		struct file *file = m->paths[d * NAMES + i].file;

		HOLDS(m, !at[0][i].there);
		trace(m, "  %s\n", path_of(m, d * NAMES + i, buffer));
		must_be(m, d * NAMES + i, &bytes[i]);
		if (file) {
			file->dirty = file->shaky = file->told = false;
			file->uploaded = true;
		}
	}
}

static void step_directory(struct model *m)
{
	struct fs_entry entry, made;
	bool there = memory_has(&m->b.s3, "one", "m/");
	int r;

	m->quiet = true;
	r = look(m, "one", &entry);
	if (r == 0)
		r = there ? fs_rmdir(m->b.fs, &m->b.call, entry.ino, "m")
			  : fs_mkdir(m->b.fs, &m->b.call, entry.ino, "m", MAKER, &made);
	trace(m, "%s one/m: %d\n", there ? "rmdir" : "mkdir", r);
	HOLDS(m, r == 0 || m->failed);
	if (r == 0) {
		no_fault(m);
		HOLDS(m, memory_has(&m->b.s3, "one", "m/") == !there);
		HOLDS(m, exists(&m->b, "one/m") == !there);
	} else {
		test_clock_advance(&m->b.clock, m->ttl_ms + 1);
	}
	m->quiet = false;
}

/* A directory with something in it stays. */
static void step_rmdir(struct model *m)
{
	size_t d = 1 + below(m, DIRS - 1);
	bool empty = true;
	struct fs_entry entry;
	char buffer[PATH_SIZE], *name;
	int r;

	for (size_t i = 0; i < NAMES; i++) {
		size_t p = d * NAMES + i;

		if (shown(m, p).there && (m->paths[p].now.there || !m->paths[p].file->disturbed))
			empty = false;
	}
	if (empty)
		return;
	m->quiet = true;
	strcpy(buffer, place_of(m, d));
	name = strchr(buffer, '/');
	*name++ = '\0';
	r = look(m, buffer, &entry);
	if (r == 0)
		r = fs_rmdir(m->b.fs, &m->b.call, entry.ino, name);
	m->quiet = false;
	trace(m, "rmdir %s: %d\n", place_of(m, d), r);
	HOLDS(m, r == -ENOTEMPTY || m->failed);
}

/* ---- a crash ---- */

static uint64_t part_bytes = 16;

static uint64_t part_size(int number)
{
	return number < 6 ? part_bytes : 2 * part_bytes;
}

static const struct content_limits limits = {.part_size = part_size, .copy_max = 100};

static void mount_it(struct model *m)
{
	bench_mount(&m->b);
	m->b.fs->room.limits = &limits;
}

/* Nothing is saved; what was open is lost, and what was flushed is there. */
static void crash(struct model *m)
{
	bool quiet = m->quiet;

	trace(m, "crash\n");
	m->quiet = true;
	if (!m->is_down)
		no_fault(m);
	fs_free(m->b.fs);
	no_fault(m);
	HOLDS(m, memory_uploads(&m->b.s3, NULL) <= m->left_over);
	mount_it(m);
	m->quiet = quiet;
	memset(m->handles, 0, sizeof(m->handles));
	for (size_t p = 0; p < PATHS; p++) {
		m->paths[p].file = NULL;
		m->paths[p].unsure_until = 0;
	}
	m->n_files = 0;
}

static void step_crash(struct model *m)
{
	if (one_in(m, 4))
		crash(m);
}

/* ---- a sequence ---- */

static void begin_account(struct model *m)
{
	static const uint64_t parts[] = {16, 16, 50, 1000};
	static const size_t pages[] = {1000, 1000, 1, 2};

	memory_add_bucket(&m->b.s3, "one", CREATED_MS, "eu-west-1");
	memory_add_bucket(&m->b.s3, "two", CREATED_MS, "ap-south-1");
	put(&m->b, "one", "d/", "");
	put(&m->b, "two", "e/", "");
	part_bytes = parts[below(m, ARRAY_LEN(parts))];
	m->b.s3.part_min = part_bytes;
	m->b.s3.listing_size = pages[below(m, ARRAY_LEN(pages))];
	trace(m, "ttl %" PRId64 ", parts of %" PRIu64 ", pages of %zu\n", m->ttl_ms, part_bytes,
	      m->b.s3.listing_size);
	for (size_t p = 0; p < PATHS; p++) {
		char buffer[PATH_SIZE];
		struct object_id id = id_of(m, p, buffer);

		if (one_in(m, 2)) {
			struct bytes bytes = some_bytes(m, 150);

			memory_put(&m->b.s3, id.bucket, id.key, bytes.v, bytes.n);
		}
		m->paths[p].now = object_of_path(m, p);
	}
	memory_hook(&m->b.s3, hook, m);
}

static void step(struct model *m)
{
	static void (*const steps[])(struct model * m) = {
	    step_lookup, step_readdir, step_open,  step_open,     step_create,     step_create,
	    step_read,   step_read,    step_write, step_write,    step_write,      step_write,
	    step_flush,  step_flush,   step_flush, step_release,  step_release,    step_truncate,
	    step_unlink, step_rename,  step_other, step_clock,    step_rename_dir, step_directory,
	    step_rmdir,  step_crash,   step_write, step_truncate, step_rename};

	/* no more may be open at once than there is room to remember */
	if (m->n_files == FILES)
		crash(m);
	plan_fault(m);
	m->quiet = false;
	steps[below(m, ARRAY_LEN(steps))](m);
	if (m->is_down)
		crash(m);
	no_fault(m);
	if (!m->over)
		check_objects(m);
}

/* A new mount shows what there is. */
static void check_shown(struct model *m, size_t p)
{
	struct bytes bytes, now = object_of_path(m, p);
	char path[PATH_SIZE];
	struct fs_file *file;

	HOLDS(m, exists(&m->b, path_of(m, p, path)) == now.there);
	if (!now.there)
		return;
	file = open_file(&m->b, path, O_RDONLY);
	HOLDS(m, read_all(m, file, &bytes) == 0 && same(&bytes, &now));
	release(&m->b, file);
}

/* Without faults all that is open can be closed, and nothing is left. */
static void end_account(struct model *m)
{
	m->quiet = true;
	m->failed = m->others = false;
	for (size_t i = 0; i < HANDLES; i++) {
		if (!m->handles[i].fs)
			continue;
		release_handle(m, &m->handles[i]);
		if (!m->over)
			check_objects(m);
	}
	HOLDS(m, memory_uploads(&m->b.s3, NULL) <= m->left_over);
	crash(m);
	for (int place = 0; place < 2; place++) {
		for (size_t p = 0; p < PATHS; p++)
			check_shown(m, p);
		m->place[1] = !m->place[1];
	}
}

static void run_sequence(struct sequence *seq, void *data)
{
	static const int64_t ttls[] = {0, 1, TTL_MS, TTL_MS};
	struct model *m = data;

	*m = (struct model){.seq = seq, .main = pthread_self()};
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->under_way, NULL);
	log_lines_start(LOG_LEVEL_ERROR); /* what the faults have lost is not this test's */
	m->ttl_ms = ttls[below(m, ARRAY_LEN(ttls))];
	bench_prepare(&m->b, m->ttl_ms);
	mount_it(m);
	begin_account(m);
	for (int i = 0; i < STEPS && !m->over; i++)
		step(m);
	end_account(m);
	bench_end(&m->b);
	log_lines_stop();
	pthread_cond_destroy(&m->under_way);
	pthread_mutex_destroy(&m->lock);
}

static void sequences_hold(void **state)
{
	static struct model model;

	(void)state;
	sequences_run(SEQUENCES, run_sequence, &model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sequences_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
