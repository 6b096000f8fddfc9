/* Endpoint URLs, as a user, a file or the environment gives them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/url.h"

static void check_parts(const struct url *url)
{
	MUST(!strcmp(url->scheme, "https") || !strcmp(url->scheme, "http"));
	MUST(url->authority[0] && !url->authority[strcspn(url->authority, "/?#@ \t\r\n%")]);
	MUST(url->path[0] == '\0' ||
	     (url->path[0] == '/' && url->path[strlen(url->path) - 1] != '/'));
	for (const char *p = url->path; *p; p++)
		MUST(*p > 0x20 && *p < 0x7f && *p != '?' && *p != '#');
}

/* Written out of its parts it is the same URL. */
static void read_again(const struct url *url)
{
	_cleanup_(url_deinit) struct url again = {0};
	_cleanup_(freep) char *text = NULL;
	const char *why;

	MUST(asprintf(&text, "%s://%s%s", url->scheme, url->authority, url->path) > 0);
	MUST(url_parse(text, &again, &why) == 0);
	MUST(!strcmp(again.scheme, url->scheme) && !strcmp(again.authority, url->authority) &&
	     !strcmp(again.path, url->path));
	MUST(again.loopback == url->loopback && again.is_ip == url->is_ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_text(data, size);
	_cleanup_(url_deinit) struct url url = {0};
	const char *why = NULL;
	int r = url_parse(text, &url, &why);

	MUST(r == 0 || (r == -EINVAL && why && *why));
	if (r < 0) {
		MUST(!url.scheme && !url.authority && !url.path);
		return 0;
	}
	check_parts(&url);
	read_again(&url);
	return 0;
}
