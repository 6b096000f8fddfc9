#!/bin/bash
# More callers than the program has threads hang, and are killed: they end at once, and so does the program.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0
ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

fault add --method GET hang >/dev/null
/usr/bin/python3 - 700 <<'EOF' &
import os, sys, threading
threading.stack_size(65536)
def stat(i):
    try:
        os.stat(f"mnt/crowd-{i}")
    except OSError as e:
        print(e)
for i in range(int(sys.argv[1])):
    threading.Thread(target=stat, args=(i,)).start()
EOF
crowd=$!
sleep 8; cat /proc/$crowd/task/*/stack | sort | uniq -c | sort -rn | head -20; awk "/Threads/" /proc/$daemon_pid/status; cat /proc/$daemon_pid/task/*/wchan | sort | head -c 200; cat /proc/$daemon_pid/task/*/stack | sort | uniq -c | sort -rn | head
echo "figure: threads $(awk '$1 == "Threads:" { print $2 }' "/proc/$daemon_pid/status"), memory $(awk '$1 == "VmRSS:" { print $2 }' "/proc/$daemon_pid/status") kB"
began=$(ms)
kill -KILL $crowd
wait $crowd || :
took=$(($(ms) - began))
echo "figure: a killed crowd of 700 ends after $took ms"
at_most "ms" $took 3000
fault clear
equal "ls" "$(ls -A mnt)" ""
unmount_b
