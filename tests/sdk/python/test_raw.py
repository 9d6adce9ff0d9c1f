"""Raw pass-through: the official clients with a base URL below a provider's prefix, and Google's REST calls."""

import json

import anthropic
import httpx2
import openai
import pytest
from conftest import TEXT, ask

streamed = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])


@streamed
@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "on-anthropic"])
def test_anthropics_client_below_its_prefix(gateway, model, streamed):
    client = anthropic.Anthropic(
        base_url=f"{gateway.url}/anthropic", api_key=gateway.master_key, max_retries=0, timeout=20
    )
    question = {"model": model, "max_tokens": 50, "messages": ask("hi")}
    if streamed:
        with client.messages.stream(**question) as stream:
            message = stream.get_final_message()
    else:
        message = client.messages.create(**question)
    assert message.content[0].text == TEXT
    assert message.usage.output_tokens > 0


@streamed
@pytest.mark.parametrize("base", ["/openai/v1", "/openai"])
@pytest.mark.parametrize("model", ["gpt-4o", "o3-that-no-list-has"])
def test_openais_client_below_its_prefix(gateway, base, model, streamed):
    client = openai.OpenAI(base_url=gateway.url + base, api_key=gateway.master_key, max_retries=0, timeout=20)
    answer = client.chat.completions.create(model=model, messages=ask("hi"), stream=streamed)
    if streamed:
        deltas = [chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices]
        assert "".join(deltas) == TEXT
    else:
        assert answer.choices[0].message.content == TEXT


def test_a_strangers_error_is_the_clients_own(gateway):
    client = anthropic.Anthropic(base_url=f"{gateway.url}/anthropic", api_key="sk-nobody", max_retries=0, timeout=20)
    with pytest.raises(anthropic.AuthenticationError):
        client.messages.create(model="claude-sonnet-4-5", max_tokens=5, messages=ask("hi"))


@pytest.mark.parametrize("where", ["header", "query"])
def test_googles_calls_below_their_prefix(gateway, where):
    url = f"{gateway.url}/gemini/v1beta/models/gemini-2.5-pro:generateContent"
    headers = {"x-goog-api-key": gateway.master_key} if where == "header" else {}
    params = {"key": gateway.master_key} if where == "query" else {}
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    answer = httpx2.post(url, json=body, headers=headers, params=params, timeout=20)
    assert answer.status_code == 200, answer.text
    assert answer.json()["candidates"][0]["content"]["parts"][0]["text"] == TEXT
    events = httpx2.post(
        url.replace(":generate", ":streamGenerate"), json=body, headers=headers, params=params | {"alt": "sse"}, timeout=20
    )
    chunks = [json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: ")]
    parts = [part.get("text", "") for chunk in chunks for part in chunk["candidates"][0]["content"].get("parts", [])]
    assert "".join(parts) == TEXT
