#!/bin/bash
# mkdir makes the bucket in create_region: it is signed for and named in the request, but us-east-1, which must not be named.
. "$(dirname "$0")/../support/case.sh"
start_aws
cat >s3.py <<'EOF'
import http.server, re
class S3(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        region = self.headers["Authorization"].split("/")[2]
        named = re.search("<LocationConstraint>(.*)</LocationConstraint>", sent)
        print(self.command, self.path.split("?")[0], region, named[1] if named else len(sent), flush=True)
        body = b'<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>' if self.command == "GET" else b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_PUT = do_DELETE = answer
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 9000), S3).serve_forever()
EOF
/usr/bin/python3 s3.py >>s3.out 2>&1 &
listening 9000

# made OPTIONS PUT-AS DELETE-AS
made() {
    mount_b -o "s3_endpoint_url=http://127.0.0.1:9000,metadata_ttl=3600$1"
    : >s3.out
    mkdir mnt/new-bucket
    equal "the attribute" "$(/usr/bin/python3 -c 'import os; print(os.getxattr("mnt/new-bucket", "user.s3.region").decode())')" "${3% *}"
    rmdir mnt/new-bucket
    DEPTH=1 equal "the requests" "$(paste -sd , s3.out)" "PUT /new-bucket $2,DELETE /new-bucket $3"
    unmount_b
    : >"$daemon_log"
}
made '' 'eu-west-1 eu-west-1' 'eu-west-1 0'
made ,create_region=ap-southeast-2 'ap-southeast-2 ap-southeast-2' 'ap-southeast-2 0'
made ,create_region=us-east-1 'us-east-1 0' 'us-east-1 0'
made ,region=us-east-1 'us-east-1 0' 'us-east-1 0'
made ,region=us-east-1,create_region=eu-central-1 'eu-central-1 eu-central-1' 'eu-central-1 0'
