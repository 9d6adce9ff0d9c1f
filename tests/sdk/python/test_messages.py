"""Anthropic's client: Messages over every provider's API, with the events, tools and thinking that Claude Code needs."""

import anthropic
import pytest
from conftest import CALLS, CONCLUSION, TEXT, UPSTREAMS, WEATHER, ask

SIGNERS = ["anthropic", "bedrock"]  # give thinking a signature, and want it back
TOOLS = [
    {
        "name": "get_weather",
        "description": "The weather in a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]
THINKING = {"type": "enabled", "budget_tokens": 1024}
IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
over_all = pytest.mark.parametrize("upstream", UPSTREAMS)
plain_and_streamed = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])


@pytest.fixture(scope="session")
def claude(gateway):
    return anthropic.Anthropic(base_url=gateway.url, api_key=gateway.master_key, max_retries=0, timeout=20)


def arguments(upstream, messages, more):
    messages = ask(messages) if isinstance(messages, str) else messages
    return {"model": f"on-{upstream}", "max_tokens": 2048, "messages": messages} | more


def say(claude, upstream, messages="hi", **more):
    return claude.messages.create(**arguments(upstream, messages, more))


def say_either_way(claude, upstream, streamed, messages="hi", **more):
    """The message, through the SDK's own assembly of events when it is streamed."""
    if not streamed:
        return say(claude, upstream, messages, **more)
    with claude.messages.stream(**arguments(upstream, messages, more)) as stream:
        return stream.get_final_message()


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def calls_of(message):
    return [block for block in message.content if block.type == "tool_use"]


# --- text ---


@over_all
def test_plain_message(claude, upstream):
    message = say(claude, upstream)
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert message.id
    assert text_of(message) == TEXT
    assert (message.usage.input_tokens, message.usage.output_tokens) == (11, 7)


@over_all
def test_p25_events_come_in_their_order(claude, upstream):
    events = [event for event in say(claude, upstream, WEATHER, tools=TOOLS, stream=True) if event.type != "ping"]
    assert events[0].type == "message_start"
    assert events[0].message.content == []
    assert events[0].message.usage.input_tokens >= 0
    assert [event.type for event in events[-2:]] == ["message_delta", "message_stop"]
    assert events[-2].delta.stop_reason == "tool_use"
    assert events[-2].usage.output_tokens > 0
    blocks = events[1:-2]
    for index in range(blocks[-1].index + 1):
        mine = [event.type for event in blocks if event.index == index]
        assert mine[0] == "content_block_start"
        assert mine[-1] == "content_block_stop"
        assert set(mine[1:-1]) == {"content_block_delta"}
    assert [event.index for event in blocks] == sorted(event.index for event in blocks), "blocks overlap"


@over_all
def test_p20_stream_says_what_the_plain_message_says(claude, upstream):
    plain, streamed = (say_either_way(claude, upstream, way) for way in (False, True))
    assert text_of(streamed) == text_of(plain)
    assert streamed.stop_reason == plain.stop_reason
    assert (streamed.usage.input_tokens, streamed.usage.output_tokens) == (11, 7)


@over_all
def test_text_is_streamed_in_pieces(claude, upstream):
    with claude.messages.stream(**arguments(upstream, "__chunks=300", {})) as stream:
        pieces = list(stream.text_stream)
    assert "".join(pieces) == "".join(f"w{i} " for i in range(300))
    assert len(pieces) > 100


@over_all
@plain_and_streamed
def test_a_message_that_is_cut_says_so(claude, upstream, streamed):
    assert say_either_way(claude, upstream, streamed, "__length").stop_reason == "max_tokens"


@pytest.mark.parametrize(("upstream", "fresh"), [("anthropic", 11), ("bedrock", 11), ("openai", 7), ("gemini", 7)])
@plain_and_streamed
def test_p12_cached_tokens_are_apart_from_the_input(claude, upstream, fresh, streamed):
    usage = say_either_way(claude, upstream, streamed, "__cachehit").usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (fresh, 4, 7)
    if upstream in SIGNERS:
        assert usage.cache_creation_input_tokens == 2


# --- tools ---


@over_all
@plain_and_streamed
def test_p25_parallel_tools(claude, upstream, streamed):
    message = say_either_way(claude, upstream, streamed, WEATHER, tools=TOOLS)
    calls = calls_of(message)
    assert message.stop_reason == "tool_use"
    assert [(call.name, call.input) for call in calls] == CALLS
    assert len({call.id for call in calls}) == 2


@over_all
@plain_and_streamed
def test_p25_conversation_goes_on_after_tool_results(claude, received, upstream, streamed):
    more = {"tools": TOOLS}
    message = say_either_way(claude, upstream, streamed, WEATHER, **more)
    paris, zurich = calls_of(message)
    results = [
        {"type": "tool_result", "tool_use_id": paris.id, "content": [{"type": "text", "text": "18 degrees"}]},
        {"type": "tool_result", "tool_use_id": zurich.id, "content": "no such city: Zürich", "is_error": True},
    ]
    said = [block.to_dict() for block in message.content]
    conversation = [*ask(WEATHER), {"role": "assistant", "content": said}, {"role": "user", "content": results}]
    received()
    answer = say_either_way(claude, upstream, streamed, conversation, **more)
    assert text_of(answer) == CONCLUSION
    assert answer.stop_reason == "end_turn"
    (sent,) = received()
    for part in ("18 degrees", "no such city: Zürich", "quoted"):
        assert part in sent, f"{part} did not reach the provider"


@pytest.mark.parametrize("upstream", ["openai", "anthropic", "bedrock", "ollama", "gemini"])
def test_p25_an_image_in_a_tool_result_reaches_the_provider(claude, received, upstream):
    source = {"type": "base64", "media_type": "image/png", "data": IMAGE}
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "image", "source": source}]}
    conversation = [
        *ask("a picture of the sky, please"),
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    say(claude, upstream, conversation, tools=TOOLS)
    assert IMAGE in received()[0]


# --- thinking ---


@pytest.mark.parametrize("upstream", ["openai", "anthropic", "bedrock", "ollama", "gemini"])
@plain_and_streamed
def test_thinking_comes_before_the_text(claude, upstream, streamed):
    message = say_either_way(claude, upstream, streamed, "__think", thinking=THINKING)
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[0].thinking == "hmm"
    if upstream in SIGNERS:
        assert message.content[0].signature == "sig=="


@pytest.mark.parametrize("upstream", SIGNERS)
def test_thinking_returns_to_the_provider_with_its_signature(claude, received, upstream):
    more = {"tools": TOOLS, "thinking": THINKING}
    message = say_either_way(claude, upstream, True, WEATHER, **more)
    said = [block.to_dict() for block in message.content]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "18 degrees"} for call in calls_of(message)]
    received()
    say(claude, upstream, [*ask(WEATHER), {"role": "assistant", "content": said}, {"role": "user", "content": results}], **more)
    (sent,) = received()
    assert "Both cities at once." in sent
    assert "sig==" in sent


@pytest.mark.parametrize("upstream", SIGNERS)
def test_p24_cache_marks_reach_the_provider(claude, received, upstream):
    cached = {"type": "text", "text": "a long text", "cache_control": {"type": "ephemeral"}}
    tools = [TOOLS[0] | {"cache_control": {"type": "ephemeral"}}]
    say(claude, upstream, [{"role": "user", "content": [cached]}], system=[cached], tools=tools)
    # Bedrock's InvokeModel takes Anthropic's own marks.
    assert received()[0].count('"cache_control"') == 3


# --- counting ---


@over_all
def test_tokens_are_counted(claude, upstream):
    short = claude.messages.count_tokens(model=f"on-{upstream}", messages=ask("hi")).input_tokens
    assert short > 0
    if upstream == "anthropic":
        assert short == 11, "the provider has a count of its own"


# --- errors ---

ERRORS = [
    (400, anthropic.BadRequestError, "invalid_request_error"),
    (429, anthropic.RateLimitError, "rate_limit_error"),
    (500, anthropic.InternalServerError, "api_error"),
]


@over_all
@pytest.mark.parametrize(("status", "kind", "name"), ERRORS)
@plain_and_streamed
def test_p25_errors_have_the_shape_of_anthropic(claude, upstream, status, kind, name, streamed):
    with pytest.raises(kind) as caught:
        say(claude, upstream, f"__err={status}", stream=streamed)
    assert caught.value.status_code == status
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == name
    assert "mock" in caught.value.body["error"]["message"]


@over_all
def test_p21_failure_in_mid_stream_is_an_error_event(claude, upstream):
    seen = []
    with pytest.raises(anthropic.APIStatusError) as caught:
        seen.extend(say(claude, upstream, "__errmid", stream=True))
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"].endswith("_error")


def test_bad_key(gateway):
    stranger = anthropic.Anthropic(base_url=gateway.url, api_key="sk-nobody-knows-this-key", max_retries=0, timeout=20)
    with pytest.raises(anthropic.AuthenticationError) as caught:
        say(stranger, "anthropic")
    assert caught.value.body["error"]["type"] == "authentication_error"


def test_bearer_tokens_are_keys_too(gateway):
    bearer = anthropic.Anthropic(base_url=gateway.url, auth_token=gateway.master_key, max_retries=0, timeout=20)
    assert text_of(say(bearer, "openai")) == TEXT


def test_a_model_that_is_not_there(claude):
    with pytest.raises(anthropic.APIStatusError, match="on-nothing") as caught:
        say(claude, "nothing")
    assert caught.value.status_code in (400, 404)
    assert caught.value.body["type"] == "error"
