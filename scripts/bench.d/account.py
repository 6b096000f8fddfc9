"""account.py: Account B of scripts/local-aws, whose variables are in the environment: another client of it, the gateway's
request log and its delay. What is asked here is neither logged nor delayed."""
import concurrent.futures
import hashlib
import json
import os
import subprocess

import botocore.config
import botocore.session

LOCAL_AWS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "local-aws")
BUCKET = "bench"


class Account:
    def __init__(self):
        self.folder = os.environ["XACCTFS_LOCAL_AWS"]
        self.endpoint = os.environ["AWS_ENDPOINT_URL"]
        self.region = os.environ["AWS_REGION"]
        # by its user agent the gateway knows that it is none of those that are measured
        config = botocore.config.Config(user_agent="local-aws", max_pool_connections=8, s3={"addressing_style": "path"})
        self.client = botocore.session.Session(profile="broot").create_client("s3", endpoint_url=self.endpoint, config=config)
        self.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": self.region})

    def _gateway(self, command, *args):
        return subprocess.run([LOCAL_AWS, command, "-C", self.folder, *args], check=True, stdout=subprocess.PIPE, text=True).stdout

    # --- objects ---

    def put(self, objects):
        """Of pairs: a key, and its bytes or a file's path."""
        def put_one(pair):
            key, what = pair
            if isinstance(what, bytes):
                self.client.put_object(Bucket=BUCKET, Key=key, Body=what)
                return
            with open(what, "rb") as file:
                self.client.put_object(Bucket=BUCKET, Key=key, Body=file)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(put_one, objects))

    def copy(self, source, key):
        self.client.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source})

    def keys(self, prefix):
        """Sorted, without those that are only markers of directories."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [o["Key"] for page in pages for o in page.get("Contents", []) if not o["Key"].endswith("/")]

    def digest(self, key):
        """sha256 of the object."""
        digest = hashlib.sha256()
        for chunk in self.client.get_object(Bucket=BUCKET, Key=key)["Body"].iter_chunks(1 << 20):
            digest.update(chunk)
        return digest.hexdigest()

    def remove(self, prefix):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        for page in pages:
            keys = [{"Key": o["Key"]} for o in page.get("Contents", [])]
            if keys:
                self.client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys, "Quiet": True})

    # --- the gateway ---

    def session(self):
        """A new session of the role: AccessKeyId, SecretAccessKey, SessionToken."""
        return json.loads(self._gateway("session"))

    def set_delay(self, ms):
        self._gateway("fault", "clear")
        if ms > 0:
            self._gateway("fault", "add", "delay", str(ms))

    def mark(self):
        """A place in the request log."""
        return int(self._gateway("log-sync"))

    def counted(self, mark):
        """What ended since then: requests by kind, bytes sent and fetched, the time when the last one that may have written
        ended. Columns: local-aws.d/gateway.cfg."""
        end = self.mark()
        kinds, sent, fetched, written = {}, 0, 0, 0
        with open(os.path.join(self.folder, "gateway.log"), encoding="utf-8", errors="replace") as log:
            for line in list(log)[mark:end]:
                column = line.split(" ")
                if column[2].startswith("/-/local-aws/"):
                    continue
                kind = "LIST" if column[1] == "GET" and ("prefix=" in column[2] or "list-type=" in column[2]) else column[1]
                kinds[kind] = kinds.get(kind, 0) + 1
                sent += int(column[4])
                fetched += int(column[5])
                if column[1] not in ("GET", "HEAD"):
                    written = max(written, float(column[0]) + int(column[8]) / 1000)
        return kinds, sent, fetched, written
