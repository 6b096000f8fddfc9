#!/bin/bash
# --incomplete-uploads lists the uploads that were begun and not ended, and aborts those that are old enough, of all buckets or of SOURCE's.
. "$(dirname "$0")/../support/case.sh"
start_aws
uploads() { "${program[@]}" --incomplete-uploads "$@" 2>uploads.log; }
# begin BUCKET KEY: prints the upload's ID
begin() { aws --profile accountB s3api create-multipart-upload --bucket "$1" --key "$2" --query UploadId --output text; }

for bucket in photos texts; do make_bucket "$bucket"; done
equal "none" "$(uploads list --all accountB)" ''
has uploads.log '0 unfinished uploads'
begin photos a >/dev/null
begin photos old/b >/dev/null
ended=$(begin photos old/c)
aws --profile accountB s3api abort-multipart-upload --bucket photos --key old/c --upload-id "$ended"
id=$(begin texts $'d\te')

uploads list --all accountB >listed
equal "what is listed" "$(cut -f 1,2 listed)" $'photos\ta\nphotos\told/b\ntexts\td\\x09e'
equal "its ID" "$(grep ^texts listed | cut -f 5)" "$id"
grep ^texts listed | cut -f 3 | grep -Eqx '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z' || fail "no date: $(cat listed)"
equal "as JSON" "$(uploads list --all --json accountB:photos | /usr/bin/python3 -c 'import json, sys
print(*[u["key"] for u in json.load(sys.stdin)["uploads"]])')" "a old/b"

# neither server tells which role began them
equal "of this role" "$(uploads list accountB)" ''
has uploads.log '0 unfinished uploads; left out: 3 that others began'

# a day is the least unless it is told otherwise
[ "$server" = ceph ] && older=() || older=(--older-than 36500d) # moto says of every upload that it began in 2010
equal "aborted at once" "$(uploads abort --all "${older[@]}" accountB)" ''
has uploads.log '0 unfinished uploads aborted; .* 3 that are younger'
equal "aborted" "$(uploads abort --all --older-than 0s accountB:photos/old | cut -f 2)" old/b
equal "left" "$(uploads list --all accountB | cut -f 1,2)" $'photos\ta\ntexts\td\\x09e'
uploads abort --all --older-than 0s accountB >/dev/null
equal "left" "$(uploads list --all accountB)" ''

# a bucket that is not there
status=0; uploads list --all accountB:no-such-bucket >out || status=$?
equal "status" $status 1
has uploads.log 'there is no bucket no-such-bucket'
