#!/bin/bash
# Requests per operation, counted at the gateway: ls 1, stat of a missing name 1, of a listed one 0, mkdir and rmdir 1 + 1.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
cold() { sync mnt; mark; } # behind an fsync the next look asks again
mkdir mnt/budget-one mnt/budget-two

cold
ls mnt >/dev/null
equal "requests of a cold ls" "$(requests)" 1
equal "of them ListBuckets" "$(requests GET '^/\?')" 1

cold
ls -l mnt >/dev/null
equal "requests of a cold ls -l" "$(requests)" 1

cold
stat mnt/budget-none 2>/dev/null && fail "it is there"
equal "requests of stat of a missing name" "$(requests)" 1

cold
ls mnt >/dev/null; mark
stat mnt/budget-one mnt/budget-two >/dev/null
equal "requests of stat of listed names" "$(requests)" 0

cold
mkdir mnt/budget-three
equal "CreateBucket of a cold mkdir" "$(requests PUT '^/budget-three$')" 1
at_most "requests of a cold mkdir" "$(requests)" 2

cold
rmdir mnt/budget-three
equal "DeleteBucket of a cold rmdir" "$(requests DELETE '^/budget-three$')" 1
at_most "requests of a cold rmdir" "$(requests)" 2

unmount_b
mount_b -o metadata_ttl=1
ls mnt >/dev/null
mark
pass_ttl
pass_ttl
equal "requests of an idle mount" "$(requests)" 0
echo "figure: ls 1, ls -l 1, stat of a missing name 1, of a listed name 0, mkdir and rmdir at most 2, idle 0"
unmount_b
