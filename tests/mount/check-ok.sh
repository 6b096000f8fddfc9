#!/bin/bash
# --check walks the chain without mounting and tells each link; as text and as JSON; what a server does not offer is no failure.
. "$(dirname "$0")/../support/case.sh"
need jq jq
start_aws
anne_key=$(awk '/^\[/ { on = $0 == "[Anne]" } on && $1 == "aws_access_key_id" { print $3 }' aws/aws/credentials)
make_bucket one
make_bucket two

mark
"${program[@]}" --check accountB >text 2>err
cat text
equal "stderr" "$(cat err)" ""
has text "^ok    region       eu-west-1, at $XACCTFS_ENDPOINT"
has text "^ok    key          $anne_key, from the profile"
case $server in # radosgw does not say who one is
ceph) has text '^--    identity     this server does not offer GetCallerIdentity .*going on' ;;
*) has text "^ok    identity     arn:aws:iam::$XACCTFS_ACCOUNT_A:user/Anne\$" ;;
esac
has text "^ok    role         $XACCTFS_ROLE_ARN\$"
has text '^ok    session      arn:aws:sts::[A-Z0-9]*:assumed-role/cross-account-s3-access/xacctfs-.*, until 20..-..-..T..:..:..Z'
has text '^ok    buckets      2$'
has text '^All links hold\.$'
equal "requests" "$(requests)" 3
equal "AssumeRole" "$(requests --action AssumeRole)" 1

cat >identity.xml <<'END'
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::111111111111:user/Anne</Arn><UserId>AIDAANNE</UserId><Account>111111111111</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>
END
fault add --action GetCallerIdentity body identity.xml >fault.id
"${program[@]}" --check --json accountB >json 2>err
equal "stderr" "$(cat err)" ""
equal "ok" "$(jq -c '[.ok, .source]' json)" '[true,"accountB"]'
equal "the links" "$(jq -r '[.links[] | "\(.link)=\(.ok)"] | join(" ")' json)" \
    'region=true key=true identity=true role=true session=true buckets=true'
equal "who we are" "$(jq -r '.links[] | select(.link == "identity").text' json)" arn:aws:iam::111111111111:user/Anne
equal "remedies" "$(jq '[.links[] | select(.remedy)] | length' json)" 0
