/*
 * util/cleanup: scope-bound ownership.
 *
 *	_cleanup_(freep) char *name = strdup(x);	freed when the scope ends
 *	*ret_name = steal(&name);			... unless handed over
 *
 * Errors, in every room: a function that can fail returns int. 0 is done; a negative errno is the
 * final answer to the kernel and is passed on unchanged; a positive ROOM_E_* is documented at the
 * prototype and handled by the direct caller. Outputs come last, are named ret_x, and are untouched
 * on failure.
 */
#ifndef XACCTFS_UTIL_CLEANUP_H
#define XACCTFS_UTIL_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Takes the pointer out of *p, leaving NULL: the owner's cleanup then does nothing. */
#define steal(p)                                                                                   \
	({                                                                                         \
		__typeof__(*(p)) steal_tmp_ = *(p);                                                \
		*(p) = NULL;                                                                       \
		steal_tmp_;                                                                        \
	})

/* Defines the cleanup function `name` for a variable of type `type *`, by calling func on it. */
#define DEFINE_CLEANUP_PTR(type, func, name)                                                       \
	static inline void name(type **p)                                                          \
	{                                                                                          \
		if (*p)                                                                            \
			func(*p);                                                                  \
	}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#endif
