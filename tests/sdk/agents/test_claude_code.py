"""Claude Code does a task with tools: over Anthropic's API it is relayed, over all others translated."""

import json

import pytest
from conftest import TASK, agent_program, run_agent

PATHS = {
    "anthropic": "/v1/messages",
    "openai": "/v1/chat/completions",
    "bedrock": "/model/",  # Claude by InvokeModel, others by Converse
    "ollama": "/api/chat",
    "gemini": ":streamGenerateContent",
}
# The agent thinks with a budget for a model that it knows, adaptively for one it does not; the latter also gets a message
# of role `system` in the middle of the conversation.
MODELS = [f"on-{upstream}" for upstream in PATHS] + [f"claude-sonnet-4-5-on-{upstream}" for upstream in PATHS]


def run_claude(gateway, folder, model, *options):
    command = [agent_program("claude"), "-p", TASK, "--output-format", "json", "--model", model, "--max-turns", "6", *options]
    return json.loads(
        run_agent(
            command,
            folder,
            ANTHROPIC_BASE_URL=gateway.url,
            ANTHROPIC_AUTH_TOKEN=gateway.master_key,
            CLAUDE_CODE_MAX_RETRIES="0",
            DISABLE_TELEMETRY="1",
            DISABLE_AUTOUPDATER="1",
            DISABLE_ERROR_REPORTING="1",
            CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        )
    )


@pytest.mark.parametrize("name", MODELS)
def test_p25_claude_code_does_a_task_with_tools(gateway, model, folder, name):
    target = folder / "answer.txt"
    text = 'forty-two, "quoted" \\ and ünïcode\n'
    model.plays(
        {
            "thinking": "First the file.",
            "text": "I write the file.",
            "calls": [{"name": "Write", "arguments": {"file_path": str(target), "content": text}}],
        },
        {"calls": [{"name": "Bash", "arguments": {"command": "wc -c answer.txt && cp answer.txt copy.txt"}}]},
        {"text": "The file is written."},
    )
    result = run_claude(gateway, folder, name, "--allowedTools", "Write", "Bash")
    assert (result["subtype"], result["is_error"], result["result"]) == ("success", False, "The file is written.")
    assert result["num_turns"] == 3
    assert result["permission_denials"] == []
    assert result["usage"]["output_tokens"] >= 21, "three answers of seven tokens"
    assert target.read_text() == text
    assert (folder / "copy.txt").read_text() == text
    requests = [body for path, body in model.received() if PATHS[name.rpartition("-")[2]] in path]
    assert len(requests) == 3, "one request for each turn, none of them twice"
    assert f"{len(text.encode())} answer.txt" in requests[-1], "what the command printed did not reach the model"


@pytest.mark.parametrize("upstream", PATHS)
def test_p25_claude_code_calls_tools_in_parallel(gateway, model, folder, upstream):
    (folder / "a.txt").write_text("alpha-content\n")
    (folder / "b.txt").write_text("beta-content\n")
    calls = [{"name": "Read", "arguments": {"file_path": str(folder / name)}} for name in ("a.txt", "b.txt")]
    model.plays({"calls": calls}, {"text": "Both are read."})
    result = run_claude(gateway, folder, f"on-{upstream}", "--allowedTools", "Read")
    assert result["result"] == "Both are read."
    last = model.received()[-1][1]
    assert "alpha-content" in last
    assert "beta-content" in last


@pytest.mark.parametrize("upstream", ["anthropic", "openai"])
def test_p25_claude_code_hears_of_a_tool_that_failed(gateway, model, folder, upstream):
    missing = {"name": "Read", "arguments": {"file_path": str(folder / "missing.txt")}}
    model.plays({"calls": [missing]}, {"text": "There is no such file."})
    result = run_claude(gateway, folder, f"on-{upstream}", "--allowedTools", "Read")
    assert (result["is_error"], result["result"]) == (False, "There is no such file.")
    assert "does not exist" in model.received()[-1][1]
