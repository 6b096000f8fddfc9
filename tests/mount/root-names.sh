#!/bin/bash
# A bad bucket name is EINVAL before any request, with its rule in the log; taken names, full buckets and what a root can't do.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
ls mnt >/dev/null
mark
for name in ab UPPER under_score a..b -hyphen hyphen- .dot xn--abc sthree-abc amzn-s3-demo-x abc-s3alias abc--ol-s3 abc.mrap \
    192.168.5.4 'white space' "$(printf 'x%.0s' $(seq 64))"; do
    refused "Invalid argument" mkdir "mnt/$name"
done
equal "requests for bad names" "$(requests)" 0
has "$daemon_log" "mkdir ab: a bucket's name has 3 to 63 characters"
has "$daemon_log" "mkdir UPPER: a bucket's name has only lower-case"
has "$daemon_log" "mkdir 192.168.5.4: .* IP address"
refused "File name too long" mkdir "mnt/$(printf 'x%.0s' $(seq 256))"

aws --profile aroot s3 mb s3://taken-by-a >/dev/null
refused "File exists" mkdir mnt/taken-by-a
has "$daemon_log" 'CreateBucket of taken-by-a: BucketAlreadyExists.*request id.*names are shared'
refused "No such file" stat mnt/taken-by-a
mkdir mnt/full-bucket
refused "File exists" mkdir mnt/full-bucket
echo x >object
aws --profile broot s3 cp object s3://full-bucket/object >/dev/null
refused "Directory not empty" rmdir mnt/full-bucket
has "$daemon_log" 'DeleteBucket of full-bucket: BucketNotEmpty'
refused "No such file" rmdir mnt/no-such-bucket

refused "Operation not permitted" touch mnt/file
refused "Operation not permitted" ln -s target mnt/link
refused "Operation not permitted" chmod 700 mnt
refused "Is a directory" /usr/bin/python3 -c 'import os; os.unlink("mnt/full-bucket")'
refused "cross-device" /usr/bin/python3 -c 'import os; os.rename("mnt/full-bucket", "mnt/other-name")'
unmount_b
