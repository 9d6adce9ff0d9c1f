import pydantic
import pytest
from conftest import TEXT, TOOLS, ask

MODELS = ["gpt-4o", "azure-gpt4"]


@pytest.mark.parametrize("model", MODELS)
def test_chat(client, model):
    answer = client.chat.completions.create(model=model, messages=ask("hi"))
    assert answer.object == "chat.completion"
    assert answer.id.startswith("chatcmpl-")
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (11, 7, 18)


def test_several_choices(client):
    answer = client.chat.completions.create(model="gpt-4o", messages=ask("hi"), n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert {choice.message.content for choice in answer.choices} == {TEXT}


@pytest.mark.parametrize("model", MODELS)
def test_tool_call(client, model):
    answer = client.chat.completions.create(model=model, messages=ask("weather in Paris? __tool"), tools=TOOLS)
    call = answer.choices[0].message.tool_calls[0]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None
    assert call.id == "call_mock_1"
    assert call.function.name == "get_weather"
    assert call.function.arguments == '{"city":"Paris"}'


def test_conversation_goes_on_after_a_tool_call(client):
    asked = client.chat.completions.create(model="gpt-4o", messages=ask("weather in Paris? __tool"), tools=TOOLS)
    message = asked.choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "18 degrees"}
    answer = client.chat.completions.create(model="gpt-4o", messages=[*ask("weather in Paris?"), message, result])
    assert answer.choices[0].message.content == TEXT


def test_structured_output_is_parsed(client):
    class Answer(pydantic.BaseModel):
        answer: int

    parsed = client.chat.completions.parse(model="gpt-4o", messages=ask("the answer?"), response_format=Answer)
    assert parsed.choices[0].message.parsed == Answer(answer=42)


def test_fields_that_nobody_here_knows_reach_the_provider(client):
    # The mock looks for its control words in the whole body, so four cached tokens prove that the field arrived.
    unknown = {"next_years_field": {"deep": ["__cached"]}}
    answer = client.chat.completions.create(model="gpt-4o", messages=ask("hi"), extra_body=unknown)
    assert answer.usage.prompt_tokens_details.cached_tokens == 4


def test_mock_response_needs_no_provider(client):
    answer = client.chat.completions.create(model="demo", messages=ask("hi"))
    assert answer.choices[0].message.content == "Hello from the demo model."
    assert answer.choices[0].finish_reason == "stop"


def test_headers_tell_call_deployment_and_cost(client):
    answer = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=ask("hi"))
    assert answer.headers["x-litellm-call-id"]
    assert answer.headers["x-litellm-model-id"]
    assert float(answer.headers["x-litellm-response-cost"]) > 0


def test_every_call_has_an_id_of_its_own(client):
    raw = client.chat.completions.with_raw_response
    ids = {raw.create(model="gpt-4o", messages=ask("hi")).headers["x-litellm-call-id"] for _ in range(5)}
    assert len(ids) == 5
