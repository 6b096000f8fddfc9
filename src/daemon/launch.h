/*
 * daemon/launch: into the background, but not before it is known whether the mount came to be.
 *
 * launch_fork divides the process: the parent stays in the foreground and exits with the status
 * that the child reports, or with the child's own if that ends before. Until launch_ready, the
 * child keeps the terminal's stderr, so that its complaints are read, and the parent's process
 * group, so that Ctrl-C reaches it.
 */
#ifndef DAEMON_LAUNCH_H
#define DAEMON_LAUNCH_H

struct launch {
	int fd; /* to the waiting parent; -1 when there is none */
};

/* In the child returns 0, or a negative errno when there is no child; the parent never returns.
 * Before any thread is made. */
int launch_fork(struct launch *ret_launch);

/* The mount is there: the parent exits 0; this process leaves terminal, session and directory. */
void launch_ready(struct launch *launch);

#endif
