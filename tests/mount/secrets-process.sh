#!/bin/bash
# Run by a user: the same user cannot look into the process, fusermount3 gets no secret, and no core is left.
. "$(dirname "$0")/../support/case.sh"
need setpriv util-linux
start_aws
user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
secret=$(awk '/^\[/ { on = $0 == "[Anne]" } on && $1 == "aws_secret_access_key" { print $3 }' aws/aws/credentials)
key=$(awk '/^\[/ { on = $0 == "[Anne]" } on && $1 == "aws_access_key_id" { print $3 }' aws/aws/credentials)
export AWS_CONFIG_FILE=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent AWS_ACCESS_KEY_ID=$key
mkdir -m 700 mnt seen cores
chown 65534 mnt seen cores
"${user[@]}" test -x "$work" || skip "$work is not for all users"

# in the case's own namespace: a /dev/fuse for all, and a fusermount3 that writes down what it was given
mknod -m 666 fuse c 10 229
mount --bind fuse /dev/fuse
touch real-fusermount3
mount --bind /usr/bin/fusermount3 real-fusermount3
cat >fusermount3 <<END
#!/bin/bash
printf '%s\n' "\$@" >$work/seen/argv
tr '\\0' '\\n' </proc/\$\$/environ >$work/seen/environ
exec $work/real-fusermount3 "\$@"
END
chmod 755 fusermount3
mount --bind fusermount3 /usr/bin/fusermount3

# mount_as_user LOG: the secrets are in its environment, whether they are used or not; not by $program, whose process would be a
# wrapper's
mount_as_user() {
    daemon_log=$work/$1
    touch "$daemon_log"
    shift
    (
        cd cores || exit 1
        ulimit -c unlimited
        export ASAN_OPTIONS=handle_segv=0:${ASAN_OPTIONS-} TSAN_OPTIONS=handle_segv=0:${TSAN_OPTIONS-}
        AWS_SECRET_ACCESS_KEY=$secret exec "${user[@]}" "$XACCTFS" -f "$@" "$work/mnt"
    ) >>"$daemon_log" 2>&1 &
    daemon_pid=$!
    await_log 'is mounted on' || fail "no mount: $(tail -n 3 "$daemon_log")"
}

mount_as_user life.log -o "external_id=$XACCTFS_EXTERNAL_ID" "$XACCTFS_ROLE_ARN"
equal "who runs it" "$(awk '/^Uid:/ { print $2 }' "/proc/$daemon_pid/status")" 65534
equal "whose /proc/PID/environ is" "$(stat -c %u "/proc/$daemon_pid/environ")" 0
refused 'Permission denied' "${user[@]}" cat "/proc/$daemon_pid/environ"
refused 'Permission denied' "${user[@]}" cat "/proc/$daemon_pid/mem"
for file in "/proc/$daemon_pid/environ" "/proc/$daemon_pid/cmdline" seen/environ seen/argv; do
    grep -aq . "$file" || fail "$file is empty"
    if grep -aqF "$secret" "$file"; then fail "the secret key is in $file"; fi
done
grep -q '^AWS_ACCESS_KEY_ID=' seen/environ # it was the daemon's
limit=$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$daemon_pid/limits")
equal "the limit of cores" "$limit" "0 0"

for signal in ABRT SEGV; do
    kill -$signal "$daemon_pid"
    status=0
    wait "$daemon_pid" || status=$?
    equal "SIG$signal: status" $status $((128 + $(kill -l $signal)))
    daemon_pid=''
    equal "SIG$signal: what is left" "$(ls -A cores)" ""
    fusermount3 -u mnt
    [ $signal = SEGV ] || mount_as_user again.log -o "external_id=$XACCTFS_EXTERNAL_ID" "$XACCTFS_ROLE_ARN"
done

# secrets that are there but not used: the key comes from a file
sed 's/^\[Anne\]/[default]/' aws/aws/credentials >cores/credentials
chown 65534 cores/credentials
export AWS_SHARED_CREDENTIALS_FILE=$work/cores/credentials
unset AWS_ACCESS_KEY_ID
mount_as_user file.log --profile default -o "external_id=$XACCTFS_EXTERNAL_ID" "$XACCTFS_ROLE_ARN"
for file in "/proc/$daemon_pid/environ" seen/environ; do
    if grep -aqF "$secret" "$file"; then fail "the unused secret key is in $file"; fi
done
unmount_b
