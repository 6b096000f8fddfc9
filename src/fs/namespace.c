#include "namespace.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"

static bool begins(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static bool ends(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n >= s && !strcmp(name + n - s, suffix);
}

static const char *reserved(const char *name)
{
	static const char *const prefixes[] = {"xn--", "sthree-", "amzn-s3-demo-"};
	static const char *const suffixes[] = {"-s3alias", "--ol-s3", ".mrap", "--x-s3",
					       "--table-s3"};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (begins(name, prefixes[i]))
			return "a bucket's name does not begin with xn--, sthree- or amzn-s3-demo-";
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (ends(name, suffixes[i]))
			return "a bucket's name does not end in -s3alias, --ol-s3, .mrap, --x-s3 or "
			       "--table-s3";
	return NULL;
}

const char *bucket_name_rule_broken(const char *name)
{
	size_t len = strlen(name);
	struct in_addr address;

	if (len < 3 || len > 63)
		return "a bucket's name has 3 to 63 characters";
	if (strspn(name, LOWER DIGIT ".-") != len)
		return "a bucket's name has only lower-case letters, digits, dots and hyphens";
	if (!strchr(LOWER DIGIT, name[0]) || !strchr(LOWER DIGIT, name[len - 1]))
		return "a bucket's name begins and ends with a letter or digit";
	if (strstr(name, ".."))
		return "a bucket's name has no two dots side by side";
	if (inet_pton(AF_INET, name, &address) == 1)
		return "a bucket's name is not formed like an IP address";
	return reserved(name);
}

bool name_representable(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       !strchr(name, '/');
}
