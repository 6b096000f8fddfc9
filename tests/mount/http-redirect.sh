#!/bin/bash
# A redirection to another place is not followed: what is there sees no connection, and so no credentials.
. "$(dirname "$0")/../support/case.sh"
start_aws
cat >s3.py <<'EOF'
import http.server, os, threading
class S3(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = b'<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
        status = int(open("status").read())
        self.send_response(status)
        if status != 200:
            body = b"<Error><Code>TemporaryRedirect</Code><Message>go there</Message><Endpoint>127.0.0.1:9001</Endpoint></Error>"
            self.send_header("Location", "http://127.0.0.1:9001" + self.path)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_PUT = do_DELETE = answer
    def log_message(self, *_):
        pass
class Elsewhere(S3):
    def setup(self):
        print("connected", flush=True)
        super().setup()
open("status", "w").write("200")
threading.Thread(target=http.server.ThreadingHTTPServer(("127.0.0.1", 9001), Elsewhere).serve_forever).start()
http.server.ThreadingHTTPServer(("127.0.0.1", 9000), S3).serve_forever()
EOF
/usr/bin/python3 s3.py >>elsewhere.out 2>&1 &
listening 9000
equal "the address of elsewhere" "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9001/)" 200
has elsewhere.out '^connected$'

mount_b -o s3_endpoint_url=http://127.0.0.1:9000,metadata_ttl=0
: >elsewhere.out
for status in 307 302 301 308 303; do
    echo $status >status
    refused "Object is remote" ls mnt
    refused "Object is remote" mkdir mnt/new-bucket
    has "$daemon_log" "ListBuckets: TemporaryRedirect: go there .HTTP $status"
done
equal "what is elsewhere saw" "$(cat elsewhere.out)" ""
echo 200 >status
equal "ls afterwards" "$(ls -A mnt)" ""
unmount_b
