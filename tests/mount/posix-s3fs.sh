#!/usr/bin/env bash
# s3fs and attrs=posix on one bucket: each shows modes, owners, dates, directories and symbolic links that the other wrote,
# and changes them so that the first one sees it.
. "$(dirname "$0")/../support/case.sh"
need s3fs s3fs
need jq jq
start_aws
mount_b -o attrs=posix,metadata_ttl=0
mkdir mnt/photos
ours=mnt/photos
theirs=s3fs.mnt

# s3fs with the role's session, and without a cache
export AWSACCESSKEYID AWSSECRETACCESSKEY AWSSESSIONTOKEN
"$local_aws" session -C "$work/aws" >session.json
AWSACCESSKEYID=$(jq -r .AccessKeyId session.json)
AWSSECRETACCESSKEY=$(jq -r .SecretAccessKey session.json)
AWSSESSIONTOKEN=$(jq -r .SessionToken session.json)
mkdir $theirs
s3fs photos $theirs -o "url=$AWS_ENDPOINT_URL,use_path_request_style,use_session_token,endpoint=eu-west-1" \
    -o max_stat_cache_size=0,attr_timeout=0,entry_timeout=0,negative_timeout=0,logfile="$work/s3fs.out" ||
    fail "s3fs does not mount: $(tail -n 3 s3fs.out)"

# shows DIR NAME FORMAT WANTED
shows() { equal "$2 in $1" "$(stat -c "$3" "$1/$2")" "$4"; }

# fill DIR: made by its mount
fill() {
    echo hello >"$1/file"
    chmod 640 "$1/file"
    chown 1000:1001 "$1/file"
    touch -d '2001-02-03 04:05:06.123456789Z' "$1/file"
    mkdir "$1/dir"
    chmod 2750 "$1/dir"
    chown 7:8 "$1/dir"
    ln -s ../some/where "$1/dir/link"
    chown -h 9:10 "$1/dir/link"
    touch -d '2003-02-03 04:05:06Z' "$1/dir"
}
# seen DIR: as fill made it
seen() {
    shows "$1" file '%a %u:%g %F %.9Y' '640 1000:1001 regular file 981173106.123456789'
    shows "$1" dir '%a %u:%g %F %Y' '2750 7:8 directory 1044245106'
    shows "$1" dir/link '%u:%g %F' '9:10 symbolic link'
    equal "the target in $1" "$(readlink "$1/dir/link")" ../some/where
    equal "the file in $1" "$(cat "$1/file")" hello
    equal "the names in $1" "$(cd "$1" && find . | LC_ALL=C sort | tr '\n' ' ')" '. ./dir ./dir/link ./file '
}
meta() { aws --profile accountB s3api head-object --bucket photos --key "$1" --query Metadata | jq -cS .; }

# theirs here
mkdir $theirs/theirs
fill $theirs/theirs
seen $ours/theirs
meta theirs/file >theirs.meta
# changed here, seen there
chmod 604 $ours/theirs/file
touch -d '2010-01-01 00:00:00.5Z' $ours/theirs/file
chmod 700 $ours/theirs/dir
echo more >>$ours/theirs/file
chown 5 $ours/theirs/file
shows $theirs theirs/file '%a %u:%g %s' '604 5:1001 11'
shows $theirs theirs/dir '%a %u:%g' '2700 7:8'
equal 'what s3fs alone keeps' "$(meta theirs/file | jq -r '"\(.atime) \(.ctime)"')" "$(jq -r '"\(.atime) \(.ctime)"' theirs.meta)"

# ours there
mkdir $ours/ours
fill $ours/ours
seen $theirs/ours
# changed there, seen here
chmod 604 $theirs/ours/file
chown 5 $theirs/ours/file
touch -d '2010-01-01 00:00:00Z' $theirs/ours/file
chmod 700 $theirs/ours/dir
shows $ours ours/file '%a %u:%g %Y' '604 5:1001 1262304000'
shows $ours ours/dir '%a %u:%g' '2700 7:8'

# names
mv $ours/ours $ours/moved
shows $theirs moved/dir/link '%u:%g %F' '9:10 symbolic link'
mv $theirs/theirs/dir/link $theirs/theirs/link
equal 'a link renamed there' "$(readlink $ours/theirs/link)" ../some/where
rm $theirs/theirs/link
refused 'No such file' stat $ours/theirs/link
# what was a file is a link, and the other way round
rm $theirs/theirs/file && ln -s x $theirs/theirs/file
equal 'a link that was a file' "$(readlink $ours/theirs/file)" x
rm $theirs/theirs/file && echo y >$theirs/theirs/file
equal 'a file that was a link' "$(cat $ours/theirs/file)" y
fusermount3 -u $theirs
