/*
 * fuzz: what every target has.
 *
 *	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *	{
 *		_cleanup_(freep) char *text = fuzz_text(data, size);
 *		...
 *		MUST(decoded_len == len);
 *		return 0;
 *	}
 *
 * A target takes any bytes, keeps nothing of them for the next, and ends the process by MUST when
 * what it was made for does not hold; crashes and leaks are the sanitizers' to find.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_broken(#condition, __FILE__, __LINE__);                               \
	} while (0)

_Noreturn void fuzz_broken(const char *what, const char *file, int line);

/* p, which must not be NULL: for what only fails when the memory is used up. */
void *fuzz_have(void *p);

/* A text of just its size, to free(): the bytes, or those before the first NUL. */
char *fuzz_text(const uint8_t *data, size_t size);

/* What is left of an input that is taken line by line. */
struct fuzz_rest {
	const uint8_t *data;
	size_t size;
};

/* The next line without its newline, as fuzz_text; "" when nothing is left. */
char *fuzz_line(struct fuzz_rest *rest);
/*
 * What comes before the next line that is `mark` alone, or all that is left; the mark is passed
 * over.
 */
struct fuzz_rest fuzz_until(struct fuzz_rest *rest, const char *mark);

#endif
