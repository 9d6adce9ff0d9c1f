"""What was told arrives: objects in S3, messages in SQS, items in DynamoDB, each signed."""

import decimal
import json
import re

from conftest import REGION, until

CHAT = {"model": "priced", "messages": [{"role": "user", "content": "What is asked"}]}
# 11 tokens in and 7 out, see the mock.
COST = decimal.Decimal("0.000025")
OBJECT = re.compile(r"weir/Grüne \+ Söhne & Co\./\d{4}-\d\d-\d\d/time-\d\d-\d\d-\d\d-\d{6}_chatcmpl-.+\.json")


def exact(text):
    return json.loads(text, parse_float=decimal.Decimal)


def bucket(cloud):
    return {
        "s3_bucket_name": "logs",
        "s3_region_name": REGION,
        "s3_endpoint_url": cloud.url,
        "s3_aws_access_key_id": cloud.key,
        "s3_aws_secret_access_key": cloud.secret,
    }


def test_objects_are_put_under_litellms_names(cloud, gateway):
    params = bucket(cloud) | {"s3_path": "weir", "s3_use_team_prefix": True}
    post = gateway({"callbacks": ["s3_v2"], "s3_callback_params": params})
    # A name with all that a signature may stumble over.
    team = post("/team/new", {"team_alias": "Grüne + Söhne & Co."})["team_id"]
    key = post("/key/generate", {"team_id": team})["key"]
    answer = post("/v1/chat/completions", CHAT, key)
    s3 = cloud.client("s3")
    (found,) = until(lambda: s3.list_objects_v2(Bucket="logs").get("Contents"))
    assert OBJECT.fullmatch(found["Key"]), found["Key"]
    kept = s3.get_object(Bucket="logs", Key=found["Key"])
    assert kept["ContentType"] == "application/json"
    told = exact(kept["Body"].read())
    assert (told["id"], told["response_cost"]) == (answer["id"], COST)
    assert told["messages"] == CHAT["messages"]


def test_messages_are_sent(cloud, gateway):
    sqs = cloud.client("sqs")
    queue = sqs.get_queue_url(QueueName="requests")["QueueUrl"]
    params = {
        "sqs_queue_url": queue,
        "sqs_region_name": REGION,
        "sqs_endpoint_url": cloud.url,
        "sqs_aws_access_key_id": cloud.key,
        "sqs_aws_secret_access_key": cloud.secret,
    }
    post = gateway({"success_callback": ["sqs"], "aws_sqs_callback_params": params})
    post("/v1/chat/completions", CHAT)
    (message,) = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    assert exact(message["Body"])["response_cost"] == COST


def test_items_are_put_with_credentials_of_the_environment(cloud, gateway):
    variables = {
        "AWS_ACCESS_KEY_ID": cloud.key,
        "AWS_SECRET_ACCESS_KEY": cloud.secret,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_DYNAMODB": cloud.url,
    }
    post = gateway({"callbacks": ["dynamodb"], "dynamodb_table_name": "spend"}, variables)
    answer = post("/v1/chat/completions", CHAT)
    dynamodb = cloud.client("dynamodb")
    item = until(lambda: dynamodb.get_item(TableName="spend", Key={"id": {"S": answer["id"]}}).get("Item"))
    assert decimal.Decimal(item["response_cost"]["N"]) == COST
    assert exact(item["payload"]["S"])["status"] == "success"


def test_changes_of_admins_are_objects_too(cloud, gateway):
    post = gateway({"audit_log_callbacks": ["s3"], "s3_callback_params": bucket(cloud)})
    post("/team/new", {"team_alias": "reds"})
    s3 = cloud.client("s3")
    found = until(lambda: s3.list_objects_v2(Bucket="logs").get("Contents"))
    assert all(re.fullmatch(r"audit_logs/\d{4}-\d\d-\d\d/[0-9a-f-]{36}\.json", entry["Key"]) for entry in found)
    told = [exact(s3.get_object(Bucket="logs", Key=entry["Key"])["Body"].read()) for entry in found]
    assert any((entry["action"], entry["table_name"]) == ("created", "LiteLLM_TeamTable") for entry in told)
