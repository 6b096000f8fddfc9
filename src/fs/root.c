#include <errno.h>
#include <string.h>

#include "xacctfs/util/log.h"

#include "namespace.h"
#include "private.h"

struct node *root_enter_locked(struct fs *fs, const char *name, int64_t created_ms,
			       int64_t expires_ms)
{
	struct node *node = tree_find_locked(&fs->tree, fs->tree.root, name);

	if (!node)
		node = tree_add_locked(&fs->tree, fs->tree.root, name, NODE_BUCKET);
	if (!node)
		return NULL;
	node->mtime_ns = created_ms * 1000000;
	node->expires_ms = expires_ms;
	return node;
}

/* With a reference. */
static struct node *enter(struct fs *fs, const char *name, int64_t created_ms, int64_t expires_ms)
{
	struct node *node;

	pthread_mutex_lock(&fs->tree.lock);
	node = root_enter_locked(fs, name, created_ms, expires_ms);
	if (node)
		tree_ref_locked(&fs->tree, node);
	pthread_mutex_unlock(&fs->tree.lock);
	return node;
}

/* The bucket is gone: a new one of its name is another node. */
static void forget_name(struct fs *fs, const char *name)
{
	struct node *node;

	pthread_mutex_lock(&fs->tree.lock);
	node = tree_find_locked(&fs->tree, fs->tree.root, name);
	if (node)
		tree_unlink_locked(&fs->tree, node);
	pthread_mutex_unlock(&fs->tree.lock);
}

int root_find(struct fs *fs, struct call *call, const char *name, struct node **ret_node,
	      int64_t *ret_valid_ms)
{
	int64_t created_ms, valid_ms;
	bool found;
	int r = buckets_find(&fs->buckets, call, name, &found, &created_ms, &valid_ms);

	if (r < 0)
		return r;
	if (ret_valid_ms)
		*ret_valid_ms = valid_ms;
	if (!found) {
		if (valid_ms > 0) /* else the answer may be older than a bucket made here */
			forget_name(fs, name);
		return -ENOENT;
	}
	*ret_node = enter(fs, name, created_ms, fs_boot_ms(fs) + valid_ms);
	return *ret_node ? 0 : -ENOMEM;
}

int root_mkdir(struct fs *fs, struct call *call, const char *name, struct fs_entry *ret_entry)
{
	struct clock *clock = fs->options.clock;
	int64_t now_ms = clock->wall_ms(clock);
	int64_t expires_ms = fs_boot_ms(fs) + fs->options.metadata_ttl_ms;
	const char *rule = bucket_name_rule_broken(name);
	struct node *node;
	int r;

	if (rule) {
		log_info("mkdir %s: %s", name, rule);
		return -EINVAL;
	}
	r = fs->options.store->create_bucket(fs->options.store, call, name);
	if (r < 0)
		return r;
	buckets_added(&fs->buckets, name, now_ms);
	pthread_mutex_lock(&fs->tree.lock);
	node = root_enter_locked(fs, name, now_ms, expires_ms);
	if (node)
		fs_hand_out_locked(fs, node, ret_entry);
	pthread_mutex_unlock(&fs->tree.lock);
	return node ? 0 : -ENOMEM;
}

int root_rmdir(struct fs *fs, struct call *call, const char *name)
{
	int64_t created_ms, valid_ms;
	bool found;
	int r;

	/* what the mount does not show, it does not delete */
	r = buckets_find(&fs->buckets, call, name, &found, &created_ms, &valid_ms);
	if (r < 0)
		return r;
	if (!found)
		return -ENOENT;
	r = fs->options.store->delete_bucket(fs->options.store, call, name);
	if (r == 0 || r == -ENOENT) {
		buckets_removed(&fs->buckets, name);
		forget_name(fs, name);
	}
	return r;
}
