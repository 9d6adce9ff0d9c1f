//! The composition root: the only place where concrete types meet.

use crate::background::drain::{Drain, Stop};
use crate::cli::{Serve, say};
use crate::front::Front;
use crate::limits::Limits;
use crate::proxy::Gateway;
use crate::routing::cooldown::Cooldowns;
use crate::settings::Loader;
use crate::state::{App, Draining};
use crate::upstream::connect::{Dialer, DialerOptions};
use crate::logging;
use anyhow::{Context, bail};
use arc_swap::ArcSwap;
use pingora::listeners::tls::TlsSettings;
use pingora::proxy::http_proxy;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server};
use pingora::services::background::background_service;
use pingora::services::listening::Service;
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::env::Env;
use weir_core::config::{Config, MetricsWhen};
use weir_plugins::chain::Chain;
use weir_plugins::metrics::Metrics;
use weir_plugins::services::Services;
use weir_plugins::snapshot::Snapshot;

/// Runs until told to stop.
pub fn serve(args: &Serve) -> anyhow::Result<()> {
    let env = Env::process();
    let loader = Loader::new(args.config.clone(), env.clone());
    let snapshot = first(&loader, args)?;
    let config = Arc::clone(&snapshot.config);
    logging::start(config.litellm.json_logs, args.detailed_debug || args.debug || config.litellm.set_verbose);
    let memory = Arc::new(crate::memory::Memory::default());
    let metrics = Arc::new(Metrics::new()?);
    let services = Services { keys: memory.clone(), journal: memory.clone(), metrics: Arc::clone(&metrics) };
    let app = Arc::new(App {
        chain: Chain::build(&services),
        dialer: Dialer::new(dialer(&config, &env)),
        cooldowns: Cooldowns::new(),
        limits: limits(&config),
        metrics,
        keys: memory.clone(),
        ledger: memory,
        gauges: Box::new(|_| ()),
        draining: Draining::default(),
        admin_socket: String::from("/tmp/none.sock"),
        snapshot: ArcSwap::from_pointee(snapshot),
    });
    apply(&app, &app.snapshot.load_full());
    listen(args, &config, &app, || ())
}

/// The first snapshot, or every reason why there is none.
fn first(loader: &Loader, args: &Serve) -> anyhow::Result<Snapshot> {
    let (snapshot, problems) = loader.load();
    problems.iter().for_each(|problem| say(&problem.to_string()));
    if args.strict && crate::cli::has_warnings(&problems) {
        bail!("the configuration has warnings, and --strict refuses them");
    }
    snapshot.context("the configuration cannot be served")
}

/// What a new configuration switches outside of itself.
pub fn apply(app: &App, snapshot: &Snapshot) {
    let config = &snapshot.config;
    let callback = |names: &[String]| names.iter().any(|name| name == "prometheus");
    let named = callback(&config.litellm.callbacks) || callback(&config.litellm.success_callback);
    app.metrics.record(named || config.weir.metrics == MetricsWhen::Always);
}

fn limits(config: &Config) -> Limits {
    let bytes = usize::try_from(config.weir.inflight_bytes).unwrap_or(usize::MAX);
    let most = config.general.global_max_parallel_requests.map_or(config.weir.max_connections, u64::from);
    Limits::new(bytes, usize::try_from(most).unwrap_or(usize::MAX))
}

fn dialer(config: &Config, env: &Env) -> DialerOptions {
    let proxy = env.filled("HTTPS_PROXY").or_else(|| env.filled("https_proxy"));
    let direct = env.filled("NO_PROXY").or_else(|| env.filled("no_proxy")).unwrap_or_default();
    DialerOptions {
        verify: config.litellm.ssl_verify.clone(),
        https_proxy: proxy.map(|url| (url.to_owned(), direct.to_owned())),
        ca_file: None,
    }
}

// --- Pingora ---

fn listen(args: &Serve, config: &Config, app: &Arc<App>, flush: impl Fn() + Send + Sync + 'static) -> anyhow::Result<()> {
    let conf = Arc::new(server_conf(args, config));
    let mut server = Server::new_with_opt_and_conf(None, server_conf(args, config));
    server.bootstrap();
    server.add_service(front(args, config, app, &conf)?);
    let drain = Drain { app: Arc::clone(app), grace: config.weir.grace_period, flush: Box::new(flush) };
    server.add_service(background_service("drain", drain));
    server.run(RunArgs { shutdown_signal: Box::new(Stop { app: Arc::clone(app) }) });
    Ok(())
}

fn server_conf(args: &Serve, config: &Config) -> ServerConf {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // Drain ends the process as soon as the last exchange is done; this is only the outer bound.
    let outer = config.weir.grace_period + Duration::from_secs(60);
    ServerConf {
        threads: args.num_workers.unwrap_or(cores).clamp(1, 256),
        grace_period_seconds: Some(outer.as_secs()),
        graceful_shutdown_timeout_seconds: Some(5),
        ..ServerConf::default()
    }
}

fn front(
    args: &Serve,
    config: &Config,
    app: &Arc<App>,
    conf: &Arc<ServerConf>,
) -> anyhow::Result<Service<Front<pingora::proxy::HttpProxy<Gateway>>>> {
    let mut proxy = http_proxy(conf, Gateway { app: Arc::clone(app) });
    let mut options = pingora::apps::HttpServerOptions::default();
    options.h2c = config.weir.h2c;
    options.h2_idle_timeout = Some(Duration::from_secs(120));
    proxy.server_options = Some(options);
    let front = Front { inner: Arc::new(proxy), head_timeout: config.weir.header_timeout, h2c: config.weir.h2c };
    let mut service = Service::new(String::from("gateway"), front);
    let address = format!("{}:{}", bracketed(&args.host), args.port);
    match (&args.ssl_certfile_path, &args.ssl_keyfile_path) {
        (Some(cert), Some(key)) => {
            let mut tls = TlsSettings::intermediate(&cert.to_string_lossy(), &key.to_string_lossy())
                .map_err(|e| anyhow::anyhow!("the certificate or key cannot be used: {e}"))?;
            tls.enable_h2();
            service.add_tls_with_settings(&address, None, tls);
        }
        (None, None) => service.add_tcp(&address),
        _ => bail!("--ssl_certfile_path and --ssl_keyfile_path go together"),
    }
    Ok(service)
}

/// An IPv6 address needs brackets before its port.
fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}
