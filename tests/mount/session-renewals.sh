#!/bin/bash
# Sessions of a few seconds are renewed again and again under load, and not one call notices.
. "$(dirname "$0")/../support/case.sh"
start_aws
mark
mount_b -o duration_seconds=6,metadata_ttl=0.2

load_start 8
timeout "$patience" grep -cm7 'session renewed' < <(exec tail -s 0.1 -n +1 -f "--pid=$daemon_pid" "$daemon_log") >renewed || :
load_stop
renewals=$(($(requests --action AssumeRole) - 1)) # the first is the sign-in
echo "$renewals renewals, $calls calls, $failed failed"
equal "failed calls" "$failed" 0
equal "renewals in the log" "$(cat renewed)" 7
at_least "renewals" "$renewals" 7
at_least "calls" "$calls" 40 # each of the eight has made a round
lacks "$daemon_log" 'not renewed|EKEYEXPIRED|AccessDenied'
unmount_b
