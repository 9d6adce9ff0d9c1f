"""A budget that is spent ends a client's attempts: the official SDKs, with their own retries on, ask exactly once."""

import contextlib
import http.server
import threading

import anthropic
import httpx2
import openai
import pytest
import rig
from conftest import ask

OF_BUDGETS = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_base: "http://127.0.0.1:9/v1", api_key: sk-upstream-fake}
weir_settings: {budget_error_status: %d, drain_delay: 0}
"""


@contextlib.contextmanager
def counted(url):
    """The address of what passes requests on to `url`, and a list of their paths."""
    paths = []

    class Relay(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            paths.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
            answer = httpx2.post(url + self.path, content=body, headers=headers, timeout=20)
            self.send_response(answer.status_code)
            for name in ("content-type", "x-should-retry"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", paths
    finally:
        server.shutdown()


@pytest.mark.parametrize("status", [400, 402])
def test_p43_a_spent_budget_is_asked_for_once(tmp_path, status):
    with rig.weir(OF_BUDGETS % status, tmp_path) as url, counted(url) as (relay, paths):
        made = httpx2.post(f"{url}/key/generate", json={"max_budget": 0}, headers={"Authorization": f"Bearer {rig.MASTER_KEY}"})
        key = made.json()["key"]
        gpt = openai.OpenAI(base_url=f"{relay}/v1", api_key=key, max_retries=3, timeout=20)
        with pytest.raises(openai.APIStatusError) as refused:
            gpt.chat.completions.create(model="gpt-4o", messages=ask("hi"))
        assert refused.value.status_code == status and "budget" in str(refused.value).lower()
        claude = anthropic.Anthropic(base_url=relay, api_key=key, max_retries=3, timeout=20)
        with pytest.raises(anthropic.APIStatusError) as refused:
            claude.messages.create(model="gpt-4o", max_tokens=16, messages=ask("hi"))
        assert refused.value.status_code == status and "budget" in str(refused.value).lower()
        assert len(paths) == 2, paths
