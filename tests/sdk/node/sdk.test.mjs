// The official OpenAI client for Node against a real gateway over a mock provider: the list of ../python.
//
// Started by `npm test`, which runs rig.py: that starts both servers and says in the environment where they are.
// Words such as `__tool` or `__err=429` in a message tell the mock what to answer. The SDK's own retries are off.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import OpenAI, { AzureOpenAI } from "openai";

const url = process.env.WEIR_URL;
const masterKey = process.env.WEIR_MASTER_KEY;
assert.ok(url && masterKey, "no gateway: run this through rig.py (npm test)");

const TEXT = "Hello from mock.";
const TOOLS = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather in a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];
const VECTOR = [0.1, 0.2, -0.3];

const clientFor = (apiKey) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 20_000 });
const client = clientFor(masterKey);
const ask = (content) => [{ role: "user", content }];
const chat = (model, text = "hi", more = {}) => client.chat.completions.create({ model, messages: ask(text), ...more });

async function streamOf(model, text = "hi", more = {}) {
  const chunks = [];
  for await (const chunk of await chat(model, text, { stream: true, ...more })) chunks.push(chunk);
  return chunks;
}

const contentOf = (chunks) => chunks.map((c) => c.choices[0]?.delta?.content ?? "").join("");
const finishReasons = (chunks) => chunks.map((c) => c.choices[0]?.finish_reason).filter(Boolean);

function nearly(actual, expected) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6, `${value} is not ${expected[i]}`));
}

// A test that takes half a minute hangs.
const it = (name, body) => test(name, { timeout: 30_000 }, body);

// --- chat ---

for (const model of ["gpt-4o", "azure-gpt4"]) {
  it(`chat: ${model}`, async () => {
    const answer = await chat(model);
    assert.equal(answer.object, "chat.completion");
    assert.match(answer.id, /^chatcmpl-/);
    assert.equal(answer.choices[0].message.content, TEXT);
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.usage.prompt_tokens, 11);
    assert.equal(answer.usage.completion_tokens, 7);
  });

  it(`tool call: ${model}`, async () => {
    const answer = await chat(model, "weather in Paris? __tool", { tools: TOOLS });
    const call = answer.choices[0].message.tool_calls[0];
    assert.equal(answer.choices[0].finish_reason, "tool_calls");
    assert.equal(call.id, "call_mock_1");
    assert.equal(call.function.name, "get_weather");
    assert.deepEqual(JSON.parse(call.function.arguments), { city: "Paris" });
  });

  it(`p20 tool call in a stream: ${model}`, async () => {
    const chunks = await streamOf(model, "weather in Paris? __tool", { tools: TOOLS });
    const pieces = chunks.flatMap((c) => c.choices[0]?.delta?.tool_calls ?? []);
    assert.equal(pieces[0].id, "call_mock_1");
    assert.equal(pieces[0].function.name, "get_weather");
    assert.equal(pieces.map((p) => p.function.arguments).join(""), '{"city":"Paris"}');
    assert.deepEqual(finishReasons(chunks), ["tool_calls"]);
  });
}

it("a conversation goes on after a tool call", async () => {
  const asked = await chat("gpt-4o", "weather in Paris? __tool", { tools: TOOLS });
  const message = asked.choices[0].message;
  const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: "18 degrees" };
  const answer = await client.chat.completions.create({
    model: "gpt-4o",
    messages: [...ask("weather in Paris?"), message, result],
  });
  assert.equal(answer.choices[0].message.content, TEXT);
});

it("structured output is parsed", async () => {
  const schema = { type: "object", properties: { answer: { type: "integer" } }, required: ["answer"] };
  const answer = await client.chat.completions.parse({
    model: "gpt-4o",
    messages: ask("the answer?"),
    response_format: { type: "json_schema", json_schema: { name: "answer", schema } },
  });
  assert.deepEqual(JSON.parse(answer.choices[0].message.content), { answer: 42 });
});

it("fields that nobody here knows reach the provider", async () => {
  // The mock looks for its control words in the whole body, so four cached tokens prove that the field arrived.
  const answer = await chat("gpt-4o", "hi", { next_years_field: { deep: ["__cached"] } });
  assert.equal(answer.usage.prompt_tokens_details.cached_tokens, 4);
});

it("headers tell call, deployment and cost", async () => {
  const { response } = await chat("gpt-4o").withResponse();
  assert.ok(response.headers.get("x-litellm-call-id"));
  assert.ok(response.headers.get("x-litellm-model-id"));
  assert.ok(Number(response.headers.get("x-litellm-response-cost")) > 0);
});

// --- streams ---

for (const model of ["gpt-4o", "azure-gpt4", "demo"]) {
  it(`p20 stream says what the plain answer says: ${model}`, async () => {
    const plain = await chat(model);
    const chunks = await streamOf(model);
    assert.equal(contentOf(chunks), plain.choices[0].message.content);
    assert.deepEqual(finishReasons(chunks), [plain.choices[0].finish_reason]);
    assert.ok(chunks.filter((c) => contentOf([c])).length > 1, "it came in one piece, so it was not streamed");
  });

  it(`p20 all chunks have one id: ${model}`, async () => {
    const ids = new Set((await streamOf(model, "hi", { stream_options: { include_usage: true } })).map((c) => c.id));
    assert.equal(ids.size, 1);
  });

  it(`p20 usage chunk only when asked: ${model}`, async () => {
    const silent = await streamOf(model);
    assert.ok(silent.every((c) => !c.usage && c.choices.length > 0));
    const asked = await streamOf(model, "hi", { stream_options: { include_usage: true } });
    assert.deepEqual(asked.map((c) => Boolean(c.usage)), [...Array(asked.length - 1).fill(false), true]);
    assert.deepEqual(asked.at(-1).choices, []);
  });
}

it("p20 long stream arrives whole and in order", async () => {
  const expected = Array.from({ length: 500 }, (_, i) => `w${i} `).join("");
  assert.equal(contentOf(await streamOf("gpt-4o", "__chunks=500")), expected);
});

it("the stream helper of the SDK accepts our events", async () => {
  const runner = client.chat.completions.stream({ model: "gpt-4o", messages: ask("weather? __tool"), tools: TOOLS });
  const final = await runner.finalChatCompletion();
  assert.equal(final.choices[0].message.tool_calls[0].function.arguments, '{"city":"Paris"}');
});

it("leaving a stream early harms nobody", async () => {
  for await (const chunk of await chat("gpt-4o", "__chunks=2000", { stream: true })) {
    assert.ok(chunk.id);
    break; // the SDK aborts the request
  }
  assert.equal((await chat("gpt-4o")).choices[0].message.content, TEXT);
});

// __errmid: the provider sends an error event after two pieces. __hangmid: it drops the connection there.
for (const word of ["__errmid", "__hangmid"]) {
  it(`p21 failure in mid-stream is told: ${word}`, async () => {
    await assert.rejects(streamOf("gpt-4o", word), (error) => {
      assert.ok(error instanceof OpenAI.APIError, `an error event, not a cut connection: ${error}`);
      return !(error instanceof OpenAI.APIConnectionError);
    });
  });
}

// --- embeddings and models ---

it("embedding as the SDK asks by default", async () => {
  const answer = await client.embeddings.create({ model: "emb-small", input: "one text" });
  nearly(answer.data[0].embedding, VECTOR);
});

it("embeddings as floats", async () => {
  const answer = await client.embeddings.create({ model: "emb-small", input: ["one", "two"], encoding_format: "float" });
  assert.deepEqual(answer.data.map((item) => item.embedding), [VECTOR, VECTOR]);
});

it("embeddings as base64", async () => {
  const answer = await client.embeddings.create({ model: "emb-small", input: "one", encoding_format: "base64" });
  const bytes = Buffer.from(answer.data[0].embedding, "base64");
  nearly([0, 4, 8].map((offset) => bytes.readFloatLE(offset)), VECTOR);
});

it("models are listed", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  for (const id of ["gpt-4o", "azure-gpt4", "emb-small", "demo"]) assert.ok(ids.includes(id), `${id} is not listed`);
});

it("one model is retrieved", async () => {
  assert.equal((await client.models.retrieve("gpt-4o")).id, "gpt-4o");
});

it("a model that is not there", async () => {
  await assert.rejects(client.models.retrieve("no-such-model"), OpenAI.NotFoundError);
});

// --- errors ---

it("bad key", async () => {
  const stranger = clientFor("sk-nobody-knows-this-key");
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
  await assert.rejects(
    stranger.chat.completions.create({ model: "gpt-4o", messages: ask("hi") }),
    OpenAI.AuthenticationError,
  );
});

it("unknown model", async () => {
  await assert.rejects(chat("no-such-model"), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError, String(error));
    return error.message.includes("no-such-model");
  });
});

const PROVIDER_ERRORS = [
  [400, OpenAI.BadRequestError, "mock bad request: field x is invalid"],
  [401, OpenAI.AuthenticationError, "Incorrect API key provided"],
  [404, OpenAI.NotFoundError, "does not exist"],
  [429, OpenAI.RateLimitError, "mock rate limit reached"],
  [500, OpenAI.InternalServerError, "mock internal error"],
  [503, OpenAI.InternalServerError, "mock overloaded"],
];
for (const [status, kind, message] of PROVIDER_ERRORS) {
  it(`p28 provider error keeps status and message: ${status}`, async () => {
    await assert.rejects(chat("gpt-4o", `__err=${status}`), (error) => {
      assert.ok(error instanceof kind, String(error));
      assert.equal(error.status, status);
      return error.message.includes(message);
    });
  });
}

it("p21 failure before the first chunk is an HTTP error", async () => {
  await assert.rejects(streamOf("gpt-4o", "__err=429"), OpenAI.RateLimitError);
});

for (const model of ["gpt-4o", "azure-gpt4"]) {
  it(`context window exceeded: ${model}`, async () => {
    await assert.rejects(chat(model, "__ctx"), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, String(error));
      return error.message.includes("maximum context length is 8192 tokens");
    });
  });
}

// --- Azure: /openai/deployments/{model}/... with the key in `api-key` ---

describe("the Azure client", () => {
  const azure = new AzureOpenAI({ endpoint: url, apiKey: masterKey, apiVersion: "2024-10-21", maxRetries: 0 });

  for (const model of ["azure-gpt4", "gpt-4o"]) {
    it(`chat: ${model}`, async () => {
      const answer = await azure.chat.completions.create({ model, messages: ask("hi") });
      assert.equal(answer.choices[0].message.content, TEXT);
    });
  }

  it("stream", async () => {
    const chunks = [];
    const stream = await azure.chat.completions.create({ model: "azure-gpt4", messages: ask("hi"), stream: true });
    for await (const chunk of stream) chunks.push(chunk);
    assert.equal(contentOf(chunks), TEXT);
  });

  it("embeddings", async () => {
    nearly((await azure.embeddings.create({ model: "emb-small", input: "x" })).data[0].embedding, VECTOR);
  });
});

// --- virtual keys ---

describe("a virtual key", () => {
  const made = [];

  async function manage(path, body) {
    const headers = { authorization: `Bearer ${masterKey}`, "content-type": "application/json" };
    const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
    return answer.json();
  }

  async function makeKey(settings) {
    const { key } = await manage("/key/generate", settings);
    made.push(key);
    return key;
  }

  after(async () => {
    if (made.length > 0) await manage("/key/delete", { keys: made });
  });

  it("may do what it may", async () => {
    const key = await makeKey({ key_alias: "node-allowed", models: ["gpt-4o"] });
    const mine = clientFor(key);
    const answer = await mine.chat.completions.create({ model: "gpt-4o", messages: ask("hi") });
    assert.equal(answer.choices[0].message.content, TEXT);
    await assert.rejects(
      mine.chat.completions.create({ model: "azure-gpt4", messages: ask("hi") }),
      OpenAI.AuthenticationError,
    );
  });

  it("sees its models only", async () => {
    const key = await makeKey({ key_alias: "node-listing", models: ["emb-small"] });
    const { data } = await clientFor(key).models.list();
    assert.deepEqual(data.map((model) => model.id), ["emb-small"]);
  });
});
