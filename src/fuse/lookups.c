#include "lookups.h"

#include <string.h>
#include <utlist.h>

void lookups_init(struct lookups *lookups)
{
	lookups->all = NULL;
	pthread_mutex_init(&lookups->lock, NULL);
}

void lookups_deinit(struct lookups *lookups)
{
	pthread_mutex_destroy(&lookups->lock);
}

void lookups_begin(struct lookups *lookups, struct lookup *lookup, uint64_t parent,
		   const char *name)
{
	*lookup = (struct lookup){.parent = parent, .name = name};
	pthread_mutex_lock(&lookups->lock);
	DL_APPEND(lookups->all, lookup);
	pthread_mutex_unlock(&lookups->lock);
}

void lookups_end(struct lookups *lookups, struct lookup *lookup)
{
	pthread_mutex_lock(&lookups->lock);
	DL_DELETE(lookups->all, lookup);
	pthread_mutex_unlock(&lookups->lock);
}

bool lookups_has(struct lookups *lookups, uint64_t parent, const char *name)
{
	struct lookup *lookup;

	pthread_mutex_lock(&lookups->lock);
	DL_FOREACH (lookups->all, lookup) {
		if (lookup->parent == parent && !strcmp(lookup->name, name))
			break;
	}
	pthread_mutex_unlock(&lookups->lock);
	return lookup != NULL;
}
