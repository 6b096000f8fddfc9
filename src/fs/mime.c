#include "mime.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#include "xacctfs/util/cleanup.h"

#define SUFFIX_MAX 31

struct mime_type {
	UT_hash_handle hh;
	char *type;
	char suffix[SUFFIX_MAX + 1]; /* in lower case */
};

static const struct {
	const char *suffix, *type;
} known[] = {
    {"7z", "application/x-7z-compressed"},
    {"avif", "image/avif"},
    {"avro", "application/avro"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eml", "message/rfc822"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"log", "text/plain"},
    {"md", "text/markdown"},
    {"mjs", "text/javascript"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpeg", "video/mpeg"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ogg", "audio/ogg"},
    {"otf", "font/otf"},
    {"parquet", "application/vnd.apache.parquet"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ps", "application/postscript"},
    {"rtf", "application/rtf"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml"},
    {"xz", "application/x-xz"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

/* False when no type has a suffix that long. */
static bool fold(const char *suffix, char ret_folded[SUFFIX_MAX + 1])
{
	size_t len = strlen(suffix);

	if (len > SUFFIX_MAX)
		return false;
	for (size_t i = 0; i <= len; i++)
		ret_folded[i] = (char)tolower((unsigned char)suffix[i]);
	return true;
}

static void add(struct mime *mime, const char *type, const char *suffix)
{
	char folded[SUFFIX_MAX + 1];
	struct mime_type *entry;

	if (!fold(suffix, folded))
		return;
	HASH_FIND_STR(mime->by_suffix, folded, entry);
	if (entry) /* the first one counts */
		return;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return;
	entry->type = strdup(type);
	if (!entry->type) {
		free(entry);
		return;
	}
	memcpy(entry->suffix, folded, sizeof(folded));
	HASH_ADD_STR(mime->by_suffix, suffix, entry);
}

/* "type suffix suffix ...", and comments from '#' on. */
static void read_line(struct mime *mime, char *line)
{
	const char *type, *suffix;
	char *rest;

	line[strcspn(line, "#")] = '\0';
	type = strtok_r(line, " \t\r\n", &rest);
	while (type && (suffix = strtok_r(NULL, " \t\r\n", &rest)))
		add(mime, type, suffix);
}

void mime_init(struct mime *mime, const char *path)
{
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "re");

	*mime = (struct mime){0};
	if (!f)
		return;
	while (getline(&line, &size, f) >= 0)
		read_line(mime, line);
	fclose(f);
}

void mime_deinit(struct mime *mime)
{
	struct mime_type *entry, *next;

	HASH_ITER (hh, mime->by_suffix, entry, next) {
		HASH_DEL(mime->by_suffix, entry);
		free(entry->type);
		free(entry);
	}
}

static int compare_known(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

const char *mime_find(const struct mime *mime, const char *name)
{
	const char *dot = strrchr(name, '.'), *const * own;
	char suffix[SUFFIX_MAX + 1];
	struct mime_type *entry;

	if (!dot || !fold(dot + 1, suffix))
		return NULL;
	HASH_FIND_STR(mime->by_suffix, suffix, entry);
	if (entry)
		return entry->type;
	own = bsearch(suffix, known, ARRAY_LEN(known), sizeof(known[0]), compare_known);
	return own ? own[1] : NULL;
}
