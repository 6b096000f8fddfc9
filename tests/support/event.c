#include "event.h"

void event_set(struct event *event)
{
	pthread_mutex_lock(&event->lock);
	event->set = true;
	pthread_cond_broadcast(&event->cond);
	pthread_mutex_unlock(&event->lock);
}

void event_wait(struct event *event)
{
	pthread_mutex_lock(&event->lock);
	while (!event->set)
		pthread_cond_wait(&event->cond, &event->lock);
	pthread_mutex_unlock(&event->lock);
}
