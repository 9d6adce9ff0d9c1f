"""The Responses API: native where the provider has it (openai), bridged to all others."""

import json
import uuid

import openai
import pytest
from conftest import CALLS, CONCLUSION, TEXT, UPSTREAMS, WEATHER

BRIDGED = [upstream for upstream in UPSTREAMS if upstream != "openai"]
TOOLS = [
    {
        "type": "function",
        "name": "get_weather",
        "description": "The weather in a city.",
        "strict": False,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]
TEXT_EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]
CALL_EVENTS = [
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
]
over_all = pytest.mark.parametrize("upstream", UPSTREAMS)
plain_and_streamed = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])


def respond(client, upstream, text="hi", **more):
    return client.responses.create(model=f"on-{upstream}", input=text, **more)


def respond_either_way(client, upstream, streamed, text, **more):
    """The response, through the SDK's own assembly of events when it is streamed."""
    if not streamed:
        return respond(client, upstream, text, **more)
    with client.responses.stream(model=f"on-{upstream}", input=text, **more) as stream:
        return stream.get_final_response()


def kinds(events):
    """The types in their order, repetitions left out."""
    return list(dict.fromkeys(event.type for event in events))


def calls_in(response):
    return [item for item in response.output if item.type == "function_call"]


def named(calls):
    return [(call.name, json.loads(call.arguments)) for call in calls]


def outputs_for(calls, *texts):
    pairs = zip(calls, texts, strict=True)
    return [{"type": "function_call_output", "call_id": call.call_id, "output": text} for call, text in pairs]


# --- text ---


@over_all
def test_plain_response(client, upstream):
    response = respond(client, upstream)
    assert (response.object, response.status, response.error) == ("response", "completed", None)
    assert response.id.startswith("resp_")
    assert response.output_text == TEXT
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (11, 7, 18)


@over_all
def test_p26_text_comes_with_all_its_events(client, upstream):
    events = list(respond(client, upstream, stream=True))
    assert kinds(events) == TEXT_EVENTS
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert "".join(event.delta for event in deltas) == TEXT
    assert len(deltas) > 1, "it came in one piece, so it was not streamed"


@over_all
def test_p26_ids_hold_through_the_stream(client, upstream):
    events = list(respond(client, upstream, stream=True))
    assert len({event.response.id for event in events if hasattr(event, "response")}) == 1
    items = {event.item.id for event in events if hasattr(event, "item")}
    assert {event.item_id for event in events if hasattr(event, "item_id")} == items
    assert {item.id for item in events[-1].response.output} == items


@over_all
def test_p20_stream_says_what_the_plain_response_says(client, upstream):
    plain, streamed = (respond_either_way(client, upstream, way, "hi") for way in (False, True))
    assert streamed.output_text == plain.output_text
    assert streamed.status == plain.status
    assert streamed.usage.to_dict() == plain.usage.to_dict()


@over_all
def test_a_response_that_is_cut_is_incomplete(client, upstream):
    response = respond(client, upstream, "__length", max_output_tokens=16)
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"
    last = list(respond(client, upstream, "__length", max_output_tokens=16, stream=True))[-1]
    assert last.type == "response.incomplete"


# --- tools ---


@over_all
@plain_and_streamed
def test_parallel_function_calls(client, upstream, streamed):
    response = respond_either_way(client, upstream, streamed, WEATHER, tools=TOOLS)
    calls = calls_in(response)
    assert named(calls) == CALLS
    assert len({call.call_id for call in calls}) == len({call.id for call in calls}) == 2


@over_all
def test_p26_function_calls_come_with_all_their_events(client, upstream):
    events = list(respond(client, upstream, WEATHER, tools=TOOLS, stream=True))
    calls = calls_in(events[-1].response)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    for call, (_, arguments) in zip(calls, CALLS, strict=True):
        index = events[-1].response.output.index(call)
        mine = [event for event in events if getattr(event, "output_index", None) == index]
        assert kinds(mine) == CALL_EVENTS
        assert mine[0].item.call_id == call.call_id
        assert {event.item_id for event in mine if hasattr(event, "item_id")} == {call.id}
        pieces = [event.delta for event in mine if event.type == "response.function_call_arguments.delta"]
        assert json.loads("".join(pieces)) == arguments


@over_all
@plain_and_streamed
def test_conversation_goes_on_after_function_calls(client, received, upstream, streamed):
    question = [{"role": "user", "content": WEATHER}]
    response = respond_either_way(client, upstream, streamed, question, tools=TOOLS)
    said = [item.to_dict() for item in response.output]
    outputs = outputs_for(calls_in(response), "18 degrees", "no such city")
    received()
    answer = respond_either_way(client, upstream, streamed, [*question, *said, *outputs], tools=TOOLS)
    assert answer.output_text == CONCLUSION
    (sent,) = received()
    assert "18 degrees" in sent
    assert "no such city" in sent


# --- what is kept ---


@over_all
@plain_and_streamed
def test_p26_previous_response_id_brings_the_conversation_back(client, received, upstream, streamed):
    # `instructions` are not part of what is kept; here they name the script to a provider that keeps the rest itself.
    more = {"tools": TOOLS, "instructions": "__script=weather"}
    first = respond_either_way(client, upstream, streamed, WEATHER, **more)
    outputs = outputs_for(calls_in(first), "18 degrees", "no such city")
    received()
    second = respond_either_way(client, upstream, streamed, outputs, previous_response_id=first.id, **more)
    assert second.output_text == CONCLUSION
    assert second.previous_response_id == first.id
    (sent,) = received()
    assert "18 degrees" in sent
    if upstream != "openai":
        assert "the weather in Paris" in sent, "the question was forgotten"
        assert "quoted" in sent, "the calls were forgotten"


@pytest.mark.parametrize("upstream", BRIDGED)
def test_p26_a_chain_of_responses_remembers_its_start(client, received, upstream):
    mark = uuid.uuid4().hex
    last = respond(client, upstream, f"my word is {mark}")
    for _ in range(3):
        last = respond(client, upstream, "and then?", previous_response_id=last.id)
    sent = received()
    assert all(mark in body for body in sent)
    assert sent[-1].count(TEXT) == 3


@over_all
@plain_and_streamed
def test_a_response_is_retrieved_and_deleted(client, upstream, streamed):
    made = respond_either_way(client, upstream, streamed, "hi", store=True)
    found = client.responses.retrieve(made.id)
    assert (found.id, found.status, found.output_text) == (made.id, "completed", TEXT)
    client.responses.delete(made.id)


@pytest.mark.parametrize("upstream", BRIDGED)
def test_a_deleted_response_is_gone(client, upstream):
    made = respond(client, upstream)
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.APIStatusError):
        respond(client, upstream, previous_response_id=made.id)


@pytest.mark.parametrize("upstream", BRIDGED)
def test_a_response_that_is_not_to_be_stored_is_not(client, upstream):
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(respond(client, upstream, store=False).id)


@over_all
def test_input_items_are_listed(client, upstream):
    made = respond(client, upstream, "Hello.")
    items = client.responses.input_items.list(made.id).data
    assert [(item.type, item.role, item.content[0].text) for item in items] == [("message", "user", "Hello.")]


@pytest.mark.parametrize("upstream", ["openai", "anthropic"])
def test_p26_another_key_does_not_find_the_response(make_client, manage, upstream):
    owner, stranger = (make_client(api_key=manage("/key/generate", {})["key"]) for _ in range(2))
    made = respond(owner, upstream)
    assert owner.responses.retrieve(made.id).id == made.id
    for attempt in (
        lambda: stranger.responses.retrieve(made.id),
        lambda: stranger.responses.delete(made.id),
        lambda: respond(stranger, upstream, previous_response_id=made.id),
    ):
        with pytest.raises(openai.NotFoundError):
            attempt()


# --- reasoning ---


@pytest.mark.parametrize("upstream", ["openai", "anthropic", "bedrock", "ollama", "gemini"])
@plain_and_streamed
def test_reasoning_is_an_item(client, upstream, streamed):
    more = {"reasoning": {"effort": "low", "summary": "auto"}}
    response = respond_either_way(client, upstream, streamed, "__think", **more)
    assert [item.type for item in response.output] == ["reasoning", "message"]
    reasoning = response.output[0]
    assert [part.text for part in [*reasoning.summary, *(reasoning.content or [])]] == ["hmm"]


@pytest.mark.parametrize("upstream", ["anthropic", "bedrock"])
@plain_and_streamed
def test_sealed_reasoning_returns_to_the_provider(client, received, upstream, streamed):
    more = {
        "tools": TOOLS,
        "store": False,
        "reasoning": {"effort": "low"},
        "include": ["reasoning.encrypted_content"],
    }
    question = [{"role": "user", "content": WEATHER}]
    response = respond_either_way(client, upstream, streamed, question, **more)
    assert response.output[0].type == "reasoning"
    assert response.output[0].encrypted_content
    said = [item.to_dict() for item in response.output]
    outputs = outputs_for(calls_in(response), "18 degrees", "no such city")
    received()
    respond_either_way(client, upstream, streamed, [*question, *said, *outputs], **more)
    (sent,) = received()
    assert "sig==" in sent, "the signature that the mock gave did not come back"
    assert "Both cities at once." in sent


# --- errors ---


# Over the bridge only: the mock's own responses never fail.
@pytest.mark.parametrize("upstream", BRIDGED)
@pytest.mark.parametrize(("status", "kind"), [(400, openai.BadRequestError), (429, openai.RateLimitError)])
@plain_and_streamed
def test_p21_errors_before_the_first_byte(client, upstream, status, kind, streamed):
    with pytest.raises(kind) as caught:
        respond(client, upstream, f"__err={status}", stream=streamed)
    assert caught.value.status_code == status


@over_all
def test_p21_failure_in_mid_stream_is_told(client, upstream):
    seen = []
    try:
        seen += respond(client, upstream, "__errmid", stream=True)
    except openai.APIConnectionError:
        pytest.fail("the connection was cut instead of an error event")
    except openai.APIError:
        return
    assert seen[-1].type in ("error", "response.failed"), f"the last event was {seen[-1].type}"
