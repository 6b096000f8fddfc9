#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "closing.h"

#define WRITE_MAX (256 * 1024)

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

static void begin(struct op *op, fuse_req_t req, int64_t timeout_ms)
{
	struct ops_context *c = context(req);

	op->req = req;
	call_init(&op->call, c->group, c->clock, timeout_ms);
	fuse_req_interrupt_func(req, interrupted, &op->call);
}

static void op_begin(struct op *op, fuse_req_t req)
{
	begin(op, req, context(req)->timeout_ms);
}

/* For what takes as long as its bytes need: each of its requests has a patience of its own. */
static void op_begin_long(struct op *op, fuse_req_t req)
{
	begin(op, req, CLOCK_NEVER);
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

	/* each thread has a buffer of this size, and many may write at once */
	conn->max_write = WRITE_MAX;
	/*
	 * The pieces of one write with O_DIRECT are to come in order: with O_APPEND each goes to
	 * the end, and else only what comes in order can be sent while it is written.
	 */
	conn->want &= ~(unsigned int)FUSE_CAP_ASYNC_DIO;
	/* the kernel asks for attributes with the names when somebody looks at them */
	conn->want |= conn->capable &
		      (FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS);
	atomic_store(&c->parallel_dirops, conn->want & FUSE_CAP_PARALLEL_DIROPS);
}

/* ---- names ---- */

/* Linux before 6.2 cannot look again for a name without dropping what it has of it. */
static void forget_name(const struct ops_context *c, fuse_ino_t dir, const char *name)
{
	size_t len = strlen(name);

	if (fuse_lowlevel_notify_expire_entry(c->session, dir, name, len, FUSE_LL_EXPIRE_ONLY) ==
	    -ENOSYS)
		fuse_lowlevel_notify_inval_entry(c->session, dir, name, len);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct lookups *lookups = &context(req)->lookups;
	struct recall *recall = &context(req)->recall;
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
	recall_check(recall);
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

static struct fs_maker maker_of(fuse_req_t req, mode_t mode)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct fs_maker){.uid = ctx->uid, .gid = ctx->gid, .mode = mode};
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fs_maker maker = maker_of(req, mode);
	struct fs_entry entry;
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_mkdir(fs_of(req), &op.call, parent, name, &maker, &entry);
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
	struct ops_context *c = context(req);
	struct op op;
	int r;

	op_begin_long(&op, req);
	r = fs_rename(c->fs, &op.call, parent, name, new_parent, new_name, flags);
	op_end(&op);
	fuse_reply_err(req, -r);
	if (r < 0) {
		/* half of it may have been done; the kernel holds the directories' locks until now
		 */
		forget_name(c, parent, name);
		forget_name(c, new_parent, new_name);
	}
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)name;
	(void)mode;
	(void)rdev;
	fuse_reply_err(req, -fs_mknod(fs_of(req), parent));
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct fs_maker maker = maker_of(req, 0777);
	struct fs_entry entry;
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_symlink(fs_of(req), &op.call, parent, name, target, &maker, &entry);
	op_end(&op);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		reply_entry(req, &entry);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	_cleanup_(freep) char *target = NULL;
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_readlink(fs_of(req), &op.call, ino, &target);
	op_end(&op);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_readlink(req, target);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
	(void)ino;
	(void)new_name;
	fuse_reply_err(req, -fs_mknod(fs_of(req), new_parent));
}

/* ---- files ---- */

static struct fs_file *file_of(const struct fuse_file_info *fi)
{
	return fi ? (struct fs_file *)(uintptr_t)fi->fh : NULL;
}

/* Interrupted before it heard of the handle: there will be no release. */
static void release_unheard(fuse_req_t req, struct fs_file *file)
{
	struct ops_context *c = context(req);
	struct call call;

	call_init(&call, c->group, c->clock, c->timeout_ms);
	fs_release(c->fs, &call, file);
	call_deinit(&call);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct ops_context *c = context(req);
	struct fs_file *file;
	bool keep_cache;
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_open(c->fs, &op.call, ino, fi->flags, &file, &keep_cache);
	op_end(&op);
	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	fs_note_writer(file, fuse_req_ctx(req)->pid);
	fi->fh = (uint64_t)(uintptr_t)file;
	fi->keep_cache = keep_cache;
	fi->direct_io = fs_direct_io(file);
	if (fuse_reply_open(req, fi) < 0)
		release_unheard(req, file);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	struct ops_context *c = context(req);
	struct fs_maker maker = maker_of(req, mode);
	struct fuse_entry_param param;
	struct fs_entry entry;
	struct fs_file *file;
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_create(c->fs, &op.call, parent, name, &maker, fi->flags, &entry, &file);
	op_end(&op);
	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	fs_note_writer(file, fuse_req_ctx(req)->pid);
	fi->fh = (uint64_t)(uintptr_t)file;
	param = entry_param(&entry);
	if (fuse_reply_create(req, &param, fi) < 0) {
		release_unheard(req, file);
		fs_forget(c->fs, entry.ino, 1);
	}
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	_cleanup_(freep) char *data = malloc(size ? size : 1);
	struct op op;
	size_t n;
	int r;

	(void)ino;
	if (!data) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	op_begin(&op, req);
	r = fs_read(fs_of(req), &op.call, file_of(fi), (uint64_t)offset, size, data, &n);
	op_end(&op);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_buf(req, data, n);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
		     struct fuse_file_info *fi)
{
	int (*write)(struct fs *, struct call *, struct fs_file *, uint64_t, const void *, size_t) =
	    fi->writepage ? fs_write_pages : fs_write;
	struct op op;
	int r;

	(void)ino;
	op_begin_long(&op, req); /* it may wait for parts to be sent */
	r = write(fs_of(req), &op.call, file_of(fi), (uint64_t)offset, data, size);
	op_end(&op);
	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	fs_note_writer(file_of(fi), fuse_req_ctx(req)->pid);
	fuse_reply_write(req, size);
}

/*
 * A close says the last word of whoever wrote; but not one of a process that wrote nothing (a
 * child, whose copy of the descriptor goes as it executes another program) while the writer has the
 * file open, nor one before anything was written (a shell that redirects) while there is another
 * descriptor.
 */
static bool more_to_come(fuse_req_t req, fuse_ino_t ino, const struct fs_file *file)
{
	pid_t pid = fuse_req_ctx(req)->pid, writer = fs_writer(file);
	uint64_t number;

	if (pid == writer && !fs_unwritten(file))
		return false;
	if (fs_number(context(req)->fs, ino, &number) < 0)
		return false;
	return (pid != writer && closing_more_to_come(writer, number)) ||
	       (fs_unwritten(file) && closing_more_to_come(pid, number));
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_file *file = file_of(fi);
	struct op op;
	int r;

	op_begin_long(&op, req);
	r = more_to_come(req, ino, file) ? 0 : fs_flush(fs_of(req), &op.call, file);
	op_end(&op);
	fuse_reply_err(req, -r);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct op op;
	int r;

	(void)ino;
	(void)datasync;
	op_begin_long(&op, req);
	r = fs_fsync(fs_of(req), &op.call, file_of(fi));
	op_end(&op);
	fuse_reply_err(req, -r);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op op;

	(void)ino;
	op_begin_long(&op, req);
	fs_release(fs_of(req), &op.call, file_of(fi));
	op_end(&op);
	fuse_reply_err(req, 0);
}

/* ---- attributes ---- */

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat attr;
	int64_t valid_ms;
	struct op op;
	int r;

	(void)fi;
	op_begin(&op, req);
	r = fs_getattr(fs_of(req), &op.call, ino, &attr, &valid_ms);
	op_end(&op);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_attr(req, &attr, seconds(valid_ms));
}

static int what_of(int to_set)
{
	static const struct {
		int fuse, fs;
	} bits[] = {
	    {FUSE_SET_ATTR_SIZE, FS_SET_SIZE},   {FUSE_SET_ATTR_MODE, FS_SET_MODE},
	    {FUSE_SET_ATTR_UID, FS_SET_UID},     {FUSE_SET_ATTR_GID, FS_SET_GID},
	    {FUSE_SET_ATTR_MTIME, FS_SET_MTIME}, {FUSE_SET_ATTR_MTIME_NOW, FS_SET_MTIME_NOW},
	    {FUSE_SET_ATTR_ATIME, FS_SET_ATIME},
	};
	int what = 0;

	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		if (to_set & bits[i].fuse)
			what |= bits[i].fs;
	/* libfuse sets both for "now" */
	return what & FS_SET_MTIME_NOW ? what & ~FS_SET_MTIME : what;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	struct stat changed;
	int64_t valid_ms;
	struct op op;
	int r;

	op_begin_long(&op, req);
	r = fs_setattr(fs_of(req), &op.call, ino, file_of(fi), attr, what_of(to_set), &changed,
		       &valid_ms);
	op_end(&op);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_attr(req, &changed, seconds(valid_ms));
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
	struct op op;
	int r;

	op_begin(&op, req);
	r = fs_listxattr(fs_of(req), &op.call, ino, &names);
	op_end(&op);
	reply_xattr(req, r, &names, size);
}

/* ---- directories ---- */

static struct fs_dir *dir_of(const struct fuse_file_info *fi)
{
	return (struct fs_dir *)(uintptr_t)fi->fh;
}

/* What the kernel remembers of a directory's entries: what fs_expire_dir says of them. */
struct remembered {
	struct buf names, inos;
};

static void remembered_deinit(struct remembered *r)
{
	buf_deinit(&r->names);
	buf_deinit(&r->inos);
}

/* The kernel asks for their attributes before it believes that they are there. */
static void forget_attributes(const struct ops_context *c, const struct remembered *r)
{
	for (size_t i = 0; i < r->inos.len; i += sizeof(uint64_t)) {
		uint64_t ino;

		memcpy(&ino, r->inos.data + i, sizeof(ino));
		fuse_lowlevel_notify_inval_inode(c->session, ino, -1, 0);
	}
}

static void forget_names(const struct ops_context *c, fuse_ino_t dir, const struct remembered *r)
{
	for (size_t i = 0; i < r->names.len; i += strlen(r->names.data + i) + 1)
		forget_name(c, dir, r->names.data + i);
}

static int open_fresh(struct ops_context *c, struct call *call, fuse_ino_t ino, int flags,
		      struct fs_dir **ret_dir)
{
	_cleanup_(remembered_deinit) struct remembered r = {BUF_INIT, BUF_INIT};

	if (flags & O_DIRECT) {
		int error = fs_expire_dir(c->fs, ino, &r.names, &r.inos);

		if (error < 0)
			return error;
		forget_attributes(c, &r);
		forget_names(c, ino, &r);
	}
	return fs_opendir(c->fs, call, ino, ret_dir);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct ops_context *c = context(req);
	struct fs_dir *dir = NULL;
	struct op op;
	int r;

	op_begin(&op, req);
	r = open_fresh(c, &op.call, ino, fi->flags, &dir);
	op_end(&op);
	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	fi->fh = (uint64_t)(uintptr_t)dir;
	if (fuse_reply_open(req, fi) < 0) /* interrupted: there will be no releasedir */
		fs_releasedir(c->fs, dir);
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
 * and the kernel just shows it. A LOOKUP may begin while this is asked for.
 */
static int plus_entry(struct op *op, struct fs_dir *dir, fuse_ino_t ino,
		      const struct fs_dirent *dirent, size_t ahead, struct fs_entry *ret_entry)
{
	struct lookups *lookups = &context(op->req)->lookups;
	struct fs *fs = fs_of(op->req);
	struct fs_entry entry = {0};

	if (!lookups_has(lookups, ino, dirent->name)) {
		int r = fs_readdir_entry(fs, &op->call, dir, dirent, ahead, &entry);

		if (r < 0)
			return r;
		if (!lookups_has(lookups, ino, dirent->name)) {
			*ret_entry = entry;
			return 0;
		}
	}
	if (entry.ino)
		fs_forget(fs, entry.ino, 1);
	*ret_entry = (struct fs_entry){
	    .attr = {.st_ino = dirent->st_ino, .st_mode = dirent->mode},
	};
	return 0;
}

static int add_plus(struct op *op, char *data, size_t room, struct fs_dir *dir, fuse_ino_t ino,
		    const struct fs_dirent *dirent, size_t *ret_n)
{
	/* how many more there is room for, were their names of one byte */
	size_t ahead = room / fuse_add_direntry_plus(op->req, NULL, 0, "x", NULL, 0);
	struct fs_entry entry;
	struct fuse_entry_param param;
	int r = plus_entry(op, dir, ino, dirent, ahead, &entry);

	if (r < 0)
		return r;
	param = entry_param(&entry);
	*ret_n =
	    fuse_add_direntry_plus(op->req, data, room, dirent->name, &param, (off_t)dirent->next);
	if (*ret_n > room) {
		*ret_n = 0;
		if (entry.ino)
			fs_forget(fs_of(op->req), entry.ino, 1);
	}
	return 0;
}

/* As many entries as fit. An error behind the first entry is left to the next call. */
static int fill(struct op *op, char *data, size_t size, uint64_t offset, struct fs_dir *dir,
		fuse_ino_t ino, bool plus, size_t *ret_used)
{
	size_t used = 0, n = 0;
	int r;

	for (;; used += n) {
		struct fs_dirent dirent;

		r = fs_readdir(fs_of(op->req), &op->call, dir, offset, &dirent);
		if (r == 0 && plus)
			r = add_plus(op, data + used, size - used, dir, ino, &dirent, &n);
		else if (r == 0)
			n = add_plain(op->req, data + used, size - used, &dirent);
		if (r < 0 || n == 0)
			break;
		offset = dirent.next;
	}
	*ret_used = used;
	return r < 0 && r != -ENOENT && used == 0 ? r : 0;
}

static void readdir_reply(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
			  struct fuse_file_info *fi, bool plus)
{
	struct recall *recall = &context(req)->recall;
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
	recall_check(recall);
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

/*
 * The kernel holds the directory's lock until it is answered, and needs it to forget names: so it
 * forgets those behind the answer. But names that are not there it never remembers, and of others
 * it asks for the attributes, which are ESTALE when the name is gone; then it looks for it again.
 */
static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	_cleanup_(remembered_deinit) struct remembered r = {BUF_INIT, BUF_INIT};
	struct ops_context *c = context(req);
	int error = fs_expire_dir(c->fs, ino, &r.names, &r.inos);

	(void)datasync;
	(void)fi;
	forget_attributes(c, &r);
	fuse_reply_err(req, -error);
	forget_names(c, ino, &r);
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
    .readlink = op_readlink,
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
    .open = op_open,
    .read = op_read,
    .write = op_write,
    .flush = op_flush,
    .fsync = op_fsync,
    .release = op_release,
};
