#!/bin/bash
# When ListBuckets fails, ls and stat say why; what is still remembered is served; and it heals by itself.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0,max_attempts=2
mkdir mnt/list-bucket

# fails STATUS CODE ERRNO-WORDS [LOG-REGEX]
fails() {
    fault add --method GET status "$1" "$2" >/dev/null
    DEPTH=1 refused "$3" ls mnt
    DEPTH=1 refused "$3" stat mnt/list-bucket
    DEPTH=1 refused "$3" mkdir mnt/list-other
    fault clear
    DEPTH=1 has "$daemon_log" "(error|warn): ListBuckets: $2.*request id.*${4:-}"
    DEPTH=1 equal "ls, healed" "$(ls mnt)" list-bucket
}
fails 403 AccessDenied "Permission denied" 'Allow the action'
fails 403 AllAccessDisabled "Permission denied"
fails 403 AccountProblem "Permission denied" 'ask AWS support'
fails 403 InvalidAccessKeyId "Permission denied"
fails 403 SignatureDoesNotMatch "Permission denied" 'signature is refused'
fails 503 SlowDown "Resource temporarily unavailable"
fails 503 ServiceUnavailable "Resource temporarily unavailable"
fails 500 InternalError "Input/output error"
fails 501 NotImplemented "Operation not supported"
fails 400 NobodyKnowsThis "Input/output error"
mark
fault add --method GET status 503 SlowDown >/dev/null
refused "Resource temporarily unavailable" ls mnt
equal "requests with max_attempts=2" "$(requests GET)" 2
fault clear
equal "CreateBucket for what could not be looked up" "$(marked=0; requests PUT '^/list-other')" 0
unmount_b

mount_b -o metadata_ttl=3600
ls mnt >/dev/null
fault add status 403 AccessDenied >/dev/null
equal "ls, remembered" "$(ls mnt)" list-bucket
stat mnt/list-bucket >/dev/null
fault clear
unmount_b
