/* An account in memory with the bucket "b", a clock, a call, and what the tests say in short. */
#ifndef TESTS_SUPPORT_BENCH_H
#define TESTS_SUPPORT_BENCH_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "memory_store.h"
#include "test_clock.h"

struct bench {
	struct test_clock clock;
	struct memory_store s3;
	struct store *store;
	struct call call;
};

static inline int bench_setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	test_clock_init(&b->clock, false);
	test_clock_advance(&b->clock, 123); /* dates have milliseconds */
	memory_store_init(&b->s3, &b->clock.clock);
	memory_add_bucket(&b->s3, "b", 0, MEMORY_REGION);
	call_init(&b->call, NULL, &b->clock.clock, CLOCK_NEVER);
	b->store = &b->s3.store;
	*state = b;
	return 0;
}

static inline int bench_teardown(void **state)
{
	struct bench *b = *state;

	call_deinit(&b->call);
	memory_store_deinit(&b->s3);
	test_clock_deinit(&b->clock);
	free(b);
	return 0;
}

static inline void put_text(struct bench *b, const char *key, const char *text)
{
	memory_put(&b->s3, "b", key, text, strlen(text));
}

static inline bool is_text(struct bench *b, const char *key, const char *text)
{
	return memory_is(&b->s3, "b", key, text, strlen(text));
}

/* ---- a sink ---- */

struct taken {
	struct buf bytes;
	unsigned int pieces;
	size_t largest;
	int error; /* what the sink returns */
};

static inline int take(void *data, const void *bytes, size_t n)
{
	struct taken *taken = data;

	taken->pieces++;
	if (n > taken->largest)
		taken->largest = n;
	return taken->error ? taken->error : buf_add(&taken->bytes, bytes, n);
}

static inline void taken_deinit(struct taken *taken)
{
	buf_deinit(&taken->bytes);
	*taken = (struct taken){0};
}

/* Empties taken before it. */
static inline int get(struct bench *b, struct call *call, const char *key, uint64_t offset,
		      uint64_t len, const char *if_match, struct taken *taken)
{
	int error = taken->error;

	taken_deinit(taken);
	taken->error = error;
	return b->store->get_object(b->store, call, &(struct object_id){"b", key},
				    &(struct get_params){.offset = offset,
							 .len = len,
							 .if_match = if_match,
							 .sink = take,
							 .sink_data = taken},
				    NULL);
}

static inline int put(struct bench *b, struct call *call, const char *key, const char *text,
		      const struct put_params *params)
{
	return b->store->put_object(b->store, call, &(struct object_id){"b", key}, params, text,
				    strlen(text), NULL);
}

#endif
