#!/bin/bash
# This machine's clock may be two hours off, or be set so while mounted: requests are signed by the server's time, sessions are renewed.
. "$(dirname "$0")/../support/case.sh"
faketime=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
[ -n "$faketime" ] || skip "faketime is not installed"
start_aws

# The wall clock of the daemon only, read anew from a file each time; the boot clock stays as it is. A sanitizer's library
# must stand before libfaketime, or its waits for a condition bypass it.
sanitizer=$(ldd "$XACCTFS" | awk '/lib[at]san/ { print $3 ":" }')
program=(env "LD_PRELOAD=$sanitizer$faketime" "FAKETIME_TIMESTAMP_FILE=$work/clock" FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 "$XACCTFS")

# Two hours as the program measures them: to the whole second of a Date, and with the time that an answer takes.
two_hours='7[12][0-9][0-9]'

refusals() { "$local_aws" log-sync -C "$work/aws" >/dev/null; awk -v since="$marked" 'NR > since && $4 == 403 { n++ } END { print n + 0 }' aws/gateway.log; }

for off in +2h -2h; do
    sign=${off/2h/}
    daemon_log=$work/off$off.log
    echo "$off" >clock
    mark
    mount_b -o duration_seconds=8,metadata_ttl=0
    mkdir "mnt/clock${off/+/-p}"
    timeout "$patience" grep -m2 'session renewed' < <(exec tail -s 0.1 -n +1 -f "--pid=$daemon_pid" "$daemon_log") >renewed
    rmdir "mnt/clock${off/+/-p}"
    echo "clock $off: $(refusals) requests refused, 2 renewals"
    equal "refusals (only the first request shows that the clock is off)" "$(refusals)" 1
    has "$daemon_log" "warn: the clock is off by ${sign/+/}$two_hours s against .*; signing by its time"
    equal "complaints about the clock" "$(grep -c 'clock is off' "$daemon_log")" 1
    unmount_b
done

daemon_log=$work/set.log
echo +0 >clock
mount_b -o metadata_ttl=0
for off in +2h +0; do
    mark
    log_from=$(($(wc -l <"$daemon_log") + 1))
    echo "$off" >clock
    await_log "the wall clock jumped by $([ $off = +0 ] && echo -)$two_hours s"
    ls mnt >listing
    await_log "session renewed"
    ls mnt >listing
    at_least "AssumeRole after the clock was set" "$(requests --action AssumeRole)" 1
    at_most "requests refused" "$(refusals)" 2
    echo "clock set to $off: $(requests --action AssumeRole) AssumeRole, $(refusals) requests refused"
done
unmount_b
