import openai
import pytest
from conftest import ask


def failing(client, error, model="gpt-4o", text="hi"):
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=model, messages=ask(text))
    return caught.value


def test_bad_key(make_client):
    error = failing(make_client(api_key="sk-nobody-knows-this-key"), openai.AuthenticationError)
    assert error.status_code == 401
    assert "sk-nobody-knows-this-key" not in str(error)


def test_bad_key_on_the_model_list(make_client):
    with pytest.raises(openai.AuthenticationError):
        make_client(api_key="sk-nobody-knows-this-key").models.list()


def test_unknown_model(client):
    error = failing(client, openai.BadRequestError, model="no-such-model")
    assert error.status_code == 400
    assert "no-such-model" in error.message


def test_unknown_embedding_model(client):
    with pytest.raises(openai.BadRequestError, match="no-such-model"):
        client.embeddings.create(model="no-such-model", input="x")


@pytest.mark.parametrize("model", ["gpt-4o", "azure-gpt4"])
def test_p28_rate_limit_of_the_provider(client, model):
    error = failing(client, openai.RateLimitError, model=model, text="__err=429")
    assert error.status_code == 429
    assert error.body["message"]


# What the provider said is what the client reads, status and message.
@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (400, openai.BadRequestError, "mock bad request: field x is invalid"),
        (401, openai.AuthenticationError, "Incorrect API key provided"),
        (403, openai.PermissionDeniedError, "mock forbidden"),
        (404, openai.NotFoundError, "does not exist"),
        (429, openai.RateLimitError, "mock rate limit reached"),
        (500, openai.InternalServerError, "mock internal error"),
        (503, openai.InternalServerError, "mock overloaded"),
    ],
)
def test_p28_provider_errors_keep_status_and_message(client, code, kind, message):
    error = failing(client, kind, text=f"__err={code}")
    assert error.status_code == code
    assert message in error.message


@pytest.mark.parametrize("model", ["gpt-4o", "azure-gpt4"])
def test_context_window_exceeded(client, model):
    error = failing(client, openai.BadRequestError, model=model, text="__ctx")
    assert "maximum context length is 8192 tokens" in error.message


def test_p36_a_body_may_not_name_another_address(client):
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(
            model="gpt-4o", messages=ask("hi"), extra_body={"api_base": "http://127.0.0.1:9/v1"}
        )
    assert 400 <= caught.value.status_code < 500
    assert "api_base" in caught.value.message
