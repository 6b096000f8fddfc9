/*
 * A home of one's own, an empty environment, and conf_parse() on what a test puts there.
 *
 *	put(b, ".aws/config", "[profile x]\n...");
 *	parse(b, "xacctfs", "x", "/mnt", NULL);
 *	assert_why(b, "no region");
 */
#ifndef TESTS_CONF_BENCH_H
#define TESTS_CONF_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xacctfs/conf/conf.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/log.h"

#define ROLE       "arn:aws:iam::222222222222:role/cross-account-s3-access"
#define OTHER_ROLE "arn:aws:iam::333333333333:role/other"

/* What most tests begin with: Anne's keys, and the role of Account B. */
#define CREDENTIALS "[Anne]\naws_access_key_id = AKIAANNE\naws_secret_access_key = hush-hush-Anne\n"
#define CONFIG                                                                                     \
	"[profile accountB]\nrole_arn = " ROLE                                                     \
	"\nsource_profile = Anne\nexternal_id = XX9812DDF2V\nregion = eu-west-1\n"

struct bench {
	char dir[32];
	struct conf conf;
	char *why;
	int r;
};

__attribute__((unused)) static const char *at(const struct bench *b, const char *name)
{
	static char paths[4][300];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", b->dir, name);
	return path;
}

__attribute__((unused)) static void put_bytes(const struct bench *b, const char *name,
					      const char *data, size_t len)
{
	FILE *f = fopen(at(b, name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

__attribute__((unused)) static void put(const struct bench *b, const char *name, const char *text)
{
	put_bytes(b, name, text, strlen(text));
}

__attribute__((unused)) static void forget(struct bench *b)
{
	if (b->r == 0)
		conf_deinit(&b->conf);
	free(b->why);
	b->why = NULL;
	memset(&b->conf, 0, sizeof(b->conf));
	b->r = 0;
}

__attribute__((unused, sentinel)) static int parse(struct bench *b, const char *argv0, ...)
{
	char *argv[32] = {strdup(argv0)};
	int argc = 1;
	va_list args;

	forget(b);
	va_start(args, argv0);
	for (const char *arg; (arg = va_arg(args, const char *)) && argc < 31; argc++)
		argv[argc] = strdup(arg);
	va_end(args);
	b->r = conf_parse(argc, argv, &b->conf, &b->why);
	while (argc > 0)
		free(argv[--argc]);
	return b->r;
}

/* The command line is wrong, and the complaint, one line, has the text in it. */
#define assert_why(b, text)                                                                        \
	do {                                                                                       \
		assert_int_equal((b)->r, -EINVAL);                                                 \
		assert_non_null((b)->why);                                                         \
		assert_null(strchr((b)->why, '\n'));                                               \
		if (!strstr((b)->why, text))                                                       \
			fail_msg("'%s' is not in '%s'", text, (b)->why);                           \
	} while (0)

#define assert_parsed(b)                                                                           \
	do {                                                                                       \
		if ((b)->r != 0)                                                                   \
			fail_msg("%d: %s", (b)->r, (b)->why ? (b)->why : "");                      \
	} while (0)

__attribute__((unused)) static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	strcpy(b->dir, "/tmp/xacctfs-conf-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	clearenv();
	setenv("HOME", b->dir, 1);
	assert_int_equal(mkdir(at(b, ".aws"), 0700), 0);
	assert_int_equal(mkdir(at(b, "mnt"), 0700), 0);
	put(b, "xacctfs.conf", "");
	setenv("XACCTFS_CONF_FILE", at(b, "xacctfs.conf"), 1);
	put(b, ".aws/credentials", CREDENTIALS);
	put(b, ".aws/config", CONFIG);
	*state = b;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

__attribute__((unused)) static int teardown(void **state)
{
	struct bench *b = *state;

	forget(b);
	nftw(b->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
