#!/bin/bash
# Passing faults are retried and not seen; lasting ones end in a true errno; hostile answers harm nothing.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0
mkdir mnt/fault-bucket

mark
fault add --method GET --count 2 status 503 SlowDown >/dev/null
equal "ls after two SlowDown" "$(ls mnt)" fault-bucket
at_least "requests" "$(requests GET)" 3
fault add --method GET --count 1 status 500 InternalError >/dev/null
equal "ls after a 500" "$(ls mnt)" fault-bucket
fault add --method GET --count 1 cut >/dev/null
equal "ls after a cut connection" "$(ls mnt)" fault-bucket
fault add --method GET --count 1 cut-body 20 >/dev/null
equal "ls after a cut body" "$(ls mnt)" fault-bucket
fault add --method GET --count 1 delay 300 >/dev/null
equal "ls after a delay" "$(ls mnt)" fault-bucket
fault clear
# the answer of a CreateBucket is lost, though it was carried out
fault add --method PUT --count 1 cut >/dev/null
mkdir mnt/cut-bucket
fault clear
unmount_b

mount_b -o metadata_ttl=0,max_attempts=2
fault add --method GET status 503 SlowDown >/dev/null
refused "Resource temporarily unavailable" ls mnt
fault clear

s3='xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
echo 'this is not XML' >not-xml
echo "<ListAllMyBucketsResult $s3><Buckets><Bucket><Name>x-y-z</Name>" >truncated
echo '<ListAllMyBucketsResult xmlns="urn:wrong"><Buckets/></ListAllMyBucketsResult>' >wrong-namespace
echo '<html><body>Please log in to the hotel</body></html>' >another-root
echo '<Error><Code>InternalError</Code><Message>200, and yet</Message></Error>' >error-with-200
{
    echo '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    for i in b c d e f g h i; do before=$(tr 'b-i' 'a-h' <<<"&$i;"); echo "<!ENTITY $i \"$before$before$before$before$before$before$before$before\">"; done
    echo "]><ListAllMyBucketsResult $s3><Buckets>&i;</Buckets></ListAllMyBucketsResult>"
} >entity-bomb
head -c 20000000 /dev/zero | tr '\0' 'x' >huge
for body in not-xml truncated wrong-namespace another-root error-with-200 entity-bomb huge; do
    fault add --method GET body "$work/$body" >/dev/null
    from=$(wc -l <"$daemon_log")
    refused "Input/output error" ls mnt
    fault clear
    tail -n "+$((from + 1))" "$daemon_log" | grep -q 'error: ListBuckets: ' || fail "no log line about $body"
done
echo "<ListAllMyBucketsResult $s3><New><Deep/></New><Buckets><Bucket><Name>unknown-elements</Name><Colour>blue</Colour></Bucket></Buckets></ListAllMyBucketsResult>" >unknown
fault add --method GET body "$work/unknown" >/dev/null
equal "ls with unknown elements" "$(ls mnt)" unknown-elements
fault clear
printf '<ListAllMyBucketsResult %s><Buckets>' "$s3" >bad-names
for name in . .. a/b '' ok-name; do printf '<Bucket><Name>%s</Name></Bucket>' "$name"; done >>bad-names
echo '</Buckets></ListAllMyBucketsResult>' >>bad-names
sed -i 's,<Bucket><Name></Name></Bucket>,,' bad-names
fault add --method GET body "$work/bad-names" >/dev/null
equal "names that can't be shown" "$(ls -A mnt)" ok-name
fault clear
ls mnt >listing
has listing '^fault-bucket$'
case $XACCTFS in
*san/*) ;;
*) [ -n "${XACCTFS_WRAP:-}" ] || at_most "the daemon's most memory in kB" "$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$daemon_pid/status")" 98304 ;;
esac
unmount_b
