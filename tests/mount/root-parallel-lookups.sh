#!/bin/bash
# A lookup that hangs stops no other lookup and no listing of the same directory.
. "$(dirname "$0")/../support/case.sh"
start_aws

# an account of two pages: such a one is asked for a single name by its prefix, so one name alone can hang
# page FILE NAME [TOKEN]: a page of one bucket
page() {
    cat >"$1" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<ListAllMyBucketsResult><Buckets><Bucket><Name>$2</Name><CreationDate>2024-01-02T03:04:05.000Z</CreationDate></Bucket></Buckets>${3:+<ContinuationToken>$3</ContinuationToken>}</ListAllMyBucketsResult>
XML
}
page first.xml bucket-one second
page second.xml bucket-two
fault add --method GET --path 'prefix=bucket-two' hang >hanging.id
fault add --method GET --path 'prefix=' body first.xml >/dev/null
fault add --method GET --path 'continuation-token=second' body second.xml >/dev/null
fault add --method GET --path '^/\?' body first.xml >/dev/null
mount_b -o metadata_ttl=0

stat mnt/bucket-two >out 2>&1 &
call=$!
hanging 1 prefix=bucket-two
# each would wait for ever, were it behind the one that hangs
stat=$(timeout "$patience" stat -c %F mnt/bucket-one) || fail "a lookup waits for another one"
equal "stat of another name" "$stat" directory
stat=$(LC_ALL=C timeout "$patience" stat mnt/bucket-six 2>&1) && fail "there is a bucket-six"
equal "stat of a missing name" "${stat##*: }" "No such file or directory"
names=$(timeout "$patience" ls mnt) || fail "a listing waits for a lookup"
equal "ls" "$names" $'bucket-one\nbucket-two'
kill -0 $call || fail "the lookup did not hang: $(cat out)"

fault clear "$(cat hanging.id)"
wait $call && fail "the server has no bucket-two, but its stat succeeded"
has out "No such file"
unmount_b
