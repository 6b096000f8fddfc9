#include "buckets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/waiter.h"

#include "namespace.h"

/* No account has so many; a server that never stops paging ends here. */
#define PAGES_MAX 10000

int buckets_init(struct buckets *buckets, struct store *store, struct clock *clock, int64_t ttl_ms)
{
	*buckets = (struct buckets){.store = store, .clock = clock, .ttl_ms = ttl_ms};
	if (clock_cond_init(&buckets->changed) < 0)
		return -ENOMEM;
	pthread_mutex_init(&buckets->lock, NULL);
	return 0;
}

static void listing_free(struct listing *listing)
{
	for (size_t i = 0; i < listing->n; i++)
		free(listing->v[i].name);
	free(listing->v);
	free(listing);
}

static void unref_locked(struct listing *listing)
{
	if (listing && --listing->refs == 0)
		listing_free(listing);
}

void buckets_unref(struct buckets *buckets, struct listing *listing)
{
	pthread_mutex_lock(&buckets->lock);
	unref_locked(listing);
	pthread_mutex_unlock(&buckets->lock);
}

void buckets_deinit(struct buckets *buckets)
{
	unref_locked(buckets->latest);
	pthread_cond_destroy(&buckets->changed);
	pthread_mutex_destroy(&buckets->lock);
}

static int64_t boot_ms(const struct buckets *buckets)
{
	return buckets->clock->boot_ms(buckets->clock);
}

/* ---- a listing as a value ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct bucket *)a)->name, ((const struct bucket *)b)->name);
}

/* The index of name, or of where it would stand. */
static size_t position(const struct listing *listing, const char *name, bool *ret_found)
{
	size_t low = 0, high = listing->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strcmp(listing->v[middle].name, name);

		if (c == 0) {
			*ret_found = true;
			return middle;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

const struct bucket *listing_find(const struct listing *listing, const char *name)
{
	bool found;
	size_t i = position(listing, name, &found);

	return found ? &listing->v[i] : NULL;
}

/* Takes the page's buckets over; what no file system can show is left out. */
static int take_page(struct listing *listing, struct bucket_page *page)
{
	struct bucket *v;

	if (page->n == 0)
		return 0;
	v = reallocarray(listing->v, listing->n + page->n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	listing->v = v;
	for (size_t i = 0; i < page->n; i++) {
		if (!name_representable(page->v[i].name))
			continue;
		listing->v[listing->n++] = page->v[i];
		page->v[i].name = NULL;
	}
	return 0;
}

/* Pages may overlap where buckets came and went between them. */
static void sort_unique(struct listing *listing)
{
	size_t kept = 0;

	if (listing->n == 0)
		return;
	qsort(listing->v, listing->n, sizeof(*listing->v), compare);
	for (size_t i = 1; i < listing->n; i++) {
		if (!strcmp(listing->v[i].name, listing->v[kept].name))
			free(listing->v[i].name);
		else
			listing->v[++kept] = listing->v[i];
	}
	listing->n = kept + 1;
}

/* All pages. Without the lock. */
static int fetch_all(struct buckets *buckets, struct call *call, struct listing **ret_listing)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	_cleanup_(freep) char *token = NULL;
	int r = 0;

	if (!listing)
		return -ENOMEM;
	listing->refs = 1;
	do {
		struct bucket_page page = {0};

		if (listing->pages++ == PAGES_MAX) {
			log_error("ListBuckets: more than %d pages; the server does not stop",
				  PAGES_MAX);
			r = -EIO;
			break;
		}
		r = buckets->store->list_buckets(buckets->store, call, NULL, token, &page);
		if (r < 0)
			break;
		r = take_page(listing, &page);
		free(token);
		token = steal(&page.next_token);
		bucket_page_deinit(&page);
	} while (r == 0 && token);
	if (r < 0) {
		listing_free(listing);
		return r;
	}
	sort_unique(listing);
	*ret_listing = listing;
	return 0;
}

/* ---- the kept listing ---- */

static bool good_locked(const struct buckets *buckets, uint64_t generation)
{
	return buckets->latest && buckets->latest->generation >= generation &&
	       boot_ms(buckets) < buckets->latest->expires_ms;
}

/* What this mount did while the answer was on its way may be in the kept one only. */
static void keep_locked(struct buckets *buckets, struct listing *listing)
{
	if (buckets->latest && buckets->latest->generation > listing->generation)
		return;
	unref_locked(buckets->latest);
	buckets->latest = listing;
	listing->refs++;
}

/* This caller fetches; the lock is let go meanwhile. */
static int fetch_locked(struct buckets *buckets, struct call *call, struct listing **ret_listing)
{
	uint64_t generation = buckets->generation;
	int64_t started = boot_ms(buckets);
	struct listing *listing = NULL;
	int r;

	buckets->fetching = true;
	pthread_mutex_unlock(&buckets->lock);
	r = fetch_all(buckets, call, &listing);
	pthread_mutex_lock(&buckets->lock);
	buckets->fetching = false;
	buckets->fetches++;
	buckets->fetch_error = r;
	if (r == 0) {
		listing->generation = generation;
		listing->expires_ms = started + buckets->ttl_ms;
		keep_locked(buckets, listing);
		*ret_listing = listing;
	}
	pthread_cond_broadcast(&buckets->changed);
	return r;
}

/* Waits for the fetch of another caller. 0, or why this one waits no longer. */
static int wait_locked(struct buckets *buckets, struct waiter *waiter)
{
	uint64_t seen = buckets->fetches;
	int r = 0;

	while (r == 0 && buckets->fetches == seen)
		r = waiter_wait_locked(waiter);
	return r;
}

/* An answer that was asked for after this caller started serves it, though its TTL be over: with a
 * TTL of 0 all who waited for it would else ask again, one after the other. */
static bool asked_since_locked(const struct buckets *buckets, uint64_t generation,
			       uint64_t fetches_at_start)
{
	return buckets->latest && buckets->fetch_error == 0 &&
	       buckets->fetches > fetches_at_start + 1 && buckets->latest->generation >= generation;
}

static int list_locked(struct buckets *buckets, struct call *call, struct waiter *waiter,
		       struct listing **ret_listing)
{
	uint64_t generation = buckets->generation, fetches = buckets->fetches;

	for (;;) {
		int r;

		if (good_locked(buckets, generation) ||
		    asked_since_locked(buckets, generation, fetches)) {
			buckets->latest->refs++;
			*ret_listing = buckets->latest;
			return 0;
		}
		if (!buckets->fetching)
			return fetch_locked(buckets, call, ret_listing);
		r = wait_locked(buckets, waiter);
		if (r < 0)
			return r;
		/* the fetcher's own patience is not this caller's */
		if (buckets->fetch_error < 0 && buckets->fetch_error != -EINTR &&
		    buckets->fetch_error != -ETIMEDOUT)
			return buckets->fetch_error;
	}
}

int buckets_list(struct buckets *buckets, struct call *call, struct listing **ret_listing)
{
	struct waiter waiter;
	int r;

	waiter_begin(&waiter, call, &buckets->lock, &buckets->changed);
	pthread_mutex_lock(&buckets->lock);
	r = list_locked(buckets, call, &waiter, ret_listing);
	pthread_mutex_unlock(&buckets->lock);
	waiter_end(&waiter);
	return r;
}

/* ---- one name ---- */

/* For how long an answer holds that was asked for at this generation. */
static int64_t valid_locked(const struct buckets *buckets, uint64_t generation, int64_t expires_ms)
{
	int64_t left = expires_ms - boot_ms(buckets);

	return left > 0 && generation == buckets->generation ? left : 0;
}

/* False when there is no good listing, and listing takes many pages. */
static bool list_or_ask(struct buckets *buckets, uint64_t *ret_generation)
{
	bool list;

	pthread_mutex_lock(&buckets->lock);
	*ret_generation = buckets->generation;
	list = !buckets->latest || buckets->latest->pages <= 1 ||
	       good_locked(buckets, buckets->generation);
	pthread_mutex_unlock(&buckets->lock);
	return list;
}

static void answer(struct buckets *buckets, const struct bucket *bucket, uint64_t generation,
		   int64_t expires_ms, bool *ret_found, int64_t *ret_created_ms,
		   int64_t *ret_valid_ms)
{
	*ret_found = bucket != NULL;
	*ret_created_ms = bucket ? bucket->created_ms : 0;
	pthread_mutex_lock(&buckets->lock);
	*ret_valid_ms = valid_locked(buckets, generation, expires_ms);
	pthread_mutex_unlock(&buckets->lock);
}

/*
 * ListBuckets of the names that begin so: the name itself, if there is one, comes first. Returns 1
 * when the server took no notice of the prefix and there are more pages: that answers nothing.
 */
static int ask_for_one(struct buckets *buckets, struct call *call, const char *name,
		       uint64_t generation, bool *ret_found, int64_t *ret_created_ms,
		       int64_t *ret_valid_ms)
{
	int64_t expires_ms = boot_ms(buckets) + buckets->ttl_ms;
	_cleanup_(bucket_page_deinit) struct bucket_page page = {0};
	const struct bucket *bucket = NULL;
	bool prefixed = true;
	int r;

	r = buckets->store->list_buckets(buckets->store, call, name, NULL, &page);
	if (r < 0)
		return r;
	for (size_t i = 0; i < page.n && !bucket; i++) {
		if (!strcmp(page.v[i].name, name))
			bucket = &page.v[i];
		prefixed = prefixed && !strncmp(page.v[i].name, name, strlen(name));
	}
	if (!bucket && !prefixed && page.next_token)
		return 1;
	answer(buckets, bucket, generation, expires_ms, ret_found, ret_created_ms, ret_valid_ms);
	return 0;
}

int buckets_find(struct buckets *buckets, struct call *call, const char *name, bool *ret_found,
		 int64_t *ret_created_ms, int64_t *ret_valid_ms)
{
	struct listing *listing;
	uint64_t generation;
	int r;

	if (!list_or_ask(buckets, &generation)) {
		r = ask_for_one(buckets, call, name, generation, ret_found, ret_created_ms,
				ret_valid_ms);
		if (r <= 0)
			return r;
	}
	r = buckets_list(buckets, call, &listing);
	if (r < 0)
		return r;
	answer(buckets, listing_find(listing, name), listing->generation, listing->expires_ms,
	       ret_found, ret_created_ms, ret_valid_ms);
	buckets_unref(buckets, listing);
	return 0;
}

bool buckets_entry(struct buckets *buckets, const struct listing *listing, const char *name,
		   int64_t *ret_created_ms, int64_t *ret_valid_ms)
{
	const struct bucket *bucket = NULL;

	pthread_mutex_lock(&buckets->lock);
	if (listing->generation < buckets->generation)
		listing = good_locked(buckets, buckets->generation) ? buckets->latest : NULL;
	if (listing)
		bucket = listing_find(listing, name);
	if (bucket) {
		*ret_created_ms = bucket->created_ms;
		*ret_valid_ms = valid_locked(buckets, listing->generation, listing->expires_ms);
	}
	pthread_mutex_unlock(&buckets->lock);
	return bucket != NULL;
}

/* ---- what this mount did ---- */

/* A copy of the latest listing with room for one more; NULL when there is none, or no memory. */
static struct listing *copy_locked(const struct buckets *buckets)
{
	const struct listing *from = buckets->latest;
	struct listing *copy;

	if (!from)
		return NULL;
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		return NULL;
	*copy = (struct listing){.pages = from->pages, .expires_ms = from->expires_ms, .refs = 1};
	copy->v = reallocarray(NULL, from->n + 1, sizeof(*copy->v));
	for (; copy->v && copy->n < from->n; copy->n++) {
		copy->v[copy->n] = from->v[copy->n];
		copy->v[copy->n].name = strdup(from->v[copy->n].name);
		if (!copy->v[copy->n].name)
			break;
	}
	if (!copy->v || copy->n < from->n) {
		listing_free(copy);
		return NULL;
	}
	return copy;
}

static void insert(struct listing *listing, const char *name, int64_t created_ms)
{
	bool found;
	size_t i = position(listing, name, &found);
	char *copy;

	if (found) {
		/* another client removed the one that was listed */
		listing->v[i].created_ms = created_ms;
		return;
	}
	copy = strdup(name);
	if (!copy)
		return;
	memmove(listing->v + i + 1, listing->v + i, (listing->n - i) * sizeof(*listing->v));
	listing->v[i] = (struct bucket){.name = copy, .created_ms = created_ms};
	listing->n++;
}

static void erase(struct listing *listing, const char *name)
{
	bool found;
	size_t i = position(listing, name, &found);

	if (!found)
		return;
	free(listing->v[i].name);
	memmove(listing->v + i, listing->v + i + 1, (listing->n - i - 1) * sizeof(*listing->v));
	listing->n--;
}

/*
 * The kept listing is good again with the change made in it, if it was the only one since. When it
 * cannot be had, the listing is just too old, and the next caller asks the server.
 */
static void change(struct buckets *buckets, const char *name, bool add, int64_t created_ms)
{
	struct listing *copy = NULL;

	pthread_mutex_lock(&buckets->lock);
	if (good_locked(buckets, buckets->generation))
		copy = copy_locked(buckets);
	buckets->generation++;
	if (copy && add)
		insert(copy, name, created_ms);
	else if (copy)
		erase(copy, name);
	if (copy) {
		copy->generation = buckets->generation;
		unref_locked(buckets->latest);
		buckets->latest = copy;
	}
	pthread_mutex_unlock(&buckets->lock);
}

void buckets_expire(struct buckets *buckets)
{
	pthread_mutex_lock(&buckets->lock);
	buckets->generation++;
	pthread_mutex_unlock(&buckets->lock);
}

void buckets_added(struct buckets *buckets, const char *name, int64_t created_ms)
{
	change(buckets, name, true, created_ms);
}

void buckets_removed(struct buckets *buckets, const char *name)
{
	change(buckets, name, false, 0);
}
