#include "stop.h"

#include <signal.h>

static sigset_t stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

static void *wait_for_signals(void *data)
{
	struct stop *stop = data;
	sigset_t set = stop_signals();
	bool closing = false;

	while (!closing) {
		bool again = false;
		int signal_number;

		if (sigwait(&set, &signal_number) != 0)
			continue;
		pthread_mutex_lock(&stop->lock);
		closing = stop->closing;
		if (!closing) {
			again = stop->signal_number && signal_number != SIGHUP;
			stop->signal_number = signal_number;
			if (stop->mount)
				mount_stop(stop->mount);
		}
		pthread_mutex_unlock(&stop->lock);
		if (!closing)
			call_group_cancel(&stop->starting);
		if (again)
			call_group_cancel(&stop->saving);
	}
	return NULL;
}

int stop_open(struct stop *stop)
{
	sigset_t set = stop_signals();
	int r;

	*stop = (struct stop){0};
	pthread_mutex_init(&stop->lock, NULL);
	call_group_init(&stop->starting);
	call_group_init(&stop->saving);
	signal(SIGPIPE, SIG_IGN);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	r = pthread_create(&stop->thread, NULL, wait_for_signals, stop);
	return -r;
}

void stop_set_mount(struct stop *stop, struct mount *mount)
{
	pthread_mutex_lock(&stop->lock);
	stop->mount = mount;
	/* one that came while the mount was being made */
	if (mount && stop->signal_number)
		mount_stop(mount);
	pthread_mutex_unlock(&stop->lock);
}

int stop_signal(struct stop *stop)
{
	int signal_number;

	pthread_mutex_lock(&stop->lock);
	signal_number = stop->signal_number;
	pthread_mutex_unlock(&stop->lock);
	return signal_number;
}

void stop_close(struct stop *stop)
{
	pthread_mutex_lock(&stop->lock);
	stop->closing = true;
	pthread_mutex_unlock(&stop->lock);
	pthread_kill(stop->thread, SIGTERM);
	pthread_join(stop->thread, NULL);
	call_group_deinit(&stop->starting);
	call_group_deinit(&stop->saving);
	pthread_mutex_destroy(&stop->lock);
}
