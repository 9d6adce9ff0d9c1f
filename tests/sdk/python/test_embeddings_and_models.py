import base64
import struct

import openai
import pytest

VECTOR = [0.1, 0.2, -0.3]


def test_embedding_as_the_sdk_asks_by_default(client):
    # Without encoding_format the SDK asks for base64 and decodes it.
    answer = client.embeddings.create(model="emb-small", input="one text")
    assert answer.data[0].embedding == pytest.approx(VECTOR)
    assert answer.usage.prompt_tokens == 8


def test_embeddings_as_floats(client):
    answer = client.embeddings.create(model="emb-small", input=["one", "two"], encoding_format="float")
    assert [item.index for item in answer.data] == [0, 1]
    assert [item.embedding for item in answer.data] == [VECTOR, VECTOR]


def test_embeddings_as_base64(client):
    answer = client.embeddings.create(model="emb-small", input="one text", encoding_format="base64")
    text = answer.data[0].embedding
    assert isinstance(text, str)
    assert struct.unpack("<3f", base64.b64decode(text)) == pytest.approx(tuple(VECTOR))


def test_embedding_of_token_numbers(client):
    answer = client.embeddings.create(model="emb-small", input=[1, 2, 3], encoding_format="float")
    assert len(answer.data) == 1


def test_models_are_listed(client):
    ids = [model.id for model in client.models.list()]
    assert {"gpt-4o", "azure-gpt4", "emb-small", "demo"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_one_model_is_retrieved(client):
    model = client.models.retrieve("gpt-4o")
    assert (model.id, model.object) == ("gpt-4o", "model")


def test_a_model_that_is_not_there(client):
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")
