"""What an administrator does in S3 and IAM around the test: a bucket, a template, accounts.

usage: s3.py URL furnish TEXT            (prints the accounts as JSON)
       s3.py URL put KEY SECRET TEXT
"""

import json
import sys

import boto3

url, act, *rest = sys.argv[1:]
BUCKET, KEY = "templates", "jobs/gpu.yaml.j2"
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"], "Resource": "*"}],
}


def client(service, key="any", secret="any"):
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret
    )


def account(name, policy):
    iam = client("iam")
    iam.create_user(UserName=name)
    if policy:
        iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def role():
    iam = client("iam")
    made = iam.create_role(RoleName="opjob", AssumeRolePolicyDocument=json.dumps(ALLOW))
    iam.put_role_policy(RoleName="opjob", PolicyName="read", PolicyDocument=json.dumps(ALLOW))
    return made["Role"]["Arn"]


if act == "furnish":
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=rest[0].encode())
    print(json.dumps({"reader": account("reader", ALLOW), "stranger": account("stranger", None), "role": role()}))
else:
    key, secret, text = rest
    client("s3", key, secret).put_object(Bucket=BUCKET, Key=KEY, Body=text.encode())
