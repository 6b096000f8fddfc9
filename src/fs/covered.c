#include "covered.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

struct covered_key {
	UT_hash_handle hh;
	char *path; /* "BUCKET/KEY" */
};

void covered_init(struct covered *covered)
{
	pthread_mutex_init(&covered->lock, NULL);
	covered->keys = NULL;
}

void covered_deinit(struct covered *covered)
{
	struct covered_key *key, *next;

	HASH_ITER (hh, covered->keys, key, next) {
		HASH_DEL(covered->keys, key);
		free(key->path);
		free(key);
	}
	pthread_mutex_destroy(&covered->lock);
}

/* Takes the path over. True when it is new. */
static bool add_locked(struct covered *covered, char *path)
{
	struct covered_key *key;

	HASH_FIND_STR(covered->keys, path, key);
	if (key || HASH_COUNT(covered->keys) == COVERED_MAX)
		return false;
	key = calloc(1, sizeof(*key));
	if (!key)
		return false;
	key->path = path;
	HASH_ADD_KEYPTR(hh, covered->keys, path, strlen(path), key);
	return true;
}

void covered_tell(struct covered *covered, const char *bucket, const char *dir, const char *name)
{
	_cleanup_(freep) char *path = NULL;
	const char *told;
	bool last;

	if (asprintf(&path, "%s/%s%s", bucket, dir, name) < 0) {
		path = NULL;
		return;
	}
	told = path;
	pthread_mutex_lock(&covered->lock);
	if (add_locked(covered, path))
		path = NULL;
	last = HASH_COUNT(covered->keys) == COVERED_MAX;
	pthread_mutex_unlock(&covered->lock);
	if (path)
		return;
	log_warn("%s is an object and a directory: the directory is shown%s", told,
		 last ? "; further ones are not told" : "");
}
