#!/bin/bash
# What another client makes and removes shows within the TTL; what this mount does shows at once; dates are the server's.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=1

ls mnt >/dev/null
aws --profile accountB s3 mb s3://made-elsewhere >/dev/null
pass_ttl
[ -d mnt/made-elsewhere ]
equal "ls" "$(ls mnt)" made-elsewhere
aws --profile broot s3 rb s3://made-elsewhere >/dev/null
pass_ttl
refused "No such file" stat mnt/made-elsewhere
equal "ls" "$(ls mnt)" ""

for i in 1 2 3 4 5; do
    mkdir "mnt/at-once-$i"
    equal "ls right after mkdir" "$(ls mnt)" "at-once-$i"
    rmdir "mnt/at-once-$i"
    equal "ls right after rmdir" "$(ls mnt)" ""
    refused "No such file" stat "mnt/at-once-$i"
done

mkdir mnt/dated-bucket
umount mnt; ended_b 0
mount_b -o metadata_ttl=1
equal "the date" "$(TZ=UTC stat -c %y mnt/dated-bucket | cut -c 1-19)" \
    "$(aws --profile broot s3api list-buckets --query 'Buckets[0].CreationDate' --output text | tr T ' ' | cut -c 1-19)"
unmount_b
