"""A realtime session of the official client: over the gateway's WebSocket, with the gateway's key."""

import openai
import pytest
import websockets


def test_a_session_answers_with_text_and_usage(client):
    with client.realtime.connect(model="gpt-realtime") as session:
        assert session.recv().type == "session.created"
        session.response.create()
        events = []
        while not events or events[-1].type != "response.done":
            events.append(session.recv())
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "Hello there"
    assert events[-1].response.usage.total_tokens == 150


def test_a_stranger_reads_why_no_session_begins(gateway, make_client):
    with pytest.raises(websockets.InvalidStatus) as refused:
        make_client("sk-nobody", openai.OpenAI).realtime.connect(model="gpt-realtime").enter()
    assert refused.value.response.status_code == 401
    assert b"Authentication Error" in refused.value.response.body
