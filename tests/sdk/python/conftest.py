"""The official OpenAI client for Python against a real gateway over a mock provider.

Words such as `__tool` or `__err=429` in a message tell the mock what to answer. The SDK's own retries are off
everywhere: a test must see what the gateway said the first time.
"""

import os
import pathlib
import sys

import openai
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import rig  # noqa: E402  (found through the line above)

# The SDKs honour HTTP_PROXY; the gateway under test is on the loopback.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

TEXT = "Hello from mock."
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def ask(text):
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="session")
def gateway():
    with rig.gateway() as gw:
        yield gw


@pytest.fixture(scope="session")
def make_client(gateway):
    def make(api_key=gateway.master_key, cls=openai.OpenAI):
        return cls(base_url=f"{gateway.url}/v1", api_key=api_key, max_retries=0, timeout=20)

    return make


@pytest.fixture(scope="session")
def client(make_client):
    return make_client()
