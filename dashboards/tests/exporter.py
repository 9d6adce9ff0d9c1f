#!/usr/bin/env python3
"""Shows every metric that known.py knows, with values that a busy gateway could have: exporter.py [PORT].

For trying the dashboards, and their test, without a gateway. Counters grow with the time since the start. Each line of
TRAFFIC is one kind of request, so many a second, with all labels that any metric might want; a metric shows the sums
over the labels that it has.
"""

import collections
import hashlib
import http.server
import itertools
import math
import sys
import threading
import time

from known import KNOWN

BUCKETS = (0.005, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.5, *(n / 2 for n in range(2, 21)), 15, 20, 25, 30, 60, 120, 180)

TEAMS = {
    "11111111-aaaa": "engineering",
    "22222222-bbbb": "research",
    "33333333-cccc": "support",
    "44444444-dddd": "None",
    "None": "None",
}
KEYS = [  # alias, team, user, requests a second
    ("engineering-cline", "11111111-aaaa", "ada", 3.0),
    ("engineering-ci", "11111111-aaaa", "None", 1.0),
    ("research-notebooks", "22222222-bbbb", "grace", 2.0),
    ("research-batch", "22222222-bbbb", "grace", 0.5),
    ("support-bot", "33333333-cccc", "None", 4.0),
    ("None", "44444444-dddd", "None", 0.3),
    ("alone", "None", "None", 0.2),
]
MODELS = [  # asked for, provider's name, provider, share of requests, dollars a request, seconds
    ("gpt-4o", "gpt-4o", "openai", 0.4, 0.012, 2.0),
    ("claude", "claude-sonnet-4-5", "anthropic", 0.3, 0.02, 3.5),
    ("small", "gpt-4o-mini", "openai", 0.2, 0.0008, 0.9),
    ("qwen-local", "qwen3", "ollama_chat", 0.1, 0.0, 5.0),
]
OUTCOMES = [("200", "None", 0.94), ("500", "Openai.InternalServerError", 0.02), ("429", "RateLimitError", 0.04)]
CONSTANT = {
    "end_user": "None",
    "user_email": "None",
    "route": "/v1/chat/completions",
    "callback_name": "langfuse",
    "fallback_model": "small",
    "guardrail_name": "pii",
    "error_type": "None",
    "hook_type": "pre_call",
    "status": "success",
    "reason": "inflight_bytes",
    "operation": "write",
    "generation": "0",
    "implementation": "CPython",
    "major": "3",
    "minor": "11",
    "patchlevel": "7",
    "version": "3.11.7",
}
# What one request adds to a counter. Those that are not here count requests.
PER_REQUEST = {
    "litellm_spend_metric_total": lambda line: line["dollars"],
    "litellm_input_tokens_metric_total": lambda line: 600,
    "litellm_output_tokens_metric_total": lambda line: 250,
    "litellm_total_tokens_metric_total": lambda line: 850,
    "litellm_tokens_total": lambda line: 850,
    "litellm_cached_tokens_metric_total": lambda line: 85,
    "litellm_cache_hits_metric_total": lambda line: 0.1,
    "litellm_cache_misses_metric_total": lambda line: 0.9,
    "process_cpu_seconds_total": lambda line: 0.002,
}
# Mean of a histogram as a share of the request's seconds.
PER_SECOND = {
    "litellm_llm_api_time_to_first_token_metric": 0.2,
    "litellm_deployment_latency_per_output_token": 0.004,
    "litellm_overhead_latency_metric": 0.001,
    "litellm_request_queue_time_seconds": 0.0005,
    "weir_ledger_write_seconds": 0.002,
}
GAUGES = {
    "litellm_remaining_team_budget_metric": lambda labels, age: (
        math.inf if labels["team"] == "33333333-cccc" else 80 - age / 50
    ),
    "litellm_team_max_budget_metric": lambda labels, age: None if labels["team"] == "33333333-cccc" else 100,
    "litellm_team_budget_remaining_hours_metric": lambda labels, age: 200 - age / 3600,
    "litellm_remaining_api_key_budget_metric": lambda labels, age: (
        math.inf if labels["api_key_alias"] == "None" else 9 - age / 90
    ),
    "litellm_api_key_max_budget_metric": lambda labels, age: None if labels["api_key_alias"] == "None" else 10,
    "litellm_api_key_budget_remaining_hours_metric": lambda labels, age: 20 - age / 3600,
    "litellm_deployment_state": lambda labels, age: 2 if labels["litellm_model_name"] == "qwen3" else 0,
    "weir_journal_bytes": lambda labels, age: 2e6 + 1e5 * math.sin(age),
    "weir_journal_max_bytes": lambda labels, age: 2**30,
    "weir_journal_lag_seconds": lambda labels, age: 1 + math.sin(age),
    "weir_inflight_bytes": lambda labels, age: 3e6 + 1e6 * math.sin(age),
    "process_resident_memory_bytes": lambda labels, age: 1.2e8,
    "process_start_time_seconds": lambda labels, age: time.time() - age,
    "process_open_fds": lambda labels, age: 120,
    "process_max_fds": lambda labels, age: 20000,
}


def traffic():
    for (alias, team, user, rate), (asked, name, provider, part, dollars, seconds), outcome in itertools.product(
        KEYS, MODELS, OUTCOMES
    ):
        status, cause, often = outcome
        yield CONSTANT | {
            "hashed_api_key": hashlib.sha256(f"{alias} {team}".encode()).hexdigest(),
            "api_key_alias": alias,
            "team": team,
            "team_alias": TEAMS[team],
            "user": user,
            "requested_model": asked,
            "model_group": asked,
            "model": name,
            "litellm_model_name": name,
            "model_id": f"{provider}-1",
            "api_base": f"https://{provider}.example",
            "api_provider": provider,
            "status_code": status,
            "exception_status": status,
            "exception_class": cause,
            "rate": rate * part * often,
            "dollars": dollars,
            "seconds": seconds,
        }


TRAFFIC = list(traffic())


def lines_for(metric):
    """Requests that this metric counts: failures, successes, or both."""
    if "exception_class" in metric.labels or "exception_status" in metric.labels or "failed" in metric.name:
        return [line for line in TRAFFIC if line["status_code"] != "200"]
    if "total_requests" in metric.name:
        return TRAFFIC
    return [line for line in TRAFFIC if line["status_code"] == "200"]


def series_of(metric):
    """label values -> the requests that are summed under them"""
    groups = collections.defaultdict(list)
    for line in lines_for(metric):
        groups[tuple(line.get(label, label) for label in metric.labels)].append(line)
    return groups


def written(name, labels, values, value, extra=""):
    pairs = ",".join([f'{label}="{text}"' for label, text in zip(labels, values)] + ([extra] if extra else []))
    shown = "+Inf" if value == math.inf else f"{value:.9g}"
    return f"{name}{{{pairs}}} {shown}" if pairs else f"{name} {shown}"


def counter(metric, values, lines, age):
    each = PER_REQUEST.get(metric.name, lambda line: 1)
    yield written(metric.name, metric.labels, values, age * sum(line["rate"] * each(line) for line in lines))


def gauge(metric, values, lines, age):
    value = GAUGES.get(metric.name, lambda labels, age: 40 + 10 * math.sin(age / 7))
    shown = value(dict(zip(metric.labels, values)), age)
    if shown is not None:
        yield written(metric.name, metric.labels, values, shown)


def histogram(metric, values, lines, age):
    share = PER_SECOND.get(metric.name, 1)
    count = sum(math.floor(age * line["rate"] * 100) for line in lines)
    mean = share * sum(line["seconds"] for line in lines) / len(lines)
    for bound in BUCKETS:
        below = math.floor(count * (1 - math.exp(-bound / mean)))
        yield written(f"{metric.name}_bucket", metric.labels, values, below, f'le="{bound}"')
    yield written(f"{metric.name}_bucket", metric.labels, values, count, 'le="+Inf"')
    yield written(f"{metric.name}_count", metric.labels, values, count)
    yield written(f"{metric.name}_sum", metric.labels, values, count * mean)


WRITERS = {"counter": counter, "gauge": gauge, "histogram": histogram}


def page(age):
    out = []
    for metric in KNOWN.values():
        out.append(f"# HELP {metric.name} As a busy gateway would show it.")
        out.append(f"# TYPE {metric.name} {metric.type}")
        for values, lines in series_of(metric).items():
            out += WRITERS[metric.type](metric, values, lines, age)
    return "\n".join(out) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    started = time.time()

    def do_GET(self):
        body = page(time.time() - self.started).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(port=0):
    """A server in a thread of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    running = serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"http://127.0.0.1:{running.server_port}/metrics", flush=True)
    threading.Event().wait()
