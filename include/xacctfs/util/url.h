/*
 * util/url: the endpoint URLs that a user may give.
 */
#ifndef XACCTFS_UTIL_URL_H
#define XACCTFS_UTIL_URL_H

#include <stdbool.h>

/* scheme://host[:port][/path], nothing else: no user, query or fragment. */
struct url {
	char *scheme;    /* "https" or "http" */
	char *authority; /* host[:port] as the Host header says it: lower case, no default port */
	char *path;      /* "" or "/a/b" without a slash at its end, as given */
	bool loopback;   /* the host is localhost, 127.0.0.0/8 or [::1] */
	bool is_ip;      /* the host is an address, so that no bucket can stand before it */
};

/* Returns 0, -ENOMEM, or -EINVAL with *ret_why a constant text of what is wrong. */
int url_parse(const char *text, struct url *ret_url, const char **ret_why);
void url_deinit(struct url *url);

#endif
