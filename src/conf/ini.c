#include "ini.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "xacctfs/util/array.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/secret.h"

#define NONE SIZE_MAX

struct reader {
	struct conf_ini ini;
	unsigned int flags;
	unsigned int line;
	size_t section;   /* NONE above the first */
	size_t entry;     /* the key that an indented line goes on with, or NONE */
	size_t indent;    /* of that key's line */
	struct buf value; /* of the entry that goes on: the same memory as its value */
	char **why;
};

void conf_ini_deinit(struct conf_ini *ini)
{
	for (size_t i = 0; i < ini->n_entries; i++) {
		free(ini->entries[i].key);
		secret_free(ini->entries[i].value);
	}
	for (size_t i = 0; i < ini->n_sections; i++)
		free(ini->sections[i].name);
	free(ini->entries);
	free(ini->sections);
	free(ini->path);
	*ini = (struct conf_ini){0};
}

bool conf_ini_section(const struct conf_ini *ini, const char *name, size_t *ret_section)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		if (!strcmp(ini->sections[i].name, name)) {
			*ret_section = i;
			return true;
		}
	return false;
}

const struct conf_ini_entry *conf_ini_find(const struct conf_ini *ini, size_t section,
					   const char *key)
{
	for (size_t i = 0; i < ini->n_entries; i++)
		if (ini->entries[i].section == section && !strcmp(ini->entries[i].key, key))
			return &ini->entries[i];
	return NULL;
}

static int bad_line(struct reader *reader, const char *what)
{
	return conf_complain(reader->why, "%s:%u: %s", reader->ini.path, reader->line, what);
}

static int add_section(struct reader *reader, const char *name)
{
	struct conf_ini *ini = &reader->ini;
	size_t same;

	if (conf_ini_section(ini, name, &same))
		return conf_complain(reader->why, "%s:%u: the section [%s] is on line %u already",
				     ini->path, reader->line, name, ini->sections[same].line);
	if (array_grow(&ini->sections, ini->n_sections, sizeof(*ini->sections)) < 0)
		return -ENOMEM;
	ini->sections[ini->n_sections].name = strdup(name);
	ini->sections[ini->n_sections].line = reader->line;
	if (!ini->sections[ini->n_sections].name)
		return -ENOMEM;
	reader->section = ini->n_sections++;
	reader->entry = NONE;
	return 0;
}

static const struct conf_ini_entry *same_key(const struct reader *reader, const char *key)
{
	const struct conf_ini *ini = &reader->ini;

	/* a section's entries stand together, and its section is the last */
	for (size_t i = ini->n_entries; i > 0 && ini->entries[i - 1].section == reader->section;
	     i--)
		if (!strcmp(ini->entries[i - 1].key, key))
			return &ini->entries[i - 1];
	return NULL;
}

static int add_entry(struct reader *reader, const char *key, const char *value)
{
	struct conf_ini *ini = &reader->ini;
	const struct conf_ini_entry *same = same_key(reader, key);
	struct conf_ini_entry entry = {
	    .section = reader->section, .line = reader->line, .path = ini->path};

	if (same)
		return conf_complain(reader->why, "%s:%u: %s: it is on line %u already", ini->path,
				     reader->line, key, same->line);
	if (array_grow(&ini->entries, ini->n_entries, sizeof(*ini->entries)) < 0)
		return -ENOMEM;
	entry.key = strdup(key);
	entry.value = strdup(value);
	if (!entry.key || !entry.value) {
		free(entry.key);
		secret_free(entry.value);
		return -ENOMEM;
	}
	ini->entries[ini->n_entries++] = entry;
	return 0;
}

static char *strip(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

static void cut_comment(char *text)
{
	for (char *c = text; *c; c++)
		if ((*c == '#' || *c == ';') && (c == text || isspace((unsigned char)c[-1]))) {
			*c = '\0';
			return;
		}
}

/* text: from '['. */
static int read_section(struct reader *reader, char *text)
{
	char *name = text + 1, *end = strchr(name, ']'), *rest;

	if (!end)
		return bad_line(reader, "a section is a line of its own: [name]");
	rest = strip(end + 1);
	if (*rest && *rest != '#' && *rest != ';')
		return bad_line(reader, "there is text after the section's name");
	*end = '\0';
	name = strip(name);
	if (!*name)
		return bad_line(reader, "the section has no name");
	return add_section(reader, name);
}

/* A line below "s3 =": its key is s3.KEY. */
static int read_nested(struct reader *reader, char *text)
{
	_cleanup_(buf_deinit) struct buf key = BUF_INIT;
	char *equals = strchr(text, '=');
	int r;

	if (!equals)
		return bad_line(reader, "expected key = value");
	*equals = '\0';
	r = buf_printf(&key, "%s.%s", reader->ini.entries[reader->entry].key, strip(text));
	if (r < 0)
		return r;
	if (reader->flags & CONF_INI_OWN)
		cut_comment(equals + 1);
	return add_entry(reader, buf_str(&key), strip(equals + 1));
}

/* The value's memory becomes the reader's to grow; it stays the entry's to free. */
static int begin_growing(struct reader *reader, struct conf_ini_entry *entry)
{
	struct buf value = BUF_INIT;
	int r = buf_add_str(&value, entry->value);

	if (r < 0)
		return r;
	secret_free(entry->value);
	entry->value = value.data;
	reader->value = value;
	return 0;
}

static int read_continuation(struct reader *reader, const char *text)
{
	struct conf_ini_entry *entry = &reader->ini.entries[reader->entry];
	int r = 0;

	if (reader->flags & CONF_INI_OWN)
		return bad_line(reader, "the line is indented deeper than the one it follows");
	if (reader->value.data != entry->value)
		r = begin_growing(reader, entry);
	if (r == 0)
		r = buf_reserve(&reader->value, 1 + strlen(text));
	if (r < 0)
		return r;
	buf_add_char(&reader->value, '\n');
	buf_add_str(&reader->value, text);
	entry->value = reader->value.data;
	return 0;
}

static int read_key(struct reader *reader, char *text)
{
	char *delimiter = strpbrk(text, "=:"), *key;
	int r;

	if (!delimiter)
		return bad_line(reader, "expected [section] or key = value");
	*delimiter = '\0';
	key = strip(text);
	if (!*key)
		return bad_line(reader, "the key before '=' is missing");
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (reader->section == NONE) {
		if (!(reader->flags & CONF_INI_OWN))
			return bad_line(reader, "a key stands above the first [section]");
		r = add_section(reader, "");
		if (r < 0)
			return r;
	}
	if (reader->flags & CONF_INI_OWN)
		cut_comment(delimiter + 1);
	r = add_entry(reader, key, strip(delimiter + 1));
	if (r < 0)
		return r;
	reader->entry = reader->ini.n_entries - 1;
	return 0;
}

static int read_line(struct reader *reader, char *line)
{
	char *text = strip(line);
	size_t indent = (size_t)(text - line);

	if (!*text || *text == '#' || *text == ';')
		return 0;
	if (reader->entry != NONE && indent > reader->indent) {
		if (!*reader->ini.entries[reader->entry].value)
			return read_nested(reader, text);
		return read_continuation(reader, text);
	}
	reader->indent = indent;
	return *text == '[' ? read_section(reader, text) : read_key(reader, text);
}

static int read_lines(struct reader *reader, char *text, char *end)
{
	if (end - text >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	while (text < end) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		char *line_end = newline ? newline : end;
		int r;

		if (++reader->line > CONF_INI_MAX_LINES)
			return bad_line(reader, "the file has too many lines");
		if (line_end - text > CONF_INI_MAX_LINE)
			return bad_line(reader, "the line is too long");
		if (memchr(text, '\0', (size_t)(line_end - text)))
			return bad_line(reader, "there is a NUL byte, so this is no text file");
		*line_end = '\0';
		r = read_line(reader, text);
		if (r < 0)
			return r;
		text = line_end + 1;
	}
	return 0;
}

static int read_all(const char *path, int fd, struct buf *b, char **ret_why)
{
	for (;;) {
		ssize_t n;
		int r = buf_reserve(b, 4096);

		if (r < 0)
			return r;
		n = read(fd, b->data + b->len, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return conf_complain(ret_why, "cannot read %s: %m", path);
		if (n == 0)
			return 0;
		b->len += (size_t)n;
		b->data[b->len] = '\0';
		if (b->len > CONF_INI_MAX_SIZE)
			return conf_complain(ret_why, "%s: the file is larger than %d bytes", path,
					     CONF_INI_MAX_SIZE);
	}
}

static int open_file(const char *path, int *ret_fd, char **ret_why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return -ENOENT;
		if (errno == EACCES || errno == EPERM)
			return -EACCES;
		return conf_complain(ret_why, "cannot open %s: %m", path);
	}
	*ret_fd = fd;
	return 0;
}

int conf_ini_read(const char *path, unsigned int flags, struct conf_ini *ret_ini, char **ret_why)
{
	_cleanup_(buf_wipe) struct buf text = BUF_INIT;
	_cleanup_(closep) int fd = -1;
	struct reader reader = {.flags = flags, .section = NONE, .entry = NONE, .why = ret_why};
	int r;

	reader.ini.path = strdup(path);
	if (!reader.ini.path)
		return -ENOMEM;
	r = open_file(path, &fd, ret_why);
	if (r == 0)
		r = read_all(path, fd, &text, ret_why);
	if (r == 0 && text.len > 0)
		r = read_lines(&reader, text.data, text.data + text.len);
	if (r == 0 || r == -ENOENT || r == -EACCES)
		*ret_ini = reader.ini;
	else
		conf_ini_deinit(&reader.ini);
	return r;
}
