/*
 * support/sequence: generated sequences of steps, each replayed by its seed.
 *
 *	struct model {
 *		struct sequence *seq;
 *		...
 *	};
 *
 *	static void run(struct sequence *seq, void *data)
 *	{
 *		struct model *m = data;
 *
 *		*m = (struct model){.seq = seq};
 *		...
 *		trace(m, "write %zu: %d\n", len, r);
 *		HOLDS(m, r == 0);
 *	}
 *
 *	sequences_run(SEQUENCES, run, &model);
 *
 * When something does not hold, by HOLDS or by cmocka's asserts, stderr tells the sequence's trace
 * and the seed that replays it. The environment says what is run:
 *
 *	XACCTFS_SEED=N         begins with sequence N instead of a random one
 *	XACCTFS_SEQUENCES=N    how many
 *
 * One thread at a time has a sequence; another one takes a number of it for its own chance_below().
 */
#ifndef SUPPORT_SEQUENCE_H
#define SUPPORT_SEQUENCE_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sequence {
	uint64_t seed;
	uint64_t chance; /* where chance_any() is */
	size_t trace_len;
	char trace[64 * 1024]; /* what is longer is cut */
};

/* Any number; *chance is any number to begin with, and goes on. */
uint64_t chance_any(uint64_t *chance);
/* One of 0 ... n - 1. */
uint64_t chance_below(uint64_t *chance, uint64_t n);

/* Runs so many sequences, or those that the environment says, in the test that runs. */
void sequences_run(unsigned int n, void (*run)(struct sequence *seq, void *data), void *data);

__attribute__((format(printf, 2, 3))) void sequence_trace(struct sequence *seq, const char *format,
							  ...);
/* Fails the test. */
void sequence_broken(const char *what, const char *file, int line);

/* For a model with a member `seq`. */
#define below(m, n)   ((size_t)chance_below(&(m)->seq->chance, n))
#define one_in(m, n)  (below(m, n) == 0)
#define trace(m, ...) sequence_trace((m)->seq, __VA_ARGS__)
#define HOLDS(m, condition)                                                                        \
	do {                                                                                       \
		(void)(m);                                                                         \
		if (!(condition))                                                                  \
			sequence_broken(#condition, __FILE__, __LINE__);                           \
	} while (0)

#endif
