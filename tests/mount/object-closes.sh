#!/bin/bash
# Whose close uploads: that of the process that wrote, once; not a shell's duplicate, nor a child's copy that goes as it executes.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/closes-bucket
mark
echo one >mnt/closes-bucket/shell
equal "PUT of echo" "$(requests PUT)" 1
mark
: >mnt/closes-bucket/empty
equal "PUT of an empty file" "$(requests PUT)" 1
equal "its bytes" "$(other closes-bucket/empty | wc -c)" 0
mark
touch mnt/closes-bucket/touched
equal "PUT of touch" "$(requests PUT)" 1

# a child that executes something closes its copies: the writer goes on
mark
python <<'END'
from case import *
import subprocess
fd = os.open("mnt/closes-bucket/forked", os.O_WRONLY | os.O_CREAT)
subprocess.run(["true"], check=True)
os.write(fd, b"before ")
for _ in range(5):
    subprocess.run(["true"], check=True)
os.write(fd, b"after")
os.close(fd)
END
equal "PUT of a program that starts others" "$(requests PUT '^/closes-bucket/forked$')" 1
equal "its bytes" "$(other closes-bucket/forked)" "before after"

# a child that wrote has the last word on what it wrote, though its parent has the file open still
mark
(/bin/echo from a child; equal "seen there" "$(other closes-bucket/child)" "from a child") >mnt/closes-bucket/child
equal "PUT of a child's output" "$(requests PUT '^/closes-bucket/child$')" 1
unmount_b
