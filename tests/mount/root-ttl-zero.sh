#!/bin/bash
# With metadata_ttl=0 nothing is remembered: what another client did shows at the next call.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0

for round in 1 2 3; do
    refused "No such file" stat "mnt/elsewhere-$round"
    make_bucket "elsewhere-$round"
    stat "mnt/elsewhere-$round" >/dev/null
    equal "ls" "$(ls mnt)" "elsewhere-$round"
    other -X DELETE "elsewhere-$round"
    refused "No such file" stat "mnt/elsewhere-$round"
    equal "ls" "$(ls -A mnt)" ""
done
mkdir mnt/here-one
equal "ls after mkdir" "$(ls mnt)" here-one
mark
ls mnt >/dev/null
equal "ls" "$(requests)" 1
mark
stat mnt/here-one >/dev/null
at_least "stat" "$(requests)" 1
echo "figure: with metadata_ttl=0, stat of a name $(requests)"
rmdir mnt/here-one
equal "ls after rmdir" "$(ls -A mnt)" ""
unmount_b
