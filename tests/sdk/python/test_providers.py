"""Chat over every provider's API: the OpenAI client sees no difference."""

import json

import openai
import pydantic
import pytest
from conftest import CALLS, CONCLUSION, TEXT, TOOLS, UPSTREAMS, WEATHER, ask

THINKERS = ["openai", "anthropic", "bedrock", "ollama", "gemini"]
over_all = pytest.mark.parametrize("upstream", UPSTREAMS)


def complete(client, upstream, text="hi", **more):
    return client.chat.completions.create(model=f"on-{upstream}", messages=ask(text), **more)


def chunks_of(client, upstream, text="hi", **more):
    options = {"include_usage": True}
    return list(complete(client, upstream, text, stream=True, stream_options=options, **more))


def content_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def calls_of(message):
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]


@over_all
def test_plain_answer(client, upstream):
    answer = complete(client, upstream)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (11, 7, 18)


@over_all
def test_p20_stream_says_what_the_plain_answer_says(client, upstream):
    plain, chunks = complete(client, upstream), chunks_of(client, upstream)
    assert content_of(chunks) == plain.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    assert len([c for c in chunks if content_of([c])]) > 1, "it came in one piece, so it was not streamed"
    assert len({chunk.id for chunk in chunks}) == 1
    assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].usage.to_dict() == plain.usage.to_dict()


@over_all
def test_p20_long_stream_arrives_whole_and_in_order(client, upstream):
    assert content_of(chunks_of(client, upstream, "__chunks=300")) == "".join(f"w{i} " for i in range(300))


@over_all
def test_parallel_tool_calls(client, upstream):
    choice = complete(client, upstream, WEATHER, tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert calls_of(choice.message) == CALLS
    assert len({call.id for call in choice.message.tool_calls}) == 2


@over_all
def test_p20_parallel_tool_calls_in_a_stream(client, upstream):
    # The SDK puts the pieces together by their index, and complains of what does not fit.
    with client.chat.completions.stream(model=f"on-{upstream}", messages=ask(WEATHER), tools=TOOLS) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        choice = stream.get_final_completion().choices[0]
    assert [(event.name, json.loads(event.arguments)) for event in done] == CALLS
    assert choice.finish_reason == "tool_calls"
    assert calls_of(choice.message) == CALLS
    assert len({call.id for call in choice.message.tool_calls}) == 2


@over_all
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_conversation_goes_on_after_tool_calls(client, received, upstream, streamed):
    if streamed:
        with client.chat.completions.stream(model=f"on-{upstream}", messages=ask(WEATHER), tools=TOOLS) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = complete(client, upstream, WEATHER, tools=TOOLS).choices[0].message
    outputs = ["18 degrees", "no such city: Zürich"]
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": output}
        for call, output in zip(message.tool_calls, outputs, strict=True)
    ]
    conversation = [*ask(WEATHER), message.to_dict(), *results]
    received()
    answer = client.chat.completions.create(model=f"on-{upstream}", messages=conversation, tools=TOOLS)
    assert answer.choices[0].message.content == CONCLUSION
    (sent,) = received()
    for part in [*outputs, "Paris", "the weather in Paris"]:
        assert part in sent, f"{part} did not reach the provider"


@pytest.mark.parametrize("upstream", THINKERS)
def test_p20_thinking_is_told(client, upstream):
    plain = complete(client, upstream, "__think", reasoning_effort="low").choices[0].message
    chunks = chunks_of(client, upstream, "__think", reasoning_effort="low")
    pieces = [c.choices[0].delta.to_dict().get("reasoning_content") or "" for c in chunks if c.choices]
    assert plain.to_dict()["reasoning_content"] == "hmm"
    assert "".join(pieces) == "hmm"
    assert plain.content == content_of(chunks) == TEXT


# Anthropic's input excludes what a cache is read for or written with, OpenAI's prompt includes both.
@pytest.mark.parametrize(("upstream", "prompt"), [("openai", 11), ("anthropic", 17), ("bedrock", 17), ("gemini", 11)])
def test_p12_cached_tokens_are_part_of_the_prompt(client, upstream, prompt):
    plain, chunks = complete(client, upstream, "__cachehit"), chunks_of(client, upstream, "__cachehit")
    for usage in (plain.usage, chunks[-1].usage):
        assert usage.prompt_tokens_details.cached_tokens == 4
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (prompt, 7, prompt + 7)


@over_all
def test_structured_output_is_parsed(client, received, upstream):
    class Answer(pydantic.BaseModel):
        answer: int

    parsed = client.chat.completions.parse(
        model=f"on-{upstream}", messages=ask("the answer? __script=answer"), response_format=Answer
    )
    assert parsed.choices[0].message.parsed == Answer(answer=42)
    assert '"answer": {' in received()[0], "the schema did not reach the provider"


@over_all
def test_an_answer_that_is_cut_says_so(client, upstream):
    assert complete(client, upstream, "__length", max_tokens=3).choices[0].finish_reason == "length"


@pytest.mark.parametrize("upstream", ["openai", "anthropic", "bedrock", "ollama", "gemini"])
def test_an_image_reaches_the_provider(client, received, upstream):
    image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
    content = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}},
    ]
    client.chat.completions.create(model=f"on-{upstream}", messages=[{"role": "user", "content": content}])
    assert image in received()[0]


@over_all
@pytest.mark.parametrize(("status", "kind"), [(400, openai.BadRequestError), (429, openai.RateLimitError)])
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_p21_errors_before_the_first_byte(client, upstream, status, kind, streamed):
    with pytest.raises(kind) as caught:
        complete(client, upstream, f"__err={status}", stream=streamed)
    assert caught.value.status_code == status


@over_all
def test_p21_failure_in_mid_stream_is_told(client, upstream):
    seen = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in complete(client, upstream, "__errmid", stream=True):
            seen.append(chunk)
    assert not isinstance(caught.value, openai.APIConnectionError), "the connection was cut instead of an error event"
    assert TEXT.startswith(content_of(seen))
