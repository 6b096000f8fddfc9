/*
 * s3/store: every S3 call as a function. The second seam: S3 in the program, a store in memory in
 * unit tests of fs/.
 *
 * Results are 0 or a negative errno that is the final answer to the kernel; the S3 store has logged
 * the reason by then. All functions are thread-safe and end early with -EINTR or -ETIMEDOUT as the
 * call says.
 */
#ifndef XACCTFS_S3_STORE_H
#define XACCTFS_S3_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xacctfs/util/call.h"

#define S3_REGION_MAX 64

struct bucket {
	char *name;
	int64_t created_ms; /* since 1970; 0 when the server did not say */
};

/* One page of ListBuckets, in the server's order. */
struct bucket_page {
	struct bucket *v;
	size_t n, size;
	char *next_token; /* NULL on the last page */
};

void bucket_page_deinit(struct bucket_page *page);
/* Appends a copy of name. Returns 0, -ENOMEM. */
int bucket_page_add(struct bucket_page *page, const char *name, int64_t created_ms);

struct store {
	/*
	 * ListBuckets. prefix: only names that begin so, NULL for all; a server may ignore it and
	 * send others too. token: NULL for the first page, else the last page's next_token.
	 */
	int (*list_buckets)(struct store *store, struct call *call, const char *prefix,
			    const char *token, struct bucket_page *ret_page);
	/* CreateBucket in the create region. -EEXIST: somebody's already; -EINVAL, -EDQUOT, ... */
	int (*create_bucket)(struct store *store, struct call *call, const char *name);
	/* DeleteBucket. -ENOTEMPTY, -ENOENT, ... */
	int (*delete_bucket)(struct store *store, struct call *call, const char *name);
	/* HeadBucket: learns the region of a bucket that no listing told, and checks access. */
	int (*head_bucket)(struct store *store, struct call *call, const char *name);
	/* What is known without a request: 0, or -ENODATA. */
	int (*bucket_region)(struct store *store, const char *name,
			     char ret_region[S3_REGION_MAX + 1]);
	void (*free)(struct store *store);
};

void store_free(struct store *store); /* NULL is fine */

#endif
