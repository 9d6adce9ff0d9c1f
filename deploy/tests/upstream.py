"""A provider that speaks slowly: OpenAI's chat, one word every so often."""

import contextlib
import http.server
import json
import threading
import time


class Slow(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    words, pause = 10, 0.3

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body.get("stream"):
            self.stream()
        else:
            self.plain()

    def plain(self):
        message = {"role": "assistant", "content": "Hello"}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "slow", "usage": USAGE}
        answer["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(self.words):
            self.event(chunk({"content": f"word{number} "}))
            time.sleep(self.pause)
        self.event(chunk({}, "stop"))
        self.event({**chunk(None), "choices": [], "usage": USAGE})
        self.piece(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def event(self, data):
        self.piece(b"data: " + json.dumps(data).encode() + b"\n\n")

    def piece(self, data):
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def log_message(self, *_):
        pass


USAGE = {"prompt_tokens": 5, "completion_tokens": 10, "total_tokens": 15}


def chunk(delta, finish=None):
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "slow", "choices": choices}


@contextlib.contextmanager
def upstream():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
