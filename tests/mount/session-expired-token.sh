#!/bin/bash
# A request refused for its token is sent once more with a new session, one for all who wait; a lasting refusal does not storm STS.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0

# one call, one renewal, one replay
for code in ExpiredToken InvalidToken; do
    mark
    fault add --method PUT --count 1 status 400 "$code" >fault.id
    bucket=one-${code,,}
    mkdir "mnt/$bucket"
    equal "$code: AssumeRole" "$(requests --action AssumeRole)" 1
    equal "$code: CreateBucket" "$(requests PUT "^/$bucket\$")" 2
done

# Eight at a time: looking for a name in an account of many pages is a request of its own for each name. (mkdir in one
# directory is one after the other already in the kernel.)
page() { # LAST-NAME [TOKEN]
    echo "<ListAllMyBucketsResult><Buckets><Bucket><Name>$1</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>"
    echo "</Buckets>${2:+<ContinuationToken>$2</ContinuationToken>}</ListAllMyBucketsResult>"
}
page aaa more >page1
page zzz >page2
mkdir mnt/eight-{1..8}
mark
fault add --path '[?&]prefix=eight-' --count 8 expired-token >fault.id
fault add --path '[?&]continuation-token=' body page2 >fault.id
fault add --method GET --path '^/\?[^p]*$' body page1 >fault.id
equal "ls of two pages" "$(cd mnt && echo *)" "aaa zzz"
renewal=$(fault add --action AssumeRole hang) # until all eight are refused
calls=()
for n in {1..8}; do
    stat "mnt/eight-$n" >/dev/null &
    calls+=($!)
done
await '! fault list | grep -q expired-token'
fault clear "$renewal"
wait_all "${calls[@]}"
fault clear
renewals=$(requests --action AssumeRole) sent=$(requests GET 'prefix=eight-')
echo "8 refused calls: $renewals AssumeRole, $sent ListBuckets, 0 failed"
equal "AssumeRole of eight" "$renewals" 1
equal "ListBuckets of eight" "$sent" 16

# refused whatever the token
mark
began=$EPOCHREALTIME
fault add --method PUT expired-token >fault.id
calls=()
for n in {1..4}; do
    for round in 1 2; do refused 'Key has expired' mkdir "mnt/lasting-$n-$round"; done &
    calls+=($!)
done
wait_all "${calls[@]}"
took=$(elapsed_ms "$began") renewals=$(requests --action AssumeRole) sent=$(requests PUT '^/lasting-')
echo "8 calls refused for good in $took ms: $renewals AssumeRole, $sent CreateBucket"
at_most "AssumeRole" "$renewals" $((took / 1000 + 2))
equal "CreateBucket" "$sent" 16
has "$daemon_log" 'CreateBucket of lasting-1-1: ExpiredToken.*request id'

fault clear
mkdir mnt/healed
unmount_b

# An answer to HEAD has no body to name the code in: a bare 400 is taken for it. (A new mount knows the region of no bucket.)
mount_b
mark
fault add --method HEAD --count 1 expired-token >fault.id
fault add --method HEAD header x-amz-bucket-region eu-central-1 >fault.id
equal "the attribute" "$(/usr/bin/python3 -c 'import os; print(os.getxattr("mnt/healed", "user.s3.region").decode())')" eu-central-1
equal "HEAD: AssumeRole" "$(requests --action AssumeRole)" 1
equal "HEAD: HeadBucket" "$(requests HEAD '^/healed$')" 2
unmount_b
