//! What is looked at.

use super::reach::{Reached, Target, Unreached, Way};
use super::{Finding, Status, millis};
use crate::upstream::resolve::Resolver;
use crate::upstream::roots;
use crate::{data_dir, run, storage};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join_all};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weir_core::config::{Config, Env, ModelEntry, RedisSettings, SslVerify};
use weir_ledger::{Examined, LedgerOptions, Redis, examine};
use weir_plugins::providers;

/// Where the checks are made, and how long each may take.
pub(super) struct Place<'a> {
    pub config: &'a Config,
    pub env: &'a Env,
    pub limit: Duration,
}

/// Addresses of providers that are looked at; more are named and left.
const MOST_PROVIDERS: usize = 64;
/// Clocks that differ by more than this blur budgets, limits and reports.
const SKEW_WARN: i64 = 1_000_000;
const SKEW_FAIL: i64 = 30_000_000;
/// Certificates that end sooner than this are told.
const SOON: i64 = 14 * 86_400;
/// Less room than this, and the journal of a short outage does not fit.
const ROOM_FAIL: u64 = 64 << 20;

type Findings = Vec<Finding>;

impl Place<'_> {
    /// All of them at once.
    pub(super) async fn all(&self, listener: (&str, u16)) -> Findings {
        let folder = data_dir::choose(self.config, self.env);
        let mut findings = data_directory(&folder, self.config.weir.journal_max_bytes);
        let mut checks: Vec<LocalBoxFuture<'_, Findings>> = vec![
            self.ledger(folder).boxed_local(),
            self.redis().boxed_local(),
            self.listener(listener).boxed_local(),
        ];
        match self.way(&self.config.litellm.ssl_verify) {
            Ok(way) => checks.extend(self.providers(&Arc::new(way))),
            Err(error) => {
                findings.push(Finding::new("certificates", "", Status::Fail, format!("{error:#}")));
            }
        }
        let mut all: Findings = join_all(checks).await.into_iter().flatten().collect();
        all.append(&mut findings);
        all
    }

    fn providers(&self, way: &Arc<Way>) -> Vec<LocalBoxFuture<'_, Findings>> {
        let targets = targets(self.config);
        let left = targets.len().saturating_sub(MOST_PROVIDERS);
        let first = targets.into_iter().take(MOST_PROVIDERS);
        let mut checks: Vec<LocalBoxFuture<'_, Findings>> = first
            .map(|(target, asked)| self.provider(Arc::clone(way), target, asked).boxed_local())
            .collect();
        if left > 0 {
            let told =
                Finding::new("provider", "", Status::Warn, format!("{left} addresses were not checked"));
            checks.push(async move { vec![told] }.boxed_local());
        }
        checks
    }

    /// What takes too long has failed.
    async fn bounded<T>(&self, check: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        match tokio::time::timeout(self.limit, check).await {
            Ok(done) => done,
            Err(_) => Err(format!("no answer within {} s", self.limit.as_secs())),
        }
    }

    // --- ledger ---

    async fn ledger(&self, folder: PathBuf) -> Findings {
        let options = LedgerOptions { acquire: self.limit, ..storage::ledger_options(self.config, &folder) };
        let name = if options.url.is_some() { "PostgreSQL" } else { "SQLite" };
        if options.url.is_none() && !folder.join("ledger.db").is_file() {
            return vec![Finding::new(
                "ledger",
                name,
                Status::Ok,
                "not there yet; the first start creates it",
            )];
        }
        let look = async { examine(&options).await.map_err(|e| e.to_string()) };
        match self.bounded(look).await {
            Ok(examined) => told_ledger(name, &examined, options.migrate),
            Err(why) => vec![Finding::new("ledger", name, Status::Fail, why)],
        }
    }

    // --- Redis ---

    async fn redis(&self) -> Findings {
        let Some(settings) = &self.config.router.redis else { return Vec::new() };
        let target = settings.told();
        let finding = |status, detail: String| Finding::new("redis", &target, status, detail);
        vec![match self.bounded(self.ping(settings)).await {
            Ok(took) => finding(Status::Ok, String::from("answers")).took(took),
            Err(why) => {
                finding(Status::Warn, format!("{why}; until then each process counts rate limits by itself"))
            }
        }]
    }

    async fn ping(&self, settings: &RedisSettings) -> Result<Duration, String> {
        let redis = Redis::open(settings, self.limit).map_err(|e| e.to_string())?;
        redis.ping().await
    }

    // --- the listener ---

    async fn listener(&self, (host, port): (&str, u16)) -> Findings {
        let bracketed =
            if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let address = format!("{bracketed}:{port}");
        let finding = |status, detail: String| vec![Finding::new("listener", &address, status, detail)];
        let error = match std::net::TcpListener::bind(&address) {
            Ok(_) => return finding(Status::Ok, String::from("free")),
            Err(error) => error,
        };
        if error.kind() != ErrorKind::AddrInUse {
            return finding(Status::Fail, format!("{error}; choose another --host or --port"));
        }
        let local = address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]");
        match self.bounded(alive(&local)).await {
            Ok(true) => finding(Status::Ok, String::from("a gateway is listening")),
            _ => finding(Status::Fail, String::from("in use by another program; choose another --port")),
        }
    }

    // --- providers ---

    /// As a deployment goes that checks certificates like this.
    fn way(&self, verify: &SslVerify) -> anyhow::Result<Way> {
        let env = &self.config.env;
        Ok(Way {
            proxy: run::https_proxy(env)?,
            resolver: Arc::new(Resolver::new()),
            roots: Arc::new(roots::store(roots::own(verify, env), env)?),
            verify: *verify != SslVerify::Off,
        })
    }

    async fn provider(&self, way: Arc<Way>, target: Target, asked: Asked) -> Findings {
        let port = if target.tls { 443 } else { 80 };
        let shown = if target.port == port {
            target.host.clone()
        } else {
            format!("{}:{}", target.host, target.port)
        };
        let way = match asked.verify.as_ref().map(|own| self.way(own)) {
            None => way,
            Some(Ok(own)) => Arc::new(own),
            Some(Err(why)) => {
                return vec![Finding::new("provider", &shown, Status::Fail, format!("ssl_verify: {why:#}"))];
            }
        };
        let reach = async { Ok(way.reach(&target).await) };
        let reached = self.bounded(reach).await.unwrap_or_else(|why| Err(Unreached { why, until: None }));
        vec![match reached {
            Ok(reached) => told_provider(&shown, &reached, &asked),
            Err(failed) => Finding::new("provider", &shown, Status::Fail, unreached(&failed, &asked)),
        }]
    }
}

// --- ledger and data ---

fn told_ledger(name: &str, found: &Examined, migrates: bool) -> Findings {
    let finding = |status, detail: String| Finding::new("ledger", name, status, detail).took(found.took);
    let schema = match (found.missing, migrates) {
        (0, _) => finding(Status::Ok, String::from("answers, schema up to date")),
        (n, true) => finding(Status::Ok, format!("answers; the next start runs {n} migrations")),
        (n, false) => finding(Status::Fail, format!("{n} migrations are missing: run `weir migrate`")),
    };
    if !found.postgres {
        return vec![schema];
    }
    let off = found.ahead.saturating_abs();
    let status = if off > SKEW_FAIL {
        Status::Fail
    } else if off > SKEW_WARN {
        Status::Warn
    } else {
        Status::Ok
    };
    let way = if found.ahead < 0 { "behind" } else { "ahead" };
    let off = Duration::from_micros(off.unsigned_abs());
    vec![schema, Finding::new("clock", name, status, format!("the database is {} {way} of us", millis(off)))]
}

fn data_directory(folder: &Path, journal: u64) -> Findings {
    let target = folder.display().to_string();
    let finding = |status, detail: String| Finding::new("data", &target, status, detail);
    let there = folder.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new("."));
    let writable = match writable(there) {
        Ok(()) if there == folder => finding(Status::Ok, String::from("writable")),
        Ok(()) => finding(Status::Ok, String::from("not there yet; the first start creates it")),
        Err(error) => finding(Status::Fail, format!("not writable: {error}; set WEIR_DATA_DIR")),
    };
    let room = match fs4::available_space(there) {
        Ok(free) => told_room(&target, free, journal),
        Err(error) => finding(Status::Warn, format!("free space cannot be read: {error}")),
    };
    vec![writable, room]
}

fn told_room(target: &str, free: u64, journal: u64) -> Finding {
    let told = format!("{} MiB free", free >> 20);
    if free < ROOM_FAIL {
        return Finding::new("space", target, Status::Fail, format!("{told}: no room for the journal"));
    }
    if free < journal {
        let most = journal >> 20;
        let why = format!("{told}, less than the journal may take ({most} MiB): see journal_max_bytes");
        return Finding::new("space", target, Status::Warn, why);
    }
    Finding::new("space", target, Status::Ok, told)
}

fn writable(folder: &Path) -> std::io::Result<()> {
    // An empty ancestor is the folder that we are in.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let file = folder.join(format!(".weir-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&file)?;
    std::fs::remove_file(&file)
}

// --- the listener ---

/// Whether what listens there is a gateway.
async fn alive(address: &str) -> Result<bool, String> {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"GET /health/liveliness HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.take(4_096).read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).contains("I'm alive"))
    };
    ask.await.map_err(|e: std::io::Error| e.to_string())
}

// --- providers ---

/// Who asks at an address.
#[derive(Default)]
struct Asked {
    /// Prefixes of the providers.
    providers: BTreeSet<&'static str>,
    /// Variables that should hold a key, and do not.
    keyless: BTreeSet<&'static str>,
    /// How they check its certificate, where they say so themselves.
    verify: Option<SslVerify>,
}

/// Every address once. Deployments that answer themselves, and those whose provider the request names, have none.
fn targets(config: &Config) -> BTreeMap<Target, Asked> {
    let mut targets: BTreeMap<Target, Asked> = BTreeMap::new();
    let asks = |entry: &&ModelEntry| entry.params.mock_response.is_none() && !entry.params.mock_timeout;
    for entry in config.models.iter().filter(asks) {
        let Some(row) = providers::row(&entry.provider) else { continue };
        // What is wrong with the entry is told by `weir check`.
        let Ok(wire) = row.wire(entry, &config.env) else { continue };
        let asked = targets.entry(Target { host: wire.host, port: wire.port, tls: wire.tls }).or_default();
        asked.providers.insert(row.prefix);
        asked.keyless.extend(wire.missing_key);
        asked.verify = entry.params.ssl_verify.clone().or(asked.verify.take());
    }
    targets
}

fn told_provider(target: &str, reached: &Reached, asked: &Asked) -> Finding {
    let mut parts = vec![asked.names()];
    let mut status = Status::Ok;
    parts.push(match reached.handshake {
        Some(handshake) => format!("TLS in {}", millis(handshake)),
        None => String::from("no TLS"),
    });
    if let Some(until) = reached.until {
        let left = until - weir_core::time::now().seconds();
        status = if left < SOON { Status::Warn } else { Status::Ok };
        parts.push(format!("certificate until {} ({} days)", day(until), left / 86_400));
    }
    if !asked.keyless.is_empty() {
        status = Status::Warn;
        parts.push(asked.keys());
    }
    Finding::new("provider", target, status, parts.join(", ")).took(reached.connect)
}

fn unreached(failed: &Unreached, asked: &Asked) -> String {
    let certificate =
        failed.until.map_or_else(String::new, |until| format!("; its certificate ends {}", day(until)));
    format!("{}: {}{certificate}", asked.names(), failed.why)
}

impl Asked {
    fn names(&self) -> String {
        self.providers.iter().copied().collect::<Vec<_>>().join(" and ")
    }

    fn keys(&self) -> String {
        format!("no key: set {}", self.keyless.iter().copied().collect::<Vec<_>>().join(", "))
    }
}

/// 2026-11-26
fn day(seconds: i64) -> String {
    let at = jiff::Timestamp::from_second(seconds).map(|at| at.to_string());
    at.unwrap_or_default().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_at_once_and_says_what_key_is_missing() {
        let text = "
model_list:
  - {model_name: a, litellm_params: {model: openai/a}}
  - {model_name: b, litellm_params: {model: openai/b, api_key: sk-x}}
  - {model_name: c, litellm_params: {model: openai/c, api_key: sk-x, api_base: 'http://127.0.0.1:8000/v1'}}
  - {model_name: d, litellm_params: {model: openai/d, mock_response: hi, api_base: 'http://127.0.0.1:8001'}}
";
        let (config, problems) = Config::from_text(text, &Env::of::<&str, &str>([]), &["openai"]);
        let targets = targets(&config.unwrap_or_else(|| panic!("{problems}")));
        let told: Vec<_> =
            targets.iter().map(|(t, asked)| (t.host.as_str(), t.port, t.tls, asked.keyless.len())).collect();
        assert_eq!(told, [("127.0.0.1", 8000, false, 0), ("api.openai.com", 443, true, 1)]);
    }

    #[test]
    fn clocks_and_room_have_limits() {
        let found = |ahead| Examined { postgres: true, took: Duration::ZERO, missing: 0, ahead };
        let clock = |ahead| told_ledger("x", &found(ahead), true)[1].status;
        assert_eq!(
            [clock(-900_000), clock(-5_000_000), clock(60_000_000)],
            [Status::Ok, Status::Warn, Status::Fail]
        );
        let room = |free| told_room("x", free, 1 << 30).status;
        assert_eq!([room(1 << 20), room(1 << 29), room(1 << 31)], [Status::Fail, Status::Warn, Status::Ok]);
        let missing = Examined { missing: 2, ..found(0) };
        assert_eq!(told_ledger("x", &missing, false)[0].status, Status::Fail);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_no_fault_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let findings = data_directory(&dir.path().join("a/b"), 1);
        assert!(findings.iter().all(|f| f.status == Status::Ok), "{findings:?}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
