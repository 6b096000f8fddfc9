#include "args.h"

#include <errno.h>
#include <string.h>

#include "complain.h"
#include "value.h"
#include "xacctfs/conf/conf.h"
#include "xacctfs/util/cleanup.h"

struct reader {
	int argc, next;
	char *const *argv;
	bool helper;
	struct conf_args *args;
	struct conf_settings *settings;
	char **why;
};

/* What is written elsewhere for a key with a value: "-o ro", "-r", "-f". */
static const struct alias {
	const char *word;
	enum conf_key_id key;
	const char *value;
} aliases[] = {
    {"ro", KEY_READ_ONLY, "yes"},
    {"rw", KEY_READ_ONLY, "no"},
};

/*
 * fstab's own words and mount(8)'s, which say nothing about us, and of when a file was last read,
 * which is not kept. A '=' or '*': anything follows.
 */
static const char *const ignored_words[] = {
    "_netdev",       "nofail",   "auto",       "noauto",   "user",       "user=",
    "nouser",        "users",    "owner",      "noowner",  "group",      "nogroup",
    "defaults",      "comment=", "x-*",        "relatime", "norelatime", "strictatime",
    "nostrictatime", "lazytime", "nolazytime", "diratime", "nodiratime",
};

/* What libfuse or the kernel understands. */
static const char *const fuse_words[] = {
    "dev",
    "nodev",
    "suid",
    "nosuid",
    "exec",
    "noexec",
    "atime",
    "noatime",
    "sync",
    "async",
    "dirsync",
    "fsname=",
    "subtype=",
    "auto_unmount",
    "context=",
    "fscontext=",
    "defcontext=",
    "rootcontext=",
    "default_permissions",
};

static bool listed(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);

		if (words[i][len - 1] == '*'   ? !strncmp(word, words[i], len - 1)
		    : words[i][len - 1] == '=' ? !strncmp(word, words[i], len)
					       : !strcmp(word, words[i]))
			return true;
	}
	return false;
}

/* "--role-arn", as it is written in the help; "-o role_arn". */
static int display_name(const char *dashes, const char *name, struct buf *b)
{
	int r = buf_printf(b, "%s%s", dashes, name);

	for (size_t i = 0; r == 0 && dashes[0] == dashes[1] && i < b->len; i++)
		if (b->data[i] == '_')
			b->data[i] = '-';
	return r;
}

static int unknown(struct reader *reader, const char *dashes, const char *name, size_t len)
{
	_cleanup_(buf_deinit) struct buf hint = BUF_INIT;
	const char *nearest = conf_keys_nearest(name, len);

	if (conf_keys_secret(name, len))
		return conf_complain(reader->why,
				     "%s%.*s: a secret is not taken from the command line; it "
				     "belongs into ~/.aws/credentials, or into the environment as "
				     "AWS_SECRET_ACCESS_KEY",
				     dashes, (int)len, name);
	if (nearest && display_name(dashes, nearest, &hint) < 0)
		return -ENOMEM;
	return conf_complain(reader->why, "unknown option '%s%.*s'%s%s%s", dashes, (int)len, name,
			     nearest ? "; did you mean '" : "", buf_str(&hint),
			     nearest ? "'?" : "");
}

static int set(struct reader *reader, enum conf_key_id id, enum conf_level level, const char *value,
	       const char *where)
{
	int r = conf_value_check(&conf_keys[id], value, where, reader->why);

	if (r < 0)
		return r;
	return conf_settings_set(reader->settings, id, level, value, where);
}

static const struct alias *find_alias(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (!strcmp(aliases[i].word, word))
			return &aliases[i];
	return NULL;
}

static int read_long(struct reader *reader, const char *arg)
{
	_cleanup_(buf_deinit) struct buf where = BUF_INIT;
	size_t len = strcspn(arg, "=");
	const char *value = arg[len] ? arg + len + 1 : NULL;
	const struct conf_keydef *key = conf_keys_find(arg, len);
	const struct alias *alias = find_alias(arg);

	if (!strcmp(arg, "help"))
		return CONF_HELP;
	if (!strcmp(arg, "version"))
		return CONF_VERSION;
	if (alias)
		return set(reader, alias->key, LEVEL_ARGV, alias->value,
			   alias == &aliases[0] ? "--ro" : "--rw");
	if (!key)
		return unknown(reader, "--", arg, len);
	if (display_name("--", key->name, &where) < 0)
		return -ENOMEM;
	if (!value && key->type == TYPE_FLAG)
		value = "yes";
	if (!value && reader->next == reader->argc)
		return conf_complain(reader->why, "%s: the value is missing", buf_str(&where));
	if (!value)
		value = reader->argv[reader->next++];
	return set(reader, (enum conf_key_id)(key - conf_keys), LEVEL_ARGV, value, buf_str(&where));
}

static int add_fuse_option(struct reader *reader, const char *raw, size_t len)
{
	struct buf *options = &reader->args->fuse_options;
	int r = options->len ? buf_add_char(options, ',') : 0;

	return r < 0 ? r : buf_add(options, raw, len);
}

/* word: one of the list, escapes undone; raw: as it was given. */
static int read_word(struct reader *reader, const char *word, const char *raw, size_t raw_len)
{
	_cleanup_(buf_deinit) struct buf where = BUF_INIT;
	size_t len = strcspn(word, "=");
	const struct conf_keydef *key = conf_keys_find(word, len);
	const struct alias *alias = find_alias(word);
	int r;

	if (listed(ignored_words, ARRAY_LEN(ignored_words), word))
		return 0;
	if (listed(fuse_words, ARRAY_LEN(fuse_words), word)) {
		if (buf_printf(&where, "-o %.*s", (int)len, word) < 0)
			return -ENOMEM;
		r = conf_value_check_line(word, buf_str(&where), reader->why);
		return r < 0 ? r : add_fuse_option(reader, raw, raw_len);
	}
	if (buf_printf(&where, "-o %s", key ? key->name : word) < 0)
		return -ENOMEM;
	if (alias)
		return set(reader, alias->key, LEVEL_OPTION, alias->value, buf_str(&where));
	if (!key)
		return unknown(reader, "-o ", word, len);
	if (!word[len] && key->type != TYPE_FLAG)
		return conf_complain(reader->why, "%s: the value is missing", buf_str(&where));
	return set(reader, (enum conf_key_id)(key - conf_keys), LEVEL_OPTION,
		   word[len] ? word + len + 1 : "yes", buf_str(&where));
}

/* "a=1,b=x\,y": a backslash keeps the byte after it from having a meaning, as in libfuse. */
static int read_list(struct reader *reader, const char *list)
{
	while (*list) {
		_cleanup_(buf_deinit) struct buf word = BUF_INIT;
		const char *raw = list;
		int r = 0;

		for (; r == 0 && *list && *list != ','; list++) {
			if (*list == '\\' && list[1])
				list++;
			r = buf_add_char(&word, *list);
		}
		if (r == 0 && word.len > 0)
			r = read_word(reader, buf_str(&word), raw, (size_t)(list - raw));
		if (r < 0)
			return r;
		list += *list == ',';
	}
	return 0;
}

static int short_value(struct reader *reader, const char *rest, char letter, const char **ret_value)
{
	if (*rest)
		*ret_value = rest;
	else if (reader->next < reader->argc)
		*ret_value = reader->argv[reader->next++];
	else
		return conf_complain(reader->why, "-%c: the value is missing", letter);
	return 0;
}

/* One letter without a value. Returns as read_arg, and -ENOENT for a letter unknown. */
static int read_letter(struct reader *reader, char letter)
{
	switch (letter) {
	case 'h':
		return CONF_HELP;
	case 'V':
		return CONF_VERSION;
	case 'd':
		return set(reader, KEY_DEBUG, LEVEL_ARGV, "yes", "-d");
	case 'f':
		if (!reader->helper)
			return set(reader, KEY_FOREGROUND, LEVEL_ARGV, "yes", "-f");
		reader->args->fake = true;
		return 0;
	case 'r':
		return set(reader, KEY_READ_ONLY, LEVEL_ARGV, "yes", "-r");
	case 'w':
		return set(reader, KEY_READ_ONLY, LEVEL_ARGV, "no", "-w");
	case 'n':
	case 'v':
		return 0;
	case 's':
		return reader->helper ? 0 : -ENOENT;
	default:
		return -ENOENT;
	}
}

static int read_short(struct reader *reader, const char *letters)
{
	for (; *letters; letters++) {
		const char *value = NULL;
		int r;

		if (*letters == 'o' || (*letters == 't' && reader->helper)) {
			r = short_value(reader, letters + 1, *letters, &value);
			if (r < 0 || *letters == 't')
				return r;
			return read_list(reader, value);
		}
		r = read_letter(reader, *letters);
		if (r == -ENOENT)
			return conf_complain(reader->why, "unknown option '-%c'", *letters);
		if (r != 0)
			return r;
	}
	return 0;
}

static int read_positional(struct reader *reader, const char *arg)
{
	struct conf_args *args = reader->args;

	if (args->n_positional == (int)ARRAY_LEN(args->positional))
		return conf_complain(reader->why,
				     "too many arguments: '%s' follows SOURCE and MOUNTPOINT", arg);
	args->positional[args->n_positional++] = arg;
	return 0;
}

static bool called_as_helper(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
	const char *name = slash ? slash + 1 : argv0;

	return name && (!strcmp(name, "mount.xacctfs") || !strcmp(name, "mount.fuse.xacctfs"));
}

int conf_args_read(int argc, char *const argv[], struct conf_args *args,
		   struct conf_settings *settings, char **ret_why)
{
	struct reader reader = {.argc = argc,
				.next = 1,
				.argv = argv,
				.helper = argc > 0 && called_as_helper(argv[0]),
				.args = args,
				.settings = settings,
				.why = ret_why};
	bool ended = false;
	int r = 0;

	while (r == 0 && reader.next < argc) {
		const char *arg = argv[reader.next++];

		if (ended || arg[0] != '-' || !arg[1])
			r = read_positional(&reader, arg);
		else if (!strcmp(arg, "--"))
			ended = true;
		else if (arg[1] == '-')
			r = read_long(&reader, arg + 2);
		else
			r = read_short(&reader, arg + 1);
	}
	return r;
}

void conf_args_deinit(struct conf_args *args)
{
	buf_deinit(&args->fuse_options);
}
