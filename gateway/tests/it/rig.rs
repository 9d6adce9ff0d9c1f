//! Starts the real `weir` over a mock provider, on free ports, in a temporary folder. Stops it when dropped.

use crate::client::{self, Answer};
use crate::pki::Pki;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use weir_bench::mock::openai::OpenAi;
use weir_bench::mock::{MockServer, Upstream};

/// Requests that the mock remembers: more than any test sends, or it could not tell what was lost.
const LOGGED: usize = 200_000;

pub const MASTER: &str = "sk-master-0000-not-real";

/// A config to start with; `MOCK` stands for the mock's address.
pub const CONFIG: &str = r#"
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_base: "MOCK/v1", api_key: sk-upstream-fake}
  - model_name: azure-gpt4
    litellm_params: {model: azure/gpt-4-deployment, api_base: "MOCK/", api_key: az-fake, api_version: "2024-02-15-preview"}
  - model_name: emb-small
    litellm_params: {model: openai/text-embedding-3-small, api_base: "MOCK/v1", api_key: sk-upstream-fake}
  - model_name: instruct
    litellm_params: {model: text-completion-openai/gpt-3.5-turbo-instruct, api_base: "MOCK/v1", api_key: sk-upstream-fake}
  - model_name: priced
    litellm_params: {model: openai/my-custom-model, api_base: "MOCK/v1", api_key: sk-upstream-fake, input_cost_per_token: 0.000001, output_cost_per_token: 0.000002}
  - model_name: unpriced
    litellm_params: {model: openai/no-price-anywhere, api_base: "MOCK/v1", api_key: sk-upstream-fake}
  - model_name: refused
    litellm_params: {model: openai/refused, api_base: "http://127.0.0.1:9", api_key: sk-upstream-fake}
  - model_name: slow
    litellm_params: {model: openai/slow-model, api_base: "MOCK/v1", api_key: sk-upstream-fake, timeout: 1.0}
  - model_name: demo
    litellm_params: {model: openai/demo, mock_response: "This is a mocked answer."}
  - model_name: openai/*
    litellm_params: {model: openai/*, api_base: "MOCK/v1", api_key: sk-upstream-fake}
litellm_settings: {callbacks: [prometheus], num_retries: 0}
router_settings: {disable_cooldowns: true}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
weir_settings: {drain_delay: 0.2}
"#;

pub struct Rig {
    pub mock: MockServer,
    pub url: String,
    pub dir: tempfile::TempDir,
    child: Child,
    settings: Settings,
}

#[derive(Clone)]
struct Settings {
    port: u16,
    args: Vec<String>,
    env: Vec<(String, String)>,
    data: PathBuf,
    /// With which the listener speaks TLS.
    pki: Option<Arc<Pki>>,
}

pub struct Builder {
    config: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    pki: Option<Arc<Pki>>,
}

impl Rig {
    /// The ordinary config over the ordinary mock.
    pub async fn start() -> Rig {
        Rig::config(CONFIG).start().await
    }

    pub fn config(config: &str) -> Builder {
        Builder { config: config.to_owned(), args: Vec::new(), env: Vec::new(), pki: None }
    }

    // --- as a client ---

    pub async fn post(&self, path: &str, key: &str, body: impl ToString) -> Answer {
        self.post_with(path, &[("authorization", &format!("Bearer {key}"))], body).await
    }

    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: impl ToString) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.settings.send("POST", path, &all, body.to_string()).await
    }

    pub async fn get(&self, path: &str, key: &str) -> Answer {
        let auth = format!("Bearer {key}");
        self.settings.send("GET", path, &[("authorization", &auth)], String::new()).await
    }

    pub async fn delete(&self, path: &str, key: &str) -> Answer {
        let auth = format!("Bearer {key}");
        self.settings.send("DELETE", path, &[("authorization", &auth)], String::new()).await
    }

    /// A chat with the master key.
    pub async fn chat(&self, model: &str, text: &str) -> Answer {
        self.post("/v1/chat/completions", MASTER, chat(model, text)).await
    }

    /// The same as a stream.
    pub async fn stream(&self, model: &str, text: &str) -> Answer {
        let mut body = chat(model, text);
        body["stream"] = true.into();
        self.post("/v1/chat/completions", MASTER, body).await
    }

    /// A new virtual key.
    pub async fn key(&self, body: Value) -> String {
        let answer = self.post("/key/generate", MASTER, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["key"].as_str().unwrap().to_owned()
    }

    /// All spend rows, once there are at least `count`.
    pub async fn rows(&self, count: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        for _ in 0..200 {
            rows = self
                .get("/spend/logs?limit=10000", MASTER)
                .await
                .json()
                .as_array()
                .cloned()
                .unwrap_or_default();
            if rows.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(rows.len() >= count, "only {} rows of {count}: {rows:?}", rows.len());
        rows
    }

    /// The row of one call.
    pub async fn row(&self, call_id: &str) -> Value {
        for _ in 0..200 {
            let path = format!("/spend/logs?request_id={call_id}");
            let rows = self.get(&path, MASTER).await.json();
            if let Some(row) = rows.as_array().and_then(|r| r.first()) {
                return row.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no row for {call_id}");
    }

    // --- as an operator ---

    /// Host and port of the listener.
    pub fn address(&self) -> String {
        self.settings.address()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// The process that the data directory names, alive or not.
    pub fn in_charge(&self) -> Option<u32> {
        std::fs::read_to_string(self.data().join("weir.pid")).ok()?.trim().parse().ok()
    }

    /// Waits for the process to end; its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("weir did not stop: {}", self.log());
    }

    /// Starts again on the same data.
    pub async fn restart(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.child = spawn(&self.settings, self.dir.path());
        ready(&self.settings, &mut self.child, self.dir.path()).await;
    }

    pub fn log(&self) -> String {
        log(self.dir.path())
    }

    pub fn write_config(&self, config: &str) {
        write_config(self.dir.path(), &config.replace("MOCK", &self.mock.url()));
    }

    pub fn data(&self) -> &Path {
        &self.settings.data
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(heir) = self.in_charge().filter(|pid| *pid != self.pid()) {
            // `weir upgrade` has started it, so it is nobody's child here.
            let _ = Command::new("kill").args(["-KILL", &heir.to_string()]).stderr(Stdio::null()).status();
        }
        if std::thread::panicking() {
            eprintln!("--- log of weir ---\n{}", self.log());
        }
    }
}

impl Builder {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// More of the config, at its end.
    pub fn more(mut self, text: &str) -> Self {
        self.config.push_str(text);
        self
    }

    /// Another text in place of one in the config.
    pub fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.config.contains(from), "{from}");
        self.config = self.config.replace(from, to);
        self
    }

    /// More of the command line.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(ToString::to_string));
        self
    }

    /// A listener with TLS.
    pub fn tls(mut self, pki: &Arc<Pki>) -> Self {
        self.pki = Some(Arc::clone(pki));
        let (certificate, key) = (pki.file("cert.pem"), pki.file("key.pem"));
        self.args(&["--ssl_certfile_path", &certificate, "--ssl_keyfile_path", &key])
    }

    pub async fn start(self) -> Rig {
        self.over(OpenAi::new()).await
    }

    /// Starts what must not start; what it said.
    pub async fn refused(self) -> String {
        let dir = tempfile::tempdir().unwrap();
        let settings = self.settings(dir.path(), "http://127.0.0.1:9");
        let mut child = spawn(&settings, dir.path());
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait().unwrap() {
                let log = log(dir.path());
                assert_eq!(status.code(), Some(1), "{log}");
                return log;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("weir runs:\n{}", log(dir.path()));
    }

    /// Does not wait until it is ready, only until it listens.
    pub async fn start_unready(self) -> Rig {
        let mock = MockServer::start(OpenAi::new()).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let settings = self.settings(dir.path(), &mock.url());
        let child = spawn(&settings, dir.path());
        for _ in 0..400 {
            if tokio::net::TcpStream::connect(settings.address()).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Rig { mock, url: settings.url(), dir, child, settings }
    }

    /// Over another upstream than the ordinary mock.
    pub async fn over(self, upstream: impl Upstream) -> Rig {
        let mock = MockServer::start(upstream).await.unwrap().with_log_limit(LOGGED);
        let dir = tempfile::tempdir().unwrap();
        let settings = self.settings(dir.path(), &mock.url());
        let mut child = spawn(&settings, dir.path());
        ready(&settings, &mut child, dir.path()).await;
        Rig { mock, url: settings.url(), dir, child, settings }
    }

    fn settings(self, dir: &Path, mock: &str) -> Settings {
        let (args, env, pki) = (self.args, self.env, self.pki);
        write_config(dir, &self.config.replace("MOCK", mock));
        Settings { port: free_port(), args, env, data: dir.join("data"), pki }
    }
}

impl Settings {
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn url(&self) -> String {
        let scheme = if self.pki.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address())
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let Some(pki) = &self.pki else {
            return client::send(method, &format!("{}{path}", self.url()), headers, body).await;
        };
        let stream = pki.connect(&self.address(), &["http/1.1"]).await;
        client::send_http1(stream, method, path, headers, body).await
    }
}

fn log(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("weir.log")).unwrap_or_default()
}

pub fn chat(model: &str, text: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": text }] })
}

fn write_config(dir: &Path, config: &str) {
    // Renamed into place, so that no reload reads half a file.
    std::fs::write(dir.join("config.new"), config).unwrap();
    std::fs::rename(dir.join("config.new"), dir.join("config.yaml")).unwrap();
}

/// A port that nobody listens on, and that no mock can be given.
pub fn free_port() -> u16 {
    weir_bench::ports::free_addr().unwrap().port()
}

fn spawn(settings: &Settings, dir: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("weir.log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command
        .args([
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            &settings.port.to_string(),
            "--num_workers",
            "2",
            "--config",
        ])
        .arg(dir.join("config.yaml"))
        .args(&settings.args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LITELLM_MASTER_KEY", MASTER)
        .env("WEIR_DATA_DIR", &settings.data)
        .stdout(Stdio::from(log.try_clone().unwrap()))
        .stderr(Stdio::from(log));
    command.envs(settings.env.iter().map(|(n, v)| (n, v)));
    command.spawn().unwrap()
}

async fn ready(settings: &Settings, child: &mut Child, dir: &Path) {
    for _ in 0..400 {
        if let Some(status) = child.try_wait().unwrap() {
            panic!("weir ended with {status}:\n{}", log(dir));
        }
        let up = tokio::net::TcpStream::connect(settings.address()).await.is_ok();
        if up && settings.send("GET", "/health/readiness", &[], String::new()).await.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("weir is not ready:\n{}", log(dir));
}

/// A fresh Postgres database; `None` where no server is offered, which is told.
pub async fn database() -> Option<String> {
    let Some(server) = std::env::var("WEIR_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "CI needs WEIR_TEST_POSTGRES_URL");
        println!("skipped: no WEIR_TEST_POSTGRES_URL");
        return None;
    };
    let name = format!("weir_{:016x}", rand::random::<u64>());
    let made =
        Command::new("psql").args([&server, "-qc", &format!("CREATE DATABASE {name}")]).status().unwrap();
    assert!(made.success(), "a database could not be made");
    let base = server.rsplit_once('/').unwrap().0;
    Some(format!("{base}/{name}"))
}
