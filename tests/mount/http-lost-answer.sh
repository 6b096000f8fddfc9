#!/bin/bash
# A CreateBucket or DeleteBucket that was done though its answer was lost is no error; one that somebody else did is.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
ls mnt >/dev/null

# lost METHOD HOW...: the next such request is done, by another client, and its answer is lost; AWS then refuses the repeated one
lost() {
    local method=$1 refusal='409 BucketAlreadyOwnedByYou'
    [ "$method" = PUT ] || refusal='404 NoSuchBucket'
    shift
    fault add --method "$method" "$@" >/dev/null
    # shellcheck disable=SC2086 # two words
    fault add --method "$method" --count 1 status $refusal >/dev/null
}
# cut once, it is a kept connection that dies; twice, a new one too
for how in '--count 1 cut' '--count 2 cut' '--count 1 status 500 InternalError'; do
    bucket=$(tr -s ' A-Z' '-a-z' <<<"lost${how#--count}")
    make_bucket "$bucket"
    mark
    # shellcheck disable=SC2086 # several words
    lost PUT $how
    mkdir "mnt/$bucket"
    at_least "requests of mkdir" "$(requests PUT "^/$bucket$")" 2
    equal "ls" "$(ls mnt)" "$bucket"

    other -X DELETE "$bucket"
    mark
    # shellcheck disable=SC2086 # several words
    lost DELETE $how
    rmdir "mnt/$bucket"
    at_least "requests of rmdir" "$(requests DELETE "^/$bucket$")" 2
    equal "ls after rmdir" "$(ls -A mnt)" ""
    equal "what is left to inject" "$(fault list)" ""
done

# without a lost answer before it, the same refusal is the truth
make_bucket not-ours-to-claim
fault add --method PUT --count 1 status 409 BucketAlreadyOwnedByYou >/dev/null
refused "File exists" mkdir mnt/not-ours-to-claim
unmount_b
