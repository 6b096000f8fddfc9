#include "recall.h"

#include <string.h>

static bool next(struct recall *recall, uint64_t *ret_parent, char *ret_name)
{
	bool stopping;

	pthread_mutex_lock(&recall->lock);
	stopping = recall->stopping;
	pthread_mutex_unlock(&recall->lock);
	return !stopping && fs_recall(recall->fs, ret_parent, ret_name);
}

/* False when it is to end. */
static bool wait_wanted(struct recall *recall)
{
	bool stopping;

	pthread_mutex_lock(&recall->lock);
	while (!recall->wanted && !recall->stopping)
		pthread_cond_wait(&recall->told, &recall->lock);
	recall->wanted = false;
	stopping = recall->stopping;
	pthread_mutex_unlock(&recall->lock);
	return !stopping;
}

static void *serve(void *data)
{
	struct recall *recall = data;
	char name[NAME_MAX + 1];
	uint64_t parent;

	while (wait_wanted(recall))
		/* the kernel may have forgotten it by itself meanwhile, or have it in use: that is
		 * fine */
		while (next(recall, &parent, name))
			fuse_lowlevel_notify_inval_entry(recall->session, parent, name,
							 strlen(name));
	return NULL;
}

void recall_init(struct recall *recall, struct fs *fs, struct fuse_session *session)
{
	*recall = (struct recall){.fs = fs, .session = session};
	pthread_mutex_init(&recall->lock, NULL);
	pthread_cond_init(&recall->told, NULL);
}

void recall_deinit(struct recall *recall)
{
	pthread_cond_destroy(&recall->told);
	pthread_mutex_destroy(&recall->lock);
}

int recall_start(struct recall *recall)
{
	return -pthread_create(&recall->thread, NULL, serve, recall);
}

static void tell(struct recall *recall, bool *what)
{
	pthread_mutex_lock(&recall->lock);
	*what = true;
	pthread_cond_signal(&recall->told);
	pthread_mutex_unlock(&recall->lock);
}

void recall_stop(struct recall *recall)
{
	tell(recall, &recall->stopping);
	pthread_join(recall->thread, NULL);
}

void recall_check(struct recall *recall)
{
	if (fs_is_full(recall->fs))
		tell(recall, &recall->wanted);
}
