"""LangChain's ChatOpenAI, which many applications reach their models through."""

import pydantic
import pytest
from conftest import CALLS, CONCLUSION, TEXT, TOOLS, UPSTREAMS, WEATHER
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI

over_all = pytest.mark.parametrize("upstream", UPSTREAMS)
apis = pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])


@pytest.fixture(scope="session")
def model(gateway):
    def make(upstream, responses=False):
        return ChatOpenAI(
            model=f"on-{upstream}",
            base_url=f"{gateway.url}/v1",
            api_key=gateway.master_key,
            max_retries=0,
            timeout=20,
            use_responses_api=responses,
            stream_usage=True,
        )

    return make


def summed(chunks):
    total = None
    for chunk in chunks:
        total = chunk if total is None else total + chunk
    return total


@over_all
@apis
def test_invoke(model, upstream, responses):
    answer = model(upstream, responses).invoke("hi")
    assert answer.text == TEXT
    assert answer.usage_metadata["input_tokens"] == 11
    assert answer.usage_metadata["output_tokens"] == 7


@over_all
@apis
def test_stream(model, upstream, responses):
    chunks = list(model(upstream, responses).stream("hi"))
    assert len([chunk for chunk in chunks if chunk.text]) > 1
    assert summed(chunks).text == TEXT
    assert summed(chunks).usage_metadata["total_tokens"] == 18


@over_all
@apis
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_bound_tools_are_called_and_answered(model, upstream, responses, streamed):
    bound = model(upstream, responses).bind_tools(TOOLS)
    question = HumanMessage(WEATHER)
    message = summed(bound.stream([question])) if streamed else bound.invoke([question])
    assert [(call["name"], call["args"]) for call in message.tool_calls] == CALLS
    results = [ToolMessage("18 degrees", tool_call_id=call["id"]) for call in message.tool_calls]
    assert bound.invoke([question, message, *results]).text == CONCLUSION


class Answer(pydantic.BaseModel):
    """The answer to everything."""

    answer: int


@over_all
@apis
def test_structured_output(model, upstream, responses):
    structured = model(upstream, responses).with_structured_output(Answer)
    assert structured.invoke("the answer? __script=answer") == Answer(answer=42)


@pytest.mark.parametrize("upstream", ["openai", "anthropic"])
def test_structured_output_by_a_forced_tool(model, received, upstream):
    structured = model(upstream).with_structured_output(Answer, method="function_calling", include_raw=True)
    raw = structured.invoke("the answer?")["raw"]
    assert len(raw.tool_calls) == 1, "the tool was to be called whatever the model likes"
    assert "The answer to everything." in received()[0]
