#!/bin/bash
# ls, mkdir and rmdir of the root are ListBuckets, CreateBucket and DeleteBucket, with one request each.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600

equal "an empty account" "$(ls -A mnt)" ""
mark
mkdir mnt/new-bucket
equal "CreateBucket" "$(requests PUT '^/new-bucket$')" 1
at_most "requests of mkdir" "$(requests)" 2
equal "ls" "$(ls mnt)" new-bucket
equal "the account" "$(aws --profile broot s3api list-buckets --query 'Buckets[].Name' --output text)" new-bucket

mark
rmdir mnt/new-bucket
equal "DeleteBucket" "$(requests DELETE '^/new-bucket$')" 1
at_most "requests of rmdir" "$(requests)" 2
equal "ls after rmdir" "$(ls -A mnt)" ""
unmount_b
