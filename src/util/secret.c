#include "xacctfs/util/secret.h"

#include <stdlib.h>
#include <string.h>

void secret_free(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void secret_freep(char **s)
{
	secret_free(*s);
}

void secret_unsetenv(const char *name)
{
	char *value = getenv(name);

	if (!value)
		return;
	/* the bytes on the process's first stack page, not a copy */
	explicit_bzero(value, strlen(value));
	unsetenv(name);
}
