#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_broken(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

void *fuzz_have(void *p)
{
	MUST(p);
	return p;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
	/* an empty input may be NULL */
	return fuzz_have(size ? strndup((const char *)data, size) : strdup(""));
}

/* Where the line ends, and how much of what follows is its newline. */
static size_t line_len(const struct fuzz_rest *rest, size_t *ret_newline)
{
	const uint8_t *newline = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;

	*ret_newline = newline ? 1 : 0;
	return newline ? (size_t)(newline - rest->data) : rest->size;
}

static void skip(struct fuzz_rest *rest, size_t n)
{
	rest->data += n;
	rest->size -= n;
}

char *fuzz_line(struct fuzz_rest *rest)
{
	size_t newline, len = line_len(rest, &newline);
	char *line = fuzz_text(rest->data, len);

	skip(rest, len + newline);
	return line;
}

struct fuzz_rest fuzz_until(struct fuzz_rest *rest, const char *mark)
{
	struct fuzz_rest found = {rest->data, 0};

	while (rest->size > 0) {
		size_t newline, len = line_len(rest, &newline);
		int is_mark = len == strlen(mark) && !memcmp(rest->data, mark, len);

		skip(rest, len + newline);
		if (is_mark)
			break;
		found.size += len + newline;
	}
	return found;
}
