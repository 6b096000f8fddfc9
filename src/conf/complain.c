#include "complain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int conf_complain(char **ret_why, const char *format, ...)
{
	va_list args;
	char *why;
	int n;

	va_start(args, format);
	n = vasprintf(&why, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	for (char *c = why; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	*ret_why = why;
	return -EINVAL;
}
