#include "sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <cmocka.h>

static struct sequence sequence;
static bool running; /* and, when nothing runs any more: it was left by an assert */

/* splitmix64 (Steele, Lea, Flood 2014) */
uint64_t chance_any(uint64_t *chance)
{
	uint64_t z = *chance += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t chance_below(uint64_t *chance, uint64_t n)
{
	return chance_any(chance) % n;
}

void sequence_trace(struct sequence *seq, const char *format, ...)
{
	size_t room = sizeof(seq->trace) - seq->trace_len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(seq->trace + seq->trace_len, room, format, args);
	va_end(args);
	seq->trace_len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

/* What a sequence that an assert ended did, and how to replay it. */
static void tell_broken(void)
{
	if (!running)
		return;
	fprintf(stderr, "%sto replay: XACCTFS_SEED=%" PRIu64 " XACCTFS_SEQUENCES=1\n",
		sequence.trace, sequence.seed);
	running = false;
}

void sequence_broken(const char *what, const char *file, int line)
{
	tell_broken();
	fprintf(stderr, "does not hold: %s\n", what);
	_fail(file, line);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

void sequences_run(unsigned int n, void (*run)(struct sequence *seq, void *data), void *data)
{
	uint32_t random = 0;
	uint64_t seed, end;

	tell_broken(); /* of the test before */
	assert_int_equal(atexit(tell_broken), 0);
	assert_int_equal(getrandom(&random, sizeof(random), 0), sizeof(random));
	seed = number_from("XACCTFS_SEED", random);
	end = seed + number_from("XACCTFS_SEQUENCES", n);
	printf("XACCTFS_SEED=%" PRIu64 " XACCTFS_SEQUENCES=%" PRIu64 "\n", seed, end - seed);
	fflush(stdout);
	assert_true(seed < end);
	for (; seed < end; seed++) {
		sequence = (struct sequence){.seed = seed, .chance = seed};
		running = true;
		run(&sequence, data);
		running = false;
	}
}
