"""Official clients for Python against a real gateway over mock providers.

Words such as `__tool` or `__err=429` in a message tell the mock what to answer. The SDK's own retries are off
everywhere: a test must see what the gateway said the first time.
"""

import json
import os
import pathlib
import sys

import httpx2
import openai
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import rig  # noqa: E402  (found through the line above)

# The SDKs honour HTTP_PROXY; the gateway under test is on the loopback.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
# LangChain reports to its makers when told to by the environment.
os.environ["LANGCHAIN_TRACING_V2"] = os.environ["LANGSMITH_TRACING"] = "false"

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
# Model on-X has the API of X behind it, see CONFIG in rig.py.
UPSTREAMS = ["openai", "anthropic", "bedrock", "ollama", "gemini", "cohere"]
# What the script "weather" of rig.py makes the model say.
WEATHER = "the weather in Paris and Zürich? __script=weather"
CALLS = [("get_weather", {"city": "Paris"}), ("get_weather", rig.SCRIPTS[0]["turns"][0]["calls"][1]["arguments"])]
CONCLUSION = rig.SCRIPTS[0]["turns"][1]["text"]


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


@pytest.fixture(scope="session")
def manage(gateway):
    """POSTs to the management API with the master key."""
    headers = {"Authorization": f"Bearer {gateway.master_key}"}
    with httpx2.Client(base_url=gateway.url, headers=headers, timeout=20) as http:

        def post(path, body):
            answer = http.post(path, json=body)
            assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
            return answer.json()

        yield post


@pytest.fixture
def received(gateway):
    """Calls of it return the bodies that the provider got since the last call, as text; none are left from before."""

    def take():
        entries = httpx2.get(f"{gateway.mock_url}/__log", timeout=20).json()
        return [json.dumps(entry["body"], ensure_ascii=False) for entry in entries]

    take()
    return take
