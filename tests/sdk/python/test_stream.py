import openai
import pytest
from conftest import TEXT, TOOLS, ask

MODELS = ["gpt-4o", "azure-gpt4", "demo"]


def stream_of(client, model, text="hi", **more):
    return list(client.chat.completions.create(model=model, messages=ask(text), stream=True, **more))


def content_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def finish_reasons(chunks):
    return [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]


@pytest.mark.parametrize("model", MODELS)
def test_p20_stream_says_what_the_plain_answer_says(client, model):
    plain = client.chat.completions.create(model=model, messages=ask("hi"))
    chunks = stream_of(client, model)
    assert content_of(chunks) == plain.choices[0].message.content
    assert finish_reasons(chunks) == [plain.choices[0].finish_reason]
    assert len([c for c in chunks if content_of([c])]) > 1, "it came in one piece, so it was not streamed"


@pytest.mark.parametrize("model", MODELS)
def test_p20_all_chunks_have_one_id(client, model):
    ids = {chunk.id for chunk in stream_of(client, model, stream_options={"include_usage": True})}
    assert len(ids) == 1
    assert ids != {""}


@pytest.mark.parametrize("model", MODELS)
def test_p20_no_usage_chunk_unless_asked(client, model):
    chunks = stream_of(client, model)
    assert [chunk.usage for chunk in chunks if chunk.usage] == []
    assert all(chunk.choices for chunk in chunks)


@pytest.mark.parametrize("model", MODELS)
def test_p20_one_usage_chunk_at_the_end_when_asked(client, model):
    chunks = stream_of(client, model, stream_options={"include_usage": True})
    assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == []


def test_p20_usage_of_the_stream_is_the_usage_of_the_plain_answer(client):
    plain = client.chat.completions.create(model="gpt-4o", messages=ask("hi"))
    chunks = stream_of(client, "gpt-4o", stream_options={"include_usage": True})
    assert chunks[-1].usage == plain.usage


def test_p20_long_stream_arrives_whole_and_in_order(client):
    chunks = stream_of(client, "gpt-4o", "__chunks=500")
    assert content_of(chunks) == "".join(f"w{i} " for i in range(500))


@pytest.mark.parametrize("model", ["gpt-4o", "azure-gpt4"])
def test_p20_tool_call_in_a_stream(client, model):
    chunks = stream_of(client, model, "weather in Paris? __tool", tools=TOOLS)
    pieces = [call for c in chunks if c.choices for call in c.choices[0].delta.tool_calls or []]
    assert pieces[0].id == "call_mock_1"
    assert pieces[0].function.name == "get_weather"
    assert "".join(piece.function.arguments for piece in pieces) == '{"city":"Paris"}'
    assert finish_reasons(chunks) == ["tool_calls"]
    assert content_of(chunks) == ""


def test_the_stream_helper_of_the_sdk_accepts_our_events(client):
    with client.chat.completions.stream(model="gpt-4o", messages=ask("weather? __tool"), tools=TOOLS) as stream:
        names = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "tool_calls.function.arguments.done" in names
    assert final.choices[0].message.tool_calls[0].function.arguments == '{"city":"Paris"}'


def test_the_end_is_marked_once(client):
    with client.chat.completions.with_streaming_response.create(
        model="gpt-4o", messages=ask("hi"), stream=True
    ) as answer:
        lines = [line for line in answer.iter_lines() if line]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert lines[-1] == "data: [DONE]"
    assert lines.count("data: [DONE]") == 1


def test_leaving_a_stream_early_harms_nobody(client):
    with client.chat.completions.create(model="gpt-4o", messages=ask("__chunks=2000"), stream=True) as stream:
        next(iter(stream))
    answer = client.chat.completions.create(model="gpt-4o", messages=ask("hi"))
    assert answer.choices[0].message.content == TEXT


# __errmid: the provider sends an error event after two pieces. __hangmid: it drops the connection there.
@pytest.mark.parametrize("word", ["__errmid", "__hangmid"])
def test_p21_failure_in_mid_stream_is_told(client, word):
    seen = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in client.chat.completions.create(model="gpt-4o", messages=ask(word), stream=True):
            seen.append(chunk)
    assert not isinstance(caught.value, openai.APIConnectionError), "the connection was cut instead of an error event"
    assert TEXT.startswith(content_of(seen))


def test_p21_failure_before_the_first_chunk_is_an_http_error(client):
    with pytest.raises(openai.RateLimitError) as caught:
        stream_of(client, "gpt-4o", "__err=429")
    assert caught.value.status_code == 429
