/*
 * s3/begun: the multipart uploads that this store began and that did not end yet. Thread-safe.
 */
#ifndef S3_BEGUN_H
#define S3_BEGUN_H

#include <pthread.h>

#include "xacctfs/s3/client.h"

struct begun_entry;

struct begun {
	pthread_mutex_t lock;
	struct begun_entry *entries; /* lock; in the order of their beginning */
};

void begun_init(struct begun *begun);
void begun_deinit(struct begun *begun);

/* Without memory it is not remembered: it is told to persons only. */
void begun_add(struct begun *begun, const struct object_id *id, const char *upload_id,
	       int64_t begun_ms);
/* It was completed or aborted. An unknown one is fine. */
void begun_remove(struct begun *begun, const char *upload_id);
/* A copy. Returns 0, -ENOMEM. */
int begun_list(struct begun *begun, struct s3_begun_list *ret_list);

#endif
