#!/bin/bash
# No upload is left: one whose abort fails is aborted when another ends, or when the mount does; one whose beginning got no answer is told.
. "$(dirname "$0")/../support/case.sh"
start_aws
make_files made 20971520
mount_b -o metadata_ttl=3600
mkdir mnt/up-bucket

# not_aborted NAME: a copy that fails in its second part, and an abort that fails, too
not_aborted() {
    fault add --method PUT --path "^/up-bucket/$1.partNumber=2" status 403 AccessDenied >/dev/null
    fault add --method DELETE --path "^/up-bucket/$1.uploadId=" status 403 AccessDenied >/dev/null
    refused "Permission denied" cp made/20971520 "mnt/up-bucket/$1"
    await_log "s3://up-bucket/$1: the incomplete upload .* could not be aborted yet" || fail "$1 was aborted"
    fault clear
}
not_aborted one
equal "uploads" "$(uploads up-bucket)" 1
cp made/20971520 mnt/up-bucket/two
equal "uploads when another has ended" "$(uploads up-bucket)" 0
not_aborted three
equal "uploads" "$(uploads up-bucket)" 1
mark
unmount_b
equal "uploads behind the end" "$(uploads up-bucket)" 0
equal "ABORT at the end" "$(requests DELETE '^/up-bucket/three.uploadId=')" 1

# refused to the end: the log says so
mount_b -o metadata_ttl=3600
fault add --method PUT --path "^/up-bucket/four.partNumber=2" status 403 AccessDenied >/dev/null
fault add --method DELETE --path "^/up-bucket/four.uploadId=" status 403 AccessDenied >/dev/null
refused "Permission denied" cp made/20971520 mnt/up-bucket/four
unmount_b
fault clear
has "$daemon_log" 'up-bucket/four: the incomplete upload .* could not be aborted and is left: AccessDenied.*--incomplete-uploads'
equal "uploads" "$(uploads up-bucket)" 1
"${program[@]}" --incomplete-uploads abort --all --older-than 0s accountB >/dev/null 2>&1

# a beginning that was carried out and had no answer; this server does not tell whose it is
mount_b -o metadata_ttl=3600
fault add --method POST --path '^/up-bucket/five.uploads=' --count 1 cut-body 5 >/dev/null
mark
cp made/20971520 mnt/up-bucket/five
equal "beginnings" "$(requests POST '^/up-bucket/five.uploads=')" 2
equal "listings of uploads" "$(requests GET '[?&]uploads=')" 1
# moto says of every upload that it began in 2010, before this one
[ "$server" = moto ] || has "$daemon_log" 'up-bucket/five: the upload .* may be one whose beginning was not answered'
other up-bucket/five | cmp - made/20971520
equal "uploads" "$(uploads up-bucket)" 1
unmount_b
