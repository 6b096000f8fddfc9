/*
 * fs/content/multipart: one multipart upload: its parts, which a pool sends, several at a time.
 *
 *	multipart_new(room, &id, &upload);
 *	multipart_begin(upload, call, &params);
 *	multipart_add(upload, offset, &buffer, len, &part);
 *	multipart_send(part);
 *	multipart_wait(upload, call, 0);
 *	multipart_complete(upload, call, &params, &object);
 *	multipart_free(upload);
 *
 * A part that fails keeps its bytes, and can be sent again. One thread at a time may call, except
 * for what is said to be under the lock.
 */
#ifndef FS_MULTIPART_H
#define FS_MULTIPART_H

#include <pthread.h>

#include "xacctfs/s3/store.h"
#include "xacctfs/util/call.h"

#include "content.h"
#include "part_buffer.h"

enum part_state {
	PART_HELD,      /* being filled, or kept back: only the caller touches it */
	PART_UNDER_WAY, /* nobody changes its bytes */
	PART_SENT,      /* no bytes any more */
	PART_FAILED,
};

struct part_ticket;

struct part {
	struct multipart *upload;
	int number;
	uint64_t offset; /* in the file */
	size_t size;     /* of the buffer, that it has or had */
	size_t len;
	struct part_buffer buffer;
	uint64_t copied;       /* bytes that are copied from the upload's source; then no buffer */
	enum part_state state; /* lock */
	char *etag;            /* lock; of one that was sent */
	struct part_ticket *ticket; /* lock; while the pool has not come to it */
	struct call *call;          /* lock; while it is under way */
};

struct multipart {
	struct content_room *room;
	char *bucket, *key;
	struct object_id id;     /* these */
	const char *source_etag; /* of copied parts: of the same object, as it was before */
	char *upload_id;         /* NULL: not begun */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct part **parts;    /* lock for writing; number - 1 */
	size_t n, size;         /* lock for writing */
	unsigned int under_way; /* lock */
	bool stopping;          /* lock */
	size_t failed;          /* lock: parts that are FAILED */
	int error;              /* lock: of the last of them */
	struct multipart *next; /* its owner's */
};

/* id is copied. 0, -ENOMEM. */
int multipart_new(struct content_room *room, const struct object_id *id,
		  struct multipart **ret_upload);
/* Nothing is under way, and it is completed or aborted, or given up. NULL is fine. */
void multipart_free(struct multipart *upload);

/* CreateMultipartUpload, if that was not done yet. */
int multipart_begin(struct multipart *upload, struct call *call, const struct put_params *params);

/* The next part, HELD, which takes the buffer with its len bytes. 0, -ENOMEM, -EFBIG. */
int multipart_add(struct multipart *upload, uint64_t offset, struct part_buffer *buffer, size_t len,
		  struct part **ret_part);
/* The next part, HELD: so many bytes of the source. */
int multipart_add_copy(struct multipart *upload, uint64_t offset, uint64_t len,
		       struct part **ret_part);
/* Drops the last part, which is not under way. */
void multipart_drop_last(struct multipart *upload);

/* HELD or FAILED becomes UNDER_WAY. multipart_begin was done. */
void multipart_send(struct part *part);
/* All that failed are sent again. */
void multipart_send_failed(struct multipart *upload);
/* Until no more than so many are under way. 0, -EINTR, -ETIMEDOUT. */
int multipart_wait(struct multipart *upload, struct call *call, unsigned int most);
unsigned int multipart_under_way(struct multipart *upload);
/* Of any thread: the bytes in parts that are SENT, and UNDER_WAY; how many FAILED. */
void multipart_get_progress(struct multipart *upload, uint64_t *ret_sent, uint64_t *ret_under_way,
			    size_t *ret_failed);
/* What a part failed with; 0 when none is FAILED. */
int multipart_error(struct multipart *upload);
/*
 * What is under way is cancelled, and FAILED. Waits until it has ended, but for nothing that the
 * pool has not come to.
 */
void multipart_stop(struct multipart *upload);

/* Of all parts, which are SENT. */
int multipart_complete(struct multipart *upload, struct call *call, const struct put_params *params,
		       struct object *ret_object);
/* If it was begun and not completed. Nothing is under way. */
int multipart_abort(struct multipart *upload, struct call *call);

/*
 * The ETag that S3 gives the object of these parts, to free(), or NULL when it cannot be told
 * (encrypted by SSE-KMS or SSE-C). Source: Amazon S3 User Guide, "Checking object integrity".
 */
char *multipart_expected_etag(struct multipart *upload);
/* As above, of one PUT. */
char *multipart_expected_etag_of(const void *data, size_t len);

#endif
