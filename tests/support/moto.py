"""moto.py DIR: makes Anne, the role and both accounts' administrators on moto, and writes the AWS files that tell of them to DIR; see moto.sh."""
import json
import os
import sys

import botocore.session

directory = sys.argv[1]
endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]


def client(service, key="AKIANOBODYKNOWSTHIS0", secret="any", token=None):
    return botocore.session.get_session().create_client(
        service, region_name=region, endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token)


def user(iam, name):
    """A new user's new key."""
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return f"[{name}]\naws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}\n\n"


def session_of(role):
    session = client("sts").assume_role(RoleArn=role, RoleSessionName="moto")["Credentials"]
    return session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]


def write(name, text):
    with open(os.path.join(directory, name), "w") as f:
        f.write(text)


role = os.environ["XACCTFS_ROLE_ARN"]
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {
    "AWS": f"arn:aws:iam::{os.environ['XACCTFS_ACCOUNT_A']}:root"}, "Condition": {"StringEquals": {
        "sts:ExternalId": os.environ["XACCTFS_EXTERNAL_ID"]}}}]}
# a session is of its role's account, even where there is no such role yet
iam_a, iam_b = (client("iam", *session_of(f"arn:aws:iam::{os.environ[account]}:role/first")) for account in ("XACCTFS_ACCOUNT_A", "XACCTFS_ACCOUNT_B"))
iam_b.create_role(RoleName=role.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(trust))
write("credentials", user(iam_a, "Anne") + user(iam_a, "aroot") + user(iam_b, "broot"))

place = f"region = {region}\nendpoint_url = {endpoint}\n"
users = "".join(f"[profile {name}]\n{place}\n" for name in ("Anne", "aroot", "broot"))
write("config", f"{users}[profile accountB]\n{place}role_arn = {role}\nsource_profile = Anne\n"
                f"external_id = {os.environ['XACCTFS_EXTERNAL_ID']}\n")
# an AWS CLI that does not know endpoint_url would ask another STS for the role
session = zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), session_of(role))
write("config.cli", f"{users}[profile accountB]\n{place}" + "".join(f"{name} = {value}\n" for name, value in session))
