#include "mountpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

DEFINE_CLEANUP_PTR(FILE, (void)fclose, fclosep)

/* mountinfo writes space, tab, newline and backslash as \ooo. In place. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0');
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

/* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw: field 5 is the mount point, the
 * one behind the lone hyphen the type. */
static bool line_matches(char *line, const char *path, const char *type)
{
	char *save = NULL, *field, *where = NULL;
	int n = 0;

	for (field = strtok_r(line, " \n", &save); field; field = strtok_r(NULL, " \n", &save)) {
		if (++n == 5)
			where = field;
		if (n > 6 && !strcmp(field, "-"))
			break;
	}
	field = field ? strtok_r(NULL, " \n", &save) : NULL;
	if (!where || !field || strcmp(field, type) != 0)
		return false;
	unescape(where);
	return !strcmp(where, path);
}

bool mountinfo_has(FILE *mountinfo, const char *path, const char *type)
{
	_cleanup_(freep) char *line = NULL;
	bool found = false;
	size_t size = 0;

	while (!found && getline(&line, &size, mountinfo) >= 0)
		found = line_matches(line, path, type);
	return found;
}

static bool is_mounted(const char *path)
{
	_cleanup_(fclosep) FILE *mountinfo = fopen("/proc/self/mountinfo", "re");

	return mountinfo && mountinfo_has(mountinfo, path, "fuse.xacctfs");
}

int mountpoint_check(const char *path)
{
	struct statx st;

	/* cached attributes would hide for a moment that nobody serves the mount any more */
	if (statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_TYPE | STATX_SIZE, &st) < 0) {
		int e = errno;

		if (e == ENOTCONN)
			log_error("%s is what an ended mount left behind (%s). Run 'fusermount3 -u "
				  "%s', as root 'umount %s', and mount again.",
				  path, strerror(e), path, path);
		else if (e == ENOENT)
			log_error("%s: no such directory; make it with 'mkdir -p %s'", path, path);
		else
			log_error("%s: %s", path, strerror(e));
		return -e;
	}
	if (!S_ISDIR(st.stx_mode)) {
		log_error("%s is not a directory", path);
		return -ENOTDIR;
	}
	if (is_mounted(path)) {
		log_error("%s is mounted by xacctfs already. To mount it anew, unmount it first: "
			  "'fusermount3 -u %s', as root 'umount %s'.",
			  path, path, path);
		return -EBUSY;
	}
	return 0;
}
