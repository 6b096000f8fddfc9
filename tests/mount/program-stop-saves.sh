#!/bin/bash
# What open files hold when a signal ends the mount is saved; what can't be is named, and the status 1; a second signal ends the saving.
. "$(dirname "$0")/../support/case.sh"
start_aws
make_bucket photos
object() { other "photos/$1"; }
# hold FILE TEXT: a process has it open, with TEXT written; without a close of any descriptor, which would be a flush
hold() {
    : >held
    /usr/bin/python3 -c 'import os, signal, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.write(fd, sys.argv[2].encode())
print("held", flush=True)
signal.pause()' "mnt/photos/$1" "$2" >held &
    holder=$!
    log_from=1 await_log '^held' held || fail "$1 cannot be written"
}
drop() { kill $holder; wait $holder || :; }

mount_b
hold kept bytes
refused 404 object kept
kill -TERM "$daemon_pid"
ended_b 0
drop
equal "what was open" "$(object kept)" bytes
lacks xacctfs.log 'is lost'

# a close that hangs when the signal comes is not answered with success, and the bytes are saved all the same
mount_b
fault add --method PUT --count 1 hang >/dev/null
printf more >mnt/photos/flushed 2>/dev/null &
writer=$!
# a fault that was hit as often as it may be is no longer in the list
await '! fault list | grep -q hang'
kill -TERM "$daemon_pid"
ended_b 0
wait $writer || :
equal "what was being closed" "$(object flushed)" more
fault clear

# the server refuses
mount_b
hold kept other-bytes
fault add --method PUT status 403 AccessDenied >/dev/null
kill -TERM "$daemon_pid"
ended_b 1
drop
fault clear
has xacctfs.log 'photos/kept: what was written is lost, the object is as it was: Permission denied'
has xacctfs.log 'not all open files could be saved$'
equal "the object" "$(object kept)" bytes

# the server hangs: stop_timeout, or a second signal, ends it
mount_b -o stop_timeout=1
hold kept other-bytes
fault add --method PUT hang >/dev/null
kill -TERM "$daemon_pid"
ended_b 1
drop
fault clear
mount_b -o stop_timeout=86400
hold kept other-bytes
fault add --method PUT hang >/dev/null
kill -TERM "$daemon_pid"
hanging 1
kill -INT "$daemon_pid"
ended_b 1
drop
has xacctfs.log 'not all open files could be saved: a second signal ended it'
# the gateway may have handed on what hung when its client left: the object is the old one or the new one, whole
[[ $(object kept) =~ ^(other-)?bytes$ ]] || fail "the object is '$(object kept)'"
fault clear
