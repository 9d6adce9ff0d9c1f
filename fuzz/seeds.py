#!/usr/bin/env python3
"""Writes the inputs that fuzzing begins with.

    seeds.py kept                     fuzz/corpus/TARGET/: the hand-written ones below, kept in the repository
    seeds.py recorded SHARED FOLDER   FOLDER/TARGET/: out of the recordings of SHARED, for one run

Files that are named `found-…` are inputs that once broke something; they are left alone. Standard library only.
"""

import base64
import json
import pathlib
import struct
import sys
import zlib

KEPT = pathlib.Path(__file__).parent / "corpus"


def text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sse(*events, done=False):
    """Events without a name."""
    return "".join(f"data: {text(e)}\n\n" for e in events) + ("data: [DONE]\n\n" if done else "")


def named(*events):
    """Events that are named after their type."""
    return "".join(f"event: {e['type']}\ndata: {text(e)}\n\n" for e in events)


def lines(*values):
    return "".join(text(v) + "\n" for v in values)


def kinds(*frames):
    """AWS's messages as the targets read them: a kind and a payload to a line."""
    return "".join(f"{kind} {text(payload)}\n" for kind, payload in frames)


# --- OpenAI's chat ---


def chunk(delta=None, finish=None, **more):
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def call_delta(index, arguments, **head):
    function = {"arguments": arguments, **({"name": head.pop("name")} if "name" in head else {})}
    return {"tool_calls": [{"index": index, "function": function, **head}]}


OPENAI_USAGE = {
    "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13,
    "prompt_tokens_details": {"cached_tokens": 3}, "completion_tokens_details": {"reasoning_tokens": 2},
}
CALL = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}
OPENAI_STREAMS = {
    "text": sse(chunk({"role": "assistant", "content": ""}), chunk({"content": "one "}), chunk({"content": "two"}),
                chunk(finish="stop"), {**chunk(), "choices": [], "usage": OPENAI_USAGE}, done=True),
    "calls": sse(chunk(call_delta(0, "", id="t1", type="function", name="f")), chunk(call_delta(0, "{\"a\"")),
                 chunk(call_delta(1, "{}", id="t2", type="function", name="g")), chunk(call_delta(0, ":1}")),
                 chunk(finish="tool_calls"), done=True),
    "thoughts": sse(chunk({"reasoning_content": "hm"}), chunk({"reasoning": "and"}), chunk({"content": "so"}),
                    chunk({"annotations": [{"type": "url_citation", "url_citation": {"url": "https://x", "title": "X",
                           "start_index": 0, "end_index": 2}}]}), chunk(finish="length"), done=True),
    "refusal": sse(chunk({"refusal": "no"}), chunk(finish="content_filter"), done=True),
    "error": sse(chunk({"content": "a"}), {"error": {"message": "overloaded", "type": "server_error", "code": 503}}),
}
OPENAI_ANSWERS = {
    "text": {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "usage": OPENAI_USAGE,
             "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]},
    "calls": {"id": "c1", "model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
        "role": "assistant", "content": None, "reasoning_content": "hm", "refusal": None,
        "annotations": [{"type": "url_citation", "url_citation": {"url": "https://x", "title": "X"}}],
        "tool_calls": [CALL, {"id": "t2", "type": "custom", "custom": {"name": "c", "input": "x"}}]}}]},
    "error": {"error": {"message": "no", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}},
}
SCHEMA = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]}
FUNCTION = {"name": "f", "description": "does", "parameters": SCHEMA, "strict": True}
PNG = "data:image/png;base64,QUJD"
OPENAI_REQUESTS = {
    "plain": {"model": "m", "messages": [{"role": "system", "content": "be"}, {"role": "user", "content": "hi"}],
              "temperature": 0.5, "top_p": 1, "max_tokens": 9, "stop": ["x"], "seed": 1, "stream": True,
              "stream_options": {"include_usage": True}, "user": "u", "metadata": {"a": "b"}},
    "tools": {"model": "m", "tools": [{"type": "function", "function": FUNCTION}], "tool_choice": "required",
              "parallel_tool_calls": False, "messages": [
                  {"role": "user", "content": [{"type": "text", "text": "see"},
                                               {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}]},
                  {"role": "assistant", "content": None, "tool_calls": [CALL]},
                  {"role": "tool", "tool_call_id": "t1", "content": "42"}]},
    "formats": {"model": "m", "reasoning_effort": "high", "n": 1, "logprobs": True, "top_logprobs": 2,
                "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}},
                "messages": [{"role": "developer", "content": "be", "cache_control": {"type": "ephemeral"}},
                             {"role": "user", "name": "n", "content": [
                                 {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
                                 {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="}}]}]},
}

# --- Anthropic's Messages ---

ANTHROPIC_USAGE = {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 3,
                   "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2}}


def message(**more):
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
            "stop_sequence": None, "usage": ANTHROPIC_USAGE, **more}


def block(index, start, *deltas):
    return [{"type": "content_block_start", "index": index, "content_block": start},
            *({"type": "content_block_delta", "index": index, "delta": d} for d in deltas),
            {"type": "content_block_stop", "index": index}]


def anthropic(*events, reason="end_turn", usage=True):
    end = {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}}
    return [{"type": "message_start", "message": message()}, {"type": "ping"}, *events,
            {**end, **({"usage": {"output_tokens": 7}} if usage else {})}, {"type": "message_stop"}]


ANTHROPIC_EVENTS = {
    "text": anthropic(*block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "hi"}, {
        "type": "citations_delta", "citation": {"type": "char_location", "cited_text": "x", "document_index": 0,
                                                "document_title": "t", "start_char_index": 0, "end_char_index": 1}})),
    "tools": anthropic(
        *block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "hm"},
               {"type": "signature_delta", "signature": "c2ln"}),
        *block(1, {"type": "redacted_thinking", "data": "eA=="}),
        *block(2, {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
               {"type": "input_json_delta", "partial_json": "{\"a\""}, {"type": "input_json_delta", "partial_json": ":1}"}),
        reason="tool_use"),
    "server": anthropic(
        *block(0, {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
               {"type": "input_json_delta", "partial_json": "{\"query\":\"x\"}"}),
        *block(1, {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}), reason="pause_turn"),
    "error": [{"type": "message_start", "message": message()},
              {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}],
}
ANTHROPIC_STREAMS = {name: named(*events) for name, events in ANTHROPIC_EVENTS.items()}
ANTHROPIC_ANSWERS = {
    "text": message(content=[{"type": "text", "text": "hi", "citations": [
        {"type": "web_search_result_location", "url": "https://x", "title": "X", "cited_text": "x", "encrypted_index": "e"}]}],
        stop_reason="stop_sequence", stop_sequence="x"),
    "tools": message(content=[{"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                              {"type": "redacted_thinking", "data": "eA=="},
                              {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                              {"type": "tool_use", "id": "t2", "name": "json_tool_call", "input": {"a": 1}}],
                     stop_reason="tool_use"),
    "error": {"type": "error", "error": {"type": "not_found_error", "message": "model: x"}},
}
EPHEMERAL = {"type": "ephemeral", "ttl": "1h"}
ANTHROPIC_REQUESTS = {
    "plain": {"model": "m", "max_tokens": 9, "system": "be", "messages": [{"role": "user", "content": "hi"}],
              "temperature": 1, "top_k": 3, "stop_sequences": ["x"], "metadata": {"user_id": "u"}, "stream": True},
    "tools": {"model": "m", "max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 1024},
              "system": [{"type": "text", "text": "be", "cache_control": EPHEMERAL}],
              "tools": [{"name": "f", "description": "does", "input_schema": SCHEMA},
                        {"type": "web_search_20250305", "name": "web_search", "max_uses": 1}],
              "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
              "messages": [
                  {"role": "user", "content": [
                      {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                      {"type": "document", "title": "d", "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                       "citations": {"enabled": True}}]},
                  {"role": "assistant", "content": [
                      {"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "redacted_thinking", "data": "eA=="},
                      {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}]},
                  {"role": "user", "content": [
                      {"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": [{"type": "text", "text": "no"}]},
                      {"type": "text", "text": "go on", "cache_control": EPHEMERAL}]}]},
    "adaptive": {"model": "m", "max_tokens": 9, "thinking": {"type": "adaptive"}, "output_config": {
        "effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
        "context_management": {"edits": []}, "messages": [{"role": "user", "content": "hi"}]},
}

# --- OpenAI's Responses ---

RESPONSES_USAGE = {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8, "input_tokens_details": {"cached_tokens": 1},
                   "output_tokens_details": {"reasoning_tokens": 2}}
OUTPUT_TEXT = {"type": "output_text", "text": "hi", "annotations": [
    {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 2}], "logprobs": []}
MESSAGE_ITEM = {"id": "m1", "type": "message", "status": "completed", "role": "assistant", "content": [OUTPUT_TEXT]}
REASONING_ITEM = {"id": "r1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "eA=="}
CALL_ITEM = {"id": "f1", "type": "function_call", "call_id": "t1", "name": "f", "arguments": "{\"a\":1}", "status": "completed"}
CUSTOM_ITEM = {"id": "u1", "type": "custom_tool_call", "call_id": "t2", "name": "c", "input": "x"}


def response(*output, status="completed", **more):
    return {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": status, "output": list(output),
            "usage": RESPONSES_USAGE, **more}


def responses(*events, end="completed", **last):
    first = response(status="in_progress")
    events = [{"type": "response.created", "response": first}, {"type": "response.in_progress", "response": first},
              *events, {"type": f"response.{end}", "response": response(status=end, **last)}]
    return named(*({**e, "sequence_number": n} for n, e in enumerate(events)))


def item(at, done, *events, **begun):
    return [{"type": "response.output_item.added", "output_index": at, "item": {**done, "status": "in_progress", **begun}},
            *({"output_index": at, "item_id": done["id"], **e} for e in events),
            {"type": "response.output_item.done", "output_index": at, "item": done}]


RESPONSES_STREAMS = {
    "text": responses(*item(
        0, MESSAGE_ITEM,
        {"type": "response.content_part.added", "content_index": 0, "part": {**OUTPUT_TEXT, "text": "", "annotations": []}},
        {"type": "response.output_text.delta", "content_index": 0, "delta": "hi"},
        {"type": "response.output_text.annotation.added", "content_index": 0, "annotation_index": 0,
         "annotation": OUTPUT_TEXT["annotations"][0]},
        {"type": "response.output_text.done", "content_index": 0, "text": "hi"},
        {"type": "response.content_part.done", "content_index": 0, "part": OUTPUT_TEXT}, content=[])),
    "calls": responses(
        *item(0, REASONING_ITEM,
              {"type": "response.reasoning_summary_part.added", "summary_index": 0, "part": {"type": "summary_text", "text": ""}},
              {"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": "hm"},
              {"type": "response.reasoning_summary_text.done", "summary_index": 0, "text": "hm"}, summary=[]),
        *item(1, CALL_ITEM, {"type": "response.function_call_arguments.delta", "delta": "{\"a\":1}"},
              {"type": "response.function_call_arguments.done", "arguments": "{\"a\":1}"}, arguments=""),
        *item(2, CUSTOM_ITEM, {"type": "response.custom_tool_call_input.delta", "delta": "x"},
              {"type": "response.custom_tool_call_input.done", "input": "x"}, input="")),
    "refusal": responses(*item(
        0, {**MESSAGE_ITEM, "content": [{"type": "refusal", "refusal": "no"}]},
        {"type": "response.content_part.added", "content_index": 0, "part": {"type": "refusal", "refusal": ""}},
        {"type": "response.refusal.delta", "content_index": 0, "delta": "no"}, content=[]),
        end="incomplete", incomplete_details={"reason": "max_output_tokens"}),
    "failed": responses(end="failed", error={"code": "server_error", "message": "no"}),
    "error": named({"type": "error", "code": "x", "message": "no", "sequence_number": 0}),
}
RESPONSES_ANSWERS = {
    "text": response(MESSAGE_ITEM),
    "calls": response(REASONING_ITEM, CALL_ITEM, CUSTOM_ITEM, {"id": "w1", "type": "web_search_call", "status": "completed"}),
    "incomplete": response(status="incomplete", incomplete_details={"reason": "content_filter"}),
    "error": {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}},
}
RESPONSES_REQUESTS = {
    "plain": {"model": "m", "instructions": "be", "input": "hi", "max_output_tokens": 16, "temperature": 1, "stream": True,
              "store": False, "include": ["reasoning.encrypted_content"], "metadata": {"a": "b"}, "previous_response_id": "resp_0"},
    "items": {"model": "m", "tools": [{"type": "function", **FUNCTION},
                                      {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
                                      {"type": "web_search"}],
              "tool_choice": {"type": "function", "name": "f"}, "reasoning": {"effort": "low", "summary": "auto"},
              "text": {"format": {"type": "json_schema", "name": "s", "schema": SCHEMA, "strict": True}, "verbosity": "low"},
              "input": [{"role": "user", "content": [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": PNG},
                                                     {"type": "input_file", "filename": "a.pdf", "file_data": "QQ=="}]},
                        REASONING_ITEM, CALL_ITEM, {"type": "function_call_output", "call_id": "t1", "output": "42"},
                        CUSTOM_ITEM, {"type": "custom_tool_call_output", "call_id": "t2", "output": "y"}, MESSAGE_ITEM]},
}

# --- Bedrock ---


def converse(*frames, reason="end_turn"):
    usage = {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7, "cacheReadInputTokens": 1, "cacheWriteInputTokens": 1}
    return kinds(("messageStart", {"role": "assistant"}), *frames, ("messageStop", {"stopReason": reason}),
                 ("metadata", {"usage": usage, "metrics": {"latencyMs": 3}}))


def deltas(at, *parts, start=None):
    head = [("contentBlockStart", {"contentBlockIndex": at, "start": start})] if start else []
    return [*head, *(("contentBlockDelta", {"contentBlockIndex": at, "delta": d}) for d in parts),
            ("contentBlockStop", {"contentBlockIndex": at})]


CONVERSE_STREAMS = {
    "text": converse(*deltas(0, {"text": "hi"}, {"citation": {"title": "t", "location": {"web": {"url": "https://x"}}}})),
    "tools": converse(*deltas(0, {"reasoningContent": {"text": "hm"}}, {"reasoningContent": {"signature": "c2ln"}}),
                      *deltas(1, {"reasoningContent": {"redactedContent": "eA=="}}),
                      *deltas(2, {"toolUse": {"input": "{\"a\":1}"}}, start={"toolUse": {"toolUseId": "t1", "name": "f"}}),
                      reason="tool_use"),
    "exception": kinds(("messageStart", {"role": "assistant"}), ("!throttlingException", {"message": "slow"})),
}
CONVERSE_ANSWERS = {
    "text": {"output": {"message": {"role": "assistant", "content": [
        {"text": "hi"}, {"citationsContent": {"content": [{"text": "x"}], "citations": [{"title": "t"}]}}]}},
        "stopReason": "max_tokens", "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}},
    "tools": {"output": {"message": {"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "eA=="}},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
        {"toolUse": {"toolUseId": "t2", "name": "json_tool_call", "input": {"a": 1}}}]}}, "stopReason": "tool_use"},
    "error": {"message": "no", "__type": "com.amazon#ValidationException"},
}

# --- Gemini ---


def candidate(*parts, finish=None, **more):
    one = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **more}
    usage = {"promptTokenCount": 4, "candidatesTokenCount": 2, "thoughtsTokenCount": 1, "totalTokenCount": 7,
             "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4}]}
    return {"candidates": [{**one, **({"finishReason": finish} if finish else {})}], "usageMetadata": usage,
            "modelVersion": "m", "responseId": "g1"}


GROUNDING = {"groundingChunks": [{"web": {"uri": "https://x", "title": "X"}}], "webSearchQueries": ["x"],
             "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 2, "text": "hi"}, "groundingChunkIndices": [0]}]}
GEMINI_CALL = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}
GEMINI_STREAMS = {
    "text": sse(candidate({"text": "h"}), candidate({"text": "i"}), candidate({"text": ""}, finish="STOP", groundingMetadata=GROUNDING)),
    "calls": sse(candidate({"text": "hm", "thought": True}), candidate(GEMINI_CALL, {"functionCall": {"name": "g"}}, finish="STOP")),
    "blocked": sse({"promptFeedback": {"blockReason": "SAFETY"}}),
    "error": sse({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}),
}
GEMINI_ANSWERS = {
    "text": candidate({"text": "hi"}, {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}, finish="MAX_TOKENS", groundingMetadata=GROUNDING),
    "calls": candidate({"text": "hm", "thought": True}, GEMINI_CALL, {"executableCode": {"language": "PYTHON", "code": "1"}}, finish="STOP"),
    "error": {"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}},
}
GEMINI_REQUESTS = {
    "plain": {"systemInstruction": {"parts": [{"text": "be"}]}, "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
              "generationConfig": {"temperature": 1, "maxOutputTokens": 9, "stopSequences": ["x"], "topK": 3, "seed": 1,
                                   "thinkingConfig": {"thinkingBudget": 128, "includeThoughts": True},
                                   "responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}}},
    "tools": {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
                                                      {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://x"}}]},
                           {"role": "model", "parts": [GEMINI_CALL]},
                           {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "42"}}}]}],
              "tools": [{"functionDeclarations": [{"name": "f", "description": "does", "parametersJsonSchema": SCHEMA}]}, {"googleSearch": {}}],
              "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}}, "safetySettings": []},
    "count": {"generateContentRequest": {"contents": [{"parts": [{"text": "hi"}]}]}},
}

# --- Ollama and Cohere ---


def ollama(done=None, **more):
    end = {"done": True, "done_reason": done, "prompt_eval_count": 3, "eval_count": 2, "total_duration": 1} if done else {"done": False}
    return {"model": "m", "created_at": "2026-01-01T00:00:00Z", **more, **end}


def said(content="", **more):
    return {"message": {"role": "assistant", "content": content, **more}}


OLLAMA_CALL = {"function": {"name": "f", "arguments": {"a": 1}}}
OLLAMA_CHAT = {
    "text": lines(ollama(**said("h")), ollama(**said("i")), ollama("stop", **said())),
    "calls": lines(ollama(**said(thinking="hm")), ollama(**said(tool_calls=[OLLAMA_CALL, OLLAMA_CALL])), ollama("stop", **said())),
    "tags": lines(ollama(**said("<th")), ollama(**said("ink>hm</think>so")), ollama("length", **said())),
    "written": lines(ollama(**said("{\"name\":\"f\",\"arguments\":{\"a\":1}}")), ollama("stop", **said())),
    "error": lines(ollama(**said("h")), {"error": "gone"}),
}
OLLAMA_GENERATE = {
    "text": lines(ollama(response="h"), ollama(response="i"), ollama("stop", response="", context=[1, 2])),
    "tags": lines(ollama(response="<think>"), ollama(response="hm</think>"), ollama("stop", response="so")),
    "calls": lines(ollama(response="{\"name\":\"f\",\"arguments\""), ollama(response=":{\"a\":1}}"), ollama("stop", response="")),
    "thoughts": lines(ollama(response="", thinking="hm"), ollama("length", response="so")),
}
OLLAMA_ANSWERS = {"text": ollama("stop", **said("hi")), "error": {"error": "model 'x' not found"},
                  "calls": ollama("stop", **said(thinking="hm", tool_calls=[OLLAMA_CALL]))}
GENERATE_ANSWERS = {"text": ollama("stop", response="<think>hm</think>hi"), "error": {"error": "no"},
                    "calls": ollama("stop", response="{\"name\":\"f\",\"arguments\":{}}")}


def cohere(*events, finish="COMPLETE"):
    end = {"finish_reason": finish, "usage": {"billed_units": {"input_tokens": 1, "output_tokens": 2}, "tokens": {"input_tokens": 9, "output_tokens": 2}}}
    return named({"id": "h1", "type": "message-start", "delta": {"message": {"role": "assistant", "content": []}}}, *events,
                 {"type": "message-end", "delta": end})


def part(kind, index, **message):
    return {"type": kind, "index": index, **({"delta": {"message": message}} if message else {})}


SOURCE = {"start": 0, "end": 2, "text": "hi", "sources": [{"type": "document", "id": "d", "document": {"title": "X", "url": "https://x"}}]}
COHERE_STREAMS = {
    "text": cohere(part("content-start", 0, content={"type": "text", "text": ""}), part("content-delta", 0, content={"text": "hi"}),
                   part("citation-start", 0, citations=SOURCE), part("citation-end", 0), part("content-end", 0)),
    "calls": cohere(part("tool-plan-delta", 0, tool_plan="hm"), part("tool-call-start", 0, tool_calls=CALL),
                    part("tool-call-delta", 0, tool_calls={"function": {"arguments": "{}"}}), part("tool-call-end", 0), finish="TOOL_CALL"),
    "thoughts": cohere(part("content-start", 0, content={"type": "thinking", "thinking": ""}),
                       part("content-delta", 0, content={"thinking": "hm"}), part("content-end", 0), finish="MAX_TOKENS"),
}
COHERE_ANSWERS = {
    "text": {"id": "h1", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": [{"type": "text", "text": "hi"}], "citations": [SOURCE]},
             "usage": {"tokens": {"input_tokens": 9, "output_tokens": 2}}},
    "calls": {"id": "h1", "finish_reason": "TOOL_CALL", "message": {"tool_plan": "hm", "tool_calls": [CALL]}},
    "error": {"message": "invalid api token"},
}

# --- lists, bodies, configurations, frames ---

LIST_REQUESTS = {
    "texts": {"model": "m", "input": ["a", PNG], "dimensions": 3, "encoding_format": "base64", "user": "u", "input_type": "x"},
    "gemini": {"requests": [{"model": "models/m", "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 3}]},
    "one": {"content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_QUERY"},
    "rerank": {"model": "m", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": True},
}
LIST_ANSWERS = {
    "openai": {"data": [{"index": 0, "embedding": [0.1, -0.20]}], "usage": {"prompt_tokens": 1, "total_tokens": 1}},
    "cohere": {"embeddings": {"float": [[0.1]], "base64": ["AAAA"]}, "meta": {"billed_units": {"input_tokens": 2.0}}},
    "plain": {"embeddings": [[1, 2e3]], "embedding": [1], "inputTextTokenCount": 1, "prompt_eval_count": 2},
    "gemini": {"embeddings": [{"values": [0.1]}], "predictions": [{"embeddings": {"values": [1], "statistics": {"token_count": 3}}}], "totalTokens": 3},
    "rerank": {"id": "r", "results": [{"index": 0, "relevance_score": 0.50, "document": "a"}], "data": [{"index": 0, "relevance_score": 1}],
               "meta": {"billed_units": {"search_units": 1}}, "usage": {"total_tokens": 3}},
    "error": {"detail": "no", "message": "no", "error": {"message": "no"}},
}
BODIES = {
    "spaces": " { \"a\" : 1 ,\n \"model\":\"x\" , \"z\" : [ 1, {\"y\":\"}\"} ] }\n",
    "escapes": "{\"mod\\u0065l\":\"\\\"\",\"stream\":true,\"\\\\\":null,\"\":-0.0}",
    "empty": "{}",
}
CONFIGS = {
    "models": "model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/gpt-4o\n      api_key: os.environ/KEY\n      rpm: 3\n"
              "    model_info:\n      id: x\n      mode: chat\n  - model_name: \"*\"\n    litellm_params: {model: \"azure/*\", api_base: https://x}\n",
    "settings": "litellm_settings:\n  drop_params: true\n  fallbacks: [{a: [b, c]}]\n  success_callback: [prometheus]\n"
                "router_settings:\n  routing_strategy: simple-shuffle\n  num_retries: 2\n  model_group_alias: {a: b}\n"
                "general_settings:\n  master_key: sk-1\n  database_url: sqlite://x\nenvironment_variables:\n  A: b\n",
    "anchors": "a: &a [x, y]\nb: [*a, *a]\ninclude:\n  - other.yaml\nmodel_list: &m\n- *a\n",
}
FRAMES = {
    "sse": {"lf": "event: a\ndata: 1\n\n: note\n\ndata: 2\ndata: 3\n\n", "crlf": "data: 1\r\n\r\nid: 1\r\ndata:2\r\n\r\ndata: x",
            "mixed": "data: 1\n\r\ndata: 2\r\n\n\n\ndata\n\n"},
    "ndjson": {"lf": "{\"a\":1}\n{\"b\":2}\n", "crlf": "{}\r\n\r\n 1 \r\n{\"open\":"},
}


def binary(kind, payload):
    headers = b"".join(bytes([len(n)]) + n + b"\x07" + struct.pack(">H", len(v)) + v
                       for n, v in ((b":message-type", b"event"), (b":event-type", kind)))
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


EVENT_STREAMS = {"two": binary(b"a", b"{}") + binary(b"b", b"{\"x\":1}"), "half": binary(b"a", b"{}") + binary(b"b", b"{}")[:9]}
INVOKE_STREAMS = {name: kinds(*(("chunk", e) for e in events)) for name, events in ANTHROPIC_EVENTS.items()}
INVOKE_STREAMS["exception"] = kinds(("!modelStreamErrorException", {"message": "no", "originalStatusCode": 500}))

COMPLETIONS_REQUESTS = {
    "text": {"model": "m", "prompt": "Say", "max_tokens": 5, "stop": ["\n"], "temperature": 0, "stream": True, "n": 1},
    "list": {"model": "m", "prompt": ["Say"], "echo": False, "suffix": None, "logprobs": None, "user": "u"},
    "tokens": {"model": "m", "prompt": [1, 2], "best_of": 2},
}

HAND_WRITTEN = {
    "frames_sse": FRAMES["sse"], "frames_ndjson": FRAMES["ndjson"],
    "frames_event_stream": EVENT_STREAMS, "frames_event_stream_mended": EVENT_STREAMS,
    "stream_anthropic": ANTHROPIC_STREAMS, "relay_anthropic": ANTHROPIC_STREAMS,
    "stream_bedrock_converse": CONVERSE_STREAMS, "stream_bedrock_invoke": INVOKE_STREAMS,
    "stream_cohere": COHERE_STREAMS,
    "stream_gemini": GEMINI_STREAMS, "relay_gemini": GEMINI_STREAMS,
    "stream_ollama_chat": OLLAMA_CHAT, "stream_ollama_generate": OLLAMA_GENERATE,
    "stream_openai_chat": OPENAI_STREAMS, "relay_openai_chat": OPENAI_STREAMS,
    "stream_openai_responses": RESPONSES_STREAMS, "relay_openai_responses": RESPONSES_STREAMS,
    "answer_anthropic": ANTHROPIC_ANSWERS, "answer_bedrock_invoke": ANTHROPIC_ANSWERS,
    "answer_bedrock_converse": CONVERSE_ANSWERS, "answer_cohere": COHERE_ANSWERS, "answer_gemini": GEMINI_ANSWERS,
    "answer_ollama_chat": OLLAMA_ANSWERS, "answer_ollama_generate": GENERATE_ANSWERS,
    "answer_openai_chat": OPENAI_ANSWERS, "answer_openai_responses": RESPONSES_ANSWERS,
    "request_anthropic": ANTHROPIC_REQUESTS, "request_gemini": GEMINI_REQUESTS,
    "request_openai_completions": COMPLETIONS_REQUESTS,
    "request_openai_chat": OPENAI_REQUESTS, "request_openai_responses": RESPONSES_REQUESTS,
    "lists_requests": LIST_REQUESTS, "lists_answers": LIST_ANSWERS,
    "body": {**BODIES, "request": text(OPENAI_REQUESTS["tools"])}, "config": CONFIGS,
}

# --- recordings ---

# Providers whose chats are not OpenAI's; by operation.
NATIVE = {
    ("anthropic", "messages"): "anthropic", ("vertex", "messages"): "anthropic", ("bedrock", "converse"): "bedrock_converse",
    ("bedrock", "invoke"): "bedrock_invoke", ("cohere", "chat"): "cohere", ("gemini", "generate"): "gemini",
    ("vertex", "generate"): "gemini", ("ollama", "chat"): "ollama_chat", ("ollama", "generate"): "ollama_generate",
}
COMPATIBLE = {"chat": "openai_chat", "chat_compat": "openai_chat", "responses": "openai_responses"}
REQUESTS = ("anthropic", "gemini", "openai_chat", "openai_responses")
RELAYED = REQUESTS


def messages(stream, unwrap):
    """A binary event stream as lines of kind and payload."""
    out = []
    while len(stream) >= 16:
        length, headers = struct.unpack(">II", stream[:8])
        kind, payload = kind_of(stream[12:12 + headers]), stream[12 + headers:length - 4]
        if unwrap and kind == "chunk":
            payload = base64.b64decode(json.loads(payload)["bytes"])
        out.append(f"{kind} ".encode() + payload.replace(b"\n", b" ") + b"\n")
        stream = stream[length:]
    return b"".join(out)


def kind_of(headers):
    found = {}
    while headers:
        name = headers[1:1 + headers[0]].decode()
        headers = headers[1 + headers[0]:]
        if headers[0] != 7:  # only texts are of interest, and only texts come
            break
        size = struct.unpack(">H", headers[1:3])[0]
        found[name], headers = headers[3:3 + size].decode(), headers[3 + size:]
    return found.get(":event-type") or "!" + found.get(":exception-type", "")


def recorded(shared):
    """Pairs of target and input."""
    for path in sorted((shared / "recordings" / "dev").glob("*.json")):
        one = json.loads(path.read_text())
        operation = one["operation"].removesuffix("_stream")
        dialect = NATIVE.get((one["provider"], operation)) or COMPATIBLE.get(operation)
        answer = one["response"]
        if operation in ("embeddings", "rerank", "count_tokens"):
            yield "lists_answers", path.stem, text(answer.get("body"))
            yield "lists_requests", path.stem, text(one["request"]["body"])
        if dialect is None:
            continue
        if dialect in REQUESTS and one["request"]["body"]:
            yield f"request_{dialect}", path.stem, text(one["request"]["body"])
        if "body" in answer:
            yield f"answer_{dialect}", path.stem, text(answer["body"])
            continue
        if "body_base64" in answer:
            stream = messages(base64.b64decode(answer["body_base64"]), dialect == "bedrock_invoke")
        else:
            stream = answer["body_text"]
        yield f"stream_{dialect}", path.stem, stream
        if dialect in RELAYED:
            yield f"relay_{dialect}", path.stem, stream


def write(folder, target, name, content):
    if not isinstance(content, (str, bytes)):
        content = text(content)
    (folder / target).mkdir(parents=True, exist_ok=True)
    (folder / target / name).write_bytes(content.encode() if isinstance(content, str) else content)


def main(command, *where):
    if command == "kept":
        for target, seeds in HAND_WRITTEN.items():
            for name, content in seeds.items():
                write(KEPT, target, name, content)
    elif command == "recorded":
        shared, folder = map(pathlib.Path, where)
        for target, name, content in recorded(shared):
            write(folder, target, name, content)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("kept", "recorded"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
