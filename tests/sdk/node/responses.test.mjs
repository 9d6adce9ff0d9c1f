// Responses, and chat over every provider's API, by the official OpenAI client for Node: the core of ../python's list.
//
// Model on-X has provider X behind it, see rig.py; there are the scripts that `__script=NAME` chooses, too.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const url = process.env.WEIR_URL;
const masterKey = process.env.WEIR_MASTER_KEY;
assert.ok(url && masterKey, "no gateway: run this through rig.py (npm test)");

const UPSTREAMS = ["openai", "anthropic", "bedrock", "ollama", "gemini", "cohere"];
const TEXT = "Hello from mock.";
const WEATHER = "the weather in Paris and Zürich? __script=weather";
const CALLS = [
  ["get_weather", { city: "Paris" }],
  ["get_weather", { city: "Zürich", days: [1, 2], note: 'a "quoted" \\ word\n' }],
];
const CONCLUSION = "Paris has 18 degrees, Zürich is unknown.";
const DECLARED = {
  name: "get_weather",
  description: "The weather in a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
const CHAT_TOOLS = [{ type: "function", function: DECLARED }];
const TOOLS = [{ type: "function", strict: false, ...DECLARED }];
const TEXT_EVENTS = [
  "response.created",
  "response.in_progress",
  "response.output_item.added",
  "response.content_part.added",
  "response.output_text.delta",
  "response.output_text.done",
  "response.content_part.done",
  "response.output_item.done",
  "response.completed",
];

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: masterKey, maxRetries: 0, timeout: 20_000 });
const it = (name, body) => test(name, { timeout: 30_000 }, body);
const respond = (upstream, input, more = {}) => client.responses.create({ model: `on-${upstream}`, input, ...more });
const streamed = (upstream, input, more = {}) =>
  client.responses.stream({ model: `on-${upstream}`, input, ...more }).finalResponse();
const WAYS = [["plain", respond], ["streamed", streamed]];

async function all(stream) {
  const events = [];
  for await (const event of await stream) events.push(event);
  return events;
}

const callsIn = (response) => response.output.filter((item) => item.type === "function_call");
const named = (calls) => calls.map((call) => [call.name, JSON.parse(call.arguments)]);
const outputsFor = (calls) =>
  calls.map((call) => ({ type: "function_call_output", call_id: call.call_id, output: "18 degrees" }));

for (const upstream of UPSTREAMS) {
  // --- responses ---

  it(`p26 events of a response: ${upstream}`, async () => {
    const events = await all(respond(upstream, "hi", { stream: true }));
    assert.deepEqual([...new Set(events.map((event) => event.type))], TEXT_EVENTS);
    assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
    assert.equal(new Set(events.filter((event) => event.response).map((event) => event.response.id)).size, 1);
  });

  for (const [way, ask] of WAYS) {
    it(`p20 text and usage of a response: ${upstream}, ${way}`, async () => {
      const response = await ask(upstream, "hi");
      assert.equal(response.status, "completed");
      assert.equal(response.output_text, TEXT);
      assert.deepEqual([response.usage.input_tokens, response.usage.output_tokens], [11, 7]);
    });

    it(`function calls are made and answered: ${upstream}, ${way}`, async () => {
      const question = [{ role: "user", content: WEATHER }];
      const response = await ask(upstream, question, { tools: TOOLS });
      const calls = callsIn(response);
      assert.deepEqual(named(calls), CALLS);
      const said = response.output.map(({ parsed_arguments, ...item }) => item); // the SDK's own addition
      const answer = await ask(upstream, [...question, ...said, ...outputsFor(calls)], { tools: TOOLS });
      assert.equal(answer.output_text, CONCLUSION);
    });

    it(`p26 previous_response_id: ${upstream}, ${way}`, async () => {
      const more = { tools: TOOLS, instructions: "__script=weather" };
      const first = await ask(upstream, WEATHER, more);
      const second = await ask(upstream, outputsFor(callsIn(first)), { previous_response_id: first.id, ...more });
      assert.equal(second.output_text, CONCLUSION);
      assert.equal(second.previous_response_id, first.id);
    });

    it(`a response is retrieved and deleted: ${upstream}, ${way}`, async () => {
      const made = await ask(upstream, "hi", { store: true });
      const found = await client.responses.retrieve(made.id);
      assert.deepEqual([found.id, found.output_text], [made.id, TEXT]);
      await client.responses.delete(made.id);
      if (upstream === "openai") return; // the mock of OpenAI finds any id
      await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
    });
  }

  // --- chat ---

  it(`p20 chat streamed and plain: ${upstream}`, async () => {
    const asked = { model: `on-${upstream}`, messages: [{ role: "user", content: "hi" }] };
    const plain = await client.chat.completions.create(asked);
    assert.equal(plain.choices[0].message.content, TEXT);
    assert.deepEqual([plain.usage.prompt_tokens, plain.usage.completion_tokens], [11, 7]);
    const options = { stream: true, stream_options: { include_usage: true } };
    const chunks = await all(client.chat.completions.create({ ...asked, ...options }));
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join(""), TEXT);
    assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
    assert.deepEqual(chunks.at(-1).usage, plain.usage);
  });

  it(`chat calls tools and hears their results: ${upstream}`, async () => {
    const messages = [{ role: "user", content: WEATHER }];
    const asked = { model: `on-${upstream}`, tools: CHAT_TOOLS };
    const final = await client.chat.completions.stream({ ...asked, messages }).finalChatCompletion();
    const { message, finish_reason: reason } = final.choices[0];
    assert.equal(reason, "tool_calls");
    assert.deepEqual(named(message.tool_calls.map((call) => call.function)), CALLS);
    const { role, content, tool_calls: calls } = message;
    const said = { role, content, tool_calls: calls.map(({ id, type, function: f }) => ({ id, type, function: { name: f.name, arguments: f.arguments } })) };
    const results = calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: "18 degrees" }));
    const answer = await client.chat.completions.create({ ...asked, messages: [...messages, said, ...results] });
    assert.equal(answer.choices[0].message.content, CONCLUSION);
  });

  it(`p21 errors keep their kind: ${upstream}`, async () => {
    const asked = { model: `on-${upstream}`, messages: [{ role: "user", content: "__err=429" }] };
    await assert.rejects(client.chat.completions.create(asked), OpenAI.RateLimitError);
    await assert.rejects(client.chat.completions.create({ ...asked, stream: true }), OpenAI.RateLimitError);
  });
}
