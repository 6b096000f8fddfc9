#!/bin/bash
# Files written, read, renamed and removed while requests fail, hang back and are cut: nothing fails, and no byte is wrong.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0.5,max_attempts=8
mkdir mnt/load-bucket
make_files made 0 1 4097 131072 1048577 9000000 17000001
# worker N: rounds of its own files, until ./stop is there
worker() {
    local round=0 size dir=mnt/load-bucket/$1
    mkdir "$dir"
    until [ -e stop ]; do
        round=$((round + 1))
        for size in 0 1 4097 131072 1048577 9000000 17000001; do
            cp "made/$size" "$dir/new"
            drop_pages "$dir/new"
            cmp "$dir/new" "made/$size"
            mv "$dir/new" "$dir/$size"
            [ -e stop ] || dd "if=$dir/$size" iflag=direct bs=512K status=none | cmp - "made/$size"
        done
        printf 'patch' | dd "of=$dir/9000000" bs=1 seek=5000000 conv=notrunc status=none
        dd "if=$dir/9000000" iflag=direct bs=1M status=none | cmp - patched
        ls -l "$dir" >/dev/null
        rm "$dir/1" "$dir/131072"
        echo "$round" >"rounds.$1"
    done
}
cp made/9000000 patched
printf 'patch' | dd of=patched bs=1 seek=5000000 conv=notrunc status=none
workers=()
for n in 1 2 3; do
    worker "$n" 2>"errors.$n" &
    workers+=($!)
done

seed=$RANDOM
echo "seed $seed"
RANDOM=$seed
kinds=("status 500 InternalError" "status 503 SlowDown" "status 503 ServiceUnavailable" cut "delay 300" "cut-body 1000" "cut-body 600000")
methods=(GET GET PUT POST DELETE)
for ((n = 1; n <= 60; n++)); do
    kind=${kinds[RANDOM % 7]} method=${methods[RANDOM % 5]}
    [[ $kind != cut-body* ]] || method=GET
    # rarely: a request is sent again once with a new token
    [ $((n % 12)) != 0 ] || kind=expired-token method=GET
    # shellcheck disable=SC2086
    fault add --method "$method" --path '^/load-bucket' --count 1 $kind >/dev/null
    # few at once, so that no request meets more than it has attempts
    # shellcheck disable=SC2016
    await '[ "$(fault list | wc -l)" -lt 4 ]'
done
(await '! fault list | grep -Eq "method=(GET|PUT)"') || fault list
: >stop
for n in 0 1 2; do wait "${workers[n]}" || fail "worker $((n + 1)): $(cat "errors.$((n + 1))")"; done
fault clear
injected=$(awk '$8 != "-"' aws/gateway.log | wc -l)
for n in 1 2 3; do
    for size in 0 4097 1048577 17000001; do other "load-bucket/$n/$size" | cmp - "made/$size"; done
    other "load-bucket/$n/9000000" | cmp - patched
done
await '[ "$(uploads load-bucket)" = 0 ]'
at_least "injected faults" "$injected" 50
echo "figure: $injected faults injected in $(cat rounds.* | awk '{ n += $1 } END { print n }') rounds of files, no byte wrong"
unmount_b
