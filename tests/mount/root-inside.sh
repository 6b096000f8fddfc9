#!/bin/bash
# Inside a bucket all but its attributes is EOPNOTSUPP; a bucket of somebody else is ENOENT, however public.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b
mkdir mnt/some-bucket
stat mnt/some-bucket >/dev/null
(cd mnt/some-bucket && equal "pwd" "$(basename "$PWD")" some-bucket)
refused "Operation not supported" ls mnt/some-bucket
refused "Operation not supported" touch mnt/some-bucket/file
refused "Operation not supported" mkdir mnt/some-bucket/dir
refused "Operation not supported" cat mnt/some-bucket/file
refused "Operation not supported" chmod 700 mnt/some-bucket
aws --profile aroot s3api create-bucket --bucket public-of-a --acl public-read >/dev/null
refused "No such file" ls mnt/public-of-a
unmount_b
