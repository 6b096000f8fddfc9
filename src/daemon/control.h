/*
 * daemon/control: the files of /.xacctfs. No secret is in any of them; those that tell of the
 * owner's settings and of names in private directories are the owner's alone.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "stack.h"
#include "xacctfs/s3/client.h"

/* The files, for fs; made of the stack, which must outlive it. */
void control_give(struct stack *stack, struct fs_options *options);

/* What the files are made of; pure, for tests. All append, and return 0 or -ENOMEM. */
int control_identity(const struct conf *conf, const struct session_status *session,
		     struct buf *text);
/* now_ms: since 1970, by the server's clock. */
int control_session(const struct session_status *session, int64_t now_ms, struct buf *text);
int control_uploads(const struct fs_unsaved_list *files, const struct s3_begun_list *uploads,
		    struct buf *text);

#endif
