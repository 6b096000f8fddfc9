#include "test_clock.h"

#include <errno.h>
#include <time.h>

/* Real time between two looks at the test's, and how many of them before the waiter looks itself at
 * what it waits for. */
#define SLICE_NS   1000000
#define SLICES     20
#define PATIENCE_S 300

static struct test_clock *of(struct clock *clock)
{
	return (struct test_clock *)clock;
}

static int64_t boot_ms(struct clock *clock)
{
	int64_t ms;

	pthread_mutex_lock(&of(clock)->lock);
	ms = of(clock)->boot;
	pthread_mutex_unlock(&of(clock)->lock);
	return ms;
}

static int64_t wall_ms(struct clock *clock)
{
	int64_t ms;

	pthread_mutex_lock(&of(clock)->lock);
	ms = of(clock)->wall;
	pthread_mutex_unlock(&of(clock)->lock);
	return ms;
}

/* True when it was signalled. */
static bool wait_slice(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += SLICE_NS;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return pthread_cond_timedwait(cond, mutex, &ts) == 0;
}

static void move_locked(struct test_clock *c, int64_t boot, int64_t wall)
{
	c->boot += boot;
	c->wall += wall;
	c->moves++;
	c->waiting = 0;
}

static void wait_until(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
		       int64_t deadline_ms)
{
	struct test_clock *c = of(clock);
	bool woken = false;
	unsigned long seen;

	pthread_mutex_lock(&c->lock);
	if (c->auto_advance && deadline_ms != CLOCK_NEVER && deadline_ms > c->boot)
		move_locked(c, deadline_ms - c->boot, deadline_ms - c->boot);
	if (c->boot >= deadline_ms) {
		pthread_mutex_unlock(&c->lock);
		return;
	}
	seen = c->moves;
	c->waiting++;
	/* a signal that comes between two slices is lost: the waiter finds what it was about */
	for (int i = 0; i < SLICES && !woken && c->moves == seen; i++) {
		pthread_mutex_unlock(&c->lock);
		woken = wait_slice(cond, mutex);
		pthread_mutex_lock(&c->lock);
	}
	if (c->moves == seen)
		c->waiting--;
	pthread_mutex_unlock(&c->lock);
}

void test_clock_init(struct test_clock *clock, bool auto_advance)
{
	*clock = (struct test_clock){
	    .clock = {boot_ms, wall_ms, wait_until},
	    .auto_advance = auto_advance,
	    .boot = TEST_CLOCK_BOOT_MS,
	    .wall = TEST_CLOCK_WALL_MS,
	};
	pthread_mutex_init(&clock->lock, NULL);
}

void test_clock_deinit(struct test_clock *clock)
{
	pthread_mutex_destroy(&clock->lock);
}

void test_clock_advance(struct test_clock *clock, int64_t ms)
{
	pthread_mutex_lock(&clock->lock);
	move_locked(clock, ms, ms);
	pthread_mutex_unlock(&clock->lock);
}

void test_clock_jump_wall(struct test_clock *clock, int64_t ms)
{
	pthread_mutex_lock(&clock->lock);
	move_locked(clock, 0, ms);
	pthread_mutex_unlock(&clock->lock);
}

int64_t test_clock_boot_ms(struct test_clock *clock)
{
	return boot_ms(&clock->clock);
}

bool test_clock_settled(struct test_clock *clock, unsigned int threads)
{
	static const struct timespec slice = {.tv_nsec = SLICE_NS / 4};

	for (long i = 0; i < PATIENCE_S * 4000L; i++) {
		bool settled;

		pthread_mutex_lock(&clock->lock);
		settled = clock->waiting >= threads;
		pthread_mutex_unlock(&clock->lock);
		if (settled)
			return true;
		nanosleep(&slice, NULL);
	}
	return false;
}
