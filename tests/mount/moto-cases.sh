#!/bin/bash
# The cases that need nothing of radosgw or the gateway hold on moto, too, unchanged.
# Others don't: moto answers 404 to a key with a line feed (object-names), checks no external ID (program-life), wants a
# LocationConstraint of every bucket outside us-east-1 (program-one-bucket, uploads-list-abort), and counts no bytes.
XACCTFS_SERVER=moto
. "$(dirname "$0")/../support/case.sh"
export XACCTFS_SERVER
start_aws
for name in root-ls-mkdir-rmdir root-names root-others root-readdir object-dirs object-handles object-sqlite object-git object-tools; do
    mkdir "$name"
    started=$EPOCHREALTIME
    status=0
    (cd "$name" && exec "$XACCTFS_CLONE/tests/mount/$name.sh") || status=$?
    case $status in
    0 | 77) echo "$name: status $status after $(elapsed_ms "$started") ms" ;;
    *) fail "$name does not hold on moto: status $status" ;;
    esac
    rm -rf "$name"
done
