/*
 * conf/ini: reads xacctfs.conf and the AWS files into a list of entries, each with its line.
 *
 * The grammar is what botocore makes of Python's configparser: [section]; "key = value" or
 * "key: value", keys in lower case; comments are whole lines that begin with '#' or ';'; a deeper
 * indented line goes on with the value above it. Below an empty value ("s3 =") each such line is
 * a key of its own, here "s3.addressing_style". A section or key given twice is an error.
 *
 * It is not inih, whose distributed builds end a line after 200 bytes (a session token has a
 * thousand), a section's name after 49 (silently), and a value at " ;".
 */
#ifndef CONF_INI_H
#define CONF_INI_H

#include <stdbool.h>
#include <stddef.h>

#define CONF_INI_MAX_SIZE  (1024 * 1024)
#define CONF_INI_MAX_LINE  32768
#define CONF_INI_MAX_LINES 20000

/* xacctfs.conf: keys above the first section, comments after a value (" # ..."), no value of
 * several lines. */
#define CONF_INI_OWN 1

struct conf_ini_entry {
	size_t section; /* index into sections */
	unsigned int line;
	const char *path; /* the file's, owned by struct conf_ini */
	char *key;
	char *value; /* maybe a secret: overwritten when freed */
};

struct conf_ini_section {
	char *name; /* "" for what stands above the first; blanks around it are off */
	unsigned int line;
};

struct conf_ini {
	char *path;
	struct conf_ini_section *sections;
	size_t n_sections;
	struct conf_ini_entry *entries;
	size_t n_entries;
};

/*
 * Returns 0; -ENOENT (no such file) or -EACCES, both with ret_ini->path set and nothing else, and
 * no *ret_why; -EINVAL with *ret_why naming file and line; -ENOMEM.
 */
int conf_ini_read(const char *path, unsigned int flags, struct conf_ini *ret_ini, char **ret_why);
void conf_ini_deinit(struct conf_ini *ini);

/* The section of that name, as an index. Returns false when there is none. */
bool conf_ini_section(const struct conf_ini *ini, const char *name, size_t *ret_section);

/* NULL when the section has no such key. */
const struct conf_ini_entry *conf_ini_find(const struct conf_ini *ini, size_t section,
					   const char *key);

#endif
