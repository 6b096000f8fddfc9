/*
 * fs/covered: objects that no name shows, since a directory of the same name covers them ("a" where
 * there is "a/b"). Each is told to the log once; of very many, the first COVERED_MAX.
 */
#ifndef FS_COVERED_H
#define FS_COVERED_H

#include <pthread.h>

#define COVERED_MAX 256

struct covered {
	pthread_mutex_t lock;
	struct covered_key *keys; /* lock */
};

void covered_init(struct covered *covered);
void covered_deinit(struct covered *covered);

/* dir (a key's beginning, "" or "a/b/") and name: the key. Thread-safe. */
void covered_tell(struct covered *covered, const char *bucket, const char *dir, const char *name);

#endif
