#!/bin/bash
# duration_seconds is how long a session lasts; without it that is an hour.
. "$(dirname "$0")/../support/case.sh"
start_aws

# lasts WANTED OPTIONS...: what --check says of the session's end, against the clock
lasts() {
    local wanted=$1 until seconds
    shift
    "${program[@]}" --check "$@" accountB >check.out
    until=$(sed -n 's/.*, until \(.*\)/\1/p' check.out)
    seconds=$(($(date -d "$until" +%s) - $(date +%s)))
    echo "duration_seconds $wanted: $seconds s"
    at_least "seconds" "$seconds" $((wanted - 5))
    at_most "seconds" "$seconds" $((wanted + 1))
}
lasts 3600
lasts 900 --duration-seconds 900
lasts 1800 -o duration_seconds=1800
sed -i '/^\[profile accountB\]/a duration_seconds = 1200' aws/aws/config
lasts 1200
