#include "xacctfs/fuse/mount.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "device.h"
#include "ops.h"

/* A thread is busy as long as its operation waits for S3, so many may be needed at once; and one
 * must be left to read the kernel's INTERRUPT, or nobody who waits could be killed. They are made
 * when needed, and a few are kept; a waiting one takes about 15 kB. */
#define MAX_THREADS      4096
#define MAX_IDLE_THREADS 8

/* Interrupts the main thread's wait inside libfuse; has a handler that does nothing. */
#define WAKE_SIGNAL SIGUSR2

struct mount {
	struct mount_options options;
	struct call_group group;
	struct ops_context context;
	struct fuse_session *session;
	int stop_fd; /* eventfd: mount_stop was called, or serving is over */
	pthread_t main;
	atomic_bool serving;
};

/* ---- mounting ---- */

static int make_options(const struct mount_options *o, struct buf *b)
{
	int r = buf_add_str(b, "subtype=xacctfs,default_permissions,fsname=");

	for (const char *c = o->source; r == 0 && *c; c++) {
		if (*c == ',' || *c == '\\')
			r = buf_add_char(b, '\\');
		if (r == 0)
			r = buf_add_char(b, *c);
	}
	if (r == 0 && o->read_only)
		r = buf_add_str(b, ",ro");
	if (r == 0 && o->allow_other)
		r = buf_add_str(b, ",allow_other");
	if (r == 0 && o->allow_root)
		r = buf_add_str(b, ",allow_root");
	if (r == 0 && o->more)
		r = buf_printf(b, ",%s", o->more);
	return r;
}

static int make_session(struct mount *mount)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	int r = make_options(&mount->options, &text);

	if (r < 0)
		return r;
	if (fuse_opt_add_arg(&args, "xacctfs") < 0 || fuse_opt_add_arg(&args, "-o") < 0 ||
	    fuse_opt_add_arg(&args, buf_str(&text)) < 0 ||
	    (mount->options.debug && fuse_opt_add_arg(&args, "-d") < 0)) {
		fuse_opt_free_args(&args);
		return -ENOMEM;
	}
	mount->session = fuse_session_new(&args, &ops, sizeof(ops), &mount->context);
	fuse_opt_free_args(&args);
	mount->context.session = mount->context.recall.session = mount->session;
	return mount->session ? 0 : -EINVAL;
}

int mount_new(const struct mount_options *options, struct mount **ret_mount)
{
	struct mount *mount = calloc(1, sizeof(*mount));
	int r;

	if (!mount)
		return -ENOMEM;
	mount->options = *options;
	call_group_init(&mount->group);
	mount->context = (struct ops_context){
	    .fs = options->fs,
	    .clock = options->clock,
	    .group = &mount->group,
	    .timeout_ms = options->request_timeout_ms,
	};
	lookups_init(&mount->context.lookups);
	recall_init(&mount->context.recall, options->fs, NULL);
	mount->stop_fd = eventfd(0, EFD_CLOEXEC);
	r = mount->stop_fd < 0 ? -errno : make_session(mount);
	if (r == 0 && fuse_session_mount(mount->session, options->mountpoint) != 0) {
		fuse_session_destroy(mount->session);
		mount->session = NULL;
		r = -EINVAL;
	}
	if (r == 0)
		r = device_complete(mount->session);
	if (r < 0) {
		mount_free(mount);
		return r;
	}
	*ret_mount = mount;
	return 0;
}

void mount_free(struct mount *mount)
{
	if (!mount)
		return;
	if (mount->session) {
		fuse_session_unmount(mount->session);
		fuse_session_destroy(mount->session);
	}
	closep(&mount->stop_fd);
	recall_deinit(&mount->context.recall);
	lookups_deinit(&mount->context.lookups);
	call_group_deinit(&mount->group);
	free(mount);
}

/* ---- serving ---- */

static void nothing(int signal_number)
{
	(void)signal_number;
}

/*
 * Ends the operations that hang when the mount is to end: told so by mount_stop, or by the kernel,
 * whose device then polls as broken. libfuse waits for every operation before its loop returns.
 */
static void *watch_end(void *data)
{
	struct mount *mount = data;
	struct pollfd fds[] = {
	    {.fd = mount->stop_fd, .events = POLLIN},
	    {.fd = fuse_session_fd(mount->session), .events = 0},
	};

	while (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno == EINTR)
		;
	call_group_cancel(&mount->group);
	recall_stop(&mount->context.recall);
	fuse_session_exit(mount->session);
	/* libfuse's loop sleeps until a signal makes it look; one may come too early for that */
	while (atomic_load(&mount->serving)) {
		pthread_kill(mount->main, WAKE_SIGNAL);
		nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
	}
	return NULL;
}

static int loop(struct mount *mount)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int r;

	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_max_threads(config, MAX_THREADS);
	fuse_loop_cfg_set_idle_threads(config, MAX_IDLE_THREADS);
	r = fuse_session_loop_mt(mount->session, config);
	fuse_loop_cfg_destroy(config);
	return r > 0 ? -EINTR : r;
}

int mount_serve(struct mount *mount)
{
	struct sigaction action = {.sa_handler = nothing};
	pthread_t watcher;
	int r;

	sigemptyset(&action.sa_mask);
	sigaction(WAKE_SIGNAL, &action, NULL);
	mount->main = pthread_self();
	atomic_store(&mount->serving, true);
	r = recall_start(&mount->context.recall);
	if (r < 0)
		return r;
	r = pthread_create(&watcher, NULL, watch_end, mount);
	if (r != 0) {
		recall_stop(&mount->context.recall);
		return -r;
	}
	r = loop(mount);
	atomic_store(&mount->serving, false);
	mount_stop(mount);
	pthread_join(watcher, NULL);
	return r == -EINTR ? 0 : r;
}

void mount_stop(struct mount *mount)
{
	eventfd_write(mount->stop_fd, 1);
}

const char *mount_fuse_version(void)
{
	return fuse_pkgversion();
}
