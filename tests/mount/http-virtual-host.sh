#!/bin/bash
# addressing_style says where the bucket stands: in the path at an endpoint of one's own, in the host when virtual is asked for.
. "$(dirname "$0")/../support/case.sh"
start_aws
printf '127.0.0.1 localhost s3.test new-bucket.s3.test dotted.name.s3.test %s\n' "$(hostname)" >hosts
mount --bind hosts /etc/hosts

# an S3 that writes down what it is asked
cat >s3.py <<'EOF'
import http.server
class S3(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        signed = "signed" if "host" in self.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0] else "unsigned"
        print(self.command, self.headers["Host"], self.path.split("?")[0], signed, flush=True)
        body = b""
        if self.command == "GET":
            body = b'<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets>' \
                   b"<Bucket><Name>dotted.name</Name></Bucket></Buckets></ListAllMyBucketsResult>"
        self.send_response(204 if self.command == "DELETE" else 200)
        if self.command != "DELETE":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_PUT = do_DELETE = answer
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 9000), S3).serve_forever()
EOF
/usr/bin/python3 s3.py >s3.out 2>&1 &
listening 9000

# asked STYLE ENDPOINT WHAT-IT-IS-ASKED: by mkdir new-bucket, rmdir dotted.name
asked() {
    mount_b -o "addressing_style=$1,s3_endpoint_url=http://$2,allow_http,metadata_ttl=3600"
    : >s3.out
    mkdir mnt/new-bucket
    rmdir mnt/dotted.name
    DEPTH=1 equal "what $1 asks of $2" "$(paste -sd , s3.out)" "$3"
    unmount_b
    : >"$daemon_log"
}
asked auto s3.test:9000 'PUT s3.test:9000 /new-bucket signed,DELETE s3.test:9000 /dotted.name signed'
asked path s3.test:9000 'PUT s3.test:9000 /new-bucket signed,DELETE s3.test:9000 /dotted.name signed'
asked virtual s3.test:9000 'PUT new-bucket.s3.test:9000 / signed,DELETE dotted.name.s3.test:9000 / signed'
asked virtual 127.0.0.1:9000 'PUT 127.0.0.1:9000 /new-bucket signed,DELETE 127.0.0.1:9000 /dotted.name signed'
asked virtual s3.test:9000/base 'PUT new-bucket.s3.test:9000 /base/ signed,DELETE dotted.name.s3.test:9000 /base/ signed'
