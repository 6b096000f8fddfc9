#!/bin/bash
# Every way to read gives the same bytes: mmap, sendfile, copy_file_range, O_DIRECT, small and odd steps, many readers at once.
. "$(dirname "$0")/../support/case.sh"
start_aws
make_files made 1 4097 1048577 20971520
mount_b -o metadata_ttl=3600
mkdir mnt/ways-bucket
put_files made ways-bucket/

python <<'EOF'
import mmap, os
for size in (1, 4097, 1048577, 20971520):
    data = open(f"made/{size}", "rb").read()
    fd = os.open(f"mnt/ways-bucket/{size}", os.O_RDONLY)
    with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as m:
        assert m[size // 2:] == data[size // 2:] and m[:] == data, f"mmap of {size}"
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)

    out = os.open("out", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    while os.sendfile(out, fd, None, 1 << 20) > 0:
        pass
    assert open("out", "rb").read() == data, f"sendfile of {size}"
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)

    os.lseek(fd, 0, os.SEEK_SET)
    read = b"".join(iter(lambda: os.read(fd, 99991), b""))
    assert read == data, f"odd steps of {size}"
    assert os.pread(fd, 10, size) == b"" and os.pread(fd, 10, size + 100000) == b"", "behind the end"
EOF
for size in 1 4097 1048577 20971520; do
    drop_pages "mnt/ways-bucket/$size"
    dd "if=mnt/ways-bucket/$size" iflag=direct bs=1M status=none | cmp - "made/$size"
done

# eight at once read one object, which comes about once
drop_pages mnt/ways-bucket/20971520
mark
readers=()
for n in {1..8}; do
    cmp made/20971520 mnt/ways-bucket/20971520 &
    readers+=($!)
done
wait_all "${readers[@]}"
at_most "bytes for eight readers" "$(bytes out GET '^/ways-bucket/20971520$')" $((20971520 * 3 / 2))

# two streams in one file, in opposite halves
drop_pages mnt/ways-bucket/20971520
mark
python <<'EOF'
import os
data = open("made/20971520", "rb").read()
fd = os.open("mnt/ways-bucket/20971520", os.O_RDONLY)
half, step = len(data) // 2, 65536
for offset in range(0, half, step):
    for at in (offset, half + offset):
        assert os.pread(fd, step, at) == data[at:at + step], at
EOF
at_most "bytes for two streams" "$(bytes out GET '^/ways-bucket/20971520$')" $((20971520 * 3 / 2))
unmount_b
