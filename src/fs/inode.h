/*
 * fs/inode: the inodes that the kernel knows, one a name. Thread-safe.
 *
 * An inode lives from its first lookup until it was forgotten as often as it was handed out. The
 * number that users see (st_ino) is made of the name, so that it stays the same when an inode is
 * forgotten and looked up again.
 */
#ifndef FS_INODE_H
#define FS_INODE_H

#include <pthread.h>
#include <stdint.h>

struct inode;

struct inode_table {
	pthread_mutex_t lock;
	struct inode *by_name; /* lock */
	struct inode *by_ino;  /* lock */
	uint64_t next_ino;     /* lock: numbers are not used again */
};

void inode_table_init(struct inode_table *table);
void inode_table_deinit(struct inode_table *table);

/* The bucket's inode, handed out once more. Returns 0, -ENOMEM. */
int inode_acquire(struct inode_table *table, const char *bucket, int64_t created_ms,
		  uint64_t *ret_ino);
void inode_forget(struct inode_table *table, uint64_t ino, uint64_t count);

/* The bucket of an inode, to free(). Returns 0, -ESTALE for a number never or no longer known. */
int inode_bucket(struct inode_table *table, uint64_t ino, char **ret_bucket,
		 int64_t *ret_created_ms);

/* st_ino of a bucket: never 0 or FS_ROOT. */
uint64_t inode_number(const char *bucket);

#endif
