/*
 * fs/mime: the content type that a file's name tells.
 *
 * Source: /etc/mime.types, as the AWS CLI and s3fs read it (Debian: media-types), and where that is
 * missing or does not know, a short table of our own (IANA, "Media Types").
 */
#ifndef FS_MIME_H
#define FS_MIME_H

struct mime_type;

/* Zeroed is the table of our own alone. */
struct mime {
	struct mime_type *by_suffix;
};

/* Reads the file, if it is there. Never fails: what can't be read is not known. */
void mime_init(struct mime *mime, const char *path);
void mime_deinit(struct mime *mime);

/* Without regard to case; NULL when not known. Valid as long as mime. Thread-safe. */
const char *mime_find(const struct mime *mime, const char *name);

#endif
