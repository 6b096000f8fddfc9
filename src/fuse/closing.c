#include "closing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xacctfs/util/cleanup.h"

/* A process with more is not looked through. */
#define DESCRIPTORS_MAX 1024

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool is_of(int dir_fd, const char *name, uint64_t st_ino)
{
	_cleanup_(closep) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	char text[512], *line;
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	line = strstr(text, "\nino:");
	return line && strtoull(line + strlen("\nino:"), NULL, 10) == st_ino;
}

bool closing_more_to_come(pid_t pid, uint64_t st_ino)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	char path[64];

	if (pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	dir = opendir(path);
	if (!dir)
		return false;
	for (int i = 0; i < DESCRIPTORS_MAX && (entry = readdir(dir)); i++)
		if (entry->d_name[0] != '.' && is_of(dirfd(dir), entry->d_name, st_ino))
			return true;
	return false;
}
