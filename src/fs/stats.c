/* What the file system did, and what it holds: for people, and so without a request. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "xacctfs/util/cleanup.h"

#include "opened.h"

/* ---- the numbers ---- */

static struct fs_memory_stats memory_of(struct memory_purse *purse)
{
	size_t used, most;

	memory_get(purse, &used, &most);
	return (struct fs_memory_stats){.used = used, .most = most, .limit = purse->limit};
}

/* True once for the content of several handles, by one who has a mark of his own. */
static bool is_unsaved_locked(struct opened *opened, uint64_t mark)
{
	if (opened->mark == mark)
		return false;
	opened->mark = mark;
	return content_dirty(opened->content);
}

static void count_locked(struct fs *fs, struct fs_stats *stats)
{
	uint64_t mark = ++fs->marks;
	const struct fs_file *file;

	stats->inodes = HASH_COUNT(fs->tree.by_name) + 1;
	stats->open_dirs = fs->n_dirs;
	DL_FOREACH (fs->files, file) {
		stats->open_files++;
		stats->unsaved_files += is_unsaved_locked(file->opened, mark);
	}
}

void fs_get_stats(struct fs *fs, struct fs_stats *ret_stats)
{
	struct fs_stats stats = {
	    .hidden_keys = fs->unrepresentable,
	    .lookups_known = fs->lookups_known,
	    .lookups_asked = fs->lookups_asked,
	    .read_bytes = fs->read_bytes,
	    .written_bytes = fs->written_bytes,
	    .read_memory = memory_of(&fs->read_memory),
	    .write_memory = memory_of(&fs->write_memory),
	    .staging_used = staging_used(&fs->staging),
	    .staging_limit = fs->staging.limit,
	    .parts_under_way = fs->room.under_way,
	};

	pthread_mutex_lock(&fs->tree.lock);
	count_locked(fs, &stats);
	pthread_mutex_unlock(&fs->tree.lock);
	*ret_stats = stats;
}

/* ---- what is not saved ---- */

/* A file whose name is gone is nothing that would be saved. */
static int describe_locked(struct fs *fs, struct fs_file *file, struct fs_unsaved *ret_unsaved)
{
	_cleanup_(place_deinit) struct place place = {0};
	int r = tree_place_locked(&fs->tree, file->node, &place);

	if (r < 0)
		return r;
	content_get_unsaved(file->opened->content, ret_unsaved);
	ret_unsaved->bucket = steal(&place.bucket);
	ret_unsaved->key = steal(&place.key);
	return 0;
}

static int list_locked(struct fs *fs, struct fs_unsaved_list *list)
{
	uint64_t mark = ++fs->marks;
	struct fs_file *file;
	size_t n;

	DL_COUNT(fs->files, file, n);
	list->v = calloc(n + 1, sizeof(*list->v));
	if (!list->v)
		return -ENOMEM;
	DL_FOREACH (fs->files, file) {
		int r;

		if (!is_unsaved_locked(file->opened, mark))
			continue;
		r = describe_locked(fs, file, &list->v[list->n]);
		if (r == -ENOMEM)
			return r;
		list->n += r == 0;
	}
	return 0;
}

int fs_list_unsaved(struct fs *fs, struct fs_unsaved_list *ret_list)
{
	struct fs_unsaved_list list = {0};
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	r = list_locked(fs, &list);
	pthread_mutex_unlock(&fs->tree.lock);
	if (r < 0)
		fs_unsaved_list_deinit(&list);
	else
		*ret_list = list;
	return r;
}

void fs_unsaved_list_deinit(struct fs_unsaved_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].bucket);
		free(list->v[i].key);
	}
	free(list->v);
	*list = (struct fs_unsaved_list){0};
}
