/*
 * Generated sequences of what is done with one file, against plain bytes:
 *
 *	what was written is read; a call that fails changes nothing; a flush that returns 0 has the
 *	object be the file; at any time the object is what it was before the call, or what the file
 *	was (never a mix, never less); what is dirty stays so until a flush succeeds, and when
 *	nothing fails any more, it does; nothing is left behind.
 *
 * Requests fail before they are done, or when they are, the bytes on their way included.
 */
#include "content_bench.h"

#include <sched.h>

#include "sequence.h"
#include "xacctfs/util/log.h"

#define SEQUENCES 1000
#define STEPS     40

struct model {
	struct sequence *seq;
	struct bench b;
	unsigned int mark;

	uint8_t object[FILE_MAX]; /* what S3 had before the step */
	size_t object_size;
	bool object_there;
	uint8_t before[FILE_MAX]; /* what the file was then */
	size_t before_size;
	bool exclusive;
	bool empty_doubt; /* exclusive, and nobody knows whether it was made while it was empty */

	/* The fault that waits for a request of this step, and those that came. */
	pthread_mutex_t lock;
	unsigned int fault_in;       /* lock; 0: none */
	enum memory_when fault_when; /* lock */
	int fault_error;             /* lock */
	unsigned int faults;         /* lock: ever */
	unsigned int step_faults;    /* lock */
	size_t orphans;              /* lock: uploads whose creation was not answered */
	unsigned int trouble;        /* faults that came when the last flush succeeded */
};

/* Lengths around nothing and around parts are the interesting ones. */
static size_t some_len(struct model *m, size_t most)
{
	static const size_t lens[] = {1, 2, PART - 1, PART, PART + 1, 2 * PART, 3 * PART + 7};
	size_t len = one_in(m, 2) ? 1 + below(m, 600) : lens[below(m, ARRAY_LEN(lens))];

	if (one_in(m, 8))
		len = 1 + below(m, 6 * PART);
	return len < most ? len : most;
}

/* ---- faults ---- */

static int hook(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct model *m = data;
	int r = 0;

	(void)name;
	pthread_mutex_lock(&m->lock);
	if (m->fault_in > 0 && when == m->fault_when && --m->fault_in == 0) {
		r = m->fault_error;
		m->faults++;
		m->step_faults++;
		if (op == MEMORY_CREATE_UPLOAD && when == MEMORY_AFTER)
			m->orphans++;
	}
	pthread_mutex_unlock(&m->lock);
	return r;
}

static void plan_fault(struct model *m, bool may_fail)
{
	static const int errors[] = {-EIO, -EACCES, -EAGAIN, -ETIMEDOUT, -EKEYEXPIRED};

	pthread_mutex_lock(&m->lock);
	m->fault_in = may_fail && one_in(m, 4) ? 1 + (unsigned int)below(m, 6) : 0;
	m->fault_when = (enum memory_when)below(m, 2);
	m->fault_error = errors[below(m, ARRAY_LEN(errors))];
	m->step_faults = 0;
	pthread_mutex_unlock(&m->lock);
}

static bool troubled(struct model *m)
{
	bool troubled;

	pthread_mutex_lock(&m->lock);
	troubled = m->faults != m->trouble;
	pthread_mutex_unlock(&m->lock);
	return troubled;
}

static unsigned int faults_of_step(struct model *m)
{
	unsigned int n;

	pthread_mutex_lock(&m->lock);
	n = m->step_faults;
	pthread_mutex_unlock(&m->lock);
	return n;
}

/* Parts go on in the background; what they end with is this step's. */
static void settle_down(struct model *m)
{
	while (atomic_load(&m->b.room.under_way) > 0)
		sched_yield();
}

/* ---- what S3 has ---- */

static void remember(struct model *m)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	m->object_there = memory_read(&m->b.s3, BUCKET, KEY, &bytes);
	HOLDS(m, bytes.len <= FILE_MAX);
	m->object_size = bytes.len;
	if (bytes.len > 0)
		memcpy(m->object, bytes.data, bytes.len);
	memcpy(m->before, m->b.bytes, m->b.size);
	m->before_size = m->b.size;
}

static bool object_is(struct model *m, const uint8_t *bytes, size_t size)
{
	return memory_is(&m->b.s3, BUCKET, KEY, bytes, size);
}

static bool object_is_as_before(struct model *m)
{
	if (!m->object_there)
		return !memory_has(&m->b.s3, BUCKET, KEY);
	return object_is(m, m->object, m->object_size);
}

static void check_object(struct model *m)
{
	HOLDS(m, object_is_as_before(m) || object_is(m, m->before, m->before_size));
}

/* ---- steps ---- */

static void step_write(struct model *m)
{
	struct bench *b = &m->b;
	size_t offset = b->size, len;
	int r;

	if (one_in(m, 3))
		offset = below(m, b->size + 1);
	else if (one_in(m, 6))
		offset = below(m, 100) < b->size ? below(m, 100) : b->size;
	else if (one_in(m, 12))
		offset = b->size + below(m, 3 * PART);
	if (offset >= FILE_MAX)
		return;
	len = some_len(m, FILE_MAX - offset);
	m->mark++;
	r = bench_try_write(b, offset, len, m->mark);
	trace(m, "write %zu at %zu: %d\n", len, offset, r);
	HOLDS(m, r == 0 || troubled(m));
}

static void step_append(struct model *m)
{
	static uint8_t bytes[FILE_MAX];
	struct bench *b = &m->b;
	size_t len;
	int r;

	if (b->size == FILE_MAX)
		return;
	len = some_len(m, FILE_MAX - b->size);
	m->mark++;
	bench_fill(bytes, b->size, len, m->mark);
	r = content_append(b->content, &b->call, bytes, len);
	trace(m, "append %zu: %d\n", len, r);
	HOLDS(m, r == 0 || troubled(m));
	if (r == 0)
		bench_expect_write(b, b->size, len, m->mark);
}

static void step_truncate(struct model *m)
{
	struct bench *b = &m->b;
	size_t size = below(m, b->size + 1);
	int r;

	if (one_in(m, 4))
		size = 0;
	else if (one_in(m, 3))
		size = b->size + some_len(m, FILE_MAX - b->size + 1) - 1;
	r = bench_try_truncate(b, size);
	trace(m, "truncate %zu: %d\n", size, r);
	HOLDS(m, r == 0 || troubled(m));
}

static void step_read(struct model *m)
{
	struct bench *b = &m->b;
	size_t offset = below(m, b->size + 100), len = some_len(m, FILE_MAX), n = 0;
	uint8_t *got = malloc(len);
	int r;

	assert_non_null(got);
	r = content_read(b->content, &b->call, offset, len, got, &n);
	trace(m, "read %zu at %zu: %d, %zu\n", len, offset, r, n);
	HOLDS(m, r == 0 || troubled(m));
	if (r == 0) {
		size_t left = offset < b->size ? b->size - offset : 0;

		HOLDS(m, n == (left < len ? left : len));
		HOLDS(m, n == 0 || !memcmp(got, b->bytes + offset, n));
	}
	free(got);
}

static int flush(struct model *m)
{
	struct bench *b = &m->b;
	struct object object = {0};
	bool dirty = content_dirty(b->content);
	int r = content_flush(b->content, &b->call, &object);

	trace(m, "flush: %d\n", r);
	if (r == 0) {
		HOLDS(m, bench_is_saved(b));
		HOLDS(m, !content_dirty(b->content));
		HOLDS(m, dirty == (object.etag != NULL));
		HOLDS(m, !dirty || object.size == b->size);
		pthread_mutex_lock(&m->lock);
		m->trouble = m->faults;
		pthread_mutex_unlock(&m->lock);
		m->exclusive = false;
		m->empty_doubt = false;
	} else {
		HOLDS(m, dirty && content_dirty(b->content));
		if (m->exclusive && b->size == 0 && faults_of_step(m) > 0)
			m->empty_doubt = true;
	}
	object_deinit(&object);
	return r;
}

static void step_flush(struct model *m)
{
	bool was_troubled = troubled(m);
	int r = flush(m);

	HOLDS(m, r == 0 || was_troubled || troubled(m) || m->empty_doubt);
}

static void step_params(struct model *m)
{
	char value[32];
	struct object_meta meta = {(char *)(uintptr_t) "mtime", value};
	struct put_params params = {.content_type = "text/plain", .meta = &meta, .n_meta = 1};

	snprintf(value, sizeof(value), "%u", ++m->mark);
	trace(m, "set parameters\n");
	HOLDS(m, content_set_params(m->b.content, &params, true) == 0);
}

/*
 * Nothing fails now. The first flush may tell of a part that failed before; the second one saves.
 * Not so an empty file that was made exclusively, and whose first answer was lost.
 */
static void save(struct model *m)
{
	int r = flush(m);

	if (r < 0 && troubled(m))
		r = flush(m);
	HOLDS(m, r == 0 || (r == -EEXIST && m->empty_doubt && object_is(m, m->object, 0)));
}

static void open_what_is_there(struct model *m)
{
	struct bench *b = &m->b;
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	m->exclusive = false;
	m->empty_doubt = false;
	if (memory_read(&b->s3, BUCKET, KEY, &bytes)) {
		bench_open(b);
		b->size = bytes.len;
		if (bytes.len > 0)
			memcpy(b->bytes, bytes.data, bytes.len);
	} else {
		m->exclusive = one_in(m, 2);
		bench_create(b, m->exclusive);
	}
	trace(m, "opened, %zu bytes, %s\n", b->size, m->exclusive ? "exclusive" : "shared");
	pthread_mutex_lock(&m->lock);
	m->trouble = m->faults;
	pthread_mutex_unlock(&m->lock);
}

/* Closed with what was not flushed, which is lost; opened again. */
static void step_reopen(struct model *m)
{
	struct bench *b = &m->b;
	bool kept = one_in(m, 2);

	plan_fault(m, false);
	trace(m, "closed%s\n", kept ? ", saved" : "");
	if (kept)
		save(m);
	bench_close(b);
	check_object(m);
	HOLDS(m, memory_uploads(&b->s3, NULL) == m->orphans);
	if (one_in(m, 3)) {
		memory_remove(&b->s3, BUCKET, KEY);
		trace(m, "removed\n");
	}
	open_what_is_there(m);
	remember(m);
}

static void step(struct model *m)
{
	static void (*const steps[])(struct model *) = {
	    step_write, step_write, step_write,    step_append, step_append, step_append,
	    step_read,  step_read,  step_truncate, step_flush,  step_flush,  step_params,
	};

	remember(m);
	plan_fault(m, true);
	if (one_in(m, 12))
		step_reopen(m);
	else
		steps[below(m, ARRAY_LEN(steps))](m);
	settle_down(m);
	if (faults_of_step(m) > 0)
		trace(m, "  a request failed: %d %s\n", m->fault_error,
		      m->fault_when == MEMORY_BEFORE ? "before" : "after");
	HOLDS(m, content_size(m->b.content) == m->b.size);
	check_object(m);
}

static void check_bytes(struct model *m)
{
	struct bench *b = &m->b;
	uint8_t *got = malloc(FILE_MAX);
	size_t n = 0;

	assert_non_null(got);
	HOLDS(m, content_read(b->content, &b->call, 0, FILE_MAX, got, &n) == 0);
	HOLDS(m, n == b->size && !memcmp(got, b->bytes, n));
	free(got);
}

static void run_sequence(struct sequence *seq, void *data)
{
	static const size_t memories[] = {PART, 4 * PART, 16 * PART, 64 * PART, 1 << 20};
	struct model *m = data;

	*m = (struct model){.seq = seq};
	pthread_mutex_init(&m->lock, NULL);
	bench_begin(&m->b, memories[below(m, ARRAY_LEN(memories))]);
	m->b.limits.copy_max = one_in(m, 2) ? 5 * PART : S3_PART_MAX;
	memory_hook(&m->b.s3, hook, m);
	trace(m, "memory %zu, copies up to %" PRIu64 "\n", m->b.memory.limit, m->b.limits.copy_max);
	open_what_is_there(m);
	for (int i = 0; i < STEPS; i++)
		step(m);
	plan_fault(m, false);
	remember(m);
	save(m);
	if (!m->empty_doubt)
		check_bytes(m);
	bench_end_with(&m->b, m->orphans);
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

	log_init(LOG_SINK_STDERR, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
