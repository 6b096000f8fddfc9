#!/bin/bash
# A role whose source profile is another role: both are assumed, in order, at each renewal; a circle is refused.
. "$(dirname "$0")/../support/case.sh"
start_aws
second_arn=arn:aws:iam::$XACCTFS_ACCOUNT_B:role/second
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["'$XACCTFS_ROLE_ARN'"]},"Action":["sts:AssumeRole"]}]}'
may_assume='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"'$second_arn'"}]}'
s3='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
aws --profile broot iam create-role --role-name second --assume-role-policy-document "$trust" >iam.out
aws --profile broot iam put-role-policy --role-name second --policy-name s3 --policy-document "$s3"
aws --profile broot iam put-role-policy --role-name cross-account-s3-access --policy-name next --policy-document "$may_assume"
cat >>aws/aws/config <<END
[profile second]
role_arn = $second_arn
source_profile = accountB
region = eu-west-1
endpoint_url = $XACCTFS_ENDPOINT

[profile round]
role_arn = $XACCTFS_ROLE_ARN
source_profile = about
region = eu-west-1
[profile about]
role_arn = $second_arn
source_profile = round
END

mark
mkdir mnt
touch "$daemon_log"
"${program[@]}" -f -o duration_seconds=6,metadata_ttl=0 second mnt >>"$daemon_log" 2>&1 &
daemon_pid=$!
await_log 'signed in as arn:aws:sts::[A-Z0-9]*:assumed-role/second/'
await_log 'is mounted on'
mkdir mnt/by-two-roles
await_log 'session renewed'
ls mnt >listing
at_least "AssumeRole" "$(requests --action AssumeRole)" 4
unmount_b

status=0
"${program[@]}" round mnt 2>cycle.err || status=$?
cat cycle.err
equal "exit status" $status 2
has cycle.err 'source_profile goes round in a circle: round -> about -> round'
equal "lines" "$(wc -l <cycle.err)" 1
