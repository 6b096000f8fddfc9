/*
 * Another thread, which does something in the midst of what the test's own does.
 *
 *	meanwhile_init(&m, &clock, fn, data);
 *	meanwhile_start(&m);		fn(&m.call, data) has returned, or waits in the clock
 *	...
 *	r = meanwhile_join(&m);		what fn returned
 *	meanwhile_deinit(&m);
 */
#ifndef MEANWHILE_H
#define MEANWHILE_H

#include <pthread.h>
#include <stdbool.h>

#include "xacctfs/util/call.h"

struct test_clock;

struct meanwhile {
	struct test_clock *clock;
	int (*fn)(struct call *call, void *data);
	void *data;
	struct call call; /* without a deadline; from init to deinit */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool over; /* lock */
	int r;
};

/* Where there is no thread or condition to be had, the test ends. Nobody else may wait in the
 * clock. */
void meanwhile_init(struct meanwhile *m, struct test_clock *clock,
		    int (*fn)(struct call *call, void *data), void *data);
/* False when fn comes neither to its end nor to a halt. */
bool meanwhile_start(struct meanwhile *m);
int meanwhile_join(struct meanwhile *m);
void meanwhile_deinit(struct meanwhile *m);

#endif
