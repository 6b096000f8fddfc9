/*
 * daemon/stop: SIGTERM, SIGINT and SIGHUP end the program, at once and in order.
 *
 * One thread waits for them. Before the mount is there they cancel what the start is waiting for;
 * afterwards they end the mount, and what open files hold is saved. A second SIGTERM or SIGINT ends
 * the saving, too; SIGHUP does not, since it comes along with another when a terminal is closed or
 * a session ends.
 */
#ifndef DAEMON_STOP_H
#define DAEMON_STOP_H

#include <pthread.h>
#include <stdbool.h>

#include "xacctfs/fuse/mount.h"
#include "xacctfs/util/call.h"

struct stop {
	struct call_group starting; /* the start's calls */
	struct call_group saving;   /* what is done when the mount has ended */
	pthread_t thread;
	pthread_mutex_t lock;
	struct mount *mount; /* lock */
	bool closing;        /* lock */
	int signal_number;   /* lock: that came; 0 for none */
};

/* Blocks the signals in this thread and so in all made later. Before any other thread is made.
 * Returns 0 or a negative errno. */
int stop_open(struct stop *stop);
/* From now on a signal ends this mount; NULL: none any more. */
void stop_set_mount(struct stop *stop, struct mount *mount);
/* The signal that came, or 0. */
int stop_signal(struct stop *stop);
void stop_close(struct stop *stop);

#endif
