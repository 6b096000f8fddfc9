/*
 * conf/complain: the one line that tells a person what is wrong.
 */
#ifndef CONF_COMPLAIN_H
#define CONF_COMPLAIN_H

/*
 * Sets *ret_why to the formatted text, with control characters (a file or argument may hold any) as
 * '?'. Returns -EINVAL, or -ENOMEM when there was no memory for the text.
 */
int conf_complain(char **ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
