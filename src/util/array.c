#include "xacctfs/util/array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int array_grow(void *array, size_t n, size_t size)
{
	void **p = array;
	size_t bytes;
	void *more;

	if (n & (n - 1))
		return 0;
	if (n > SIZE_MAX / 2 || __builtin_mul_overflow(n ? 2 * n : 1, size, &bytes))
		return -ENOMEM;
	more = realloc(*p, bytes);
	if (!more)
		return -ENOMEM;
	*p = more;
	return 0;
}
