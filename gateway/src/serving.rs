//! What Pingora runs: listeners, the services behind them, and how they stop.

use crate::background::drain::{Drain, Stop};
use crate::cli::Serve;
use crate::front::probes::Probes;
use crate::front::{Front, certificate};
use crate::handover::announce::Announcer;
use crate::handover::{self, Handover};
use crate::proxy::Gateway;
use crate::state::App;
use crate::upstream::roots;
use anyhow::bail;
use futures_util::future::BoxFuture;
use pingora::listeners::{L4BufferSettings, ListenerConfig};
use pingora::proxy::http_proxy;
use pingora::server::configuration::{Opt, ServerConf};
use pingora::server::{RunArgs, Server};
use pingora::services::background::background_service;
use pingora::services::listening::Service;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::Config;

/// Opens the listeners and serves until told to stop.
///
/// # Errors
/// The certificate cannot be used.
pub fn listen(
    args: &Serve,
    config: &Config,
    conf: ServerConf,
    (app, handover): (&Arc<App>, &Arc<Handover>),
    flush: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let options = Opt { upgrade: args.upgrade, ..Opt::default() };
    let mut server = Server::new_with_opt_and_conf(options, conf);
    // With `--upgrade` this waits for the listeners of the old process, and ends this one when they do not come.
    server.bootstrap();
    if let Some(port) = config.weir.health_port {
        server.add_service(probes(args, port, app));
    }
    server.add_service(front(args, config, app, &server.configuration)?);
    let (app, handover) = (Arc::clone(app), Arc::clone(handover));
    server.add_service(Announcer {
        app: Arc::clone(&app),
        handover: Arc::clone(&handover),
        addresses: ports(args, config).map(|port| address(args, port)).collect(),
    });
    let (grace, flush) = (config.weir.grace_period, Box::new(flush));
    let drain = Drain { app: Arc::clone(&app), handover: Arc::clone(&handover), grace, flush };
    server.add_service(background_service("drain", drain));
    server.run(RunArgs { shutdown_signal: Box::new(Stop { app, handover }) });
    Ok(())
}

/// Where this process listens.
fn ports(args: &Serve, config: &Config) -> impl Iterator<Item = u16> {
    std::iter::once(args.port).chain(config.weir.health_port)
}

fn address(args: &Serve, port: u16) -> String {
    format!("{}:{port}", bracketed(&args.host))
}

/// Pingora's own settings.
///
/// # Errors
/// There is no place for the socket of a hand-over that was asked for.
pub fn conf(args: &Serve, config: &Config, folder: &Path) -> anyhow::Result<ServerConf> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // Drain ends the process as soon as the last exchange is done; this is only the outer bound.
    let outer = config.weir.grace_period + Duration::from_secs(60);
    let upgrade_sock = match handover::sock(folder) {
        Some(sock) => sock,
        None if args.upgrade => bail!("--upgrade: the path of the data directory is too long for a socket"),
        None => String::new(),
    };
    Ok(ServerConf {
        upgrade_sock,
        threads: args.num_workers.unwrap_or(cores).clamp(1, 256),
        work_stealing: config.weir.work_stealing,
        grace_period_seconds: Some(outer.as_secs()),
        graceful_shutdown_timeout_seconds: Some(5),
        ca_file: Some(roots::path(folder)),
        ..ServerConf::default()
    })
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
    let front = Front {
        app: Arc::clone(app),
        proxy: Arc::new(proxy),
        head_timeout: config.weir.header_timeout,
        h2c: config.weir.h2c,
    };
    let mut service = Service::new(String::from("gateway"), front);
    let address = address(args, args.port);
    match (&args.ssl_certfile_path, &args.ssl_keyfile_path) {
        (Some(cert), Some(key)) => {
            service.add_listener(listener(&address).tls(certificate::tls(cert, key)?));
        }
        (None, None) => service.add_listener(listener(&address)),
        _ => bail!("--ssl_certfile_path and --ssl_keyfile_path go together"),
    }
    Ok(service)
}

/// Probes have a thread that nothing else uses.
fn probes(args: &Serve, port: u16, app: &Arc<App>) -> Service<Probes> {
    let mut service = Service::new(String::from("probes"), Probes { app: Arc::clone(app) });
    service.threads = Some(1);
    service.add_listener(listener(&address(args, port)));
    service
}

/// Head and body of an answer leave in one packet; with Pingora's buffer of 1,460 bytes they would not.
const WRITE_BUFFER: usize = 4 * 1024;

/// Heads fit; bodies are read past it. Pingora's own 64 KiB would be held by every idle client.
const READ_BUFFER: usize = 4 * 1024;

fn listener(address: &str) -> ListenerConfig {
    ListenerConfig::tcp(address).l4_buffer(L4BufferSettings::new(READ_BUFFER, WRITE_BUFFER))
}

/// An IPv6 address needs brackets before its port.
pub fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}
