#include "meanwhile.h"

#include "test_clock.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "meanwhile: %s\n", what);
	abort();
}

/* Done or not, it waits in the clock then. */
static void *run(void *data)
{
	struct meanwhile *m = data;
	struct clock *clock = &m->clock->clock;

	m->r = m->fn(&m->call, m->data);
	pthread_mutex_lock(&m->lock);
	while (!m->over)
		clock->wait(clock, &m->cond, &m->lock, CLOCK_NEVER);
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

void meanwhile_init(struct meanwhile *m, struct test_clock *clock,
		    int (*fn)(struct call *call, void *data), void *data)
{
	*m = (struct meanwhile){.clock = clock, .fn = fn, .data = data};
	pthread_mutex_init(&m->lock, NULL);
	must(clock_cond_init(&m->cond) == 0, "no condition");
	call_init(&m->call, NULL, &clock->clock, CLOCK_NEVER);
}

bool meanwhile_start(struct meanwhile *m)
{
	must(pthread_create(&m->thread, NULL, run, m) == 0, "no thread");
	return test_clock_settled(m->clock, 1);
}

int meanwhile_join(struct meanwhile *m)
{
	pthread_mutex_lock(&m->lock);
	m->over = true;
	pthread_cond_broadcast(&m->cond);
	pthread_mutex_unlock(&m->lock);
	must(pthread_join(m->thread, NULL) == 0, "no thread");
	return m->r;
}

void meanwhile_deinit(struct meanwhile *m)
{
	call_deinit(&m->call);
	pthread_cond_destroy(&m->cond);
	pthread_mutex_destroy(&m->lock);
}
