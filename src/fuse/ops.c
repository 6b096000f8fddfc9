#include "ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

/* ---- one operation's call: cancelled by the kernel's INTERRUPT and by the mount's end ---- */

struct op {
	fuse_req_t req;
	struct call call;
};

static struct ops_context *context(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct fs *fs_of(fuse_req_t req)
{
	return context(req)->fs;
}

static void interrupted(fuse_req_t req, void *data)
{
	(void)req;
	call_cancel(data);
}

static void op_begin(struct op *op, fuse_req_t req)
{
	struct ops_context *c = context(req);

	op->req = req;
	call_init(&op->call, c->group, c->clock, c->timeout_ms);
	fuse_req_interrupt_func(req, interrupted, &op->call);
}

/* Before the reply, which ends the request's life. */
static void op_end(struct op *op)
{
	fuse_req_interrupt_func(op->req, NULL, NULL);
	call_deinit(&op->call);
}

static double seconds(int64_t ms)
{
	return (double)ms / 1000.0;
}

static struct fuse_entry_param entry_param(const struct fs_entry *entry)
{
	return (struct fuse_entry_param){
	    .ino = entry->ino,
	    .generation = 1,
	    .attr = entry->attr,
	    .attr_timeout = seconds(entry->valid_ms),
	    .entry_timeout = seconds(entry->valid_ms),
	};
}

/* The kernel did not take the entry: it will not forget it either. */
static void reply_entry(fuse_req_t req, const struct fs_entry *entry)
{
	struct fuse_entry_param param = entry_param(entry);
	struct fs *fs = fs_of(req);

	if (fuse_reply_entry(req, &param) < 0 && entry->ino)
		fs_forget(fs, entry->ino, 1);
}

/* ---- the session ---- */

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct ops_context *c = userdata;

	/* the kernel asks for attributes with the names when somebody looks at them */
	conn->want |= conn->capable &
		      (FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS);
	atomic_store(&c->parallel_dirops, conn->want & FUSE_CAP_PARALLEL_DIROPS);
}

/* ---- names ---- */

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct lookups *lookups = &context(req)->lookups;
	struct fs_entry entry;
	struct lookup lookup;
	struct op op;
	int r;

	lookups_begin(lookups, &lookup, parent, name);
	op_begin(&op, req);
	r = fs_lookup(fs_of(req), &op.call, parent, name, &entry);
	op_end(&op);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		reply_entry(req, &entry);
	lookups_end(lookups, &lookup);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	fs_forget(fs_of(req), ino, count);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		fs_forget(fs_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fs_entry entry;
	struct op op;
	int r;

	(void)mode; /* a bucket has none */
	op_begin(&op, req);
	r = fs_mkdir(fs_of(req), &op.call, parent, name, &entry);
	op_end(&op);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		reply_entry(req, &entry);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_rmdir(fs_of(req), &op.call, parent, name);
	op_end(&op);
	fuse_reply_err(req, -r);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_unlink(fs_of(req), &op.call, parent, name);
	op_end(&op);
	fuse_reply_err(req, -r);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		      const char *new_name, unsigned int flags)
{
	(void)name;
	(void)new_name;
	(void)flags;
	fuse_reply_err(req, -fs_rename(fs_of(req), parent, new_parent));
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	(void)name;
	(void)mode;
	(void)fi;
	fuse_reply_err(req, -fs_create(fs_of(req), parent));
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)name;
	(void)mode;
	(void)rdev;
	fuse_reply_err(req, -fs_create(fs_of(req), parent));
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	(void)target;
	(void)name;
	fuse_reply_err(req, -fs_create(fs_of(req), parent));
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
	(void)ino;
	(void)new_name;
	fuse_reply_err(req, -fs_create(fs_of(req), new_parent));
}

/* ---- attributes ---- */

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat attr;
	int64_t valid_ms;
	int r = fs_getattr(fs_of(req), ino, &attr, &valid_ms);

	(void)fi;
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_attr(req, &attr, seconds(valid_ms));
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	(void)attr;
	(void)to_set;
	(void)fi;
	fuse_reply_err(req, -fs_setattr(fs_of(req), ino));
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs statvfs;
	int r = fs_statfs(fs_of(req), &statvfs);

	(void)ino;
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_statfs(req, &statvfs);
}

/* The value, or its size where the caller asks for that (size 0). */
static void reply_xattr(fuse_req_t req, int r, const struct buf *value, size_t size)
{
	if (r < 0)
		fuse_reply_err(req, -r);
	else if (size == 0)
		fuse_reply_xattr(req, value->len);
	else if (value->len > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value->data, value->len);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	_cleanup_(buf_deinit) struct buf value = BUF_INIT;
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_getxattr(fs_of(req), &op.call, ino, name, &value);
	op_end(&op);
	reply_xattr(req, r, &value, size);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	_cleanup_(buf_deinit) struct buf names = BUF_INIT;

	reply_xattr(req, fs_listxattr(fs_of(req), ino, &names), &names, size);
}

/* ---- directories ---- */

static struct fs_dir *dir_of(const struct fuse_file_info *fi)
{
	return (struct fs_dir *)(uintptr_t)fi->fh;
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct fs_dir *dir = NULL;
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_opendir(fs, &op.call, ino, &dir);
	op_end(&op);
	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	fi->fh = (uint64_t)(uintptr_t)dir;
	if (fuse_reply_open(req, fi) < 0) /* interrupted: there will be no releasedir */
		fs_releasedir(fs, dir);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fs_releasedir(fs_of(req), dir_of(fi));
	fuse_reply_err(req, 0);
}

/* Adds one entry; the bytes it took, or 0 when it did not fit. */
static size_t add_plain(fuse_req_t req, char *data, size_t room, const struct fs_dirent *dirent)
{
	struct stat attr = {.st_ino = dirent->st_ino, .st_mode = dirent->mode};
	size_t n = fuse_add_direntry(req, data, room, dirent->name, &attr, (off_t)dirent->next);

	return n <= room ? n : 0;
}

/*
 * The kernel enters what it is told here into its cache of names. Where that name's LOOKUP is under
 * way it waits for its end, and nothing interrupts that; so such an entry goes without an inode,
 * and the kernel just shows it.
 */
static int plus_entry(fuse_req_t req, struct fs_dir *dir, fuse_ino_t ino,
		      const struct fs_dirent *dirent, struct fs_entry *ret_entry)
{
	if (!lookups_has(&context(req)->lookups, ino, dirent->name))
		return fs_readdir_entry(fs_of(req), dir, dirent, ret_entry);
	*ret_entry = (struct fs_entry){
	    .attr = {.st_ino = dirent->st_ino, .st_mode = dirent->mode},
	};
	return 0;
}

static int add_plus(fuse_req_t req, char *data, size_t room, struct fs_dir *dir, fuse_ino_t ino,
		    const struct fs_dirent *dirent, size_t *ret_n)
{
	struct fs_entry entry;
	struct fuse_entry_param param;
	int r = plus_entry(req, dir, ino, dirent, &entry);

	if (r < 0)
		return r;
	param = entry_param(&entry);
	*ret_n = fuse_add_direntry_plus(req, data, room, dirent->name, &param, (off_t)dirent->next);
	if (*ret_n > room) {
		*ret_n = 0;
		if (entry.ino)
			fs_forget(fs_of(req), entry.ino, 1);
	}
	return 0;
}

/* As many entries as fit. An error behind the first entry is left to the next call. */
static int fill(struct op *op, char *data, size_t size, uint64_t offset, struct fs_dir *dir,
		fuse_ino_t ino, bool plus, size_t *ret_used)
{
	size_t used = 0, n = 0;
	int r;

	for (;; offset++, used += n) {
		struct fs_dirent dirent;

		r = fs_readdir(fs_of(op->req), &op->call, dir, offset, &dirent);
		if (r == 0 && plus)
			r = add_plus(op->req, data + used, size - used, dir, ino, &dirent, &n);
		else if (r == 0)
			n = add_plain(op->req, data + used, size - used, &dirent);
		if (r < 0 || n == 0)
			break;
	}
	*ret_used = used;
	return r < 0 && r != -ENOENT && used == 0 ? r : 0;
}

static void readdir_reply(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
			  struct fuse_file_info *fi, bool plus)
{
	_cleanup_(freep) char *data = malloc(size);
	size_t used = 0;
	struct op op;
	int r;

	if (!data) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	op_begin(&op, req);
	r = fill(&op, data, size, (uint64_t)offset, dir_of(fi), ino, plus, &used);
	op_end(&op);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_buf(req, data, used);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		       struct fuse_file_info *fi)
{
	readdir_reply(req, ino, size, offset, fi, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
			   struct fuse_file_info *fi)
{
	readdir_reply(req, ino, size, offset, fi, true);
}

static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino;
	(void)datasync;
	(void)fi;
	fuse_reply_err(req, 0); /* a bucket is made when mkdir returns */
}

const struct fuse_lowlevel_ops ops = {
    .init = op_init,
    .lookup = op_lookup,
    .forget = op_forget,
    .forget_multi = op_forget_multi,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .mknod = op_mknod,
    .mkdir = op_mkdir,
    .unlink = op_unlink,
    .rmdir = op_rmdir,
    .symlink = op_symlink,
    .rename = op_rename,
    .link = op_link,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .readdirplus = op_readdirplus,
    .releasedir = op_releasedir,
    .fsyncdir = op_fsyncdir,
    .statfs = op_statfs,
    .getxattr = op_getxattr,
    .listxattr = op_listxattr,
    .create = op_create,
};
