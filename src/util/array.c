#include "xacctfs/util/array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int array_grow(void *array, size_t n, size_t size)
{
	void **p = array;
	void *more;

	if (n & (n - 1))
		return 0;
	if (n > SIZE_MAX / 2)
		return -ENOMEM;
	more = reallocarray(*p, n ? 2 * n : 1, size);
	if (!more)
		return -ENOMEM;
	*p = more;
	return 0;
}
