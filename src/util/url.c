#include "xacctfs/util/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

void url_deinit(struct url *url)
{
	free(url->scheme);
	free(url->authority);
	free(url->path);
	*url = (struct url){0};
}

static int parse_scheme(const char **p, struct url *url, const char **ret_why)
{
	const char *name = NULL;

	if (!strncasecmp(*p, "https://", 8))
		name = "https";
	else if (!strncasecmp(*p, "http://", 7))
		name = "http";
	if (!name) {
		*ret_why = "it must begin with https:// or http://";
		return -EINVAL;
	}
	*p += strlen(name) + 3;
	url->scheme = strdup(name);
	return url->scheme ? 0 : -ENOMEM;
}

static bool host_bytes_valid(const char *host, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr("-._", host[i]))
			return false;
	return len > 0 && host[0] != '.' && host[0] != '-';
}

/* host: without port; in brackets when it is an IPv6 address. */
static int classify_host(const char *host, struct url *url, const char **ret_why)
{
	struct in_addr v4;
	struct in6_addr v6;

	*ret_why = "the host is not a name or an address";
	if (host[0] == '[') {
		char address[INET6_ADDRSTRLEN];
		size_t len = strlen(host);

		if (len < 4 || len - 2 >= sizeof(address) || host[len - 1] != ']')
			return -EINVAL;
		memcpy(address, host + 1, len - 2);
		address[len - 2] = '\0';
		if (inet_pton(AF_INET6, address, &v6) != 1)
			return -EINVAL;
		url->is_ip = true;
		url->loopback = IN6_IS_ADDR_LOOPBACK(&v6);
		return 0;
	}
	if (!host_bytes_valid(host, strlen(host)))
		return -EINVAL;
	if (inet_pton(AF_INET, host, &v4) == 1) {
		url->is_ip = true;
		url->loopback = ntohl(v4.s_addr) >> 24 == 127;
	} else {
		url->loopback = !strcmp(host, "localhost");
	}
	return 0;
}

static int parse_port(const char *port, long *ret_port, const char **ret_why)
{
	char *end;
	long value = strtol(port, &end, 10);

	if (!isdigit((unsigned char)port[0]) || *end || value < 1 || value > 65535) {
		*ret_why = "the port is not a number from 1 to 65535";
		return -EINVAL;
	}
	*ret_port = value;
	return 0;
}

static int parse_authority(const char *text, size_t len, struct url *url, const char **ret_why)
{
	_cleanup_(freep) char *authority = strndup(text, len);
	long port = 0, default_port = strcmp(url->scheme, "https") == 0 ? 443 : 80;
	char *colon, *bracket;
	int r;

	if (!authority)
		return -ENOMEM;
	if (strchr(authority, '@')) {
		*ret_why = "it must not have a user name or password in it";
		return -EINVAL;
	}
	for (char *c = authority; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	bracket = strrchr(authority, ']');
	colon = strchr(bracket ? bracket : authority, ':');
	if (colon) {
		r = parse_port(colon + 1, &port, ret_why);
		if (r < 0)
			return r;
		*colon = '\0';
	}
	r = classify_host(authority, url, ret_why);
	if (r < 0)
		return r;
	*ret_why = NULL;
	if (!colon || port == default_port)
		url->authority = steal(&authority);
	else if (asprintf(&url->authority, "%s:%ld", authority, port) < 0)
		url->authority = NULL;
	return url->authority ? 0 : -ENOMEM;
}

static int parse_path(const char *text, struct url *url, const char **ret_why)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '/')
		len--;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '?' || text[i] == '#' || (unsigned char)text[i] <= 0x20 ||
		    (unsigned char)text[i] >= 0x7f) {
			*ret_why = "it must end with the host, port or a plain path";
			return -EINVAL;
		}
	url->path = strndup(text, len);
	return url->path ? 0 : -ENOMEM;
}

int url_parse(const char *text, struct url *ret_url, const char **ret_why)
{
	struct url url = {0};
	const char *p = text;
	size_t len;
	int r;

	*ret_why = NULL;
	r = parse_scheme(&p, &url, ret_why);
	if (r < 0)
		goto fail;
	len = strcspn(p, "/?#");
	r = parse_authority(p, len, &url, ret_why);
	if (r < 0)
		goto fail;
	r = parse_path(p + len, &url, ret_why);
	if (r < 0)
		goto fail;
	*ret_url = url;
	return 0;
fail:
	url_deinit(&url);
	return r;
}
