/*
 * unit/fs/reader_bench: a reader over a store with one object, whose GETs are counted, can be held
 * back in the middle, and fail when the test says so.
 */
#ifndef FS_READER_BENCH_H
#define FS_READER_BENCH_H

#include "../../../src/fs/reader/reader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "test_clock.h"
#include "xacctfs/util/cleanup.h"

#define KIB          ((size_t)1 << 10)
#define MIB          ((size_t)1 << 20)
#define CHUNK        (16 * KIB)
#define GETS_MAX     100000
#define UNLIMITED    SIZE_MAX
#define POOL_THREADS 4

struct got {
	uint64_t offset, len;
	char if_match[24]; /* "" for none */
	char key[24];
};

struct bench {
	struct store store; /* first: what is handed out is a pointer to it */
	struct test_clock clock;
	struct clock timeless; /* in which a wait that nobody ends never ends */
	struct pool *pool;
	struct call_group group;
	struct memory_purse purse;
	struct reader_room room;
	struct reader *reader;

	pthread_mutex_t lock;
	pthread_cond_t moved; /* a GET is held back, or no longer */
	/* all below: lock */
	char key[24];
	unsigned int version; /* of the bytes; the ETag is made of it */
	bool gone, no_etag;
	uint64_t size;
	struct got gets[GETS_MAX];
	size_t n_gets;
	uint64_t bytes;     /* that were sent */
	size_t held_back;   /* GETs */
	size_t allowed;     /* a GET sends so many bytes, then it is held back */
	uint64_t hold_from; /* only GETs from there on are held back */
	int fail;           /* this is what a GET ends with ... */
	size_t fail_after;  /* ... behind so many bytes */
	uint64_t fail_from; /* when it is of that offset, or a later one */
	unsigned int fail_times;
};

/* The eight bytes of that version at 8 * i. */
static inline uint64_t word_at(unsigned int version, uint64_t i)
{
	uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) + version * UINT64_C(0xc2b2ae35);

	return x ^ x >> 29;
}

static inline uint8_t byte_at(unsigned int version, uint64_t pos)
{
	return (uint8_t)(word_at(version, pos / 8) >> (8 * (pos % 8)));
}

static inline void fill(unsigned int version, uint64_t offset, uint8_t *data, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint64_t word = word_at(version, (offset + i) / 8);

		if ((offset + i) % 8 == 0 && n - i >= 8) {
			memcpy(data + i, &word, 8); /* of a little-endian machine */
			i += 8;
		} else {
			data[i] = byte_at(version, offset + i);
			i++;
		}
	}
}

static inline void etag_of(unsigned int version, char ret_etag[24])
{
	snprintf(ret_etag, 24, "\"v%u\"", version);
}

/* A GET that is under way. */
struct transfer {
	struct bench *bench;
	struct call *call;
	const struct get_params *params;
	bool cancelled; /* bench->lock */
};

static inline void transfer_cancel(void *data)
{
	struct transfer *transfer = data;

	pthread_mutex_lock(&transfer->bench->lock);
	transfer->cancelled = true;
	pthread_cond_broadcast(&transfer->bench->moved);
	pthread_mutex_unlock(&transfer->bench->lock);
}

static inline int go_on_locked(const struct transfer *transfer)
{
	if (transfer->cancelled)
		return -EINTR;
	return call_remaining_ms(transfer->call) == 0 ? -ETIMEDOUT : 0;
}

/* Waits while the test holds the GET back. */
static inline int pass_locked(const struct transfer *transfer, size_t sent)
{
	struct bench *bench = transfer->bench;
	int r = go_on_locked(transfer);

	if (sent < bench->allowed || transfer->params->offset < bench->hold_from)
		return r;
	bench->held_back++;
	pthread_cond_broadcast(&bench->moved);
	while (sent >= bench->allowed && r == 0) {
		pthread_cond_wait(&bench->moved, &bench->lock);
		r = go_on_locked(transfer);
	}
	bench->held_back--;
	return r;
}

static inline int send_chunk(const struct get_params *params, unsigned int version, uint64_t pos,
			     size_t n)
{
	uint8_t chunk[CHUNK];

	fill(version, pos, chunk, n);
	return params->sink(params->sink_data, chunk, n);
}

static inline bool fails_locked(struct bench *bench, uint64_t offset, size_t sent)
{
	if (bench->fail_times == 0 || offset < bench->fail_from || sent < bench->fail_after)
		return false;
	bench->fail_times--;
	return true;
}

static inline int send_locked(const struct transfer *transfer, uint64_t len)
{
	const struct get_params *params = transfer->params;
	struct bench *bench = transfer->bench;
	unsigned int version = bench->version;

	for (size_t sent = 0;;) {
		size_t n = len - sent < CHUNK ? (size_t)(len - sent) : CHUNK;
		int r = pass_locked(transfer, sent);

		if (r == 0 && fails_locked(bench, params->offset, sent))
			r = bench->fail;
		if (r == 0 && (bench->gone || bench->version != version))
			r = -ESTALE;
		if (r < 0 || n == 0)
			return r;
		bench->bytes += n;
		pthread_mutex_unlock(&bench->lock);
		r = send_chunk(params, version, params->offset + sent, n);
		pthread_mutex_lock(&bench->lock);
		if (r < 0)
			return r;
		sent += n;
	}
}

static inline int answer_locked(const struct transfer *transfer, const struct object_id *id,
				struct object *ret_object)
{
	const struct get_params *params = transfer->params;
	struct bench *bench = transfer->bench;
	uint64_t left;
	char etag[24];
	int r;

	etag_of(bench->version, etag);
	if (bench->gone || strcmp(id->key, bench->key) != 0)
		return -ENOENT;
	if (params->if_match && strcmp(params->if_match, etag) != 0)
		return -ESTALE;
	if (params->offset >= bench->size)
		return -ERANGE;
	left = bench->size - params->offset;
	r = send_locked(transfer, params->len < left ? params->len : left);
	if (r == 0) {
		ret_object->size = bench->size;
		ret_object->etag = bench->no_etag ? NULL : strdup(etag);
	}
	return r;
}

static inline void note_locked(struct bench *bench, const struct object_id *id,
			       const struct get_params *params)
{
	struct got *got = &bench->gets[bench->n_gets++ % GETS_MAX];

	*got = (struct got){.offset = params->offset, .len = params->len};
	snprintf(got->if_match, sizeof(got->if_match), "%s",
		 params->if_match ? params->if_match : "");
	snprintf(got->key, sizeof(got->key), "%s", id->key);
}

static inline int bench_get(struct store *store, struct call *call, const struct object_id *id,
			    const struct get_params *params, struct object *ret_object)
{
	struct bench *bench = (struct bench *)store;
	struct transfer transfer = {.bench = bench, .call = call, .params = params};
	struct call_watch watch;
	int r;

	call_watch(call, &watch, transfer_cancel, &transfer);
	pthread_mutex_lock(&bench->lock);
	note_locked(bench, id, params);
	r = answer_locked(&transfer, id, ret_object);
	pthread_mutex_unlock(&bench->lock);
	call_unwatch(call, &watch);
	return r;
}

static inline int64_t no_time(struct clock *clock)
{
	(void)clock;
	return TEST_CLOCK_BOOT_MS;
}

static inline void wait_for_ever(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
				 int64_t deadline_ms)
{
	(void)clock;
	(void)deadline_ms;
	pthread_cond_wait(cond, mutex);
}

#define ID                                                                                         \
	(&(const struct object_id){                                                                \
	    "bucket",                                                                              \
	    "key",                                                                                 \
	})

static inline struct bench *bench_new(size_t memory)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->store.get_object = bench_get;
	test_clock_init(&bench->clock, false);
	assert_int_equal(pool_new(POOL_THREADS, &bench->pool), 0);
	call_group_init(&bench->group);
	assert_int_equal(memory_purse_init(&bench->purse, memory), 0);
	pthread_mutex_init(&bench->lock, NULL);
	pthread_cond_init(&bench->moved, NULL);
	bench->room = (struct reader_room){&bench->store,
					   &bench->clock.clock,
					   bench->pool,
					   &bench->group,
					   60000,
					   &bench->purse,
					   0};
	bench->timeless = (struct clock){no_time, no_time, wait_for_ever};
	snprintf(bench->key, sizeof(bench->key), "key");
	bench->version = 1;
	bench->allowed = UNLIMITED;
	return bench;
}

/* A reader of the object, which now has that size; its ETag is known. */
static inline void bench_open(struct bench *bench, uint64_t size)
{
	bench->size = size;
	assert_int_equal(reader_new(&bench->room, ID, "\"v1\"", size, &bench->reader), 0);
}

static inline void bench_open_unpinned(struct bench *bench, uint64_t size)
{
	bench->size = size;
	assert_int_equal(reader_new(&bench->room, ID, NULL, size, &bench->reader), 0);
}

struct meeting {
	pthread_mutex_t lock;
	pthread_cond_t all;
	unsigned int here; /* lock */
};

static inline void meet(void *data)
{
	struct meeting *meeting = data;

	pthread_mutex_lock(&meeting->lock);
	meeting->here++;
	pthread_cond_broadcast(&meeting->all);
	while (meeting->here < POOL_THREADS)
		pthread_cond_wait(&meeting->all, &meeting->lock);
	meeting->here++; /* gone again */
	pthread_cond_broadcast(&meeting->all);
	pthread_mutex_unlock(&meeting->lock);
}

/* Waits until every fetch so far has ended: all threads of the pool meet behind it. */
static inline void bench_settle(struct bench *bench)
{
	struct meeting meeting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

	for (int i = 0; i < POOL_THREADS; i++)
		assert_int_equal(pool_submit(bench->pool, meet, &meeting), 0);
	pthread_mutex_lock(&meeting.lock);
	while (meeting.here < 2 * POOL_THREADS)
		pthread_cond_wait(&meeting.all, &meeting.lock);
	pthread_mutex_unlock(&meeting.lock);
}

/* Every byte of memory is back. */
static inline void bench_free(struct bench *bench)
{
	reader_unref(bench->reader);
	pool_free(bench->pool);
	assert_int_equal(bench->purse.used, 0);
	assert_null(bench->purse.holders);
	memory_purse_deinit(&bench->purse);
	call_group_deinit(&bench->group);
	test_clock_deinit(&bench->clock);
	pthread_cond_destroy(&bench->moved);
	pthread_mutex_destroy(&bench->lock);
	free(bench);
}

static inline int bench_setup(void **state)
{
	*state = bench_new(128 * MIB);
	return 0;
}

/* For tests without time: a waiter that is not told hangs. */
static inline int bench_setup_timeless(void **state)
{
	struct bench *bench = bench_new(128 * MIB);

	bench->room.clock = &bench->timeless;
	*state = bench;
	return 0;
}

static inline int bench_teardown(void **state)
{
	bench_free(*state);
	return 0;
}

#define bench_test(f)    cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
#define timeless_test(f) cmocka_unit_test_setup_teardown(f, bench_setup_timeless, bench_teardown)

static inline int read_with(struct bench *bench, struct call *call, uint64_t offset, size_t len,
			    void *data, size_t *ret_n)
{
	return reader_read(bench->reader, call, offset, len, data, ret_n);
}

/* Are these the version's bytes from offset? */
static inline bool same(unsigned int version, uint64_t offset, const uint8_t *data, size_t n)
{
	_cleanup_(freep) uint8_t *right = malloc(n + 1);

	assert_non_null(right);
	fill(version, offset, right, n);
	return memcmp(right, data, n) == 0;
}

/* Reads; whatever came must be the first version's. Returns what the reader did. */
static inline int try_read(struct bench *bench, uint64_t offset, size_t len)
{
	uint64_t left = offset < bench->size ? bench->size - offset : 0;
	size_t wanted = left < len ? (size_t)left : len, n = SIZE_MAX;
	_cleanup_(freep) uint8_t *data = calloc(1, wanted + 1);
	struct call call;
	int r;

	assert_non_null(data);
	call_init(&call, NULL, bench->room.clock, CLOCK_NEVER);
	r = read_with(bench, &call, offset, len, data, &n);
	call_deinit(&call);
	if (r < 0) {
		assert_true(n == SIZE_MAX);
		return r;
	}
	assert_int_equal(n, wanted);
	assert_true(same(1, offset, data, n));
	return 0;
}

static inline void read_right(struct bench *bench, uint64_t offset, size_t len)
{
	assert_int_equal(try_read(bench, offset, len), 0);
}

static inline void read_in_order(struct bench *bench, uint64_t from, uint64_t to, size_t step)
{
	for (uint64_t pos = from; pos < to; pos += step)
		read_right(bench, pos, step);
}

static inline size_t gets(struct bench *bench)
{
	size_t n;

	pthread_mutex_lock(&bench->lock);
	n = bench->n_gets;
	pthread_mutex_unlock(&bench->lock);
	return n;
}

static inline uint64_t sent(struct bench *bench)
{
	uint64_t n;

	pthread_mutex_lock(&bench->lock);
	n = bench->bytes;
	pthread_mutex_unlock(&bench->lock);
	return n;
}

static inline void hold_back(struct bench *bench, uint64_t from, size_t allowed)
{
	pthread_mutex_lock(&bench->lock);
	bench->hold_from = from;
	bench->allowed = allowed;
	pthread_cond_broadcast(&bench->moved);
	pthread_mutex_unlock(&bench->lock);
}

static inline void wait_until_held_back(struct bench *bench, size_t n)
{
	pthread_mutex_lock(&bench->lock);
	while (bench->held_back < n)
		pthread_cond_wait(&bench->moved, &bench->lock);
	pthread_mutex_unlock(&bench->lock);
}

static inline void fail_next(struct bench *bench, unsigned int times, int error, uint64_t from,
			     size_t after)
{
	pthread_mutex_lock(&bench->lock);
	bench->fail_times = times;
	bench->fail = error;
	bench->fail_from = from;
	bench->fail_after = after;
	pthread_mutex_unlock(&bench->lock);
}

/* A read in a thread of its own. */
struct background {
	struct bench *bench;
	struct call call;
	uint64_t offset;
	size_t len, n;
	uint8_t *data;
	int r;
	pthread_t thread;
};

static inline void *background_main(void *data)
{
	struct background *b = data;

	b->r = read_with(b->bench, &b->call, b->offset, b->len, b->data, &b->n);
	return NULL;
}

static inline void background_read(struct bench *bench, struct background *b, uint64_t offset,
				   size_t len, int64_t timeout_ms)
{
	*b = (struct background){.bench = bench, .offset = offset, .len = len};
	b->data = malloc(len);
	assert_non_null(b->data);
	call_init(&b->call, NULL, bench->room.clock, timeout_ms);
	assert_int_equal(pthread_create(&b->thread, NULL, background_main, b), 0);
}

/* What it returned; the bytes, if any, must be the first version's. */
static inline int background_end(struct background *b)
{
	pthread_join(b->thread, NULL);
	call_deinit(&b->call);
	if (b->r == 0)
		assert_true(same(1, b->offset, b->data, b->n));
	free(b->data);
	return b->r;
}

#endif
