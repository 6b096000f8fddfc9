#!/bin/bash
# duration_seconds is how long a session lasts; without it that is an hour.
. "$(dirname "$0")/../support/case.sh"
start_aws

# lasts WANTED OPTIONS...: what --check says of the session's end, against the clock
lasts() {
    local wanted=$1 until began
    shift
    began=$(date +%s)
    "${program[@]}" --check "$@" accountB >check.out
    until=$(sed -n 's/.*, until \(.*\)/\1/p' check.out)
    until=$(date -d "$until" +%s)
    # it was given between the command's beginning and now
    at_least "the end" "$until" $((began + wanted - 1))
    at_most "the end" "$until" $(($(date +%s) + wanted + 1))
}
lasts 3600
lasts 900 --duration-seconds 900
lasts 1800 -o duration_seconds=1800
sed -i '/^\[profile accountB\]/a duration_seconds = 1200' aws/aws/config
lasts 1200
