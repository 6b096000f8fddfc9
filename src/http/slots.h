/*
 * http/slots: connections kept warm between calls.
 *
 * A slot is what one exchange needs: a multi handle with the connections that it keeps alive, and
 * an easy handle, which is made for each exchange: libcurl before 8.1 takes a pointer to freed
 * headers over to the next response, and nothing of one call should come into another anyway. It
 * serves one thread at a time, taken and put back. The slots share the resolved names and the TLS
 * sessions.
 *
 * slots.lock is a leaf, and no slot is made or freed under it: both may touch the network.
 */
#ifndef HTTP_SLOTS_H
#define HTTP_SLOTS_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdint.h>

#define SLOTS_IDLE_MAX    32
#define SLOTS_IDLE_MAX_MS 120000 /* a slot idle for longer has no connection that still stands */
#define SLOT_CONNECTIONS  4      /* kept alive by one slot, each to another server */

struct slot {
	struct slot *next;    /* slots.lock, while idle */
	int64_t idle_from_ms; /* boot time; slots.lock, while idle */
	char *origin;         /* "scheme://authority" that it last spoke to, or NULL */
	CURLM *multi;
	CURL *easy; /* NULL while idle */
};

struct slots {
	pthread_mutex_t lock;
	struct slot *idle; /* lock; the last put back first */
	CURLSH *share;
	pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST]; /* taken by libcurl, one at a time */
};

/* Returns 0 or -ENOMEM. */
int slots_init(struct slots *slots);
/* All slots must have been put back. */
void slots_deinit(struct slots *slots);

/*
 * The idle slot last put back that spoke to origin, else the one last put back, else a new one. Its
 * easy handle is new, and has all options at their defaults but for the share. NULL when out of
 * memory.
 */
struct slot *slots_take(struct slots *slots, const char *origin);

/*
 * The easy handle must be out of the multi handle. origin becomes the slot's, NULL leaves the old
 * one. Frees the slots that were idle for too long, and those too many.
 */
void slots_put(struct slots *slots, struct slot *slot, char *origin);

#endif
