#!/bin/bash
# SIGTERM saves what open files hold, or says which it could not; a call that waits for a hung server can be interrupted and killed.
. "$(dirname "$0")/../support/case.sh"
start_aws
make_files made 20971520
mount_b -o metadata_ttl=3600
mkdir mnt/stop-bucket
# dirty PATH TEXT: a process that wrote and does not close; its id in $holder
dirty() {
    python "$1" "$2" <<'EOF' &
from case import *
import signal, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.write(fd, sys.argv[2].encode())
open("written", "w").close()
signal.pause()
EOF
    holder=$!
    await '[ -e written ]'
    rm written
}
let_go() { kill -KILL "$holder"; wait "$holder" 2>/dev/null || :; }

# saved at the end
dirty mnt/stop-bucket/kept "saved at the end"
kill -TERM "$daemon_pid"
ended_b 0
equal "the object" "$(other stop-bucket/kept)" "saved at the end"
let_go
! mountpoint -q mnt || fail "it is still mounted"

# the server hangs: it ends within stop_timeout, and says what is lost
mount_b -o metadata_ttl=3600,stop_timeout=1
dirty mnt/stop-bucket/kept "lost"
fault add --method PUT hang >/dev/null
kill -TERM "$daemon_pid"
ended_b 1
has "$daemon_log" 'error: .*stop-bucket/kept.*lost'
let_go
# the gateway may have handed on what hung when its client left: the object is the old one or the new one, whole
[[ $(other stop-bucket/kept) =~ ^(save|lost)d\ at\ the\ end$ ]] || fail "the object is '$(other stop-bucket/kept)'"
fault clear

# interrupted and killed while the server hangs
mount_b -o metadata_ttl=3600
cp made/20971520 mnt/stop-bucket/large
drop_pages mnt/stop-bucket/large
for signal in INT KILL; do
    fault add --method GET --path '^/stop-bucket/large' hang >/dev/null
    env --default-signal=INT cat mnt/stop-bucket/large >/dev/null &
    call=$!
    hanging 1
    kill -$signal $call
    ended $call
    wait $call 2>/dev/null && fail "the read succeeded"
    fault clear
    cmp mnt/stop-bucket/large made/20971520
    drop_pages mnt/stop-bucket/large
done
for signal in INT KILL; do
    for size in 5 20971520; do
        fault add --method PUT --path '^/stop-bucket/hung' hang >/dev/null
        # not the beginning of an upload: what is begun when nobody waits any more, nobody knows
        fault add --method POST --path '^/stop-bucket/hung.uploadId=' hang >/dev/null
        head -c $size made/20971520 >part
        env --default-signal=INT cp part mnt/stop-bucket/hung &
        call=$!
        hanging 1
        kill -$signal $call
        ended $call
        wait $call 2>/dev/null && fail "the write succeeded"
        fault clear
    done
done
echo alive >mnt/stop-bucket/alive
equal "the mount afterwards" "$(other stop-bucket/alive)" alive
unmount_b
equal "uploads left behind" "$(uploads stop-bucket)" 0
