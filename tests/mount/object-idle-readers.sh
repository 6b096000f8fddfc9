#!/bin/bash
# 500 files are open and were read from a little: one more is read in as few GETs as if it were alone, and the idle ones go on right.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600,memory_limit=128M
mkdir mnt/idle-bucket
make_files made 262144 67108864
other -T made/262144 'idle-bucket/idle-[1-500]'
other -T made/67108864 'idle-bucket/{alone,among}'

mark
cmp made/67108864 mnt/idle-bucket/alone
alone=$(requests GET '^/idle-bucket/alone$')

mark
python <<'EOF'
import subprocess
small = open("made/262144", "rb").read()
files = [open(f"mnt/idle-bucket/idle-{n}", "rb", buffering=0) for n in range(1, 501)]
for file in files:
    assert file.read(4096) == small[:4096]
subprocess.run(["cmp", "made/67108864", "mnt/idle-bucket/among"], check=True)
for file in files[::25]:
    assert file.read(1 << 20) + file.read(1) == small[4096:]
EOF
sent=$(bytes out GET '^/idle-bucket/among$') among=$(requests GET '^/idle-bucket/among$')
at_most "GETs of a file among idle ones" "$among" $((alone + 3))
at_most "bytes of a file among idle ones" "$sent" $((67108864 * 102 / 100))
at_most "GETs of the idle ones" "$(requests GET '^/idle-bucket/idle-')" $((500 + 5 * 20))
most=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$daemon_pid/status")
case $XACCTFS${XACCTFS_WRAP:-} in
*san/* | *valgrind*) ;; # a sanitizer needs memory of its own
*) at_most "the daemon's most memory in kB" "$most" $((192 * 1024)) ;;
esac
echo "figure: $among GET among 500 idle files, $alone alone; the daemon's most memory $((most / 1024)) MiB"
unmount_b
