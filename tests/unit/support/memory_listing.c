/* Listings of the store in memory: by example, and against a listing by brute force. */
#include "bench.h"

#include "sequence.h"

#define ACCOUNTS 300
#define LISTINGS 20
#define KEYS_MAX 60
#define KEY_LEN  7

static int list(struct bench *b, const struct list_params *params, struct object_page *ret_page)
{
	return b->store->list_objects(b->store, &b->call, "b", params, ret_page);
}

/* Keys and prefixes of one page, with a space behind each, and "..." when more follow. */
static char *listing(struct bench *b, struct list_params params)
{
	_cleanup_(object_page_deinit) struct object_page page = {0};
	struct buf line = BUF_INIT;

	if (!params.prefix)
		params.prefix = "";
	if (params.max_keys == 0)
		params.max_keys = 1000;
	assert_int_equal(list(b, &params, &page), 0);
	for (size_t i = 0; i < page.n; i++)
		assert_int_equal(buf_printf(&line, "%s ", page.v[i].key), 0);
	assert_int_equal(buf_add_str(&line, page.next_token ? "..." : ""), 0);
	return buf_steal(&line);
}

#define assert_listing(b, expected, ...)                                                           \
	do {                                                                                       \
		_cleanup_(freep) char *line_ = listing(b, (struct list_params){__VA_ARGS__});      \
		assert_string_equal(line_, expected);                                              \
	} while (0)

static void put_keys(struct bench *b)
{
	static const char *const keys[] = {"a", "a/",   "a/1", "a/2/x", "a-",  "a0", "b/c/d",
					   "c", "\xff", "B",   "c//",   "c/x", "d",  "\xc3\xa4"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		put_text(b, keys[i], keys[i]);
}

static void keys_come_in_the_order_of_their_bytes(void **state)
{
	put_keys(*state);
	assert_listing(*state, "B a a- a/ a/1 a/2/x a0 b/c/d c c// c/x d \xc3\xa4 \xff ",
		       .prefix = "");
}

static void deeper_keys_come_as_common_prefixes(void **state)
{
	put_keys(*state);
	assert_listing(*state, "B a a- a/ a0 b/ c c/ d \xc3\xa4 \xff ", .delimited = true);
	assert_listing(*state, "a/ a/1 a/2/ ", .delimited = true, .prefix = "a/");
	assert_listing(*state, "a a- a/ a0 ", .delimited = true, .prefix = "a");
	assert_listing(*state, "c// c/x ", .delimited = true, .prefix = "c/");
	assert_listing(*state, "", .delimited = true, .prefix = "nothing");
}

static void a_page_ends_at_max_keys_and_prefixes_count(void **state)
{
	put_keys(*state);
	assert_listing(*state, "B a a- a/ ...", .delimited = true, .max_keys = 4);
	assert_listing(*state, "a/ a/1 a/2/ ", .delimited = true, .prefix = "a/", .max_keys = 3);
	assert_listing(*state, "a/ a/1 ...", .delimited = true, .prefix = "a/", .max_keys = 2);
}

static void start_after_leaves_out_what_is_not_behind_it(void **state)
{
	struct bench *b = *state;

	put_keys(b);
	assert_listing(b, "c// c/x d \xc3\xa4 \xff ", .start_after = "c");
	assert_listing(b, "c/ d \xc3\xa4 \xff ", .start_after = "c//", .delimited = true);
	assert_listing(b, "d \xc3\xa4 \xff ", .start_after = "c/x", .delimited = true);
	assert_listing(b, "a/ a/1 a/2/x ", .start_after = "B", .prefix = "a/");
	b->s3.start_after_skips = true;
	assert_listing(b, "d \xc3\xa4 \xff ", .start_after = "c//", .delimited = true);
	assert_listing(b, "c// c/x d \xc3\xa4 \xff ", .start_after = "c");
}

static void an_entry_tells_the_object(void **state)
{
	_cleanup_(object_page_deinit) struct object_page page = {0};
	struct list_params params = {.prefix = "", .delimited = true, .max_keys = 10};
	struct bench *b = *state;
	char archive[] = "GLACIER";

	put_text(b, "dir/x", "");
	memory_put_as(&b->s3, "b", "old", "123", 3, &(struct object){.storage_class = archive});
	put_text(b, "plain", "abc");
	assert_int_equal(list(b, &params, &page), 0);
	assert_int_equal(page.n, 3);
	assert_true(page.v[0].is_prefix);
	assert_string_equal(page.v[0].key, "dir/");
	assert_null(page.v[0].etag);
	assert_string_equal(page.v[1].storage_class, "GLACIER");
	assert_false(page.v[2].is_prefix);
	assert_int_equal(page.v[2].size, 3);
	assert_string_equal(page.v[2].storage_class, "");
	assert_string_equal(page.v[2].etag, "\"900150983cd24fb0d6963f7d28e17f72\"");
	assert_int_equal(page.v[2].mtime_ms, TEST_CLOCK_WALL_MS);
	object_page_deinit(&page);
	b->s3.listing_millis = true;
	assert_int_equal(list(b, &params, &page), 0);
	assert_int_equal(page.v[2].mtime_ms, TEST_CLOCK_WALL_MS + 123);
}

static void a_bad_request_is_refused(void **state)
{
	struct bench *b = *state;
	struct list_params params = {.prefix = "", .max_keys = 1};
	struct object_page page = {0};

	assert_int_equal(b->store->list_objects(b->store, &b->call, "none", &params, &page),
			 -ENOENT);
	params.max_keys = 0;
	assert_int_equal(list(b, &params, &page), -EINVAL);
	params.max_keys = 1001;
	assert_int_equal(list(b, &params, &page), -EINVAL);
	params.max_keys = 1;
	params.token = "made up";
	assert_int_equal(list(b, &params, &page), -EINVAL);
	assert_null(page.v);
}

static void a_page_goes_on_behind_what_was_removed_meanwhile(void **state)
{
	_cleanup_(object_page_deinit) struct object_page page = {0};
	struct list_params params = {.prefix = "", .delimited = true, .max_keys = 2};
	struct bench *b = *state;

	put_keys(b);
	assert_int_equal(list(b, &params, &page), 0);
	assert_string_equal(page.v[1].key, "a");
	assert_true(memory_remove(&b->s3, "b", "a"));
	put_text(b, "a!", "");
	params.token = page.next_token;
	assert_listing(b, "a! a- ...", .delimited = true, .max_keys = 2, .token = params.token);
}

static void empty_pages_never_end(void **state)
{
	struct list_params params = {.prefix = "", .max_keys = 2};
	struct object_page page = {0};
	struct bench *b = *state;

	put_keys(b);
	b->s3.listing_size = 0;
	for (int i = 0; i < 3; i++) {
		char *token = page.next_token;

		params.token = token;
		page.next_token = NULL;
		assert_int_equal(list(b, &params, &page), 0);
		free(token);
		assert_int_equal(page.n, 0);
		assert_non_null(page.next_token);
	}
	object_page_deinit(&page);
}

/* ---- against brute force ---- */

struct account {
	struct bench *b;
	struct sequence *seq;
	char keys[KEYS_MAX][KEY_LEN + 1];
	size_t n;
};

static void random_text(struct account *a, size_t min, char text[KEY_LEN + 1])
{
	static const char letters[] = "ab-0/\xff/";
	size_t n = min + below(a, KEY_LEN + 1 - min);

	for (size_t i = 0; i < n; i++)
		text[i] = letters[below(a, sizeof(letters) - 1)];
	text[n] = '\0';
}

/* A key, the beginning of one, or anything. */
static void random_place(struct account *a, char text[KEY_LEN + 1])
{
	if (a->n == 0 || below(a, 4) == 0) {
		random_text(a, 0, text);
		return;
	}
	strcpy(text, a->keys[below(a, a->n)]);
	if (below(a, 2))
		text[below(a, KEY_LEN + 1)] = '\0';
}

/* What the key comes as, or false. */
static bool comes_as(const struct list_params *p, const char *key, char entry[KEY_LEN + 1])
{
	size_t len = strlen(p->prefix);

	if (strncmp(key, p->prefix, len) != 0)
		return false;
	if (p->start_after && strcmp(key, p->start_after) <= 0)
		return false;
	strcpy(entry, key);
	for (size_t i = len; p->delimited && key[i]; i++)
		if (key[i] == '/') {
			entry[i + 1] = '\0';
			break;
		}
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

static size_t brute_force(const struct account *a, const struct list_params *params,
			  char entries[KEYS_MAX][KEY_LEN + 1])
{
	size_t n = 0, distinct = 0;

	for (size_t i = 0; i < a->n; i++)
		n += comes_as(params, a->keys[i], entries[n]);
	qsort(entries, n, sizeof(entries[0]), by_bytes);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(entries[i], entries[distinct - 1]) != 0)
			memmove(entries[distinct++], entries[i], sizeof(entries[0]));
	return distinct;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* All pages of it, each as full as may be, and what they hold. */
static void check_listing(struct account *a, struct list_params *params)
{
	size_t limit = smaller((size_t)params->max_keys, a->b->s3.listing_size), at = 0;
	char expected[KEYS_MAX][KEY_LEN + 1];
	size_t n = brute_force(a, params, expected);
	char *token = NULL;

	do {
		_cleanup_(object_page_deinit) struct object_page page = {0};

		params->token = token;
		assert_int_equal(list(a->b, params, &page), 0);
		assert_int_equal(page.n, smaller(limit, n - at));
		for (size_t i = 0; i < page.n; i++, at++) {
			const char *key = page.v[i].key;

			assert_string_equal(key, expected[at]);
			assert_int_equal(page.v[i].is_prefix,
					 params->delimited &&
					     strchr(key + strlen(params->prefix), '/') != NULL);
		}
		free(token);
		token = steal(&page.next_token);
		assert_int_equal(token != NULL, at < n);
	} while (token);
}

static void random_listing(struct account *a)
{
	char prefix[KEY_LEN + 1], start[KEY_LEN + 1];
	struct list_params params = {.prefix = prefix};

	random_place(a, prefix);
	if (below(a, 3) == 0)
		prefix[0] = '\0';
	random_place(a, start);
	if (start[0] && below(a, 2))
		params.start_after = start;
	params.delimited = below(a, 3) > 0;
	params.max_keys = (int)(1 + below(a, 6));
	a->b->s3.listing_size = 1 + below(a, 10);
	check_listing(a, &params);
}

static void fill(struct account *a)
{
	size_t n = below(a, KEYS_MAX);

	memory_add_bucket(&a->b->s3, "b", 0, MEMORY_REGION);
	a->n = 0;
	for (size_t i = 0; i < n; i++) {
		random_text(a, 1, a->keys[a->n]);
		if (memory_has(&a->b->s3, "b", a->keys[a->n]))
			continue;
		put_text(a->b, a->keys[a->n++], "x");
	}
	assert_int_equal(memory_objects(&a->b->s3, "b"), a->n);
}

static void run_account(struct sequence *seq, void *data)
{
	struct account a = {.b = data, .seq = seq};

	fill(&a);
	for (int i = 0; i < LISTINGS; i++)
		random_listing(&a);
}

static void pages_hold_what_brute_force_finds(void **state)
{
	sequences_run(ACCOUNTS, run_account, *state);
}

#define test(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(keys_come_in_the_order_of_their_bytes),
	    test(deeper_keys_come_as_common_prefixes),
	    test(a_page_ends_at_max_keys_and_prefixes_count),
	    test(start_after_leaves_out_what_is_not_behind_it),
	    test(an_entry_tells_the_object),
	    test(a_bad_request_is_refused),
	    test(a_page_goes_on_behind_what_was_removed_meanwhile),
	    test(empty_pages_never_end),
	    test(pages_hold_what_brute_force_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
