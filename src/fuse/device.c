#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ops.h"

/*
 * libfuse up to 3.16 takes FUSE_CAP_PARALLEL_DIROPS into conn->want, but never sets the flag in its
 * reply to INIT (its pull request 861 mended that). The kernel then holds a mutex of the directory
 * during each LOOKUP and READDIR, and one that hangs stops all others. Later versions set the flag
 * themselves, and setting it again changes nothing.
 */

/*
 * The kernel sends nothing more until INIT is answered, so the first reply after the operations'
 * init is that one. A unique of 0 is not a reply but a notification.
 */
static bool is_init_reply(struct ops_context *context, const struct fuse_out_header *header)
{
	return header->unique != 0 && atomic_load(&context->parallel_dirops) &&
	       atomic_exchange(&context->parallel_dirops, false);
}

static void complete_init_reply(const struct fuse_out_header *header, const struct iovec *iov,
				int count)
{
	struct fuse_init_out *reply;

	if (header->error != 0 || count < 2 || iov[1].iov_len < sizeof(*reply))
		return;
	reply = iov[1].iov_base;
	reply->flags |= FUSE_PARALLEL_DIROPS;
}

static ssize_t device_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	const struct fuse_out_header *header = iov[0].iov_base;

	if (is_init_reply(userdata, header))
		complete_init_reply(header, iov, count);
	return writev(fd, iov, count);
}

static ssize_t device_read(int fd, void *data, size_t size, void *userdata)
{
	(void)userdata;
	return read(fd, data, size);
}

static ssize_t device_splice(int from, off_t *from_offset, int to, off_t *to_offset, size_t size,
			     unsigned int flags, void *userdata)
{
	(void)userdata;
	return splice(from, from_offset, to, to_offset, size, flags);
}

int device_complete(struct fuse_session *session)
{
	/* both splices, or libfuse would do without */
	const struct fuse_custom_io io = {
	    .writev = device_writev,
	    .read = device_read,
	    .splice_receive = device_splice,
	    .splice_send = device_splice,
	};

	/* the device stays the session's own: unmounting closes it as before */
	return fuse_session_custom_io(session, &io, fuse_session_fd(session)) == 0 ? 0 : -ENOMEM;
}
