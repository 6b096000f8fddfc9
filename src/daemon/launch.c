#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xacctfs/util/cleanup.h"

static volatile sig_atomic_t child_pid;

/* Ctrl-C goes to the whole group, but a kill or a closed terminal to this process alone. */
static void pass_on(int signal_number)
{
	kill((pid_t)child_pid, signal_number);
}

static void pass_signals_on(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* The status of the command: 0 when the child is ready, else as it ended. */
static int await(int fd, pid_t child)
{
	int status;
	ssize_t n;
	char byte;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
}

int launch_fork(struct launch *ret_launch)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child < 0) {
		int r = -errno;

		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (child > 0) {
		child_pid = child;
		close(fds[1]);
		pass_signals_on();
		_exit(await(fds[0], child));
	}
	close(fds[0]);
	ret_launch->fd = fds[1];
	return 0;
}

void launch_ready(struct launch *launch)
{
	int null;

	if (launch->fd < 0)
		return;
	setsid();
	if (chdir("/") < 0)
		abort(); /* there is no system without a root */
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	while (write(launch->fd, "", 1) < 0 && errno == EINTR)
		;
	close(launch->fd);
	launch->fd = -1;
}
