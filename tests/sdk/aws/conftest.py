"""Callbacks of AWS against moto's server, which checks who asks and what is signed as AWS does."""

import contextlib
import dataclasses
import json
import os
import pathlib
import sys
import tempfile
import time
import urllib.request

import boto3
import pytest
from moto.server import ThreadedMotoServer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import rig  # noqa: E402  (found through the line above)

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
REGION = "eu-west-1"
PLAIN = {"content-type": "text/plain"}  # else it would be taken for a form
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# Without credentials: those are in each test's own settings.
CONFIG = """
model_list:
  - model_name: priced
    litellm_params: {model: openai/my-custom-model, api_base: "%(mock)s/v1", api_key: sk-upstream-fake,
      input_cost_per_token: 0.000001, output_cost_per_token: 0.000002}
litellm_settings: %(settings)s
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
weir_settings: {drain_delay: 0}
environment_variables:
  DEFAULT_FLUSH_INTERVAL_SECONDS: "0.1"
  DEFAULT_S3_FLUSH_INTERVAL_SECONDS: "0.1"
  DEFAULT_SQS_FLUSH_INTERVAL_SECONDS: "0.1"
%(variables)s
"""


@dataclasses.dataclass
class Cloud:
    """moto, and the credentials of the one user who may do something."""

    url: str
    key: str
    secret: str

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        )


@pytest.fixture
def cloud():
    """A bucket `logs`, a queue `requests` and a table `spend`; nobody else may do anything from then on."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    cloud = Cloud(f"http://{host}:{port}", "AKIANOBODY", "none")
    call(f"{cloud.url}/moto-api/reset")
    iam = cloud.client("iam")
    iam.create_user(UserName="weir")
    iam.put_user_policy(UserName="weir", PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
    made = iam.create_access_key(UserName="weir")["AccessKey"]
    cloud.client("s3").create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    cloud.client("sqs").create_queue(QueueName="requests")
    cloud.client("dynamodb").create_table(
        TableName="spend",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    call(f"{cloud.url}/moto-api/reset-auth", b"0", PLAIN)
    yield Cloud(cloud.url, made["AccessKeyId"], made["SecretAccessKey"])
    # What moto keeps is the process's.
    call(f"{cloud.url}/moto-api/reset-auth", b"inf", PLAIN)
    server.stop()


def call(url, body=b"", headers=None):
    with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}, method="POST"), timeout=20) as answer:
        return json.load(answer)


@pytest.fixture
def gateway():
    """gateway(settings, variables): a running one, with these `litellm_settings`; post(path, body) asks it."""
    with contextlib.ExitStack() as stack:

        def start(settings, variables=None):
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-aws.")))
            mock = stack.enter_context(rig.mock_provider(folder))
            lines = "\n".join(f"  {name}: {json.dumps(value)}" for name, value in (variables or {}).items())
            text = CONFIG % {"mock": mock, "settings": json.dumps(settings), "variables": lines}
            url = stack.enter_context(rig.weir(text, folder))

            def post(path, body, key=rig.MASTER_KEY):
                headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
                return call(f"{url}{path}", json.dumps(body).encode(), headers)

            return post

        yield start


def until(look, seconds=20):
    """What it answers, once that is anything."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.05)
    return found
