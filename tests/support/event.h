/*
 * support/event: something that one thread waits for and another says has happened; it stays so.
 */
#ifndef SUPPORT_EVENT_H
#define SUPPORT_EVENT_H

#include <pthread.h>
#include <stdbool.h>

struct event {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool set; /* lock */
};

#define EVENT_INIT                                                                                 \
	{                                                                                          \
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false                         \
	}

/* The event must live until the thread that set it is known to be done. */
void event_set(struct event *event);
void event_wait(struct event *event);

#endif
