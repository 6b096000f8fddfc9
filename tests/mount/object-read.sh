#!/bin/bash
# Files of all sizes read as they are in S3, in order and at random; a small one is one GET, a large one is fetched once.
. "$(dirname "$0")/../support/case.sh"
start_aws
sizes=(0 1 4095 4096 4097 131071 131072 131073 1048575 1048576 1048577 8388607 8388608 8388609 20971520)
make_files made "${sizes[@]}"
head -c 67108864 /dev/urandom >64M
mount_b -o metadata_ttl=3600
mkdir mnt/read-bucket
put_files made read-bucket/
other -T 64M read-bucket/64M

mark
equal "names" "$(ls -l mnt/read-bucket | awk 'NR > 1 && $9 != "64M" { print $9, $5 }' | sort -n)" "$(printf '%s\n' "${sizes[@]}" | awk '{ print $1, $1 }')"
at_most "requests of ls -l" "$(requests)" 1
mark
for size in "${sizes[@]}"; do cmp "made/$size" "mnt/read-bucket/$size"; done
equal "GET of an empty file" "$(requests GET '^/read-bucket/0$')" 0
for size in 1 4096 131073 1048575 1048576; do
    equal "GET of a file of $size" "$(requests GET "^/read-bucket/$size\$")" 1
done
equal "requests other than GET" $(($(requests) - $(requests GET))) 0

# opened again, and unchanged
mark
for size in "${sizes[@]}"; do cmp "made/$size" "mnt/read-bucket/$size"; done
at_most "bytes of files that are read again" "$(bytes out)" $((8 << 20)) # the kernel may have let go of single pages

mark
cmp 64M mnt/read-bucket/64M
sent=$(bytes out GET '^/read-bucket/64M$')
at_most "bytes of 64 MiB in order" "$sent" $((67108864 * 102 / 100))
at_least "bytes of 64 MiB in order" "$sent" 67108864
echo "figure: 64 MiB in order: $sent bytes in $(requests GET) GET"

drop_pages mnt/read-bucket/{20971520,64M}
mark
python <<'EOF'
import os, random
seed = random.randrange(2**32)
print("seed", seed)
random.seed(seed)
data = open("made/20971520", "rb").read()
fd = os.open("mnt/read-bucket/20971520", os.O_RDONLY)
for _ in range(200):
    n, offset = random.choice((1, 100, 4096, 65536, 300000)), random.randrange(len(data) + 5000)
    assert os.pread(fd, n, offset) == data[offset:offset + n], (offset, n)

fd = os.open("mnt/read-bucket/64M", os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
large = open("64M", "rb")
for _ in range(16):
    offset = random.randrange(67108864 - 4096)
    assert os.pread(fd, 4096, offset) == os.pread(large.fileno(), 4096, offset), offset
EOF
at_most "bytes of 16 pages at random" "$(bytes out GET '^/read-bucket/64M$')" $((16 << 20))
unmount_b
