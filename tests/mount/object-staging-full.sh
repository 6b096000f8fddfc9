#!/bin/bash
# What goes beyond staging_limit is ENOSPC at the write that does; what was written before is saved, and there is room again.
. "$(dirname "$0")/../support/case.sh"
start_aws
make_files made 8388608
mount_b -o metadata_ttl=60,staging_limit=4M,file_mode=0640
mkdir mnt/full-bucket
cp made/8388608 mnt/full-bucket/file
equal "file_mode" "$(stat -c %a mnt/full-bucket/file)" 640
python <<'EOF2'
from case import *
step = 128 << 10
old = open("made/8388608", "rb").read()
for _ in range(2):
    fd = os.open("mnt/full-bucket/file", os.O_WRONLY)
    at = 0
    try:
        while at < len(old):
            os.pwrite(fd, b"x" * step, at)
            at += step
    except OSError as e:
        assert e.errno == errno.ENOSPC, e
        refused(errno.ENOSPC, os.pwrite, fd, b"x" * step, at)
    assert step <= at <= 4 << 20, at
    os.close(fd)
    assert sh("other full-bucket/file") == b"x" * at + old[at:], at
EOF2
unmount_b
# one line for each file that found none, however often it tried
has "$daemon_log" "error: write to full-bucket/file: no room in staging_dir: [0-9]+ bytes of staging_limit's 4194304 are used, "
equal "lines about the room" "$(grep -c 'no room' "$daemon_log")" 2
