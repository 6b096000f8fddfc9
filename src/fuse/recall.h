/*
 * fuse/recall: asks the kernel to forget names when it holds more of them than fs has room for. It
 * would keep them as long as it has memory itself, and fs must know them as long as it does.
 */
#ifndef FUSE_RECALL_H
#define FUSE_RECALL_H

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>

#include "xacctfs/fs/fs.h"

/*
 * A thread of its own: the kernel takes the directory's lock to forget a name, and whoever has that
 * may wait for the answer to an operation.
 */
struct recall {
	struct fs *fs;
	struct fuse_session *session;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool wanted, stopping; /* lock */
};

/* fs and session outlive it. */
void recall_init(struct recall *recall, struct fs *fs, struct fuse_session *session);
void recall_deinit(struct recall *recall);
/* Makes the thread. 0, or a negative errno. */
int recall_start(struct recall *recall);
/* Ends it, while operations are served yet: one name may be waited for. Once, when it was made. */
void recall_stop(struct recall *recall);
/* After names were handed out. Any thread; does not wait. */
void recall_check(struct recall *recall);

#endif
