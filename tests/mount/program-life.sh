#!/bin/bash
# It goes into the background only when mounted; a stale mount is named with its remedy; mounting twice is refused; usage errors are 2.
. "$(dirname "$0")/../support/case.sh"
start_aws
# status COMMAND...: its exit status, its output in ./out
status() { local s=0; "$@" >out 2>&1 </dev/null || s=$?; echo $s; }
mkdir mnt

equal "help" "$(status "${program[@]}" --help)" 0; has out 'Usage: xacctfs'
equal "version" "$(status "${program[@]}" --version)" 0; has out '^xacctfs [0-9]'
equal "no arguments" "$(status "${program[@]}")" 2; equal "its lines" "$(wc -l <out)" 1
equal "an unknown option" "$(status "${program[@]}" --regoin=x accountB mnt)" 2; has out 'regoin.*region'
equal "an unknown -o" "$(status "${program[@]}" -o no_such accountB mnt)" 2; equal "its lines" "$(wc -l <out)" 1
equal "a bad value" "$(status "${program[@]}" -o metadata_ttl=soon accountB mnt)" 2; has out 'metadata_ttl'
equal "a secret" "$(status "${program[@]}" -o aws_secret_access_key=hush-hush accountB mnt)" 2; lacks out 'hush-hush'

equal "no such directory" "$(status "${program[@]}" accountB "$work/none")" 1; has out 'none: no such directory; make it with'
: >file; equal "a file" "$(status "${program[@]}" accountB "$work/file")" 1; has out 'is not a directory'

# in the background, when the mount is there
equal "status of the mount" "$(status "${program[@]}" accountB "$work/mnt")" 0
mountpoint -q mnt || fail "it returned before it was mounted"
pid=$(pgrep -f "$XACCTFS accountB $work/mnt\$")
equal "its folder" "$(readlink "/proc/$pid/cwd")" /
for fd in 0 1 2; do equal "its fd $fd" "$(readlink "/proc/$pid/fd/$fd")" /dev/null; done
[ "$(ps -o sid= -p "$pid" | tr -d ' ')" = "$pid" ] || fail "it is not in a session of its own"
has /proc/mounts "^accountB $work/mnt fuse.xacctfs "
df mnt >/dev/null

equal "mounting twice" "$(status "${program[@]}" accountB "$work/mnt")" 1; has out 'mounted by xacctfs already.*fusermount3 -u'

# killed: what it leaves is named, and the remedy helps
kill -KILL "$pid"
await '! stat mnt'
equal "a stale mount" "$(status "${program[@]}" accountB "$work/mnt")" 1; has out 'what an ended mount left behind.*fusermount3 -u'
fusermount3 -u mnt
equal "mounting again" "$(status "${program[@]}" accountB "$work/mnt")" 0
pid=$(pgrep -f "$XACCTFS accountB $work/mnt\$")

# somebody inside
(cd mnt && exec tail -f /dev/null) &
inside=$!
await "[ \"\$(readlink /proc/$inside/cwd)\" = $work/mnt ]"
refused "busy" umount mnt
fusermount3 -uz mnt
kill -TERM $inside; wait $inside || :
ended "$pid"

# not mounted: the status says so, and nothing stays
for bad in -oexternal_id=WRONG99 -orole_arn=arn:aws:iam::RGW00000000000000001:role/none -oendpoint_url=http://127.0.0.1:9; do
    equal "status with $bad" "$(status "${program[@]}" "$bad" -omax_attempts=1 accountB "$work/mnt")" 1
    has out 'AssumeRole'
    ! mountpoint -q mnt || fail "mounted with $bad"
done
await "! pgrep -f '$XACCTFS .*$work/mnt\$'"
