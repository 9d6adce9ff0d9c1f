//! Connections to providers: prebuilt peers, kept with their deployment, over one pooled connector.

use super::public::is_public;
use super::resolve::Resolver;
use super::roots::Roots;
use super::tunnel::{Proxy, Tunnel};
use arc_swap::ArcSwapOption;
use pingora::ErrorType;
use pingora::connectors::ConnectorOptions;
use pingora::connectors::http::Connector;
use pingora::protocols::ALPN;
use pingora::protocols::http::client::HttpSession;
use pingora::upstreams::peer::HttpPeer;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use weir_core::config::SslVerify;
use weir_core::error::{ApiError, Kind};
use weir_plugins::deployment::Deployment;

/// Hands out connections. Shared by all workers.
pub struct Dialer {
    connector: Connector,
    /// For deployments that trust a CA of their own, by its file. Connections of one are never used for another.
    trusting: Mutex<HashMap<String, Arc<Connector>>>,
    roots: Roots,
    pool_size: usize,
    resolver: Arc<Resolver>,
    proxy: Option<Proxy>,
    verify: bool,
}

/// Where a deployment is reached. Kept with it for a while, so that requests find it without looking anything up; a
/// reload that changes an address makes another deployment.
struct Ways {
    until: Instant,
    /// One for each address.
    peers: Vec<Arc<HttpPeer>>,
    /// The same for those who want HTTP/1.1.
    http1: Vec<Arc<HttpPeer>>,
    /// Who connects, where the deployment trusts a CA of its own.
    own: Option<Arc<Connector>>,
}

/// An open connection and the peer it must be given back to.
pub struct Connection {
    pub session: HttpSession,
    pub peer: Arc<HttpPeer>,
    /// It was used before, so the other side may have closed it meanwhile.
    pub reused: bool,
    /// The setting that bounds the next read, for the message when it is over.
    pub limit: Duration,
    /// An end or error that was met while looking for more; told by the next read.
    pub ahead: Option<pingora::Result<Option<bytes::Bytes>>>,
    /// Who made it, where that is not the one for all.
    own: Option<Arc<Connector>>,
}

/// Passed from hand to hand, so by its address: the session alone is most of a kilobyte.
pub type Connected = Box<Connection>;

/// How connections are made, for the life of the process.
pub struct DialerOptions {
    pub verify: SslVerify,
    pub https_proxy: Option<Proxy>,
    /// A file with all trusted roots.
    pub ca_file: String,
    /// For deployments with a CA of their own.
    pub roots: Roots,
    /// Connections that are kept while nobody uses them.
    pub pool_size: usize,
}

const IDLE: Duration = Duration::from_secs(60);
/// How long prepared peers are used before the resolver is asked again, which remembers by itself.
const FRESH: Duration = Duration::from_secs(5);
/// Addresses of a host that are tried.
const MAX_ADDRESSES: usize = 4;
const H2_STREAMS: usize = 100;
/// Slow readers must not make us hold megabytes for each stream.
const H2_STREAM_WINDOW: u32 = 256 * 1024;

// --- Dialer ---

impl Dialer {
    pub fn new(options: DialerOptions) -> Self {
        Self {
            connector: connector(options.ca_file, options.pool_size),
            trusting: Mutex::default(),
            roots: options.roots,
            pool_size: options.pool_size,
            resolver: Arc::new(Resolver::new()),
            proxy: options.https_proxy,
            verify: options.verify != SslVerify::Off,
        }
    }

    /// A connection to the deployment, pooled or new; the next address when one does not answer. `http1`: HTTP/2 would
    /// not do.
    pub async fn connect(&self, deployment: &Deployment, http1: bool) -> Result<Connected, ApiError> {
        let mut last = None;
        let ways = self.ways(deployment).await?;
        let connector = ways.own.as_deref().unwrap_or(&self.connector);
        for peer in if http1 { &ways.http1 } else { &ways.peers } {
            match connector.get_http_session(&**peer).await {
                Ok((session, reused)) => {
                    let (peer, limit) = (Arc::clone(peer), deployment.timeouts.first_token);
                    let own = ways.own.clone();
                    return Ok(Box::new(Connection { session, peer, reused, limit, ahead: None, own }));
                }
                Err(error) => last = Some(with_cure(refused(deployment, &error.to_string()), &error)),
            }
        }
        Err(last.unwrap_or_else(|| refused(deployment, "no address")))
    }

    async fn addresses(&self, deployment: &Deployment) -> Result<Arc<[SocketAddr]>, ApiError> {
        let wire = &deployment.wire;
        if self.proxy_for(deployment).is_some() && !deployment.public_only {
            // Never dialled: the proxy resolves the name.
            return Ok(Arc::from([SocketAddr::from(([0, 0, 0, 0], wire.port))]));
        }
        let found = self.resolver.addresses(&wire.host, wire.port).await;
        let found = found.map_err(|why| refused(deployment, &why))?;
        if deployment.public_only && !found.iter().all(|address| is_public(address.ip())) {
            return Err(inside());
        }
        Ok(found)
    }

    fn proxy_for(&self, deployment: &Deployment) -> Option<&Proxy> {
        let wire = &deployment.wire;
        self.proxy.as_ref().filter(|p| wire.tls && !p.bypasses(&wire.host, wire.port))
    }

    async fn ways(&self, deployment: &Deployment) -> Result<Arc<Ways>, ApiError> {
        let kept = deployment.prepared.get_or_init(|| Box::new(ArcSwapOption::<Ways>::empty()));
        let kept = kept.downcast_ref::<ArcSwapOption<Ways>>();
        let known = kept.and_then(|kept| kept.load_full());
        if let Some(ways) = known.filter(|ways| ways.until > Instant::now()) {
            return Ok(ways);
        }
        let own = self.own_connector(deployment)?;
        let addresses = self.addresses(deployment).await?;
        let peers = |http1| {
            let all = addresses.iter().take(MAX_ADDRESSES);
            all.map(|address| Arc::new(self.build_peer(deployment, *address, http1))).collect()
        };
        let until = Instant::now() + FRESH;
        let ways = Arc::new(Ways { until, peers: peers(false), http1: peers(true), own });
        if let Some(kept) = kept {
            kept.store(Some(Arc::clone(&ways)));
        }
        Ok(ways)
    }

    /// `None`: the one for all will do.
    fn own_connector(&self, deployment: &Deployment) -> Result<Option<Arc<Connector>>, ApiError> {
        let Some(SslVerify::CaFile(path)) = &deployment.verify else { return Ok(None) };
        let mut known = self.trusting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(path) {
            return Ok(Some(Arc::clone(found)));
        }
        let file = self.roots.with(path).map_err(|why| {
            let refused = refused(deployment, &format!("{why:#}"));
            refused.amend(|message| format!("{message} {UNUSABLE}"))
        })?;
        let made = Arc::new(connector(file, self.pool_size));
        known.insert(path.clone(), Arc::clone(&made));
        Ok(Some(made))
    }

    fn build_peer(&self, deployment: &Deployment, address: SocketAddr, http1: bool) -> HttpPeer {
        let wire = &deployment.wire;
        let mut peer = HttpPeer::new(address, wire.tls, wire.host.clone());
        let options = &mut peer.options;
        options.connection_timeout = Some(deployment.timeouts.connect);
        options.total_connection_timeout = Some(deployment.timeouts.connect);
        options.idle_timeout = Some(IDLE);
        let verify = deployment.verify.as_ref().map_or(self.verify, |own| *own != SslVerify::Off);
        options.verify_cert = verify;
        options.verify_hostname = verify;
        options.alpn = if wire.tls && !http1 { ALPN::H2H1 } else { ALPN::H1 };
        options.max_h2_streams = H2_STREAMS;
        options.h2_stream_window_size = Some(H2_STREAM_WINDOW);
        if let Some(proxy) = self.proxy_for(deployment) {
            // A name that a client chose may lead elsewhere when the proxy looks: it gets the address that was looked at.
            let looked_at = deployment.public_only.then(|| address.to_string());
            let target = looked_at.unwrap_or_else(|| target(&wire.host, wire.port));
            peer.group_key = hash(&target);
            let tunnel = Tunnel { proxy: proxy.clone(), target, resolver: Arc::clone(&self.resolver) };
            peer.options.custom_l4 = Some(Arc::new(tunnel));
        }
        peer
    }

    /// Gives a finished session back to the pool.
    pub async fn release(&self, connected: Connected) {
        let Connection { session, peer, own, .. } = *connected;
        let connector = own.as_deref().unwrap_or(&self.connector);
        connector.release_http_session(session, &*peer, Some(IDLE)).await;
    }

    /// Ends a session whose answer is not wanted or not whole, so that the provider stops.
    pub async fn abort(&self, mut connected: Connected) {
        connected.session.shutdown().await;
        if matches!(connected.session, HttpSession::H2(_)) {
            // The connection lives on; only its stream was reset.
            self.release(connected).await;
        }
    }
}

fn connector(ca_file: String, pool_size: usize) -> Connector {
    let mut options = ConnectorOptions::new(pool_size);
    options.ca_file = Some(ca_file);
    Connector::new(Some(options))
}

/// An IPv6 address needs brackets before its port.
fn target(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// A client has named an address of this network.
fn inside() -> ApiError {
    let message = "Authentication Error, Rejected Request: api_base does not lead to a public address. The operator can list \
                   others by a pattern in configurable_clientside_auth_params.";
    ApiError::new(Kind::ClientCredentials, message)
}

/// LiteLLM's words for a provider that cannot be reached.
fn refused(deployment: &Deployment, why: &str) -> ApiError {
    let message = format!(
        "litellm.InternalServerError: InternalServerError: {}Exception - Connection error.",
        deployment.provider.name
    );
    ApiError::new(Kind::UpstreamRefused, message).because(format!("{}: {why}", deployment.wire.api_base))
}

const UNTRUSTED: &str = "The provider's certificate is not trusted: if it is signed by a CA of your own, name that CA's \
                         file in ssl_verify (of the deployment or of litellm_settings) or SSL_CERT_FILE";
const UNUSABLE: &str = "The file that the deployment names in ssl_verify cannot be used; the log says why";
const WRONG_HOST: &str = "The provider's certificate is for other hosts than the one in api_base";

/// Says what an operator can do, where that is known.
fn with_cure(refused: ApiError, error: &pingora::Error) -> ApiError {
    let context = error.context.as_ref().map_or("", |context| context.as_str());
    let cure = match error.etype() {
        ErrorType::TLSHandshakeFailure if context.contains("not valid for name") => WRONG_HOST.to_owned(),
        ErrorType::TLSHandshakeFailure if context.contains("invalid peer certificate") => {
            UNTRUSTED.to_owned()
        }
        ErrorType::ConnectProxyFailure => format!("HTTPS_PROXY: {context}"),
        _ => return refused,
    };
    refused.amend(|message| format!("{message} {cure}"))
}
