#!/bin/bash
# A bucket's region is learned of a 301 and used from then on; it is shown as user.s3.region; create_region goes into the request.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0.1
mkdir mnt/moved-bucket mnt/head-bucket
# regions METHOD PATH: the signing regions of those requests since the mark, in order
regions() { "$local_aws" log-sync -C "$work/aws" >/dev/null; awk -v since="$marked" -v m="$1" -v p="$2" 'NR > since && $2 == m && $3 == p { printf "%s%s", s, $10; s = " " }' "$work/aws/gateway.log"; }

fault add --path '^/moved-bucket' redirect eu-central-1 >/dev/null
fault add --method DELETE --path '^/moved-bucket' --count 1 status 409 BucketNotEmpty >/dev/null
mark
refused "Directory not empty" rmdir mnt/moved-bucket
equal "requests signed for" "$(requests DELETE '^/moved-bucket')" 2
has "$daemon_log" 'bucket moved-bucket is in region eu-central-1, not eu-west-1'
mark
rmdir mnt/moved-bucket
equal "requests once it is known" "$(requests DELETE '^/moved-bucket')" 1
fault clear

fault add --method HEAD header x-amz-bucket-region ap-southeast-2 >/dev/null
equal "the attribute" "$(/usr/bin/python3 -c 'import os; print(os.getxattr("mnt/head-bucket", "user.s3.region").decode())')" eu-west-1
fault clear
unmount_b

mount_b -o metadata_ttl=0.1,create_region=us-west-2
case $server in
ceph) # it has one region
    refused "Invalid argument" mkdir mnt/far-bucket
    has "$daemon_log" 'CreateBucket of far-bucket: IllegalLocationConstraintException.*create_region'
    ;;
*)
    mkdir mnt/far-bucket
    equal "the region" "$(aws --profile broot s3api get-bucket-location --bucket far-bucket --output text)" us-west-2
    ;;
esac
equal "the attribute of a bucket no listing told the region of" "$(fault add --method HEAD header x-amz-bucket-region ap-southeast-2 >/dev/null; /usr/bin/python3 -c 'import os; print(os.getxattr("mnt/head-bucket", "user.s3.region").decode())')" ap-southeast-2
unmount_b
