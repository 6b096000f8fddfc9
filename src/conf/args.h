/*
 * conf/args: argv, and the list after -o.
 *
 * Called as a mount helper (mount.xacctfs, mount.fuse.xacctfs) the short options are those that
 * mount(8) hands to helpers: -f is its --fake, and -s -t TYPE are let pass.
 */
#ifndef CONF_ARGS_H
#define CONF_ARGS_H

#include <stdbool.h>

#include "settings.h"
#include "xacctfs/util/buf.h"

struct conf_args {
	const char *positional[2]; /* of argv */
	int n_positional;
	bool fake;
	struct buf fuse_options; /* comma list, escapes as given */
};

/*
 * Sets what argv says at LEVEL_ARGV and LEVEL_OPTION. Returns 0, CONF_HELP, CONF_VERSION, -EINVAL
 * with *ret_why, -ENOMEM. After any of them args must be deinitialised.
 */
int conf_args_read(int argc, char *const argv[], struct conf_args *args,
		   struct conf_settings *settings, char **ret_why);
void conf_args_deinit(struct conf_args *args);

#endif
