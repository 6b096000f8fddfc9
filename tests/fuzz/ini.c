/* xacctfs.conf and the AWS files, as lines. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/conf/ini.h"
#include "fuzz.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

static int read_bytes(const void *data, size_t size, unsigned int flags, struct conf_ini *ini,
		      char **why)
{
	_cleanup_(closep) int fd = memfd_create("ini", MFD_CLOEXEC);
	char path[64];

	MUST(fd >= 0);
	MUST(size == 0 || write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return conf_ini_read(path, flags, ini, why);
}

static void check_complaint(const char *why)
{
	MUST(why && *why);
	for (; *why; why++)
		MUST((unsigned char)*why >= 0x20 && *why != 0x7f);
}

static void check_sections(const struct conf_ini *ini)
{
	for (size_t i = 0; i < ini->n_sections; i++) {
		size_t found;

		MUST(conf_ini_section(ini, ini->sections[i].name, &found) && found == i);
		MUST(ini->sections[i].name[0] || i == 0);
	}
}

static void check_entries(const struct conf_ini *ini)
{
	unsigned int line = 0;

	for (size_t i = 0; i < ini->n_entries; i++) {
		const struct conf_ini_entry *entry = &ini->entries[i];
		size_t len = strlen(entry->value);

		MUST(entry->section < ini->n_sections && entry->path == ini->path);
		MUST(entry->line > line && entry->line <= CONF_INI_MAX_LINES);
		line = entry->line;
		MUST(conf_ini_find(ini, entry->section, entry->key) == entry);
		MUST(!len || (!isspace((unsigned char)entry->value[0]) &&
			      !isspace((unsigned char)entry->value[len - 1])));
	}
}

/* True when its line can be written by itself: no key below another one's. */
static bool plain(const struct conf_ini_entry *entry)
{
	for (const char *p = entry->key; *p; p++)
		if (*p == '.' || *p == ':' || *p == '=' || isupper((unsigned char)*p))
			return false;
	return true;
}

static void write_value(struct buf *b, const char *value)
{
	int r = 0;

	for (; r == 0 && *value; value++) {
		r = buf_add_char(b, *value);
		if (r == 0 && *value == '\n')
			r = buf_add_char(b, '\t');
	}
	MUST(r == 0);
}

static void write_plain(const struct conf_ini *ini, struct buf *b)
{
	size_t section = SIZE_MAX; /* the one that was begun */

	MUST(buf_add_str(b, "# so that the first key is not the file's first bytes\n") == 0);
	for (size_t i = 0; i < ini->n_entries; i++) {
		const struct conf_ini_entry *entry = &ini->entries[i];

		if (!plain(entry))
			continue;
		if (entry->section != section && ini->sections[entry->section].name[0])
			MUST(buf_printf(b, "[%s]\n", ini->sections[entry->section].name) == 0);
		section = entry->section;
		MUST(buf_printf(b, "%s = ", entry->key) == 0);
		write_value(b, entry->value);
		MUST(buf_add_char(b, '\n') == 0);
	}
}

static void compare(const struct conf_ini *ini, const struct conf_ini *again)
{
	for (size_t i = 0; i < ini->n_entries; i++) {
		const struct conf_ini_entry *entry = &ini->entries[i], *found;
		size_t section;

		if (!plain(entry))
			continue;
		MUST(conf_ini_section(again, ini->sections[entry->section].name, &section));
		found = conf_ini_find(again, section, entry->key);
		MUST(found && !strcmp(found->value, entry->value));
	}
}

/* What is written out of the entries is read as the same. */
static void write_and_read(const struct conf_ini *ini, unsigned int flags)
{
	_cleanup_(buf_deinit) struct buf b = BUF_INIT;
	_cleanup_(conf_ini_deinit) struct conf_ini again = {0};
	_cleanup_(freep) char *why = NULL;

	write_plain(ini, &b);
	MUST(read_bytes(b.data, b.len, flags, &again, &why) == 0);
	compare(ini, &again);
}

static void read_as(const uint8_t *data, size_t size, unsigned int flags)
{
	_cleanup_(conf_ini_deinit) struct conf_ini ini = {0};
	_cleanup_(freep) char *why = NULL;
	int r = read_bytes(data, size, flags, &ini, &why);

	if (r < 0) {
		MUST(r == -EINVAL);
		check_complaint(why);
		return;
	}
	MUST(!why);
	check_sections(&ini);
	check_entries(&ini);
	write_and_read(&ini, flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_as(data, size, 0);
	read_as(data, size, CONF_INI_OWN);
	return 0;
}
