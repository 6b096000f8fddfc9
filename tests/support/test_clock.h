/*
 * support/test_clock: a struct clock whose time only a test moves.
 *
 *	struct test_clock clock;
 *	test_clock_init(&clock, true);
 *	aws_caller_init(&caller, &transport, &clock.clock, 3);
 *
 * With auto_advance a wait jumps to its deadline at once: for one thread that retries. Without, a
 * wait ends when the test moved a clock, or when its condition was signalled. Thread-safe.
 */
#ifndef SUPPORT_TEST_CLOCK_H
#define SUPPORT_TEST_CLOCK_H

#include <stdbool.h>

#include "xacctfs/util/clock.h"

/* What a new clock shows. */
#define TEST_CLOCK_BOOT_MS INT64_C(1000000)
#define TEST_CLOCK_WALL_MS INT64_C(1795435200000) /* 2026-11-23T12:00:00Z */

struct test_clock {
	struct clock clock; /* first: what is handed out is a pointer to it */
	pthread_mutex_t lock;
	bool auto_advance;    /* lock */
	int64_t boot, wall;   /* lock; milliseconds */
	unsigned long moves;  /* lock: how often the test moved a clock */
	unsigned int waiting; /* lock: threads that wait since the last move */
};

void test_clock_init(struct test_clock *clock, bool auto_advance);
void test_clock_deinit(struct test_clock *clock);

/* Both clocks go on. */
void test_clock_advance(struct test_clock *clock, int64_t ms);
/* Somebody sets the wall clock. */
void test_clock_jump_wall(struct test_clock *clock, int64_t ms);

int64_t test_clock_boot_ms(struct test_clock *clock);

/*
 * Waits until so many threads have looked at the present time and found nothing to do but wait.
 * False after ten real seconds.
 */
bool test_clock_settled(struct test_clock *clock, unsigned int threads);

#endif
