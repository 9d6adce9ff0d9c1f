"""Other ways in: the async client, the Azure client, virtual keys."""

import asyncio
import time

import httpx2
import openai
import pytest
from conftest import TEXT, ask

# --- async ---


def test_async_client_many_at_once(make_client):
    async def run():
        async with make_client(cls=openai.AsyncOpenAI) as client:
            calls = [client.chat.completions.create(model="gpt-4o", messages=ask("hi")) for _ in range(20)]
            return await asyncio.gather(*calls)

    answers = asyncio.run(run())
    assert {answer.choices[0].message.content for answer in answers} == {TEXT}
    assert len({answer.id for answer in answers}) == 20


def test_async_stream(make_client):
    async def run():
        async with make_client(cls=openai.AsyncOpenAI) as client:
            stream = await client.chat.completions.create(model="gpt-4o", messages=ask("hi"), stream=True)
            return [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]

    assert "".join(asyncio.run(run())) == TEXT


def test_async_error(make_client):
    async def run():
        async with make_client(cls=openai.AsyncOpenAI) as client:
            await client.chat.completions.create(model="gpt-4o", messages=ask("__err=429"))

    with pytest.raises(openai.RateLimitError):
        asyncio.run(run())


# --- Azure: /openai/deployments/{model}/... with the key in `api-key` ---


@pytest.fixture(scope="module")
def azure(gateway):
    return openai.AzureOpenAI(
        azure_endpoint=gateway.url, api_key=gateway.master_key, api_version="2024-10-21", max_retries=0, timeout=20
    )


@pytest.mark.parametrize("model", ["azure-gpt4", "gpt-4o"])
def test_azure_chat(azure, model):
    answer = azure.chat.completions.create(model=model, messages=ask("hi"))
    assert answer.choices[0].message.content == TEXT


def test_azure_stream(azure):
    chunks = list(azure.chat.completions.create(model="azure-gpt4", messages=ask("hi"), stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert len({chunk.id for chunk in chunks}) == 1


def test_azure_embeddings(azure):
    answer = azure.embeddings.create(model="emb-small", input="one text")
    assert answer.data[0].embedding == pytest.approx([0.1, 0.2, -0.3])


def test_azure_unknown_deployment(azure):
    with pytest.raises(openai.BadRequestError, match="no-such-model"):
        azure.chat.completions.create(model="no-such-model", messages=ask("hi"))


# --- virtual keys ---


def test_virtual_key_may_do_what_it_may(make_client, manage):
    key = manage("/key/generate", {"key_alias": "sdk-allowed", "models": ["gpt-4o"], "max_budget": 10})["key"]
    assert key.startswith("sk-")
    client = make_client(api_key=key)
    assert client.chat.completions.create(model="gpt-4o", messages=ask("hi")).choices[0].message.content == TEXT
    assert [model.id for model in client.models.list()] == ["gpt-4o"]
    with pytest.raises(openai.AuthenticationError, match="azure-gpt4"):
        client.chat.completions.create(model="azure-gpt4", messages=ask("hi"))


def test_virtual_key_without_models_may_use_all(make_client, manage):
    key = manage("/key/generate", {"key_alias": "sdk-all"})["key"]
    client = make_client(api_key=key)
    for model in ("gpt-4o", "azure-gpt4", "demo"):
        assert client.chat.completions.create(model=model, messages=ask("hi")).choices[0].message.content


def test_virtual_key_streams(make_client, manage):
    client = make_client(api_key=manage("/key/generate", {"key_alias": "sdk-stream"})["key"])
    chunks = client.chat.completions.create(model="gpt-4o", messages=ask("hi"), stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT


def test_deleted_key_stops_working(make_client, manage):
    key = manage("/key/generate", {"key_alias": "sdk-deleted"})["key"]
    client = make_client(api_key=key)
    client.chat.completions.create(model="gpt-4o", messages=ask("hi"))
    manage("/key/delete", {"keys": [key]})
    assert is_refused_within(client, seconds=5)


def test_expired_key_stops_working(make_client, manage):
    key = manage("/key/generate", {"key_alias": "sdk-expiring", "duration": "1s"})["key"]
    assert is_refused_within(make_client(api_key=key), seconds=10)


def is_refused_within(client, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            client.chat.completions.create(model="gpt-4o", messages=ask("hi"))
        except (openai.AuthenticationError, openai.BadRequestError):  # an expired key is a 400, as in LiteLLM
            return True
        time.sleep(0.1)
    return False


def test_virtual_key_may_not_make_keys(gateway, manage):
    key = manage("/key/generate", {"key_alias": "sdk-plain"})["key"]
    answer = httpx2.post(f"{gateway.url}/key/generate", json={}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code in (401, 403)
