"""A program without AWS credentials of its own: the environment that its stack lists gives them to it."""

import json

import boto3
import pulumi
import pulumi_aws as aws

# The AWS provider and AWS's own SDK find the credentials in the same place: the environment's variables, which
# `pulumi up` sets for the whole program.
read_orders = aws.iam.Policy(
    "read-orders",
    policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*"}],
        }
    ),
)

pulumi.export("policyArn", read_orders.arn)
pulumi.export("identity", boto3.client("sts").get_caller_identity()["Arn"])
