#include "slots.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/clock.h"

static void share_lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *user)
{
	struct slots *slots = user;

	(void)easy;
	(void)access;
	pthread_mutex_lock(&slots->share_locks[data]);
}

static void share_unlock(CURL *easy, curl_lock_data data, void *user)
{
	struct slots *slots = user;

	(void)easy;
	pthread_mutex_unlock(&slots->share_locks[data]);
}

int slots_init(struct slots *slots)
{
	*slots = (struct slots){.share = curl_share_init()};
	if (!slots->share)
		return -ENOMEM;
	pthread_mutex_init(&slots->lock, NULL);
	for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_init(&slots->share_locks[i], NULL);
	curl_share_setopt(slots->share, CURLSHOPT_LOCKFUNC, share_lock);
	curl_share_setopt(slots->share, CURLSHOPT_UNLOCKFUNC, share_unlock);
	curl_share_setopt(slots->share, CURLSHOPT_USERDATA, slots);
	if (curl_share_setopt(slots->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) ||
	    curl_share_setopt(slots->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION)) {
		slots_deinit(slots);
		return -ENOMEM;
	}
	return 0;
}

static void slot_free(struct slot *slot)
{
	if (!slot)
		return;
	if (slot->easy)
		curl_easy_cleanup(slot->easy);
	if (slot->multi)
		curl_multi_cleanup(slot->multi);
	free(slot->origin);
	free(slot);
}

static void free_list(struct slot *slot)
{
	while (slot) {
		struct slot *next = slot->next;

		slot_free(slot);
		slot = next;
	}
}

void slots_deinit(struct slots *slots)
{
	if (!slots->share)
		return;
	free_list(slots->idle);
	curl_share_cleanup(slots->share);
	for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_destroy(&slots->share_locks[i]);
	pthread_mutex_destroy(&slots->lock);
	*slots = (struct slots){0};
}

static struct slot *slot_new(void)
{
	struct slot *slot = calloc(1, sizeof(*slot));

	if (!slot)
		return NULL;
	slot->multi = curl_multi_init();
	if (!slot->multi ||
	    curl_multi_setopt(slot->multi, CURLMOPT_MAXCONNECTS, (long)SLOT_CONNECTIONS)) {
		slot_free(slot);
		return NULL;
	}
	return slot;
}

static struct slot *take_idle_locked(struct slots *slots, const char *origin)
{
	struct slot **p = &slots->idle, *slot;

	while (*p && (!(*p)->origin || strcmp((*p)->origin, origin) != 0))
		p = &(*p)->next;
	if (!*p)
		p = &slots->idle;
	slot = *p;
	if (slot)
		*p = slot->next;
	return slot;
}

struct slot *slots_take(struct slots *slots, const char *origin)
{
	struct slot *slot;

	pthread_mutex_lock(&slots->lock);
	slot = take_idle_locked(slots, origin);
	pthread_mutex_unlock(&slots->lock);
	if (!slot)
		slot = slot_new();
	if (!slot)
		return NULL;
	slot->easy = curl_easy_init();
	if (!slot->easy || curl_easy_setopt(slot->easy, CURLOPT_SHARE, slots->share)) {
		slot_free(slot);
		return NULL;
	}
	return slot;
}

/* Cuts off what is too many or too old: the list's end, as it is in the order of age. */
static struct slot *cut_surplus_locked(struct slots *slots, int64_t now_ms)
{
	struct slot **p = &slots->idle, *surplus;

	for (size_t n = 0; *p; n++, p = &(*p)->next)
		if (n == SLOTS_IDLE_MAX || now_ms - (*p)->idle_from_ms > SLOTS_IDLE_MAX_MS)
			break;
	surplus = *p;
	*p = NULL;
	return surplus;
}

void slots_put(struct slots *slots, struct slot *slot, char *origin)
{
	struct clock *clock = clock_system();
	int64_t now_ms = clock->boot_ms(clock);
	struct slot *surplus;

	curl_easy_cleanup(steal(&slot->easy));
	if (origin) {
		free(slot->origin);
		slot->origin = origin;
	}
	slot->idle_from_ms = now_ms;
	pthread_mutex_lock(&slots->lock);
	slot->next = slots->idle;
	slots->idle = slot;
	surplus = cut_surplus_locked(slots, now_ms);
	pthread_mutex_unlock(&slots->lock);
	free_list(surplus);
}
