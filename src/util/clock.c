#include "xacctfs/util/clock.h"

#include <time.h>

/* CLOCK_MONOTONIC, which condition variables count in, halts while the machine sleeps: no wait is
 * longer than this, so that a deadline in boot time is noticed soon after it woke. */
#define WAIT_SLICE_MS 10000

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_boot_ms(struct clock *clock)
{
	(void)clock;
	return read_ms(CLOCK_BOOTTIME);
}

static int64_t system_wall_ms(struct clock *clock)
{
	(void)clock;
	return read_ms(CLOCK_REALTIME);
}

static void system_wait(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
			int64_t deadline_ms)
{
	int64_t ms = deadline_ms - system_boot_ms(clock);
	struct timespec ts;

	if (ms <= 0)
		return;
	if (ms > WAIT_SLICE_MS)
		ms = WAIT_SLICE_MS;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(cond, mutex, &ts);
}

struct clock *clock_system(void)
{
	static struct clock clock = {system_boot_ms, system_wall_ms, system_wait};

	return &clock;
}

int64_t clock_after(struct clock *clock, int64_t ms)
{
	int64_t now = clock->boot_ms(clock);

	return ms > CLOCK_NEVER - now ? CLOCK_NEVER : now + ms;
}

int clock_cond_init(pthread_cond_t *ret_cond)
{
	pthread_condattr_t attr;
	int r;

	r = pthread_condattr_init(&attr);
	if (r)
		return -r;
	r = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (!r)
		r = pthread_cond_init(ret_cond, &attr);
	pthread_condattr_destroy(&attr);
	return -r;
}
