/* xacctfs [options] [SOURCE] MOUNTPOINT: see xacctfs(8). */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "xacctfs/conf/conf.h"
#include "xacctfs/fuse/mount.h"
#include "xacctfs/http/transport.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "check.h"
#include "launch.h"
#include "mountpoint.h"
#include "stack.h"
#include "stop.h"
#include "uploads.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

/* What systemd is told beyond a timeout of ours. */
#define MARGIN_MS 30000

/* Memory that holds secrets is not to be dumped, nor read by others who run as the same user. */
static void harden(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

/*
 * The parts of files, 5 MiB and more, go back to the system when they are freed. glibc would raise
 * the threshold to the size of the first such part, and then keep them, in an arena of each thread
 * that made one (mallopt(3), M_MMAP_THRESHOLD). What is small comes from one arena: what one thread
 * frees in its own no other one could use, and names are entered and dropped by many.
 */
static void give_memory_back(void)
{
	mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
	mallopt(M_ARENA_MAX, 1);
}

/* systemd is to wait that long, whatever the unit says (sd_notify(3), EXTEND_TIMEOUT_USEC). */
static void ask_for_time(int64_t timeout_ms)
{
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRId64, (timeout_ms + MARGIN_MS) * 1000);
}

static void print_version(void)
{
	printf("xacctfs %s\nlibfuse/%s %s\n", XACCTFS_VERSION, mount_fuse_version(),
	       http_curl_version());
}

static void log_unlisted(const struct conf *conf, int r)
{
	if (conf->bucket)
		log_error("the bucket %s cannot be listed: %s. Try 'xacctfs --check'.",
			  conf->bucket, strerror(-r));
	else
		log_error("the buckets cannot be listed: %s. Try 'xacctfs --check'.", strerror(-r));
}

/* Assumes the role. 0 or a negative errno, logged. */
static int start_session(struct stack *stack, struct call *call, struct session_status *ret_status)
{
	struct session_failure failure = {0};
	int r = session_start(stack->session, call, &failure);

	if (r < 0 && r != -EINTR)
		log_error("%s. %s Try 'xacctfs --check'.", failure.text,
			  link_break_remedy(failure.broken));
	if (r == 0)
		session_get_status(stack->session, ret_status);
	return r;
}

/* Signs in and lists the buckets: what can't do that is no mount. 0 or a negative errno, logged. */
static int sign_in(struct stack *stack, const struct conf *conf, struct call_group *group)
{
	struct session_status status;
	struct call call;
	size_t buckets = 0;
	int r;

	ask_for_time(conf->request_timeout_ms);
	call_init(&call, group, clock_system(), conf->request_timeout_ms);
	r = start_session(stack, &call, &status);
	if (r == 0) {
		r = fs_prime(stack->fs, &call, &buckets);
		if (r < 0 && r != -EINTR)
			log_unlisted(conf, r);
	}
	call_deinit(&call);
	if (r < 0)
		return r;
	if (conf->bucket)
		log_info("signed in as %s; bucket %s", status.arn, conf->bucket);
	else
		log_info("signed in as %s; %zu buckets", status.arn, buckets);
	return 0;
}

static void announce(const struct conf *conf, struct launch *launch)
{
	log_info("%s is mounted on %s", conf->source, conf->mountpoint);
	launch_ready(launch);
	if (!conf->foreground)
		log_init(LOG_SINK_SYSLOG, (enum log_level)conf->log_level);
	sd_notifyf(0, "READY=1\nSTATUS=%s is mounted on %s", conf->source, conf->mountpoint);
}

/*
 * No operation is under way any more, and none can come: what they did not get done, as a flush
 * that the mount's end cancelled, is done now.
 */
static int save(struct stack *stack, const struct conf *conf, struct stop *stop)
{
	struct call call;
	int r;

	ask_for_time(conf->stop_timeout_ms);
	call_init(&call, &stop->saving, clock_system(), conf->stop_timeout_ms);
	r = fs_save(stack->fs, &call);
	call_deinit(&call);
	if (r < 0)
		log_error("%s: not all open files could be saved%s", conf->mountpoint,
			  call_group_cancelled(&stop->saving) ? ": a second signal ended it" : "");
	return r;
}

/* The mount's whole life behind the sign-in. */
static int mount_and_serve(struct stack *stack, const struct conf *conf, struct stop *stop,
			   struct launch *launch)
{
	struct mount_options options = {
	    .fs = stack->fs,
	    .clock = clock_system(),
	    .request_timeout_ms = conf->request_timeout_ms,
	    .mountpoint = conf->mountpoint,
	    .source = conf->source,
	    .read_only = conf->read_only,
	    .allow_other = conf->allow_other,
	    .allow_root = conf->allow_root,
	    .debug = conf->debug,
	    .more = conf->fuse_options,
	};
	struct mount *mount;
	int r = mount_new(&options, &mount), saved;

	if (r < 0) {
		log_error("cannot mount on %s", conf->mountpoint);
		return r;
	}
	announce(conf, launch);
	stop_set_mount(stop, mount);
	r = mount_serve(mount);
	stop_set_mount(stop, NULL);
	sd_notify(0, "STOPPING=1");
	mount_free(mount);
	if (stop_signal(stop))
		log_info("%s: unmounted on signal %d (%s)", conf->mountpoint, stop_signal(stop),
			 strsignal(stop_signal(stop)));
	else
		log_info("%s: unmounted", conf->mountpoint);
	saved = save(stack, conf, stop);
	return r < 0 ? r : saved;
}

/* --incomplete-uploads. Returns the exit status. */
static int run_uploads(struct stack *stack, const struct conf *conf, struct call_group *group)
{
	struct session_status status;
	struct uploads_options options = {
	    .store = stack->store,
	    .group = group,
	    .clock = clock_system(),
	    .timeout_ms = conf->request_timeout_ms,
	    .bucket = conf->bucket,
	    .prefix = conf->prefix,
	    .abort = conf->uploads == CONF_UPLOADS_ABORT,
	    .json = conf->json,
	    .out = stdout,
	};
	struct call call;
	int r;

	call_init(&call, group, clock_system(), conf->request_timeout_ms);
	r = start_session(stack, &call, &status);
	call_deinit(&call);
	if (r < 0)
		return EXIT_FAILED;
	if (!conf->all && !uploads_same_role(status.arn, status.arn)) {
		log_error("the server does not say whose session this is: give --all for the "
			  "uploads of whoever began them");
		return EXIT_FAILED;
	}
	options.session_arn = conf->all ? NULL : status.arn;
	options.begun_before_ms = aws_caller_now_ms(&stack->caller) - conf->older_than_ms;
	return uploads_run(&options);
}

/* From the lowest room to the mount, and back. Returns the exit status. */
static int run(const struct conf *conf, struct launch *launch)
{
	struct stack stack = {0};
	struct stop stop;
	int r, status = EXIT_FAILED;

	r = stop_open(&stop);
	if (r < 0) {
		log_error("no thread: %s", strerror(-r));
		return EXIT_FAILED;
	}
	r = stack_open(&stack, conf, &stop.saving);
	if (r == 0 && conf->check) {
		status = check_run(&stack, conf, &stop.starting);
	} else if (r == 0 && conf->uploads) {
		status = run_uploads(&stack, conf, &stop.starting);
	} else if (r == 0) {
		r = sign_in(&stack, conf, &stop.starting);
		if (r == 0)
			r = mount_and_serve(&stack, conf, &stop, launch);
		if (r == -EINTR)
			log_error("interrupted");
		status = r < 0 ? EXIT_FAILED : 0;
	}
	stack_close(&stack);
	stop_close(&stop);
	return status;
}

static int start(const struct conf *conf)
{
	struct launch launch = {.fd = -1};
	int r;

	log_init(LOG_SINK_STDERR, (enum log_level)conf->log_level);
	if (!conf->mountpoint)
		return run(conf, &launch);
	r = mountpoint_check(conf->mountpoint);
	if (r < 0)
		return EXIT_FAILED;
	if (conf->fake)
		return 0;
	if (!conf->foreground) {
		r = launch_fork(&launch);
		if (r < 0) {
			log_error("cannot fork: %s", strerror(-r));
			return EXIT_FAILED;
		}
	}
	umask(077);
	return run(conf, &launch);
}

int main(int argc, char *argv[])
{
	_cleanup_(conf_deinit) struct conf conf = {0};
	_cleanup_(freep) char *why = NULL;

	harden();
	give_memory_back();
	switch (conf_parse(argc, argv, &conf, &why)) {
	case 0:
		return start(&conf);
	case CONF_HELP:
		conf_print_help(stdout);
		return 0;
	case CONF_VERSION:
		print_version();
		return 0;
	default:
		fprintf(stderr, "xacctfs: %s\n", why ? why : strerror(ENOMEM));
		return EXIT_USAGE;
	}
}
