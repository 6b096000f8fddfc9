#include "source.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "xacctfs/util/cleanup.h"

/* Buckets that are older than today's rules may have all of these (Amazon S3 User Guide, "General
 * purpose bucket naming rules", "Legacy Standard"); so have other servers'. */
#define BUCKET_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define BUCKET_MIN   3
#define BUCKET_MAX   255
#define KEY_MAX      1024

void conf_source_deinit(struct conf_source *source)
{
	free(source->name);
	free(source->bucket);
	free(source->prefix);
	*source = (struct conf_source){0};
}

/* The ':' before the bucket, or NULL. */
static const char *find_colon(const char *text)
{
	const char *role;

	if (!strncmp(text, "arn:", 4)) {
		role = strstr(text, ":role/");
		return role ? strchr(role + 1, ':') : NULL;
	}
	return memrchr(text, ':', strcspn(text, "/"));
}

static bool valid_bucket(const char *bucket, size_t len)
{
	return len >= BUCKET_MIN && len <= BUCKET_MAX && strspn(bucket, BUCKET_BYTES) >= len &&
	       bucket[0] != '.' && bucket[0] != '-';
}

/* What is wrong with a component of a prefix, or NULL. */
static const char *wrong_component(const char *component, size_t len)
{
	if (len == 0)
		return "an empty part";
	if ((len == 1 && component[0] == '.') || (len == 2 && !strncmp(component, "..", 2)))
		return "a part '.' or '..'";
	if (len > NAME_MAX)
		return "a part of more than 255 bytes";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)component[i] < 0x20 || component[i] == 0x7f)
			return "control characters";
	return NULL;
}

/* text: what follows "BUCKET/". */
static int take_prefix(const char *text, char **ret_prefix, char **ret_why)
{
	size_t len = strlen(text);
	bool slash = len == 0 || text[len - 1] == '/';

	for (const char *part = text; *part;) {
		size_t n = strcspn(part, "/");
		const char *wrong = wrong_component(part, n);

		if (wrong)
			return conf_complain(ret_why, "SOURCE: the prefix '%.200s' has %s", text,
					     wrong);
		part += n + (part[n] == '/');
	}
	if (len + !slash >= KEY_MAX)
		return conf_complain(ret_why,
				     "SOURCE: the prefix '%.40s...' is too long: a key has at most "
				     "%d bytes",
				     text, KEY_MAX);
	return asprintf(ret_prefix, "%s%s", text, slash ? "" : "/") < 0 ? -ENOMEM : 0;
}

/* text: what follows the ':'; before: SOURCE up to it, of that length. */
static int take_bucket(const char *text, const char *before, int before_len,
		       struct conf_source *source, char **ret_why)
{
	size_t len = strcspn(text, "/");
	int r;

	if (*text == '/')
		return conf_complain(ret_why,
				     "SOURCE: behind '%.*s:' the bucket's name begins, without a "
				     "slash: %.*s:BUCKET/PREFIX",
				     before_len, before, before_len, before);
	if (len == 0)
		return conf_complain(ret_why,
				     "SOURCE: the bucket is missing behind '%.*s:'; for all "
				     "buckets leave the ':' away",
				     before_len, before);
	if (!valid_bucket(text, len))
		return conf_complain(ret_why,
				     "SOURCE: '%.*s' is not a bucket's name (3 to 63 lower-case "
				     "letters, digits, dots and hyphens)",
				     (int)(len < 300 ? len : 300), text);
	r = take_prefix(text + len + (text[len] == '/'), &source->prefix, ret_why);
	if (r < 0) {
		source->prefix = NULL;
		return r;
	}
	source->bucket = strndup(text, len);
	return source->bucket ? 0 : -ENOMEM;
}

int conf_source_parse(const char *text, struct conf_source *ret_source, char **ret_why)
{
	const char *colon = find_colon(text);
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	struct conf_source source = {0};
	int r = 0;

	if (colon)
		r = take_bucket(colon + 1, text, (int)len, &source, ret_why);
	if (r == 0 && colon != text) {
		source.name = strndup(text, len);
		r = source.name ? 0 : -ENOMEM;
	}
	if (r < 0)
		conf_source_deinit(&source);
	else
		*ret_source = source;
	return r;
}
