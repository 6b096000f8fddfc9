/*
 * Generated sequences of operations at the root, against a plain model of fs.h's contract:
 *
 *	what this mount did is seen at once; what others did within one TTL of the moment when it
 *was done, the validity that was given with an answer included; an error changes nothing; a listing
 *	serves for a TTL without a request; every inode is known until it was forgotten as often as
 *	it was handed out, one at a time for a name, and no number comes twice.
 *
 * While a request is under way other clients change the account, time passes, this mount makes
 * buckets, and requests fail before they are done or after.
 */
#include "bench.h"

#include "sequence.h"
#include "xacctfs/util/log.h"

#define SEQUENCES  10000
#define STEPS      60
#define STATES_MAX 2048
#define INODES_MAX 4096
#define DIRS       2
#define LONG_AGO   INT64_MIN
#define NOT_THERE  INT64_C(-1)

/* One is the beginning of another; one may be there, but is not to be made. */
static const char *const names[] = {"alpha", "alpha-2", "beta", "gamma.x", "Old_Style", "zeta"};
#define NAMES   ARRAY_LEN(names)
#define OLD_ONE 4

/* What the account had under a name, from a moment on until the next state's. */
struct state {
	int64_t since_ms;
	int64_t created_ms; /* or NOT_THERE */
};

struct name {
	struct state states[STATES_MAX];
	size_t n;
	size_t own;      /* the state that this mount's last doing led to: no answer is older */
	uint64_t st_ino; /* 0 before it was seen */
	size_t inode;    /* index of that handed out last, + 1; 0: it was told to be gone */
};

/* A number that was handed out. */
struct inode {
	uint64_t ino;
	size_t name;
	size_t states;    /* of the name, when it was handed out last */
	uint64_t count;   /* how often it was handed out and not forgotten */
	int64_t given_ms; /* the date that was handed out last */
};

struct open_dir {
	struct fs_dir *dir; /* NULL: closed */
	int64_t asked_ms;
	uint64_t own_changes; /* model's, then */
	size_t v[NAMES];      /* the names in it */
	size_t n;
};

struct model {
	struct sequence *seq;
	struct bench b;
	int64_t ttl_ms;
	struct name names[NAMES];
	struct open_dir dirs[DIRS];
	uint64_t own_changes;
	int64_t listed_until_ms;         /* a listing is at hand until then */
	struct inode inodes[INODES_MAX]; /* ever handed out */
	size_t n_inodes;
	unsigned int depth; /* in hooks */

	/* The fault that waits for this step's requests. */
	enum memory_op fault_op;
	enum memory_when fault_when;
	unsigned int fault_in; /* the how manieth; 0: none */
	int fault_error;
	bool failed; /* it came */
};

/* ---- the account, as it was over time ---- */

static int64_t now_ms(struct model *m)
{
	return test_clock_boot_ms(&m->b.clock);
}

static int64_t wall_ms(struct model *m)
{
	return m->b.clock.clock.wall_ms(&m->b.clock.clock);
}

static int64_t present_state(const struct model *m, size_t i)
{
	return m->names[i].states[m->names[i].n - 1].created_ms;
}

static void becomes(struct model *m, size_t i, int64_t created_ms)
{
	struct name *name = &m->names[i];

	HOLDS(m, name->n < STATES_MAX);
	name->states[name->n++] = (struct state){now_ms(m), created_ms};
}

/* True if the account had that at some moment since from_ms, from the state `first` on. */
static bool was(const struct model *m, size_t i, size_t first, int64_t from_ms, int64_t created_ms)
{
	const struct name *name = &m->names[i];

	for (size_t s = first; s < name->n; s++) {
		bool ended = s + 1 < name->n && name->states[s + 1].since_ms < from_ms;

		if (!ended && name->states[s].created_ms == created_ms)
			return true;
	}
	return false;
}

static bool was_there(const struct model *m, size_t i, size_t first, int64_t from_ms)
{
	const struct name *name = &m->names[i];

	for (size_t s = first; s < name->n; s++)
		if (name->states[s].created_ms != NOT_THERE &&
		    was(m, i, s, from_ms, name->states[s].created_ms))
			return true;
	return false;
}

/* ---- an operation of the mount's, from its start ---- */

struct operation {
	int64_t start_ms;
	size_t own[NAMES];
	uint64_t own_changes;
	size_t lists, deletes;
};

static struct operation begin(struct model *m)
{
	struct operation op = {.start_ms = now_ms(m), .own_changes = m->own_changes};

	for (size_t i = 0; i < NAMES; i++)
		op.own[i] = m->names[i].own;
	op.lists = memory_count(&m->b.s3, MEMORY_LIST_BUCKETS);
	op.deletes = memory_count(&m->b.s3, MEMORY_DELETE_BUCKET);
	return op;
}

static size_t lists_since(struct model *m, const struct operation *op)
{
	return memory_count(&m->b.s3, MEMORY_LIST_BUCKETS) - op->lists;
}

static bool deletes_since(struct model *m, const struct operation *op)
{
	return memory_count(&m->b.s3, MEMORY_DELETE_BUCKET) > op->deletes;
}

/* The oldest moment that an answer without validity may be of: it was good when the operation
 * began, or asked for then. */
static int64_t oldest_ms(const struct model *m, const struct operation *op)
{
	return m->ttl_ms > 0 ? op->start_ms - m->ttl_ms + 1 : op->start_ms;
}

/* An answer to a lookup, with its validity. */
static void check_answer(struct model *m, const struct operation *op, size_t i, int64_t created_ms,
			 int64_t valid_ms)
{
	HOLDS(m, valid_ms >= 0 && valid_ms <= m->ttl_ms);
	if (valid_ms > 0)
		HOLDS(m, was(m, i, m->names[i].own, now_ms(m) + valid_ms - m->ttl_ms, created_ms));
	else
		HOLDS(m, was(m, i, op->own[i], oldest_ms(m, op), created_ms));
}

static void check_requests(struct model *m, const struct operation *op)
{
	if (op->start_ms < m->listed_until_ms)
		HOLDS(m, lists_since(m, op) == 0);
	if (m->b.s3.page_size > NAMES)
		HOLDS(m, lists_since(m, op) <= 1);
}

/* ---- inodes ---- */

static size_t find_inode(const struct model *m, uint64_t ino)
{
	size_t i = 0;

	while (i < m->n_inodes && m->inodes[i].ino != ino)
		i++;
	return i;
}

static int64_t date_of(const struct stat *attr)
{
	return attr->st_mtim.tv_sec * 1000 + attr->st_mtim.tv_nsec / 1000000;
}

static void check_number(struct model *m, size_t i, uint64_t st_ino)
{
	struct name *name = &m->names[i];

	HOLDS(m, st_ino > FS_ROOT);
	HOLDS(m, name->st_ino == 0 || name->st_ino == st_ino);
	name->st_ino = st_ino;
}

/* The kernel takes an entry. */
static void take(struct model *m, size_t i, const struct fs_entry *entry)
{
	struct name *name = &m->names[i];
	struct inode *inode;
	size_t k;

	HOLDS(m, entry->ino > FS_ROOT);
	HOLDS(m, entry->attr.st_mode == (S_IFDIR | DIR_MODE));
	HOLDS(m, entry->attr.st_uid == UID && entry->attr.st_gid == GID);
	check_number(m, i, entry->attr.st_ino);
	k = find_inode(m, entry->ino);
	if (k == m->n_inodes) {
		HOLDS(m, m->n_inodes < INODES_MAX);
		m->inodes[m->n_inodes++] = (struct inode){.ino = entry->ino, .name = i};
	}
	/* the one of before, if the bucket was there all the time */
	if (name->inode && m->inodes[name->inode - 1].count > 0 &&
	    m->inodes[name->inode - 1].states == name->n)
		HOLDS(m, k == name->inode - 1);
	inode = &m->inodes[k];
	HOLDS(m, inode->name == i);
	inode->count++;
	inode->states = name->n;
	inode->given_ms = date_of(&entry->attr);
	name->inode = k + 1;
}

/* All that is held answers; what is not may, or is no longer known. */
static void check_inodes(struct model *m)
{
	for (size_t k = 0; k < m->n_inodes; k++) {
		const struct inode *inode = &m->inodes[k];
		struct stat attr;
		int64_t valid_ms;
		int r = fs_getattr(m->b.fs, &m->b.call, inode->ino, &attr, &valid_ms);

		HOLDS(m, r == 0 || (r == -ESTALE && inode->count == 0));
		if (r < 0)
			continue;
		/* a removed bucket's number is its own */
		HOLDS(m, attr.st_ino == m->names[inode->name].st_ino || attr.st_ino == inode->ino);
		HOLDS(m, inode->count == 0 || date_of(&attr) == inode->given_ms);
		HOLDS(m, valid_ms <= m->ttl_ms);
	}
}

static void forget(struct model *m, size_t k, uint64_t count)
{
	struct inode *inode = &m->inodes[k];

	trace(m, "forget %s (%" PRIu64 ") %" PRIu64 " of %" PRIu64 "\n", names[inode->name],
	      inode->ino, count, inode->count);
	fs_forget(m->b.fs, inode->ino, count);
	inode->count -= count;
}

static void step_forget(struct model *m)
{
	size_t k = m->n_inodes ? below(m, m->n_inodes) : 0;

	if (m->n_inodes > 0 && m->inodes[k].count > 0)
		forget(m, k, 1 + below(m, (size_t)m->inodes[k].count));
	check_inodes(m);
}

/* ---- what else happens ---- */

static void step_other(struct model *m)
{
	size_t i = below(m, NAMES);
	int64_t created_ms = wall_ms(m) + (int64_t)below(m, 1000);

	if (present_state(m, i) != NOT_THERE) {
		trace(m, "another removes %s\n", names[i]);
		HOLDS(m, memory_remove_bucket(&m->b.s3, names[i]));
		becomes(m, i, NOT_THERE);
	}
	if (m->names[i].n == 1 || one_in(m, 2)) {
		trace(m, "another makes %s\n", names[i]);
		memory_add_bucket(&m->b.s3, names[i], created_ms, MEMORY_REGION);
		becomes(m, i, created_ms);
	}
}

static void step_clock(struct model *m)
{
	const int64_t steps[] = {1,         m->ttl_ms / 2, m->ttl_ms - 1,
				 m->ttl_ms, m->ttl_ms + 1, (int64_t)below(m, 3000)};
	int64_t ms = steps[below(m, ARRAY_LEN(steps))];

	if (ms <= 0)
		return;
	test_clock_advance(&m->b.clock, ms);
	trace(m, "%" PRId64 " ms pass, it is %" PRId64 "\n", ms, now_ms(m));
}

static void step_mkdir(struct model *m);

/* While a request is under way. What is made has the date at which it was asked for. */
static void meanwhile(struct model *m, enum memory_op op, enum memory_when when)
{
	unsigned int fault_in = m->fault_in;
	bool failed = m->failed;

	trace(m, "  meanwhile: ");
	if (one_in(m, 3) && !(op == MEMORY_CREATE_BUCKET && when == MEMORY_BEFORE)) {
		step_clock(m);
	} else if (one_in(m, 3) && op == MEMORY_LIST_BUCKETS) {
		m->fault_in = 0;
		m->failed = false;
		step_mkdir(m);
		m->fault_in = fault_in;
		m->failed = failed;
	} else {
		step_other(m);
	}
}

static bool fault_comes(struct model *m, enum memory_op op, enum memory_when when)
{
	if (m->fault_in == 0 || op != m->fault_op || when != m->fault_when || --m->fault_in > 0)
		return false;
	m->failed = true;
	return true;
}

/* A change that was done; this mount knows when the answer is not lost. */
static void note_change(struct model *m, enum memory_op op, const char *bucket, bool answered)
{
	size_t i = 0;

	while (strcmp(names[i], bucket) != 0)
		i++;
	becomes(m, i, op == MEMORY_CREATE_BUCKET ? wall_ms(m) : NOT_THERE);
	if (answered) {
		m->names[i].own = m->names[i].n - 1;
		m->own_changes++;
	}
}

static int hook(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct model *m = data;
	bool fails = fault_comes(m, op, when);

	if (when == MEMORY_AFTER && (op == MEMORY_CREATE_BUCKET || op == MEMORY_DELETE_BUCKET))
		note_change(m, op, name, !fails);
	if (fails) {
		trace(m, "  request %d %s fails\n", (int)op, when ? "after" : "before");
		return m->fault_error;
	}
	if (m->depth == 0 && one_in(m, 6)) {
		m->depth++;
		for (size_t n = 1 + below(m, 3); n > 0; n--)
			meanwhile(m, op, when);
		m->depth--;
	}
	return 0;
}

static void plan_fault(struct model *m)
{
	static const int errors[] = {-EIO,         -EACCES, -EAGAIN,   -ETIMEDOUT,
				     -EKEYEXPIRED, -EINTR,  -ENOTEMPTY};

	m->failed = false;
	m->fault_in = one_in(m, 4) ? 1 + (unsigned int)below(m, 3) : 0;
	m->fault_op = (enum memory_op)below(m, MEMORY_HEAD_BUCKET);
	m->fault_when = (enum memory_when)below(m, 2);
	m->fault_error = errors[below(m, ARRAY_LEN(errors))];
}

/* ---- names ---- */

static void step_lookup(struct model *m)
{
	size_t i = below(m, NAMES);
	struct fs_entry entry = {.ino = 42};
	struct operation op = begin(m);
	int r = fs_lookup(m->b.fs, &m->b.call, FS_ROOT, names[i], &entry);

	trace(m, "lookup %s: %d, inode %" PRIu64 ", valid %" PRId64 "\n", names[i], r, entry.ino,
	      entry.valid_ms);
	check_requests(m, &op);
	HOLDS(m, r == (m->failed ? m->fault_error : 0));
	if (r < 0) {
		HOLDS(m, entry.ino == 42);
		return;
	}
	check_answer(m, &op, i, entry.ino ? date_of(&entry.attr) : NOT_THERE, entry.valid_ms);
	if (entry.ino)
		take(m, i, &entry);
	else
		m->names[i].inode = 0;
}

static void step_mkdir(struct model *m)
{
	size_t i = below(m, NAMES), made = m->names[i].own;
	struct fs_entry entry = {.ino = 42};
	struct operation op = begin(m);
	int r = fs_mkdir(m->b.fs, &m->b.call, FS_ROOT, names[i], MAKER, &entry);

	trace(m, "mkdir %s: %d, inode %" PRIu64 ", valid %" PRId64 "\n", names[i], r, entry.ino,
	      entry.valid_ms);
	HOLDS(m, lists_since(m, &op) == 0);
	HOLDS(m, !m->failed || r == m->fault_error);
	if (r < 0) {
		HOLDS(m, entry.ino == 42);
		HOLDS(m, m->failed || r == (i == OLD_ONE ? -EINVAL : -EEXIST));
		HOLDS(m, r != -EEXIST || present_state(m, i) != NOT_THERE);
		return;
	}
	HOLDS(m, m->names[i].own > made);
	check_answer(m, &op, i, date_of(&entry.attr), entry.valid_ms);
	take(m, i, &entry);
}

static void step_rmdir(struct model *m)
{
	size_t i = below(m, NAMES);
	struct operation op = begin(m);
	int r = fs_rmdir(m->b.fs, &m->b.call, FS_ROOT, names[i]);

	trace(m, "rmdir %s: %d\n", names[i], r);
	check_requests(m, &op);
	HOLDS(m, !m->failed || r == m->fault_error);
	if (deletes_since(m, &op))
		HOLDS(m, was_there(m, i, op.own[i], oldest_ms(m, &op)));
	if (m->failed)
		return;
	HOLDS(m, r == 0 || r == -ENOENT);
	m->names[i].inode = 0;
	if (r == 0) {
		HOLDS(m, m->names[i].own > op.own[i]);
	} else if (deletes_since(m, &op)) {
		/* the server told that another was first */
		HOLDS(m, present_state(m, i) == NOT_THERE);
		m->names[i].own = m->names[i].n - 1;
		m->own_changes++;
	} else {
		HOLDS(m, was(m, i, op.own[i], oldest_ms(m, &op), NOT_THERE));
	}
}

/* ---- directories ---- */

static size_t index_of(struct model *m, const char *found)
{
	size_t i = 0;

	while (i < NAMES && strcmp(names[i], found) != 0)
		i++;
	HOLDS(m, i < NAMES);
	return i;
}

/* Reads on from offset. Returns how many names there are behind the dots. */
static size_t read_names(struct model *m, struct fs_dir *dir, uint64_t offset, size_t v[NAMES])
{
	struct fs_dirent dirent;
	size_t n = 0;
	int r;

	while ((r = fs_readdir(m->b.fs, &m->b.call, dir, offset, &dirent)) == 0) {
		HOLDS(m, dirent.mode == S_IFDIR && dirent.next > offset);
		offset = dirent.next;
		HOLDS(m, n < NAMES);
		v[n] = index_of(m, dirent.name);
		check_number(m, v[n], dirent.st_ino);
		for (size_t i = 0; i < n; i++)
			HOLDS(m, v[i] != v[n]);
		n++;
	}
	HOLDS(m, r == -ENOENT);
	return n;
}

static bool lists_name(const struct open_dir *d, size_t i)
{
	for (size_t k = 0; k < d->n; k++)
		if (d->v[k] == i)
			return true;
	return false;
}

static uint64_t after_dots(struct model *m, struct fs_dir *dir, const struct fs_dirent *dot)
{
	struct fs_dirent dots;

	HOLDS(m, !strcmp(dot->name, "."));
	HOLDS(m, fs_readdir(m->b.fs, &m->b.call, dir, dot->next, &dots) == 0);
	HOLDS(m, !strcmp(dots.name, ".."));
	return dots.next;
}

/* A directory that was just opened or rewound, in the operation op. */
static void read_fresh(struct model *m, struct open_dir *d, const struct operation *op,
		       const struct fs_dirent *dot)
{
	d->n = read_names(m, d->dir, after_dots(m, d->dir, dot), d->v);
	d->asked_ms = op->start_ms;
	d->own_changes = op->own_changes;
	for (size_t i = 0; i < NAMES; i++) {
		if (lists_name(d, i))
			HOLDS(m, was_there(m, i, op->own[i], oldest_ms(m, op)));
		else
			HOLDS(m, was(m, i, op->own[i], oldest_ms(m, op), NOT_THERE));
	}
	if (lists_since(m, op) > 0 && op->own_changes == m->own_changes)
		m->listed_until_ms = op->start_ms + m->ttl_ms;
}

static void step_open(struct model *m, struct open_dir *d)
{
	struct operation op = begin(m);
	struct fs_dirent dot;
	int r = fs_opendir(m->b.fs, &m->b.call, FS_ROOT, &d->dir);

	trace(m, "opendir: %d\n", r);
	check_requests(m, &op);
	HOLDS(m, r == (m->failed ? m->fault_error : 0));
	if (r == 0) {
		HOLDS(m, fs_readdir(m->b.fs, &m->b.call, d->dir, 0, &dot) == 0);
		read_fresh(m, d, &op, &dot);
	}
}

static void step_rewind(struct model *m, struct open_dir *d)
{
	struct operation op = begin(m);
	struct fs_dirent dot;
	int r = fs_readdir(m->b.fs, &m->b.call, d->dir, 0, &dot);

	trace(m, "rewinddir: %d\n", r);
	HOLDS(m, r == (m->failed ? m->fault_error : 0));
	check_requests(m, &op);
	if (r == 0)
		read_fresh(m, d, &op, &dot);
}

/* Read again without being rewound, it is what it was. */
static void step_reread(struct model *m, struct open_dir *d)
{
	struct operation op = begin(m);
	size_t v[NAMES], n;

	trace(m, "seekdir\n");
	n = read_names(m, d->dir, 2, v);
	HOLDS(m, n == d->n && !memcmp(v, d->v, n * sizeof(*v)));
	HOLDS(m, lists_since(m, &op) == 0);
}

static void check_entry(struct model *m, const struct open_dir *d, const struct operation *op,
			size_t i, const struct fs_entry *entry)
{
	int64_t date = date_of(&entry->attr);

	if (entry->ino == 0) {
		HOLDS(m, d->own_changes < m->own_changes || now_ms(m) >= d->asked_ms + m->ttl_ms);
	} else if (entry->valid_ms > 0) {
		check_answer(m, op, i, date, entry->valid_ms);
	} else {
		/* an old listing's, but from after what this mount did */
		HOLDS(m, entry->valid_ms == 0 && was(m, i, m->names[i].own, LONG_AGO, date));
	}
}

static void step_plus(struct model *m, struct open_dir *d)
{
	struct operation op = begin(m);
	uint64_t offset = 2;

	for (size_t k = 0; k < d->n; k++) {
		struct fs_dirent dirent;
		struct fs_entry entry;

		HOLDS(m, fs_readdir(m->b.fs, &m->b.call, d->dir, offset, &dirent) == 0);
		HOLDS(m, fs_readdir_entry(m->b.fs, &m->b.call, d->dir, &dirent, 0, &entry) == 0);
		trace(m, "readdirplus %s: inode %" PRIu64 ", valid %" PRId64 "\n", dirent.name,
		      entry.ino, entry.valid_ms);
		check_entry(m, d, &op, d->v[k], &entry);
		if (entry.ino)
			take(m, d->v[k], &entry);
		offset = dirent.next;
	}
	HOLDS(m, lists_since(m, &op) == 0);
}

static void close_dir(struct model *m, struct open_dir *d)
{
	fs_releasedir(m->b.fs, d->dir);
	d->dir = NULL;
}

static void step_dir(struct model *m)
{
	struct open_dir *d = &m->dirs[below(m, DIRS)];

	if (!d->dir) {
		step_open(m, d);
		return;
	}
	switch (below(m, 6)) {
	case 0:
		step_rewind(m, d);
		break;
	case 1:
		step_reread(m, d);
		break;
	case 2:
		close_dir(m, d);
		break;
	default:
		step_plus(m, d);
		break;
	}
}

/* ---- a sequence ---- */

static void begin_account(struct model *m)
{
	static const size_t page_sizes[] = {SIZE_MAX, SIZE_MAX, 1, 2, 3};

	m->b.s3.page_size = page_sizes[below(m, ARRAY_LEN(page_sizes))];
	m->b.s3.ignores_prefix = one_in(m, 4);
	memory_add_bucket(&m->b.s3, "a/b", CREATED_MS, MEMORY_REGION);
	memory_add_bucket(&m->b.s3, "..", CREATED_MS, MEMORY_REGION);
	for (size_t i = 0; i < NAMES; i++) {
		bool is = one_in(m, 2);

		m->names[i].states[0] = (struct state){LONG_AGO, is ? CREATED_MS : NOT_THERE};
		m->names[i].n = 1;
		if (is)
			memory_add_bucket(&m->b.s3, names[i], CREATED_MS, MEMORY_REGION);
	}
	memory_hook(&m->b.s3, hook, m);
	trace(m, "ttl %" PRId64 ", pages of %zu%s\n", m->ttl_ms, m->b.s3.page_size,
	      m->b.s3.ignores_prefix ? ", prefix ignored" : "");
}

static void step(struct model *m)
{
	static void (*const steps[])(struct model * m) = {
	    step_lookup, step_lookup, step_lookup, step_mkdir, step_rmdir,  step_other,
	    step_other,  step_clock,  step_clock,  step_dir,   step_forget, step_dir};

	plan_fault(m);
	steps[below(m, ARRAY_LEN(steps))](m);
	m->fault_in = 0;
}

/* The account is what the model thinks, and nothing that was handed out is left. */
static void end_account(struct model *m)
{
	for (size_t i = 0; i < NAMES; i++) {
		HOLDS(m,
		      memory_has_bucket(&m->b.s3, names[i]) == (present_state(m, i) != NOT_THERE));
	}
	for (size_t k = 0; k < m->n_inodes; k++)
		if (m->inodes[k].count > 0)
			forget(m, k, m->inodes[k].count);
	check_inodes(m);
	for (size_t i = 0; i < DIRS; i++)
		if (m->dirs[i].dir)
			close_dir(m, &m->dirs[i]);
}

static void run_sequence(struct sequence *seq, void *data)
{
	static const int64_t ttls[] = {0, 1, 10, TTL_MS, TTL_MS};
	struct model *m = data;

	*m = (struct model){.seq = seq};
	m->ttl_ms = ttls[below(m, ARRAY_LEN(ttls))];
	bench_begin(&m->b, m->ttl_ms);
	begin_account(m);
	for (int i = 0; i < STEPS; i++)
		step(m);
	end_account(m);
	bench_end(&m->b);
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

	log_init(LOG_SINK_STDERR, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
