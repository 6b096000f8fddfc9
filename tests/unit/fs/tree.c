/* The nodes of the tree: names, numbers, lives, places. */
#include "bench.h"

#include <limits.h>

#include "../../../src/fs/tree.h"

#define THREADS   4
#define ROUNDS    3000
#define NAMES_MAX 16
#define HELD_MAX  (NAMES_MAX / 8)

static void begin(struct tree *tree, const char *bucket, const char *prefix)
{
	assert_int_equal(tree_init(tree, bucket, prefix, NAMES_MAX), 0);
	pthread_mutex_lock(&tree->lock);
}

static int setup(void **state)
{
	struct tree *tree = malloc(sizeof(*tree));

	assert_non_null(tree);
	begin(tree, NULL, NULL);
	*state = tree;
	return 0;
}

static int setup_bucket(void **state)
{
	struct tree *tree = malloc(sizeof(*tree));

	assert_non_null(tree);
	begin(tree, "photos", "");
	*state = tree;
	return 0;
}

static int setup_prefix(void **state)
{
	struct tree *tree = malloc(sizeof(*tree));

	assert_non_null(tree);
	begin(tree, "photos", "2026/autumn/");
	*state = tree;
	return 0;
}

static int teardown(void **state)
{
	struct tree *tree = *state;

	pthread_mutex_unlock(&tree->lock);
	tree_deinit(tree);
	free(tree);
	return 0;
}

/* ---- shorthand ---- */

static struct node *add(struct tree *tree, struct node *parent, const char *name,
			enum node_kind kind)
{
	struct node *node = tree_add_locked(tree, parent, name, kind);

	assert_non_null(node);
	return node;
}

static struct node *add_held(struct tree *tree, struct node *parent, const char *name,
			     enum node_kind kind)
{
	struct node *node = add(tree, parent, name, kind);

	tree_looked_up_locked(tree, node);
	return node;
}

static void forget(struct tree *tree, uint64_t ino, uint64_t count)
{
	pthread_mutex_unlock(&tree->lock);
	tree_forget(tree, ino, count);
	pthread_mutex_lock(&tree->lock);
}

static bool known(struct tree *tree, uint64_t ino)
{
	return tree_get_locked(tree, ino) != NULL;
}

static void assert_place(struct tree *tree, const struct node *node, const char *bucket,
			 const char *key)
{
	_cleanup_(place_deinit) struct place place = {0};

	assert_int_equal(tree_place_locked(tree, node, &place), 0);
	assert_string_equal(place.bucket, bucket);
	assert_string_equal(place.key, key);
}

/* ---- names and numbers ---- */

static void one_name_is_one_node(void **state)
{
	struct tree *tree = *state;
	struct node *a = add(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *b = add(tree, tree->root, "beta", NODE_BUCKET);
	struct node *below = add(tree, a, "beta", NODE_FILE);

	assert_ptr_equal(tree_find_locked(tree, tree->root, "alpha"), a);
	assert_ptr_equal(tree_find_locked(tree, tree->root, "beta"), b);
	assert_ptr_equal(tree_find_locked(tree, a, "beta"), below);
	assert_null(tree_find_locked(tree, tree->root, "alph"));
	assert_null(tree_find_locked(tree, tree->root, "alphab"));
	assert_null(tree_find_locked(tree, b, "beta"));
	assert_null(tree_find_locked(tree, a, ""));
	assert_int_not_equal(a->ino, b->ino);
	assert_true(a->ino > FS_ROOT && b->ino > FS_ROOT && below->ino > FS_ROOT);
	assert_ptr_equal(tree_get_locked(tree, below->ino), below);
}

static void the_root_is_number_one_for_ever(void **state)
{
	struct tree *tree = *state;

	assert_int_equal(tree->root->ino, FS_ROOT);
	assert_ptr_equal(tree_get_locked(tree, FS_ROOT), tree->root);
	forget(tree, FS_ROOT, UINT64_MAX);
	tree_set_local_locked(tree, tree->root, true);
	tree_unlink_locked(tree, tree->root);
	assert_ptr_equal(tree_get_locked(tree, FS_ROOT), tree->root);
	assert_null(tree->locals);
}

static void a_number_that_was_never_given_is_not_known(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);

	assert_false(known(tree, 0));
	assert_false(known(tree, a->ino + 1));
	assert_false(known(tree, a->ino | UINT64_C(1) << 32));
	assert_false(known(tree, UINT64_MAX));
	assert_false(known(tree, UINT32_MAX));
}

static void a_number_is_never_used_again(void **state)
{
	struct tree *tree = *state;
	uint64_t seen[500];

	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		struct node *node = add(tree, tree->root, "alpha", NODE_BUCKET);

		seen[i] = node->ino;
		tree_unlink_locked(tree, node);
		for (size_t k = 0; k <= i; k++) {
			assert_false(known(tree, seen[k]));
			assert_true(k == i || seen[k] != seen[i]);
		}
	}
}

static void there_is_room_for_many(void **state)
{
	struct tree *tree = *state;
	char name[16];

	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		add_held(tree, tree->root, name, NODE_BUCKET);
	}
	for (int i = 0; i < 10000; i++) {
		struct node *node;

		snprintf(name, sizeof(name), "%d", i);
		node = tree_find_locked(tree, tree->root, name);
		assert_non_null(node);
		assert_string_equal(node->name->text, name);
		assert_ptr_equal(tree_get_locked(tree, node->ino), node);
	}
}

/* ---- lives ---- */

static void a_node_lives_until_forgotten_as_often_as_handed_out(void **state)
{
	struct tree *tree = *state;
	struct node *a = add(tree, tree->root, "alpha", NODE_BUCKET);
	uint64_t ino = a->ino;

	for (int i = 0; i < 5; i++)
		tree_looked_up_locked(tree, a);
	tree_unlink_locked(tree, a);
	forget(tree, ino, 0);
	forget(tree, ino, 1);
	forget(tree, ino, 3);
	assert_true(known(tree, ino));
	forget(tree, ino, 1);
	assert_false(known(tree, ino));
	forget(tree, ino, 1);
}

static void forgetting_more_than_was_handed_out_is_the_end_of_it(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	uint64_t ino = a->ino;

	tree_unlink_locked(tree, a);
	forget(tree, ino, UINT64_MAX);
	assert_false(known(tree, ino));
}

static void a_reference_keeps_a_node(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	uint64_t ino = a->ino;

	tree_ref_locked(tree, a);
	tree_unlink_locked(tree, a);
	forget(tree, ino, 1);
	assert_true(known(tree, ino));
	tree_unref_locked(tree, a);
	assert_false(known(tree, ino));
	tree_unref_locked(tree, NULL);
}

static void a_node_keeps_those_above_it(void **state)
{
	struct tree *tree = *state;
	struct node *bucket = add(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *dir = add(tree, bucket, "dir", NODE_DIR);
	struct node *file = add_held(tree, dir, "file", NODE_FILE);
	uint64_t ino = file->ino, dir_ino = dir->ino, bucket_ino = bucket->ino;

	for (int i = 0; i < 2 * NAMES_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		add(tree, tree->root, name, NODE_BUCKET);
	}
	assert_true(known(tree, dir_ino) && known(tree, bucket_ino));
	/* all of them are unlinked: the last one takes the others with it */
	tree_unlink_locked(tree, bucket);
	tree_unlink_locked(tree, dir);
	tree_unlink_locked(tree, file);
	assert_true(known(tree, ino));
	assert_false(known(tree, dir_ino));
	assert_false(known(tree, bucket_ino));
	forget(tree, ino, 1);
	assert_false(known(tree, ino));
}

static void a_name_that_nobody_uses_is_kept_for_a_while(void **state)
{
	struct tree *tree = *state;
	uint64_t inos[NAMES_MAX + 3];
	char name[16];

	for (size_t i = 0; i < ARRAY_LEN(inos); i++) {
		struct node *node;

		snprintf(name, sizeof(name), "%zu", i);
		node = add(tree, tree->root, name, NODE_BUCKET);
		inos[i] = node->ino;
		/* this one is used now and then */
		tree_ref_locked(tree, tree_get_locked(tree, inos[0]));
		tree_unref_locked(tree, tree_get_locked(tree, inos[0]));
	}
	assert_int_equal(tree->n[LIST_IDLE], NAMES_MAX);
	assert_true(known(tree, inos[0]));
	for (size_t i = 1; i < ARRAY_LEN(inos); i++)
		assert_int_equal(known(tree, inos[i]), i > 3);
	assert_null(tree_find_locked(tree, tree->root, "3"));
	assert_non_null(tree_find_locked(tree, tree->root, "4"));
}

static void what_is_used_or_local_is_not_idle(void **state)
{
	struct tree *tree = *state;
	struct node *held = add_held(tree, tree->root, "held", NODE_BUCKET);
	struct node *local = add(tree, held, "local", NODE_FILE);
	struct node *used = add(tree, held, "used", NODE_FILE);
	char name[16];

	tree_set_local_locked(tree, local, true);
	tree_ref_locked(tree, used);
	for (int i = 0; i < 3 * NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		add(tree, tree->root, name, NODE_BUCKET);
	}
	assert_ptr_equal(tree_find_locked(tree, tree->root, "held"), held);
	assert_ptr_equal(tree_find_locked(tree, held, "local"), local);
	assert_ptr_equal(tree_find_locked(tree, held, "used"), used);
	assert_int_equal(tree->n[LIST_IDLE], NAMES_MAX);
	tree_set_local_locked(tree, local, false);
	tree_unref_locked(tree, used);
	assert_int_equal(tree->n[LIST_IDLE], NAMES_MAX);
	assert_ptr_equal(tree_find_locked(tree, held, "local"), local);
	assert_ptr_equal(tree_find_locked(tree, held, "used"), used);
}

static void an_idle_child_goes_before_its_parent(void **state)
{
	struct tree *tree = *state;
	struct node *bucket = add(tree, tree->root, "alpha", NODE_BUCKET);
	uint64_t ino = bucket->ino, inos[NAMES_MAX];
	char name[16];

	for (size_t i = 0; i < ARRAY_LEN(inos); i++) {
		snprintf(name, sizeof(name), "%zu", i);
		inos[i] = add(tree, bucket, name, NODE_FILE)->ino;
	}
	for (int i = 0; i < 2 * NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "other-%d", i);
		add(tree, tree->root, name, NODE_BUCKET);
	}
	for (size_t i = 0; i < ARRAY_LEN(inos); i++)
		assert_false(known(tree, inos[i]));
	assert_false(known(tree, ino));
	assert_int_equal(tree->n[LIST_IDLE], NAMES_MAX);
}

/* The kernel forgot them all: a name in each of so many directories that nobody uses. */
static void a_name_takes_its_directory_with_it_and_no_other(void **state)
{
	struct tree *tree = *state;
	uint64_t dirs[NAMES_MAX + 1], files[NAMES_MAX + 1];
	char name[16];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		struct node *dir;

		snprintf(name, sizeof(name), "%zu", i);
		dir = add_held(tree, tree->root, name, NODE_BUCKET);
		dirs[i] = dir->ino;
		files[i] = add(tree, dir, "file", NODE_FILE)->ino;
		forget(tree, dirs[i], 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		assert_int_equal(known(tree, files[i]), i > 0);
		assert_int_equal(known(tree, dirs[i]), i > 0);
	}
	assert_int_equal(tree->n[LIST_IDLE], NAMES_MAX);
}

/* Named by their numbers, up to the one before n. */
static void add_held_files(struct tree *tree, size_t from, size_t n, uint64_t *inos)
{
	for (size_t i = from; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%zu", i);
		inos[i] = add_held(tree, tree->root, name, NODE_FILE)->ino;
	}
}

static void files_that_the_kernel_has_are_recalled_oldest_first(void **state)
{
	struct tree *tree = *state;
	uint64_t inos[HELD_MAX + 4];
	struct node *node;

	add_held_files(tree, 0, HELD_MAX, inos);
	assert_false(tree_is_full_locked(tree, LIST_HELD));
	assert_null(tree_recall_locked(tree));
	add_held_files(tree, HELD_MAX, HELD_MAX + 4, inos);
	assert_true(tree_is_full_locked(tree, LIST_HELD));
	/* this one was looked up again, that one is in use */
	tree_looked_up_locked(tree, tree_get_locked(tree, inos[0]));
	tree_ref_locked(tree, tree_get_locked(tree, inos[1]));
	node = tree_recall_locked(tree);
	assert_int_equal(node->ino, inos[2]);
	node = tree_recall_locked(tree);
	assert_int_equal(node->ino, inos[3]);
	forget(tree, inos[2], 1);
	assert_ptr_equal(tree_find_locked(tree, tree->root, "2"), tree_get_locked(tree, inos[2]));
	/* the kernel has the other one still, and is not asked again until it is given it again */
	tree_unref_locked(tree, tree_get_locked(tree, inos[1]));
	assert_int_equal(tree_recall_locked(tree)->ino, inos[4]);
	assert_int_equal(tree_recall_locked(tree)->ino, inos[5]);
	assert_null(tree_recall_locked(tree));
	tree_looked_up_locked(tree, tree_get_locked(tree, inos[3]));
	assert_non_null(tree_recall_locked(tree));
	assert_null(tree_recall_locked(tree));
}

static void what_was_recalled_is_dropped_before_what_was_listed(void **state)
{
	struct tree *tree = *state;
	uint64_t inos[HELD_MAX + 1], listed[NAMES_MAX - HELD_MAX];
	char name[16];

	add_held_files(tree, 0, HELD_MAX + 1, inos);
	for (size_t i = 0; i < ARRAY_LEN(listed); i++) {
		snprintf(name, sizeof(name), "listed-%zu", i);
		listed[i] = add(tree, tree->root, name, NODE_FILE)->ino;
	}
	assert_int_equal(tree_recall_locked(tree)->ino, inos[0]);
	forget(tree, inos[0], 1);
	assert_false(known(tree, inos[0]));
	for (size_t i = 0; i < ARRAY_LEN(listed); i++)
		assert_true(known(tree, listed[i]));
}

static void files_with_pages_are_recalled_later(void **state)
{
	struct tree *tree = *state;
	uint64_t inos[2 * HELD_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(inos); i++) {
		struct node *node;
		char name[16];

		snprintf(name, sizeof(name), "%zu", i);
		node = add(tree, tree->root, name, NODE_FILE);
		assert_int_equal(tree_set_text(&node->cached_etag, "\"1\""), 0);
		tree_looked_up_locked(tree, node);
		inos[i] = node->ino;
		if (i < 2 * HELD_MAX)
			assert_null(tree_recall_locked(tree));
	}
	assert_true(tree_is_full_locked(tree, LIST_CACHED));
	assert_int_equal(tree_recall_locked(tree)->ino, inos[0]);
	assert_null(tree_recall_locked(tree));
}

static void directories_and_nameless_files_are_not_recalled(void **state)
{
	struct tree *tree = *state;
	uint64_t inos[2 * HELD_MAX];
	char name[16];

	for (int i = 0; i < 2 * NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "dir-%d", i);
		add_held(tree, tree->root, name, i % 2 ? NODE_DIR : NODE_BUCKET);
	}
	add_held_files(tree, 0, 2 * HELD_MAX, inos);
	for (size_t i = 0; i < HELD_MAX; i++)
		tree_unlink_locked(tree, tree_get_locked(tree, inos[i]));
	assert_false(tree_is_full_locked(tree, LIST_HELD));
	assert_null(tree_recall_locked(tree));
}

static void what_the_kernel_has_leaves_less_room_for_others(void **state)
{
	struct tree *tree = *state;
	uint64_t inos[NAMES_MAX];
	char name[16];

	for (int i = 0; i < 2 * NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "idle-%d", i);
		add(tree, tree->root, name, NODE_FILE);
	}
	assert_int_equal(tree->n[LIST_IDLE], NAMES_MAX);
	add_held_files(tree, 0, HELD_MAX, inos);
	assert_true(tree->n[LIST_IDLE] + tree->n[LIST_HELD] <= NAMES_MAX);
	add_held_files(tree, HELD_MAX, NAMES_MAX, inos);
	assert_true(tree->n[LIST_IDLE] <= NAMES_MAX - HELD_MAX);
	while (tree_recall_locked(tree))
		;
	assert_int_equal(tree->n[LIST_HELD], HELD_MAX);
	snprintf(name, sizeof(name), "idle-%d", 2 * NAMES_MAX - 1);
	assert_non_null(tree_find_locked(tree, tree->root, name));
}

/* ---- unlink, move, local ---- */

static void an_unlinked_node_has_no_name_and_frees_it(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET), *again;
	_cleanup_(place_deinit) struct place place = {0};

	tree_set_local_locked(tree, a, true);
	tree_unlink_locked(tree, a);
	tree_unlink_locked(tree, a);
	assert_null(tree_find_locked(tree, tree->root, "alpha"));
	assert_false(a->local);
	assert_null(tree->locals);
	assert_null(a->parent);
	assert_int_equal(tree_place_locked(tree, add_held(tree, a, "file", NODE_FILE), &place),
			 -ESTALE);
	again = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	assert_int_not_equal(again->ino, a->ino);
	assert_ptr_equal(tree_find_locked(tree, tree->root, "alpha"), again);
	assert_place(tree, again, "alpha", "");
}

static void a_moved_node_has_its_new_name_only(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *b = add_held(tree, tree->root, "beta", NODE_BUCKET);
	struct node *dir = add_held(tree, a, "dir", NODE_DIR);
	struct node *file = add_held(tree, dir, "file", NODE_FILE);
	uint64_t ino = dir->ino;

	assert_place(tree, file, "alpha", "dir/file");
	assert_int_equal(tree_move_locked(tree, dir, b, "other"), 0);
	assert_null(tree_find_locked(tree, a, "dir"));
	assert_ptr_equal(tree_find_locked(tree, b, "other"), dir);
	assert_ptr_equal(tree_find_locked(tree, dir, "file"), file);
	assert_ptr_equal(dir->parent, b);
	assert_int_equal(dir->ino, ino);
	assert_place(tree, file, "beta", "other/file");
	/* alpha is held by the kernel alone again */
	assert_int_equal(a->refs, 0);
	assert_int_equal(b->refs, 1);
	assert_int_equal(tree_move_locked(tree, dir, b, "third"), 0);
	assert_int_equal(b->refs, 1);
	assert_place(tree, dir, "beta", "third/");
}

static void an_unlinked_node_can_be_given_a_name_again(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *file = add_held(tree, a, "file", NODE_FILE);

	tree_unlink_locked(tree, file);
	assert_int_equal(tree_move_locked(tree, file, a, "back"), 0);
	assert_ptr_equal(tree_find_locked(tree, a, "back"), file);
	assert_place(tree, file, "alpha", "back");
}

static size_t locals(const struct tree *tree)
{
	size_t n = 0;

	for (const struct node *node = tree->locals; node; node = node->next)
		n++;
	return n;
}

static void local_nodes_are_in_a_list_of_their_own(void **state)
{
	struct tree *tree = *state;
	struct node *bucket = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *a = add(tree, bucket, "a", NODE_FILE);
	struct node *b = add_held(tree, bucket, "b", NODE_FILE);
	struct node *c = add(tree, bucket, "c", NODE_DIR);

	for (int i = 0; i < 2; i++) {
		tree_set_local_locked(tree, a, true);
		tree_set_local_locked(tree, b, true);
		tree_set_local_locked(tree, c, true);
		assert_int_equal(locals(tree), 3);
	}
	assert_true(a->local && a->list == LIST_NONE);
	forget(tree, b->ino, 1);
	tree_set_local_locked(tree, b, false);
	assert_int_equal(locals(tree), 2);
	assert_int_equal(b->list, LIST_IDLE);
	tree_unlink_locked(tree, a);
	assert_int_equal(locals(tree), 1);
	assert_ptr_equal(tree->locals, c);
	tree_set_local_locked(tree, c, false);
	assert_null(tree->locals);
	assert_int_equal(tree->n[LIST_IDLE], 2);
}

static void expire_is_for_one_directory(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *dir = add(tree, a, "dir", NODE_DIR);
	struct node *file = add(tree, a, "file", NODE_FILE);
	struct node *below = add(tree, dir, "below", NODE_FILE);
	_cleanup_(buf_deinit) struct buf names = BUF_INIT, inos = BUF_INIT;

	tree_looked_up_locked(tree, file);
	tree_set_absent_locked(tree, a, "absent", 1000);
	tree_set_absent_locked(tree, dir, "absent below", 1000);
	a->expires_ms = dir->expires_ms = file->expires_ms = below->expires_ms = 1000;
	assert_int_equal(tree_expire_locked(tree, a, &names, &inos), 0);
	/* that which the kernel may remember */
	assert_int_equal(names.len, sizeof("file"));
	assert_memory_equal(names.data, "file", names.len);
	assert_int_equal(inos.len, sizeof(file->ino));
	assert_memory_equal(inos.data, &file->ino, inos.len);
	assert_int_equal(dir->expires_ms, TREE_EXPIRED);
	assert_int_equal(file->expires_ms, TREE_EXPIRED);
	assert_false(tree_is_absent_locked(tree, a, "absent", 0));
	assert_true(tree_is_absent_locked(tree, dir, "absent below", 0));
	assert_int_equal(a->expires_ms, 1000);
	assert_int_equal(below->expires_ms, 1000);
}

static void what_is_not_there_is_known_for_a_time(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);

	assert_false(tree_is_absent_locked(tree, a, "x", 0));
	tree_set_absent_locked(tree, a, "x", 1000);
	assert_true(tree_is_absent_locked(tree, a, "x", 999));
	assert_false(tree_is_absent_locked(tree, a, "x", 1000));
	assert_false(tree_is_absent_locked(tree, tree->root, "x", 999));
	tree_set_absent_locked(tree, a, "x", 2000);
	assert_true(tree_is_absent_locked(tree, a, "x", 1999));
	/* until a node has the name, even if it is gone again */
	tree_unlink_locked(tree, add_held(tree, a, "x", NODE_FILE));
	assert_false(tree_is_absent_locked(tree, a, "x", 0));
	tree_set_absent_locked(tree, a, "moved", 1000);
	assert_int_equal(tree_move_locked(tree, add_held(tree, a, "y", NODE_FILE), a, "moved"), 0);
	assert_false(tree_is_absent_locked(tree, a, "moved", 0));
}

static void so_many_absent_names_are_known(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	char name[20];

	for (unsigned int i = 0; i <= TREE_ABSENT_MAX; i++) {
		snprintf(name, sizeof(name), "%u", i);
		tree_set_absent_locked(tree, a, name, 1000);
	}
	/* the oldest is forgotten */
	assert_false(tree_is_absent_locked(tree, a, "0", 0));
	assert_true(tree_is_absent_locked(tree, a, "1", 0));
	assert_true(tree_is_absent_locked(tree, a, name, 0));
}

/* ---- places ---- */

static void places_are_keys(void **state)
{
	struct tree *tree = *state;
	struct node *bucket = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *dir = add_held(tree, bucket, "a dir", NODE_DIR);
	struct node *deep = add_held(tree, dir, "\xff%2f", NODE_DIR);
	struct node *file = add_held(tree, deep, "file", NODE_FILE);
	struct node *link = add_held(tree, bucket, "link", NODE_SYMLINK);
	_cleanup_(place_deinit) struct place place = {0}, root = {0};

	assert_int_equal(tree_place_locked(tree, tree->root, &root), 0);
	assert_null(root.bucket);
	assert_place(tree, bucket, "alpha", "");
	assert_place(tree, dir, "alpha", "a dir/");
	assert_place(tree, deep, "alpha", "a dir/\xff%2f/");
	assert_place(tree, file, "alpha", "a dir/\xff%2f/file");
	assert_place(tree, link, "alpha", "link");
	assert_int_equal(tree_child_place_locked(tree, deep, "x", true, &place), 0);
	assert_string_equal(place.key, "a dir/\xff%2f/x/");
	place_deinit(&place);
	assert_int_equal(tree_child_place_locked(tree, bucket, "x", false, &place), 0);
	assert_string_equal(place.bucket, "alpha");
	assert_string_equal(place.key, "x");
}

static void below_an_unlinked_directory_there_is_no_place(void **state)
{
	struct tree *tree = *state;
	struct node *bucket = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *dir = add_held(tree, bucket, "dir", NODE_DIR);
	struct node *deep = add_held(tree, dir, "deep", NODE_DIR);
	struct node *file = add_held(tree, deep, "file", NODE_FILE);
	char untouched[] = "untouched";
	struct place place = {.bucket = untouched};

	tree_unlink_locked(tree, dir);
	assert_int_equal(tree_place_locked(tree, file, &place), -ESTALE);
	assert_int_equal(tree_place_locked(tree, deep, &place), -ESTALE);
	assert_int_equal(tree_place_locked(tree, dir, &place), -ESTALE);
	assert_int_equal(tree_child_place_locked(tree, deep, "x", false, &place), -ESTALE);
	assert_ptr_equal(place.bucket, untouched);
}

static void a_mounted_bucket_is_the_root(void **state)
{
	struct tree *tree = *state;
	struct node *file = add_held(tree, tree->root, "file", NODE_FILE);
	struct node *dir = add_held(tree, tree->root, "dir", NODE_DIR);

	assert_int_equal(tree->root->kind, NODE_BUCKET);
	assert_place(tree, tree->root, "photos", "");
	assert_place(tree, file, "photos", "file");
	assert_place(tree, add_held(tree, dir, "x", NODE_FILE), "photos", "dir/x");
}

static void a_mounted_prefix_is_the_root(void **state)
{
	struct tree *tree = *state;
	struct node *dir = add_held(tree, tree->root, "dir", NODE_DIR);

	assert_int_equal(tree->root->kind, NODE_DIR);
	assert_int_equal(tree->root->ino, FS_ROOT);
	assert_place(tree, tree->root, "photos", "2026/autumn/");
	assert_place(tree, dir, "photos", "2026/autumn/dir/");
	assert_place(tree, add_held(tree, dir, "x", NODE_FILE), "photos", "2026/autumn/dir/x");
}

/* ---- st_ino ---- */

static void what_users_see_is_made_of_the_path(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *b = add_held(tree, tree->root, "beta", NODE_BUCKET);
	struct node *file = add(tree, a, "file", NODE_FILE);
	uint64_t number = tree_number_locked(file);

	assert_int_equal(tree_number_locked(tree->root), FS_ROOT);
	assert_int_equal(tree_number_locked(a), tree_child_number(FS_ROOT, "alpha"));
	assert_int_equal(number, tree_child_number(tree_number_locked(a), "file"));
	assert_int_not_equal(number, tree_child_number(tree_number_locked(b), "file"));
	assert_int_not_equal(number, tree_child_number(FS_ROOT, "alphafile"));
	assert_int_not_equal(tree_child_number(tree_child_number(FS_ROOT, "ab"), "c"),
			     tree_child_number(tree_child_number(FS_ROOT, "a"), "bc"));
	assert_true(tree_child_number(FS_ROOT, "") > FS_ROOT);
	/* forgotten and looked up again, it is the same */
	tree_unlink_locked(tree, file);
	assert_int_equal(tree_number_locked(add(tree, a, "file", NODE_FILE)), number);
}

static void an_unlinked_node_is_no_other(void **state)
{
	struct tree *tree = *state;
	struct node *a = add_held(tree, tree->root, "alpha", NODE_BUCKET);
	struct node *old = add_held(tree, a, "file", NODE_FILE), *fresh;

	tree_unlink_locked(tree, old);
	fresh = add_held(tree, a, "file", NODE_FILE);
	assert_int_not_equal(tree_number_locked(old), tree_number_locked(fresh));
	assert_true(tree_number_locked(old) > FS_ROOT);
}

/* ---- many threads ---- */

struct runner {
	struct tree *tree;
	pthread_t thread;
	uint64_t kept; /* the inode of the name that one more reference keeps */
	unsigned int wrong;
};

static void one_round(struct runner *runner, const char *name)
{
	struct tree *tree = runner->tree;
	struct node *node;
	uint64_t ino;

	pthread_mutex_lock(&tree->lock);
	node = tree_find_locked(tree, tree->root, name);
	if (!node)
		node = tree_add_locked(tree, tree->root, name, NODE_BUCKET);
	tree_looked_up_locked(tree, node);
	ino = node->ino;
	pthread_mutex_unlock(&tree->lock);

	pthread_mutex_lock(&tree->lock);
	node = tree_get_locked(tree, ino);
	if (!node || (node->name && strcmp(node->name->text, name) != 0))
		runner->wrong++;
	else if (strcmp(name, "kept") != 0)
		tree_unlink_locked(tree, node);
	else if (ino != runner->kept)
		runner->wrong++;
	pthread_mutex_unlock(&tree->lock);
	tree_forget(tree, ino, 1);
}

/* Each thread takes, unlinks and forgets names that the others do, too; "kept" never goes. */
static void *run(void *data)
{
	static const char *const names[] = {"kept", "alpha", "beta"};
	struct runner *runner = data;

	for (size_t i = 0; i < ROUNDS; i++)
		one_round(runner, names[i % ARRAY_LEN(names)]);
	return NULL;
}

static void many_threads_leave_nothing_behind(void **state)
{
	struct tree *tree = *state;
	struct runner runners[THREADS];
	struct node *kept = add_held(tree, tree->root, "kept", NODE_BUCKET);

	pthread_mutex_unlock(&tree->lock);
	for (size_t i = 0; i < THREADS; i++) {
		runners[i] = (struct runner){.tree = tree, .kept = kept->ino};
		assert_int_equal(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(runners[i].thread, NULL), 0);
		assert_int_equal(runners[i].wrong, 0);
	}
	pthread_mutex_lock(&tree->lock);
	assert_int_equal(kept->lookups, 1);
	for (uint32_t slot = 0; slot < tree->n_slots; slot++)
		assert_true(!tree->slots[slot].node || tree->slots[slot].node == kept ||
			    tree->slots[slot].node == tree->root);
}

#define TEST(name)        cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_BUCKET(name) cmocka_unit_test_setup_teardown(name, setup_bucket, teardown)
#define TEST_PREFIX(name) cmocka_unit_test_setup_teardown(name, setup_prefix, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_name_is_one_node),
	    TEST(the_root_is_number_one_for_ever),
	    TEST(a_number_that_was_never_given_is_not_known),
	    TEST(a_number_is_never_used_again),
	    TEST(there_is_room_for_many),
	    TEST(a_node_lives_until_forgotten_as_often_as_handed_out),
	    TEST(forgetting_more_than_was_handed_out_is_the_end_of_it),
	    TEST(a_reference_keeps_a_node),
	    TEST(a_node_keeps_those_above_it),
	    TEST(a_name_that_nobody_uses_is_kept_for_a_while),
	    TEST(what_is_used_or_local_is_not_idle),
	    TEST(an_idle_child_goes_before_its_parent),
	    TEST(a_name_takes_its_directory_with_it_and_no_other),
	    TEST(files_that_the_kernel_has_are_recalled_oldest_first),
	    TEST(what_was_recalled_is_dropped_before_what_was_listed),
	    TEST(files_with_pages_are_recalled_later),
	    TEST(directories_and_nameless_files_are_not_recalled),
	    TEST(what_the_kernel_has_leaves_less_room_for_others),
	    TEST(an_unlinked_node_has_no_name_and_frees_it),
	    TEST(a_moved_node_has_its_new_name_only),
	    TEST(an_unlinked_node_can_be_given_a_name_again),
	    TEST(local_nodes_are_in_a_list_of_their_own),
	    TEST(expire_is_for_one_directory),
	    TEST(what_is_not_there_is_known_for_a_time),
	    TEST(so_many_absent_names_are_known),
	    TEST(places_are_keys),
	    TEST(below_an_unlinked_directory_there_is_no_place),
	    TEST_BUCKET(a_mounted_bucket_is_the_root),
	    TEST_PREFIX(a_mounted_prefix_is_the_root),
	    TEST(what_users_see_is_made_of_the_path),
	    TEST(an_unlinked_node_is_no_other),
	    TEST(many_threads_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
