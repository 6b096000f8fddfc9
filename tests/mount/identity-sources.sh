#!/bin/bash
# Keys, role and settings come from where the AWS CLI takes them, and the nearest wins.
. "$(dirname "$0")/../support/case.sh"
start_aws
anne_key=$(awk '/^\[/ { on = $0 == "[Anne]" } on && $1 == "aws_access_key_id" { print $3 }' aws/aws/credentials)
anne_secret=$(awk '/^\[/ { on = $0 == "[Anne]" } on && $1 == "aws_secret_access_key" { print $3 }' aws/aws/credentials)

# become ENV-AND-OPTIONS...: mounts, and sets who we became (the session's name) and which key assumed the role
become() {
    daemon_log=$work/$((++round)).log
    mark
    mkdir -p mnt
    touch "$daemon_log"
    env "$@" >>"$daemon_log" 2>&1 &
    daemon_pid=$!
    await_log 'is mounted on' || { cat "$daemon_log" >&2; DEPTH=1 fail "no mount"; }
    session=$(sed -n 's,.*signed in as arn:aws:sts::[A-Z0-9]*:assumed-role/\([^;]*\);.*,\1,p' "$daemon_log")
    "$local_aws" log-sync -C "$work/aws" >/dev/null
    read -r key region < <(awk -v since="$marked" 'NR > since && $7 == "AssumeRole" { print $11, $10 }' aws/gateway.log)
    echo "$round: $session by $key in $region"
    unmount_b
}
round=0
role=cross-account-s3-access

# --- the session's name, from the nearest to the farthest ---
cat >own.conf <<END
role_session_name = from-file
[accountB]
role_session_name = from-section
END
cp aws/aws/config config.plain
sed '/^\[profile accountB\]/a role_session_name = from-profile' config.plain >aws/aws/config
become "${program[@]}" -f --config own.conf --role-session-name from-argv -o role_session_name=from-option accountB mnt
equal "session" "$session" $role/from-argv
become "${program[@]}" -f --config own.conf -o role_session_name=from-option accountB mnt
equal "session" "$session" $role/from-option
become "${program[@]}" -f --config own.conf accountB mnt
equal "session" "$session" $role/from-section
sed -i '/from-section/d' own.conf
become XACCTFS_CONF_FILE=own.conf "${program[@]}" -f accountB mnt
equal "session" "$session" $role/from-file
become "${program[@]}" -f accountB mnt
equal "session" "$session" $role/from-profile
cp config.plain aws/aws/config
become "${program[@]}" -f accountB mnt
[[ $session =~ ^$role/xacctfs-.*-[0-9]+$ ]] || fail "the session's name is '$session'"

# --- SOURCE left out ---
become AWS_PROFILE=accountB "${program[@]}" -f mnt
equal "key" "$key" "$anne_key"
# a role as SOURCE, the keys of a profile, the rest by long options
become "${program[@]}" -f --profile Anne --external-id "$XACCTFS_EXTERNAL_ID" --role-session-name by-arn "$XACCTFS_ROLE_ARN" mnt
equal "session" "$session" $role/by-arn
# and all by -o
become "${program[@]}" -f -o "profile=Anne,external_id=$XACCTFS_EXTERNAL_ID,role_session_name=by-o,role_arn=$XACCTFS_ROLE_ARN" mnt
equal "session" "$session" $role/by-o

# --- without AWS files ---
none=(AWS_CONFIG_FILE=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent)
become "${none[@]}" AWS_ACCESS_KEY_ID="$anne_key" AWS_SECRET_ACCESS_KEY="$anne_secret" \
    "${program[@]}" -f --external-id "$XACCTFS_EXTERNAL_ID" "$XACCTFS_ROLE_ARN" mnt
equal "key" "$key" "$anne_key"
cat >whole.conf <<END
[B]
role_arn = $XACCTFS_ROLE_ARN
external_id = $XACCTFS_EXTERNAL_ID
credential_source = Environment
role_session_name = of-the-file
duration_seconds = 1800
region = eu-west-1
endpoint_url = $XACCTFS_ENDPOINT
END
become -u AWS_REGION -u AWS_DEFAULT_REGION -u AWS_ENDPOINT_URL "${none[@]}" AWS_ACCESS_KEY_ID="$anne_key" AWS_SECRET_ACCESS_KEY="$anne_secret" \
    "${program[@]}" -f --config whole.conf B mnt
equal "session" "$session" $role/of-the-file

# --- the profile's key and the environment's ---
# a named profile's source wins over keys in the environment
become AWS_ACCESS_KEY_ID=AKIAOTHEROTHEROTHER2 AWS_SECRET_ACCESS_KEY=no "${program[@]}" -f accountB mnt
equal "key" "$key" "$anne_key"

# --- the region: the environment before the file and the profile, an option before all ---
become AWS_REGION=eu-central-1 "${program[@]}" -f --config whole.conf accountB mnt
equal "region" "$region" eu-central-1
become AWS_REGION=eu-central-1 "${program[@]}" -f --region eu-north-1 accountB mnt
equal "region" "$region" eu-north-1
become -u AWS_REGION -u AWS_DEFAULT_REGION "${program[@]}" -f accountB mnt
equal "region" "$region" eu-west-1
