/*
 * conf/source: SOURCE taken apart: who, and how much of that account.
 *
 *	NAME                       a profile or section: all buckets
 *	NAME:BUCKET[/PREFIX]       one bucket, or what is below a prefix of it
 *	ROLE_ARN[:BUCKET[/PREFIX]]
 *	:BUCKET[/PREFIX]           as without SOURCE, which AWS_PROFILE or --profile then names
 *
 * Of a NAME, the last ':' before the first '/' ends it, so that both a name and a prefix may have
 * colons, but a name that has one needs a bucket behind it, or --profile. A role's ARN is ended by
 * the first ':' behind "role/": a role whose path has one needs --role-arn.
 */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

struct conf_source {
	char *name;   /* profile, section or ARN, unchecked; NULL when SOURCE does not say */
	char *bucket; /* NULL: all */
	char *prefix; /* NULL without a bucket; else "" or with '/' at its end */
};

/* Returns 0, -EINVAL with *ret_why, -ENOMEM. */
int conf_source_parse(const char *text, struct conf_source *ret_source, char **ret_why);
void conf_source_deinit(struct conf_source *source);

#endif
