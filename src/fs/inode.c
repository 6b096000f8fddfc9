#include "inode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "xacctfs/fs/fs.h"
#include "xacctfs/util/cleanup.h"

struct inode {
	uint64_t ino;
	uint64_t lookups; /* how often the kernel was given it and did not forget it yet */
	int64_t created_ms;
	UT_hash_handle hh_name, hh_ino;
	char bucket[];
};

void inode_table_init(struct inode_table *table)
{
	*table = (struct inode_table){.next_ino = FS_ROOT + 1};
	pthread_mutex_init(&table->lock, NULL);
}

static void drop_locked(struct inode_table *table, struct inode *inode)
{
	HASH_DELETE(hh_name, table->by_name, inode);
	HASH_DELETE(hh_ino, table->by_ino, inode);
	free(inode);
}

void inode_table_deinit(struct inode_table *table)
{
	struct inode *inode, *next;

	HASH_ITER (hh_ino, table->by_ino, inode, next)
		drop_locked(table, inode);
	pthread_mutex_destroy(&table->lock);
}

static struct inode *find_name_locked(struct inode_table *table, const char *bucket)
{
	struct inode *inode;

	HASH_FIND(hh_name, table->by_name, bucket, (unsigned int)strlen(bucket), inode);
	return inode;
}

static struct inode *find_ino_locked(struct inode_table *table, uint64_t ino)
{
	struct inode *inode;

	HASH_FIND(hh_ino, table->by_ino, &ino, sizeof(ino), inode);
	return inode;
}

static struct inode *add_locked(struct inode_table *table, const char *bucket)
{
	size_t len = strlen(bucket);
	struct inode *inode = calloc(1, sizeof(*inode) + len + 1);

	if (!inode)
		return NULL;
	memcpy(inode->bucket, bucket, len + 1);
	inode->ino = table->next_ino++;
	HASH_ADD(hh_name, table->by_name, bucket, (unsigned int)len, inode);
	HASH_ADD(hh_ino, table->by_ino, ino, sizeof(inode->ino), inode);
	return inode;
}

int inode_acquire(struct inode_table *table, const char *bucket, int64_t created_ms,
		  uint64_t *ret_ino)
{
	struct inode *inode;

	pthread_mutex_lock(&table->lock);
	inode = find_name_locked(table, bucket);
	if (!inode)
		inode = add_locked(table, bucket);
	if (inode) {
		inode->lookups++;
		inode->created_ms = created_ms;
		*ret_ino = inode->ino;
	}
	pthread_mutex_unlock(&table->lock);
	return inode ? 0 : -ENOMEM;
}

void inode_forget(struct inode_table *table, uint64_t ino, uint64_t count)
{
	struct inode *inode;

	pthread_mutex_lock(&table->lock);
	inode = find_ino_locked(table, ino);
	if (inode) {
		inode->lookups -= count < inode->lookups ? count : inode->lookups;
		if (inode->lookups == 0)
			drop_locked(table, inode);
	}
	pthread_mutex_unlock(&table->lock);
}

int inode_bucket(struct inode_table *table, uint64_t ino, char **ret_bucket,
		 int64_t *ret_created_ms)
{
	struct inode *inode;
	char *bucket = NULL;

	pthread_mutex_lock(&table->lock);
	inode = find_ino_locked(table, ino);
	if (inode) {
		bucket = strdup(inode->bucket);
		*ret_created_ms = inode->created_ms;
	}
	pthread_mutex_unlock(&table->lock);
	if (!inode)
		return -ESTALE;
	if (!bucket)
		return -ENOMEM;
	*ret_bucket = bucket;
	return 0;
}

/* FNV-1a, 64 bits. */
uint64_t inode_number(const char *bucket)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *bucket; bucket++)
		hash = (hash ^ (unsigned char)*bucket) * 0x100000001b3;
	return hash > FS_ROOT ? hash : FS_ROOT + 1;
}
