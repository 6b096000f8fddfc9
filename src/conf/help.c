#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "xacctfs/conf/conf.h"

#define COLUMN 34 /* where the explanations begin */
#define WIDTH  80

/* "      --role-arn=ARN", padded to COLUMN. */
static void print_name(FILE *f, enum conf_key_id id)
{
	const struct conf_keydef *key = &conf_keys[id];
	const char *letter = id == KEY_FOREGROUND ? "-f, " : id == KEY_DEBUG ? "-d, " : "    ";
	int n = fprintf(f, "  %s--", letter);

	for (const char *c = key->name; *c; c++, n++)
		fputc(*c == '_' ? '-' : *c, f);
	if (key->metavar)
		n += fprintf(f, "=%s", key->metavar);
	if (n >= COLUMN)
		fprintf(f, "\n%*s", COLUMN, "");
	else
		fprintf(f, "%*s", COLUMN - n, "");
}

static void print_key(FILE *f, enum conf_key_id id)
{
	const struct conf_keydef *key = &conf_keys[id];
	bool say_default = key->def && key->type != TYPE_FLAG, both = false;
	int n;

	print_name(f, id);
	fprintf(f, "%s\n", key->help);
	if (say_default) {
		n = fprintf(f, "%*s(default %s)", COLUMN, "", key->def);
		both = key->env[0] && n + (int)strlen(key->env[0]) + 3 <= WIDTH;
		fputs(both ? " " : "\n", f);
	}
	if (key->env[0])
		fprintf(f, "%*s[%s]\n", both ? 0 : COLUMN, "", key->env[0]);
}

void conf_print_help(FILE *f)
{
	fputs("Usage: xacctfs [options] [SOURCE] MOUNTPOINT\n"
	      "       xacctfs --check [--json] [options] [SOURCE]\n"
	      "       xacctfs --incomplete-uploads list|abort [--older-than AGE] [--all]\n"
	      "               [--json] [options] [SOURCE]\n"
	      "\n"
	      "Mounts the S3 of another AWS account, by a role that is assumed there.\n"
	      "SOURCE is an AWS profile, a section of xacctfs.conf, or a role's ARN; without\n"
	      "it AWS_PROFILE counts, else the profile 'default'. With :BUCKET or\n"
	      ":BUCKET/PREFIX behind it, only that is mounted.\n"
	      "\n"
	      "An option --some-name=value may also be given as -o some_name=value, or stand\n"
	      "as some_name = value in xacctfs.conf (but --config, -f, -d, and what belongs to\n"
	      "--check and --incomplete-uploads). A secret never may: keys are taken from AWS\n"
	      "profiles, or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.\n",
	      f);
	for (int group = 0; group < GROUP_COUNT; group++) {
		fprintf(f, "\n%s:\n", conf_key_groups[group]);
		for (enum conf_key_id id = 0; id < KEY_COUNT; id++)
			if ((int)conf_keys[id].group == group)
				print_key(f, id);
	}
	fputs("  -o NAME[=VALUE],...             options as in fstab; a comma in a value is \\,\n"
	      "  -r, -w                          read-only, read and write\n"
	      "  -n, -v                          ignored, as mount(8) may pass them\n"
	      "  -h, --help                      this text\n"
	      "  -V, --version                   the version\n"
	      "\n"
	      "-o also takes the options of the kernel and libfuse: nodev nosuid noexec noatime\n"
	      "dirsync fsname= subtype= default_permissions auto_unmount context= and their\n"
	      "like. As mount.xacctfs, called by mount(8), -f is mount's --fake.\n"
	      "\n"
	      "Examples:\n"
	      "  xacctfs accountB /mnt/accountB\n"
	      "  xacctfs --profile Anne --external-id XX9812DDF2V --region eu-west-1 \\\n"
	      "      arn:aws:iam::222222222222:role/cross-account-s3-access /mnt/accountB\n"
	      "  xacctfs accountB:reports/2026 /mnt/reports\n"
	      "  xacctfs --check accountB\n"
	      "  accountB /mnt/accountB fuse.xacctfs _netdev,nofail 0 0       (in /etc/fstab)\n"
	      "\n"
	      "Exit status:\n"
	      "  0  mounted, or --check found every link in order, or the uploads are done\n"
	      "  1  it could not be mounted, a link is broken, or an open file was not saved\n"
	      "  2  the command line or a configuration file is wrong\n",
	      f);
}
