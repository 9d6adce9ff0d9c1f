//! The composition root: the only place where concrete types meet.

use crate::background::checks::Checks;
use crate::background::reload::Ear;
use crate::background::standing::Standing;
use crate::cli::{Half, Serve, say};
use crate::control::{Changes, Configuration};
use crate::handover::Handover;
use crate::limits::Limits;
use crate::mirror::Mirrors;
use crate::routing::Routing;
use crate::serving::{self, bracketed};
use crate::settings::Loader;
use crate::state::{App, Draining};
use crate::storage::{self, Storage};
use crate::upstream::connect::{Dialer, DialerOptions};
use crate::upstream::trust::Trust;
use crate::upstream::tunnel::Proxy;
use crate::{background, data_dir, logging, prices};
use anyhow::{Context, anyhow, bail};
use arc_swap::ArcSwap;
use futures_util::FutureExt;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use weir_core::ExposeSecret;
use weir_core::config::env::Env;
use weir_core::config::{Config, MetricsWhen};
use weir_core::metrics::Name;
use weir_core::ports::control::Control;
use weir_core::ports::identity::Bearers;
use weir_core::ports::meter::Meter;
use weir_core::ports::{LedgerState, SpendStore};
use weir_ledger::Asker;
use weir_plugins::alerts::Alerts;
use weir_plugins::auth::Http;
use weir_plugins::budgets::Watched;
use weir_plugins::callbacks::Desk;
use weir_plugins::chain::Chain;
use weir_plugins::filters::FilterKind;
use weir_plugins::identity::Identities;
use weir_plugins::metrics::Metrics;
use weir_plugins::services::Services;
use weir_plugins::snapshot::Snapshot;
use weir_plugins::utils::Explainer;

/// How long the last flush may take.
const LAST_FLUSH: Duration = Duration::from_secs(20);

/// How long callbacks may take to be told of the rest.
const LAST_TELLING: Duration = Duration::from_secs(10);

/// Runs until told to stop. `filters`: beside the gateway's own.
pub fn serve(args: &Serve, filters: &[&'static FilterKind]) -> anyhow::Result<()> {
    let env = Env::process();
    args.theirs.tell();
    let mut loader = asked(Loader::new(args.config.clone(), env.clone()))?;
    let (Some(config), _) = loader.config() else { bail!(refused(&loader)) };
    let debug = args.detailed_debug || args.debug || config.litellm.set_verbose || config.router.debug;
    logging::start(config.litellm.json_logs, debug, &config.env);
    let folder = data_dir::choose(&config, &env);
    data_dir::create(&folder)?;
    if config.general.master_key.is_none() {
        loader.fallback_master = Some(data_dir::master_key(&folder)?);
    }
    let snapshot = first(&loader, args)?;
    // Connections of the ledger live on a runtime of their own, which outlives Pingora's.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let metrics = Arc::new(Metrics::new(&config.litellm.metrics, config.weir.metrics_max_series)?);
    let meter: Arc<dyn Meter> = Arc::<Metrics>::clone(&metrics);
    let storage = runtime.block_on(storage::open(&config, &folder, &meter))?;
    let master = config.general.master_key.as_ref().or(loader.fallback_master.as_ref());
    if let Some(first) = runtime.block_on(background::import::begin(&storage.ledger, &config, master)) {
        runtime.spawn(first.finish());
    }
    let app = app(snapshot, metrics, &storage, &folder, args.only, filters)?;
    let configuration = configuration(&app, &storage, loader);
    runtime.block_on(configuration.refresh());
    beside(&runtime, &configuration, &storage, args)?;
    let (handle, writer) = (runtime.handle().clone(), Arc::clone(&storage.writer));
    let desk = Arc::clone(&app.desk);
    let flush = move || {
        let (writer, desk) = (Arc::clone(&writer), Arc::clone(&desk));
        // The ledger's connections belong to the ledger's runtime.
        let closed = handle.spawn(async move {
            writer.close(LAST_FLUSH).await;
            desk.close(LAST_TELLING).await;
        });
        async move { drop(closed.await) }.boxed()
    };
    let conf = serving::conf(args, &config, &folder)?;
    if args.upgrade {
        runtime.block_on(reached(&app));
    }
    let handover = Arc::new(Handover::new(&folder));
    serving::listen(args, &config, conf, (&app, &handover), flush)
}

/// With what a secret manager keeps.
fn asked(loader: Loader) -> anyhow::Result<Loader> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(loader.with_secrets())
}

/// Waits for the ledger. Who takes listeners over before that would answer 503 where the old process serves.
async fn reached(app: &App) {
    while app.ledger.state() == LedgerState::Starting {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Every reason why a configuration cannot be served.
fn refused(loader: &Loader) -> String {
    let (_, problems) = loader.config();
    problems.iter().for_each(|problem| say(&problem.to_string()));
    String::from("the configuration cannot be served")
}

fn app(
    snapshot: Snapshot,
    metrics: Arc<Metrics>,
    storage: &Storage,
    folder: &Path,
    only: Option<Half>,
    filters: &[&'static FilterKind],
) -> anyhow::Result<Arc<App>> {
    let (watched, alerts) = (Arc::<Watched>::default(), Arc::new(alerts(&metrics)));
    let desk = Arc::new(Desk::new(snapshot.config.weir.callback_max_bytes, Arc::clone(&metrics)));
    let bearers: Arc<dyn Bearers> = Arc::new(identities(&snapshot, storage));
    let services = Services {
        keys: storage.cache.clone(),
        bearers: Arc::clone(&bearers),
        strangers: Arc::default(),
        journal: storage.journal.clone(),
        metrics: Arc::clone(&metrics),
        alerts: Arc::clone(&alerts),
        watched: Arc::clone(&watched),
        responses: Arc::new(storage.ledger.clone()),
        scribe: Arc::clone(&storage.scribe) as Arc<dyn weir_plugins::said::Scribe>,
        desk: Arc::clone(&desk),
        budgets: Arc::clone(&storage.budgets),
        holders: storage.cache.clone(),
        rates: Arc::clone(&storage.rates),
        answers: storage.answers.clone(),
    };
    let config = Arc::clone(&snapshot.config);
    let app = App {
        budgets: Arc::clone(&storage.budgets),
        explainer: Explainer::new(&services, Arc::new(storage.ledger.share(Asker::Reports))),
        chain: Chain::build(&services, filters),
        dialer: Dialer::new(dialer(&config, folder)?),
        routing: Routing::new(storage.cooldowns.clone()),
        limits: limits(&config),
        mirrors: Mirrors::new(config.weir.max_mirrors),
        checks: Checks::default(),
        metrics,
        alerts,
        watched,
        desk,
        keys: storage.cache.clone(),
        bearers,
        strangers: Arc::clone(&services.strangers),
        responses: Arc::new(storage.ledger.clone()),
        ledger: Arc::new(storage.ledger.clone()),
        journal: Arc::clone(&storage.journal),
        rates: Arc::clone(&storage.rates),
        answers: storage.answers.clone(),
        draining: Draining::default(),
        only,
        root: config.env.server_root(),
        admin_socket: socket_path(folder),
        snapshot: ArcSwap::from_pointee(snapshot),
    };
    apply(&app, &app.snapshot.load_full());
    Ok(Arc::new(app))
}

/// What nobody was told is counted.
fn alerts(metrics: &Arc<Metrics>) -> Alerts {
    let metrics = Arc::clone(metrics);
    Alerts::new(move |dropped| metrics.count(Name::AlertsDropped, dropped.as_str()))
}

/// Who is known without a key. Identity providers are those that were configured at the start.
fn identities(snapshot: &Snapshot, storage: &Storage) -> Identities {
    let config = Arc::clone(&snapshot.config);
    let http = Arc::new(Http::new(&config.env));
    Identities::new(config, http, storage.cache.clone(), Arc::new(storage.ledger.clone()))
}

/// Unix socket paths are short; a deep data directory does not fit.
fn socket_path(folder: &Path) -> String {
    let own = format!("admin-{}.sock", std::process::id());
    let path = folder.join(&own);
    let short = path.as_os_str().len() < 100;
    if short { path } else { std::env::temp_dir().join(format!("weir-{own}")) }.display().to_string()
}

/// Starts what runs beside requests.
fn beside(
    runtime: &tokio::runtime::Runtime,
    configuration: &Arc<Configuration>,
    storage: &Storage,
    args: &Serve,
) -> anyhow::Result<()> {
    let app = &configuration.app;
    runtime.spawn(app.dialer.idle().sweep());
    let (writer, app_of_writer) = (Arc::clone(&storage.writer), Arc::clone(app));
    let keeping = move || {
        let snapshot = app_of_writer.snapshot.load();
        (snapshot.config.general.keeping.clone(), snapshot.config.litellm.zone())
    };
    runtime.spawn(async move { writer.run(keeping).await });
    runtime.spawn(storage::tidy(Arc::clone(&storage.budgets), Arc::clone(&storage.rates)));
    if let Some(shared) = &storage.cooldowns {
        runtime.spawn(background::cooldowns::follow(Arc::clone(app), Arc::clone(shared)));
    }
    let store: Arc<dyn SpendStore> = Arc::new(storage.ledger.share(Asker::Admin));
    runtime.spawn(Arc::clone(&storage.scribe).run(store, Arc::clone(&app.metrics)));
    runtime.spawn(Arc::clone(&app.desk).run());
    let changed = Arc::new(Notify::new());
    let (keys, watched) = (Arc::clone(&storage.cache), Arc::clone(&app.watched));
    let changes = Changes { keys, watched, configuration: Arc::clone(&changed) };
    runtime.spawn(weir_ledger::listen(storage.ledger.clone(), Arc::new(changes)));
    look(runtime, app, storage);
    let (master, app_of_config) = (Arc::clone(app), Arc::clone(app));
    let catalogue = Arc::clone(configuration);
    let admin = weir_admin::Services {
        directory: Arc::new(storage.ledger.share(Asker::Admin)),
        lookup: storage.cache.clone(),
        bearers: Some(Arc::clone(&app.bearers)),
        spend: Arc::new(storage.ledger.share(Asker::Reports)),
        config: Arc::new(move || Arc::clone(&app_of_config.snapshot.load().config)),
        master: Arc::new(move || master.snapshot.load().master.clone()),
        control: Arc::<Configuration>::clone(configuration),
        http: Arc::new(Http::new(&app.snapshot.load().config.env)),
        audited: Some(Arc::<App>::clone(app)),
        catalogue: Arc::new(move || catalogue.loader.catalogue()),
    };
    let admin = Arc::new(admin);
    runtime.spawn(weir_admin::keep_due(Arc::clone(&admin), Arc::<Metrics>::clone(&app.metrics)));
    runtime.spawn(prices::follow(Arc::clone(configuration)));
    if args.only != Some(Half::Proxy) {
        let bound = runtime.block_on(async { weir_admin::bind(&app.admin_socket) });
        runtime.spawn(weir_admin::serve(bound.context("the admin socket")?, admin));
        runtime.spawn(background::checks::run(Arc::clone(app)));
    }
    let _around = runtime.enter();
    let ear = Ear::new(configuration.loader.path.as_deref()).context("SIGHUP cannot be listened for")?;
    runtime.spawn(ear.run(Arc::clone(configuration), changed));
    greet(args, app, &configuration.loader);
    Ok(())
}

/// Budgets and whatever else needs somebody are looked at, and people are told.
fn look(runtime: &tokio::runtime::Runtime, app: &Arc<App>, storage: &Storage) {
    let standing = Standing {
        app: Arc::clone(app),
        directory: Arc::new(storage.ledger.share(Asker::Admin)),
        spend: Arc::new(storage.ledger.share(Asker::Reports)),
    };
    runtime.spawn(standing.run());
    let (alerts, snapshot) = (Arc::clone(&app.alerts), Arc::clone(app));
    let env = app.snapshot.load().config.env.clone();
    let settings = move || snapshot.snapshot.load().config.general.alerts.clone();
    runtime.spawn(alerts.run(Arc::new(storage.ledger.share(Asker::Admin)), env, settings));
}

fn configuration(app: &Arc<App>, storage: &Storage, loader: Loader) -> Arc<Configuration> {
    Arc::new(Configuration {
        app: Arc::clone(app),
        loader,
        directory: Arc::new(storage.ledger.clone()),
        last: Mutex::default(),
    })
}

/// Where it is; for newcomers also the key, and something to paste.
fn greet(args: &Serve, app: &App, loader: &Loader) {
    let scheme = if args.ssl_certfile_path.is_some() { "https" } else { "http" };
    let host = if args.host == "0.0.0.0" { "127.0.0.1" } else { &args.host };
    let url = format!("{scheme}://{}:{}", bracketed(host), args.port);
    say(&format!("weir {} listens on {url}", env!("CARGO_PKG_VERSION")));
    let config = &app.snapshot.load().config;
    if let Some(key) = config.general.master_key.as_ref().filter(|_| args.welcome) {
        let key = key.expose_secret();
        let model = config.models.first().map_or("demo", |m| m.name.as_str());
        say(&format!("master key: {key}\ntry it:"));
        say(&format!(
            "  curl {url}/v1/chat/completions -H 'Authorization: Bearer {key}' \\\n    -H 'Content-Type: application/json' \\\n    \
             -d '{{\"model\": \"{model}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'"
        ));
    } else if loader.fallback_master.is_some() {
        say("no master key is configured: one was generated and kept in the data directory (master_key)");
    }
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
    let litellm = &config.litellm;
    let lists = [&litellm.callbacks, &litellm.success_callback, &litellm.failure_callback];
    let named = lists.into_iter().flatten().any(|name| name == "prometheus");
    forget_gone(app, snapshot);
    let recording = named || config.weir.metrics == MetricsWhen::Always;
    let alerting = !config.general.alerts.alerting.is_empty();
    app.metrics.record(recording);
    app.alerts.switch(alerting);
    app.watched.watch(recording || alerting);
    if !alerting {
        app.alerts.forget_requests();
    }
}

/// Deployments that are not configured any more are in no state.
fn forget_gone(app: &App, snapshot: &Snapshot) {
    let there: HashSet<&str> = snapshot.models.deployments().map(|d| d.id.as_str()).collect();
    let before = app.snapshot.load();
    for gone in before.models.deployments().filter(|d| !there.contains(d.id.as_str())) {
        app.metrics.forget_deployment(&gone.id);
    }
}

fn limits(config: &Config) -> Limits {
    let bytes = usize::try_from(config.weir.inflight_bytes).unwrap_or(usize::MAX);
    let most = config.general.global_max_parallel_requests.map_or(config.weir.max_connections, u64::from);
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    Limits::new(bytes, count(most), count(config.weir.max_clients))
        .at_most(config.general.max_parallel_requests)
}

fn dialer(config: &Config, folder: &Path) -> anyhow::Result<DialerOptions> {
    let pool_size = config.weir.upstream_pool_size;
    Ok(DialerOptions {
        trust: Trust::read(config, folder, pool_size)?,
        https_proxy: https_proxy(&config.env)?,
        ipv4_only: config.litellm.library.force_ipv4,
        pool_size,
    })
}

/// The proxy that the environment asks for.
pub fn https_proxy(env: &Env) -> anyhow::Result<Option<Proxy>> {
    let either = |upper, lower| env.filled(upper).or_else(|| env.filled(lower));
    let Some(url) = either("HTTPS_PROXY", "https_proxy") else { return Ok(None) };
    let proxy = Proxy::parse(url, either("NO_PROXY", "no_proxy").unwrap_or_default());
    // Going around a proxy that the network's owner asked for would be worse than not starting.
    proxy
        .map(Some)
        .map_err(|why| anyhow!("HTTPS_PROXY: {why}; write it like http://[user:password@]host:port"))
}
