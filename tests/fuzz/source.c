/* SOURCE of the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/conf/source.h"
#include "fuzz.h"
#include "xacctfs/util/cleanup.h"

static void check(const struct conf_source *source)
{
	MUST(!source->prefix == !source->bucket);
	if (!source->bucket)
		return;
	MUST(strlen(source->bucket) >= 3 && !strchr(source->bucket, '/') &&
	     source->bucket[0] != '.');
	if (!*source->prefix)
		return;
	MUST(source->prefix[0] != '/' && source->prefix[strlen(source->prefix) - 1] == '/');
	MUST(!strstr(source->prefix, "//"));
}

static int same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Written out of its parts it is the same. */
static void read_again(const struct conf_source *source)
{
	_cleanup_(conf_source_deinit) struct conf_source again = {0};
	_cleanup_(freep) char *text = NULL, *why = NULL;

	MUST(asprintf(&text, "%s%s%s%s%s", source->name ? source->name : "",
		      source->bucket ? ":" : "", source->bucket ? source->bucket : "",
		      source->bucket && *source->prefix ? "/" : "",
		      source->bucket ? source->prefix : "") >= 0);
	MUST(conf_source_parse(text, &again, &why) == 0);
	MUST(same(source->name, again.name) && same(source->bucket, again.bucket) &&
	     same(source->prefix, again.prefix));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(conf_source_deinit) struct conf_source source = {0};
	_cleanup_(freep) char *text = fuzz_text(data, size), *why = NULL;
	int r = conf_source_parse(text, &source, &why);

	MUST(r == 0 || (r == -EINVAL && why));
	if (r < 0) {
		MUST(!source.name && !source.bucket && !source.prefix);
		return 0;
	}
	check(&source);
	read_again(&source);
	return 0;
}
