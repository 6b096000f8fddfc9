#!/bin/bash
# --check of one bucket asks for that bucket, and not for all: the role need not be allowed to list them.
. "$(dirname "$0")/../support/case.sh"
start_aws
make_bucket photos
mark
"${program[@]}" --check accountB:photos/2026 >out
has out '^ok +bucket +photos/2026/$'
has out '^All links hold'
equal "requests for all buckets" "$(requests GET '^/(\?|$)')" 0
status=0; "${program[@]}" --check accountB:no-such-bucket >out 2>log || status=$?
equal "status" $status 1
has out '^FAIL +bucket +no-such-bucket: No such file or directory'
has out "mend it: +Check the bucket's name"
