/*
 * util/clock: time as a seam, so that a test can let a day pass in a microsecond.
 *
 * "boot" time is CLOCK_BOOTTIME in milliseconds: it never jumps, and it goes on while the machine
 * sleeps; every deadline and every expiry of the program is kept in it. "wall" time is
 * CLOCK_REALTIME in milliseconds since 1970: it may jump, and serves for dates only.
 */
#ifndef XACCTFS_UTIL_CLOCK_H
#define XACCTFS_UTIL_CLOCK_H

#include <pthread.h>
#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

struct clock {
	int64_t (*boot_ms)(struct clock *clock);
	int64_t (*wall_ms)(struct clock *clock);
	/*
	 * pthread_cond_wait with a deadline in boot time. May return early, whatever the reason;
	 * the caller looks at its condition and at the clock again. cond comes of
	 * clock_cond_init().
	 */
	void (*wait)(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
		     int64_t deadline_ms);
};

/* The machine's clock: one for the whole process, never freed. */
struct clock *clock_system(void);

/* The boot time in ms milliseconds from now; never stays CLOCK_NEVER. */
int64_t clock_after(struct clock *clock, int64_t ms);

/* A condition variable for clock->wait(). Returns 0 or a negative errno. */
int clock_cond_init(pthread_cond_t *ret_cond);

#endif
