#include "begun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static void upload_deinit(struct s3_begun *upload)
{
	free(upload->bucket);
	free(upload->key);
	free(upload->upload_id);
}

static void entry_free(struct begun_entry *entry)
{
	upload_deinit(&entry->upload);
	free(entry);
}

void begun_init(struct begun *begun)
{
	*begun = (struct begun){0};
	pthread_mutex_init(&begun->lock, NULL);
}

void begun_deinit(struct begun *begun)
{
	struct begun_entry *entry, *next;

	DL_FOREACH_SAFE (begun->entries, entry, next)
		entry_free(entry);
	pthread_mutex_destroy(&begun->lock);
}

/* ---- states ---- */

static bool is_in_use(const struct begun_entry *entry)
{
	return entry->state == BEGUN_BEGINNING || entry->state == BEGUN_OPEN;
}

/* Something is to be done for it, now or later. */
static bool is_chore(const struct begun_entry *entry)
{
	return entry->state == BEGUN_UNABORTED || entry->state == BEGUN_AGAIN ||
	       (entry->state == BEGUN_ENDED && entry->lost_from_ms);
}

/* The entry goes when there is nothing to do for it any more. */
static void settle_locked(struct begun *begun, struct begun_entry *entry)
{
	if (is_in_use(entry) || is_chore(entry) || entry->busy)
		return;
	DL_DELETE(begun->entries, entry);
	entry_free(entry);
}

static void set_state_locked(struct begun *begun, struct begun_entry *entry, enum begun_state state)
{
	if (entry->state != state)
		entry->tries = 0;
	entry->state = state;
	settle_locked(begun, entry);
}

int begun_reserve(struct begun *begun, const struct object_id *id, struct begun_entry **ret_entry)
{
	struct begun_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->upload.bucket = strdup(id->bucket);
	entry->upload.key = strdup(id->key);
	if (!entry->upload.bucket || !entry->upload.key) {
		entry_free(entry);
		return -ENOMEM;
	}
	pthread_mutex_lock(&begun->lock);
	DL_APPEND(begun->entries, entry);
	pthread_mutex_unlock(&begun->lock);
	*ret_entry = entry;
	return 0;
}

void begun_may_have_lost(struct begun *begun, struct begun_entry *entry, int64_t from_ms,
			 int64_t to_ms)
{
	pthread_mutex_lock(&begun->lock);
	entry->lost_from_ms = from_ms;
	entry->lost_to_ms = to_ms;
	pthread_mutex_unlock(&begun->lock);
}

int begun_opened(struct begun *begun, struct begun_entry *entry, const char *upload_id,
		 int64_t begun_ms)
{
	char *copy = strdup(upload_id);

	if (!copy) {
		begun_failed(begun, entry);
		return -ENOMEM;
	}
	pthread_mutex_lock(&begun->lock);
	entry->upload.upload_id = copy;
	entry->upload.begun_ms = begun_ms;
	set_state_locked(begun, entry, BEGUN_OPEN);
	pthread_mutex_unlock(&begun->lock);
	return 0;
}

void begun_failed(struct begun *begun, struct begun_entry *entry)
{
	pthread_mutex_lock(&begun->lock);
	set_state_locked(begun, entry, BEGUN_ENDED);
	pthread_mutex_unlock(&begun->lock);
}

static struct begun_entry *find_locked(struct begun *begun, const char *upload_id)
{
	struct begun_entry *entry;

	DL_FOREACH (begun->entries, entry) {
		if (entry->upload.upload_id && !strcmp(entry->upload.upload_id, upload_id))
			break;
	}
	return entry;
}

void begun_cut(struct begun *begun, const char *upload_id)
{
	struct begun_entry *entry;

	pthread_mutex_lock(&begun->lock);
	entry = find_locked(begun, upload_id);
	if (entry)
		entry->cut = true;
	pthread_mutex_unlock(&begun->lock);
}

void begun_completed(struct begun *begun, const char *upload_id)
{
	struct begun_entry *entry;

	pthread_mutex_lock(&begun->lock);
	entry = find_locked(begun, upload_id);
	if (entry)
		set_state_locked(begun, entry, BEGUN_ENDED);
	pthread_mutex_unlock(&begun->lock);
}

void begun_aborted(struct begun *begun, const char *upload_id, int64_t boot_ms)
{
	struct begun_entry *entry;

	pthread_mutex_lock(&begun->lock);
	entry = find_locked(begun, upload_id);
	if (entry) {
		entry->again_ms = boot_ms + BEGUN_AGAIN_MS;
		set_state_locked(begun, entry, entry->cut ? BEGUN_AGAIN : BEGUN_ENDED);
	}
	pthread_mutex_unlock(&begun->lock);
}

void begun_unaborted(struct begun *begun, const char *upload_id)
{
	struct begun_entry *entry;

	pthread_mutex_lock(&begun->lock);
	entry = find_locked(begun, upload_id);
	if (entry && entry->state == BEGUN_OPEN)
		set_state_locked(begun, entry, BEGUN_UNABORTED);
	pthread_mutex_unlock(&begun->lock);
}

/* ---- chores ---- */

unsigned int begun_begin_pass(struct begun *begun, bool last)
{
	struct begun_entry *entry;
	unsigned int pass = 0;
	bool chores = false;

	pthread_mutex_lock(&begun->lock);
	DL_FOREACH (begun->entries, entry) {
		if (last && entry->state == BEGUN_OPEN)
			set_state_locked(begun, entry, BEGUN_UNABORTED);
		chores = chores || is_chore(entry);
	}
	if (chores)
		pass = ++begun->passes;
	pthread_mutex_unlock(&begun->lock);
	return pass;
}

static bool is_used_locked(const struct begun *begun, const struct s3_begun *upload)
{
	const struct begun_entry *entry;

	DL_FOREACH (begun->entries, entry) {
		if (is_in_use(entry) && !strcmp(entry->upload.key, upload->key) &&
		    !strcmp(entry->upload.bucket, upload->bucket))
			return true;
	}
	return false;
}

static bool is_due_locked(const struct begun *begun, const struct begun_entry *entry, bool last,
			  int64_t boot_ms)
{
	switch (entry->state) {
	case BEGUN_UNABORTED:
		return true;
	case BEGUN_AGAIN:
		return last || boot_ms >= entry->again_ms;
	case BEGUN_ENDED:
		return !is_used_locked(begun, &entry->upload);
	case BEGUN_BEGINNING:
	case BEGUN_OPEN:
		break;
	}
	return false;
}

struct begun_entry *begun_next(struct begun *begun, unsigned int pass, bool last, int64_t boot_ms,
			       enum begun_chore *ret_chore)
{
	struct begun_entry *entry;

	pthread_mutex_lock(&begun->lock);
	DL_FOREACH (begun->entries, entry) {
		if (!entry->busy && entry->pass != pass && is_chore(entry) &&
		    (last || entry->tries < BEGUN_TRIES) &&
		    is_due_locked(begun, entry, last, boot_ms))
			break;
	}
	if (entry) {
		entry->busy = true;
		entry->pass = pass;
		*ret_chore = entry->state == BEGUN_ENDED ? BEGUN_FIND_LOST : BEGUN_ABORT;
	}
	pthread_mutex_unlock(&begun->lock);
	return entry;
}

bool begun_in_use(struct begun *begun, const struct begun_entry *entry)
{
	bool in_use;

	pthread_mutex_lock(&begun->lock);
	in_use = is_used_locked(begun, &entry->upload);
	pthread_mutex_unlock(&begun->lock);
	return in_use;
}

static enum begun_state after_abort(struct begun_entry *entry, int64_t boot_ms)
{
	if (entry->state != BEGUN_UNABORTED || !entry->cut)
		return BEGUN_ENDED;
	entry->again_ms = boot_ms + BEGUN_AGAIN_MS;
	return BEGUN_AGAIN;
}

void begun_end_abort(struct begun *begun, struct begun_entry *entry, bool done, int64_t boot_ms)
{
	pthread_mutex_lock(&begun->lock);
	entry->busy = false;
	entry->tries++;
	if (done)
		entry->pass = 0; /* what is due then is done in the same pass */
	set_state_locked(begun, entry, done ? after_abort(entry, boot_ms) : entry->state);
	pthread_mutex_unlock(&begun->lock);
}

void begun_end_find(struct begun *begun, struct begun_entry *entry, bool done)
{
	pthread_mutex_lock(&begun->lock);
	entry->busy = false;
	entry->tries++;
	if (done)
		entry->lost_from_ms = 0;
	settle_locked(begun, entry);
	pthread_mutex_unlock(&begun->lock);
}

void begun_put_off(struct begun *begun, struct begun_entry *entry)
{
	pthread_mutex_lock(&begun->lock);
	entry->busy = false;
	settle_locked(begun, entry);
	pthread_mutex_unlock(&begun->lock);
}

/* ---- a list ---- */

/* All of it, or -ENOMEM and nothing. */
static int upload_copy(struct s3_begun *upload, const struct s3_begun *from)
{
	*upload = (struct s3_begun){strdup(from->bucket), strdup(from->key),
				    strdup(from->upload_id), from->begun_ms};
	if (upload->bucket && upload->key && upload->upload_id)
		return 0;
	upload_deinit(upload);
	return -ENOMEM;
}

static int copy_locked(const struct begun *begun, struct s3_begun_list *list)
{
	const struct begun_entry *entry;
	size_t n;

	DL_COUNT(begun->entries, entry, n);
	list->v = calloc(n + 1, sizeof(*list->v));
	if (!list->v)
		return -ENOMEM;
	DL_FOREACH (begun->entries, entry) {
		if (entry->state != BEGUN_OPEN && entry->state != BEGUN_UNABORTED)
			continue;
		if (upload_copy(&list->v[list->n], &entry->upload) < 0)
			return -ENOMEM;
		list->n++;
	}
	return 0;
}

int begun_list(struct begun *begun, struct s3_begun_list *ret_list)
{
	struct s3_begun_list list = {0};
	int r;

	pthread_mutex_lock(&begun->lock);
	r = copy_locked(begun, &list);
	pthread_mutex_unlock(&begun->lock);
	if (r < 0)
		s3_begun_list_deinit(&list);
	else
		*ret_list = list;
	return r;
}

void s3_begun_list_deinit(struct s3_begun_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		upload_deinit(&list->v[i]);
	free(list->v);
	*list = (struct s3_begun_list){0};
}
