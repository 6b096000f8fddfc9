#!/bin/bash
# Each S3 code is its errno at the shell, and one log line with operation, bucket, code, request id and remedy.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0.1,max_attempts=2
mkdir mnt/error-bucket
# code STATUS CODE ERRNO-WORDS: what mkdir says
code() {
    local name
    name=m-$(tr 'A-Z' 'a-z' <<<"$2" | cut -c 1-40)
    fault add --method PUT status "$1" "$2" >/dev/null
    refused "$3" mkdir "mnt/$name"
    fault clear
    equal "log lines of $2" "$(grep -c "CreateBucket of $name: $2.*HTTP $1" "$daemon_log")" 1
    has "$daemon_log" "CreateBucket of $name: $2.*request id"
}
code 403 AccessDenied "Permission denied"
code 403 AllAccessDisabled "Permission denied"
code 409 BucketAlreadyExists "File exists"
code 409 BucketAlreadyOwnedByYou "File exists"
code 400 TooManyBuckets "Disk quota exceeded"
code 400 InvalidBucketName "Invalid argument"
code 400 IllegalLocationConstraintException "Invalid argument"
code 503 SlowDown "Resource temporarily unavailable"
code 500 InternalError "Input/output error"
code 400 NobodyKnowsThisCode "Input/output error"
fault add --method DELETE status 409 BucketNotEmpty >/dev/null
refused "Directory not empty" rmdir mnt/error-bucket
fault clear
fault add --method DELETE status 404 NoSuchBucket >/dev/null
refused "No such file" rmdir mnt/error-bucket
fault clear
has "$daemon_log" "AccessDenied.*Allow the action in the role's permissions"
unmount_b
