#!/bin/bash
# A git repository below the mount: init, commit, clone from and to it, gc, and a clean fsck on a new mount.
. "$(dirname "$0")/../support/case.sh"
need git git
start_aws
export HOME=$work GIT_AUTHOR_NAME=Anne GIT_AUTHOR_EMAIL=anne@example.org GIT_COMMITTER_NAME=Anne GIT_COMMITTER_EMAIL=anne@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false
mount_b -o metadata_ttl=5
mkdir mnt/git-bucket
git init --quiet --template= mnt/git-bucket/repo
cd mnt/git-bucket/repo
mkdir sub
seq 1000 >numbers
head -c 100000 /dev/urandom >sub/noise
git add .
git commit --quiet -m first
echo more >>numbers
git commit --quiet -am second
equal "status" "$(git status --short)" ""
git checkout --quiet -b side HEAD~1
equal "the earlier numbers" "$(wc -l <numbers)" 1000
git checkout --quiet main
equal "the later numbers" "$(wc -l <numbers)" 1001
cd "$work"
git clone --quiet mnt/git-bucket/repo cloned
diff -r --exclude .git cloned mnt/git-bucket/repo
git clone --quiet --bare --no-local --template= cloned mnt/git-bucket/bare.git
echo pushed >>cloned/numbers
git -C cloned commit --quiet -am third
git -C cloned push --quiet "$work/mnt/git-bucket/bare.git" main
git -C mnt/git-bucket/repo gc --quiet
unmount_b

mount_b -o metadata_ttl=5
for repo in repo bare.git; do git -C mnt/git-bucket/$repo fsck --strict --no-dangling; done
equal "commits" "$(git -C mnt/git-bucket/bare.git log --format=%s main | xargs)" "third second first"
equal "status" "$(git -C mnt/git-bucket/repo status --short)" ""
unmount_b
