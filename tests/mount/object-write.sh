#!/bin/bash
# What is written is in S3 when close() has returned: all sizes, append, patches in the middle, truncation; a small file is one PUT.
. "$(dirname "$0")/../support/case.sh"
start_aws
make_files made 0 1 4095 4096 4097 131071 131072 131073 1048575 1048576 1048577 8388607 8388608 8388609 20971520
mount_b -o metadata_ttl=3600
mkdir mnt/write-bucket mnt/sizes-bucket

mark
echo x >mnt/write-bucket/small
equal "PUT of a small file" "$(requests PUT)" 1
at_most "LIST of it" "$(requests GET 'list-type=2')" 1
at_most "requests of it" "$(requests)" 2
mark
echo xy >mnt/write-bucket/small
equal "PUT of a small file that is overwritten" "$(requests PUT)" 1
at_most "requests of it" "$(requests)" 2
equal "the object" "$(other write-bucket/small)" xy
mark
: >mnt/write-bucket/empty
at_most "requests of an empty file" "$(requests)" 2
equal "PUT of it" "$(requests PUT)" 1

mark
cp made/* mnt/sizes-bucket/
sent=$(bytes in) all=$(du -bc made/* | tail -n 1 | cut -f 1)
at_most "bytes sent" "$sent" $((all * 102 / 100))
aws --profile broot s3 cp --quiet --recursive s3://sizes-bucket back
diff -r made back
diff -r made mnt/sizes-bucket
drop_pages mnt/sizes-bucket/*
diff -r made mnt/sizes-bucket

# the same is done here and there
mkdir here mnt/write-bucket/there
patterns() {
    echo one >appended
    for word in two three; do echo $word >>appended; done
    { echo a; bash -c 'echo b'; (echo c; echo d >&2); echo e; } >several 2>&1
    printf 'kept' | dd of=sought bs=1000 seek=7 status=none
    printf 'patch' | dd of=sought bs=1 seek=10 conv=notrunc status=none
    cp "$work/made/131073" down && truncate -s 5000 down
    cp "$work/made/4097" up && truncate -s 300000 up && printf 'end' >>up
    truncate -s 100000 hole
    cp "$work/made/20971520" cut && truncate -s 9000001 cut
    cp "$work/made/1048577" emptied && : >emptied
    printf 'a cat and a cat\n' >edited && sed -i s/cat/dog/g edited
    cp "$work/made/8388609" behind && printf 'much further' | dd of=behind bs=1M seek=10 conv=notrunc status=none
    printf 'first' >over && printf 'second and longer' >over && printf '3rd' >over
    tac "$work/made/131072" | tee teed | tr a b >translated
}
(cd here && patterns)
(cd mnt/write-bucket/there && patterns)
diff -r here mnt/write-bucket/there
(cd here && for file in *; do other "write-bucket/there/$file" | cmp - "$file"; done)

# in the middle of a large one: a part is sent, the server copies the others
cp made/20971520 mnt/write-bucket/large
mark
printf 'patch' | dd of=mnt/write-bucket/large bs=1 seek=10000000 conv=notrunc status=none
sent=$(bytes in)
at_most "bytes sent for a patch of 20 MiB" "$sent" $((9 << 20))
copies=$(awk -v since="$marked" 'NR > since && $2 == "PUT" && $3 ~ /partNumber=/ && $5 < 10000' aws/gateway.log | wc -l)
at_least "parts that the server copied" "$copies" 2
cp made/20971520 large
printf 'patch' | dd of=large bs=1 seek=10000000 conv=notrunc status=none
other write-bucket/large | cmp - large
cmp mnt/write-bucket/large large
# and at its end
mark
cat made/4097 >>mnt/write-bucket/large
cat made/4097 >>large
at_most "bytes sent for 4 KiB at the end of 20 MiB" "$(bytes in)" $((9 << 20))
other write-bucket/large | cmp - large
echo "figure: 5 bytes in the middle of 20 MiB: $sent bytes sent, $copies parts copied"
equal "uploads left behind" "$(uploads write-bucket)$(uploads sizes-bucket)" 00
unmount_b
