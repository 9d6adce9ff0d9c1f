//! Connections to providers: prebuilt peers, kept with their deployment, and what is open over HTTP/1. What speaks HTTP/2
//! is kept by Pingora's connector.

use super::idle::{IDLE, Idle, Place, Shelf};
use super::line::Line;
use super::public::is_public;
use super::resolve::Resolver;
use super::trust::Trust;
use super::tunnel::{Proxy, Tunnel};
use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use futures_util::FutureExt;
use pingora::ErrorType;
use pingora::connectors::http::Connector;
use pingora::protocols::http::client::HttpSession;
use pingora::protocols::http::v1::client::HttpSession as Http1;
use pingora::protocols::{ALPN, Stream};
use pingora::upstreams::peer::HttpPeer;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::unconstrained;
use weir_core::body::Pieces;
use weir_core::config::{Config, SslVerify};
use weir_core::error::{ApiError, Kind};
use weir_plugins::deployment::Deployment;

/// Hands out connections. Shared by all workers.
pub struct Dialer {
    idle: Arc<Idle>,
    trust: ArcSwap<Trust>,
    /// Counts states of `trust`: what was connected under one of them is not used under another.
    round: AtomicU64,
    resolver: Arc<Resolver>,
    proxy: Option<Proxy>,
}

/// Where a deployment is reached. Kept with it for a while, so that requests find it without looking anything up; a
/// reload that changes an address makes another deployment.
struct Ways {
    until: Instant,
    round: u64,
    /// One for each address.
    any: Vec<Arc<Way>>,
    /// The same for those who want HTTP/1.1.
    http1: Vec<Arc<Way>>,
}

/// How one address is reached, and what leads there already.
struct Way {
    peer: HttpPeer,
    shelf: Arc<Shelf>,
    connector: Arc<Connector>,
}

/// What a deployment is connected to under.
struct Terms {
    /// Of `trust`, or of the state before it: then nothing is used twice.
    round: u64,
    trust: Arc<Trust>,
    connector: Arc<Connector>,
}

/// What a connection is wanted for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Goes out with the head where the connection can do that, see [`super::line::goes_with_head`].
    pub body: &'a Pieces,
    /// HTTP/2 would not do.
    pub http1: bool,
}

/// An open connection, and where it must be given back to.
pub struct Connection {
    pub session: HttpSession,
    way: Arc<Way>,
    /// It was used before, so the other side may have closed it meanwhile.
    pub reused: bool,
    /// The setting that bounds the next read, for the message when it is over.
    pub limit: Duration,
    /// An end or error that was met while looking for more; told by the next read.
    pub ahead: Option<pingora::Result<Option<Bytes>>>,
}

/// Passed from hand to hand, so by its address: the session alone is most of a kilobyte.
pub type Connected = Box<Connection>;

/// How connections are made, for the life of the process but for whom they trust.
pub struct DialerOptions {
    pub trust: Trust,
    pub https_proxy: Option<Proxy>,
    /// Addresses of IPv6 are not tried.
    pub ipv4_only: bool,
    /// Connections that are kept while nobody uses them.
    pub pool_size: usize,
}

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
            idle: Arc::new(Idle::new(options.pool_size)),
            trust: ArcSwap::from_pointee(options.trust),
            round: AtomicU64::new(0),
            resolver: Arc::new(Resolver::new().ipv4_only(options.ipv4_only)),
            proxy: options.https_proxy,
        }
    }

    /// Reads again whom to trust and what to show. Where that has changed, all connections from now on are new ones; where a
    /// file cannot be used, nothing changes.
    pub fn renew(&self, config: &Config) {
        match self.trust.load().again(config) {
            Ok(None) => {}
            Ok(Some(next)) => {
                self.trust.store(Arc::new(next));
                self.round.fetch_add(1, Ordering::Release);
                tracing::info!("whom TLS to providers trusts, or what it shows them, has changed");
            }
            Err(why) => tracing::error!("{why:#}; what TLS to providers trusts and shows stays as it was"),
        }
    }

    /// Connections that nobody uses.
    pub fn idle(&self) -> Arc<Idle> {
        Arc::clone(&self.idle)
    }

    /// A connection that is open already, if there is one.
    pub fn at_hand(&self, deployment: &Deployment, wanted: Wanted<'_>) -> Option<Connected> {
        let ways = self.known_ways(deployment)?;
        ways.of(wanted).iter().find_map(|way| way.at_hand(deployment, wanted))
    }

    /// A connection to the deployment, open already or new; the next address when one does not answer.
    pub async fn connect(&self, deployment: &Deployment, wanted: Wanted<'_>) -> Result<Connected, ApiError> {
        let mut last = None;
        let ways = self.ways(deployment).await?;
        for way in ways.of(wanted) {
            if let Some(connected) = way.at_hand(deployment, wanted) {
                return Ok(connected);
            }
            match way.connector.get_http_session(&way.peer).await {
                Ok((HttpSession::H1(http1), _)) => {
                    let line = Box::new(Line::new(http1.into_inner()));
                    return Ok(way.over(line, deployment, wanted, false));
                }
                Ok((session, reused)) => return Ok(way.begun(session, deployment, reused)),
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
        if let Some(ways) = self.known_ways(deployment) {
            return Ok(ways);
        }
        let terms = self.terms(deployment)?;
        let addresses = self.addresses(deployment).await?;
        let all = |http1| {
            let addresses = addresses.iter().take(MAX_ADDRESSES);
            addresses.map(|address| Arc::new(self.way(deployment, *address, http1, &terms))).collect()
        };
        let (until, round) = (Instant::now() + FRESH, terms.round);
        let ways = Arc::new(Ways { until, round, any: all(false), http1: all(true) });
        if let Some(kept) = kept_ways(deployment) {
            kept.store(Some(Arc::clone(&ways)));
        }
        Ok(ways)
    }

    /// The ways to a deployment, as long as they are good.
    fn known_ways(&self, deployment: &Deployment) -> Option<Arc<Ways>> {
        let round = self.round.load(Ordering::Acquire);
        let known = kept_ways(deployment)?.load_full()?;
        (known.round == round && known.until > Instant::now()).then_some(known)
    }

    fn terms(&self, deployment: &Deployment) -> Result<Terms, ApiError> {
        let round = self.round.load(Ordering::Acquire);
        let trust = self.trust.load_full();
        let connector = trust.connector(deployment.verify.as_ref()).map_err(|why| {
            let refused = refused(deployment, &format!("{why:#}"));
            refused.amend(|message| format!("{message} {UNUSABLE}"))
        })?;
        Ok(Terms { round, trust, connector })
    }

    fn way(&self, deployment: &Deployment, address: SocketAddr, http1: bool, terms: &Terms) -> Way {
        let wire = &deployment.wire;
        let target = self.proxy_for(deployment).map(|_| target_of(deployment, address));
        let certified = terms.trust.certificate().is_some() && deployment.is_operators();
        let (host, verify) = (wire.host.clone(), deployment.verify.clone());
        let place = Place { address, tls: wire.tls, host, target, certified, verify, round: terms.round };
        let peer = self.build_peer(deployment, address, http1, &terms.trust);
        Way { peer, shelf: self.idle.shelf(place), connector: Arc::clone(&terms.connector) }
    }

    fn build_peer(
        &self,
        deployment: &Deployment,
        address: SocketAddr,
        http1: bool,
        trust: &Trust,
    ) -> HttpPeer {
        let wire = &deployment.wire;
        let mut peer = HttpPeer::new(address, wire.tls, wire.host.clone());
        let options = &mut peer.options;
        options.connection_timeout = Some(deployment.timeouts.connect);
        options.total_connection_timeout = Some(deployment.timeouts.connect);
        options.idle_timeout = Some(IDLE);
        let verify = deployment.verify.as_ref().map_or(trust.verify, |own| *own != SslVerify::Off);
        options.verify_cert = verify;
        options.verify_hostname = verify;
        options.alpn = if wire.tls && !http1 { ALPN::H2H1 } else { ALPN::H1 };
        options.max_h2_streams = H2_STREAMS;
        options.h2_stream_window_size = Some(H2_STREAM_WINDOW);
        if deployment.is_operators() {
            // Who a client's or a team's own endpoint is, nobody here knows.
            peer.client_cert_key = trust.certificate().cloned();
        }
        if let Some(proxy) = self.proxy_for(deployment) {
            let target = target_of(deployment, address);
            peer.group_key = hash(&target);
            let tunnel = Tunnel { proxy: proxy.clone(), target, resolver: Arc::clone(&self.resolver) };
            peer.options.custom_l4 = Some(Arc::new(tunnel));
        }
        peer
    }

    /// Gives back the connection of a finished session.
    pub async fn release(&self, connected: Connected) {
        let Connection { session, way, .. } = *connected;
        match session {
            HttpSession::H1(mut http1) => {
                http1.respect_keepalive();
                // One that is not kept is closed, whether or not the provider takes a farewell.
                let stream = unconstrained(http1.reuse()).now_or_never().flatten();
                if let Some(line) = stream.and_then(|stream| stream.into_any().downcast::<Line>().ok()) {
                    way.shelf.put(line);
                }
            }
            session => way.connector.release_http_session(session, &way.peer, Some(IDLE)).await,
        }
    }

    /// Ends a session whose answer is not wanted or not whole, so that the provider stops.
    pub async fn abort(&self, mut connected: Connected) {
        // A provider that takes no bytes from us would not take this either: nobody waits for that.
        let _told = unconstrained(connected.session.shutdown()).now_or_never();
        if matches!(connected.session, HttpSession::H2(_)) {
            // The connection lives on; only its stream was reset.
            self.release(connected).await;
        }
    }
}

// --- Connection ---

impl Connection {
    /// Whether the provider has begun to answer.
    pub fn is_answered(&self) -> bool {
        match &self.session {
            HttpSession::H1(http1) => http1.stream().as_any().downcast_ref::<Line>().is_some_and(Line::heard),
            session => session.response_header().is_some(),
        }
    }
}

// --- Ways ---

impl Ways {
    fn of(&self, wanted: Wanted<'_>) -> &[Arc<Way>] {
        if wanted.http1 { &self.http1 } else { &self.any }
    }
}

fn kept_ways(deployment: &Deployment) -> Option<&ArcSwapOption<Ways>> {
    let kept = deployment.prepared.get_or_init(|| Box::new(ArcSwapOption::<Ways>::empty()));
    kept.downcast_ref::<ArcSwapOption<Ways>>()
}

impl Way {
    fn at_hand(self: &Arc<Self>, deployment: &Deployment, wanted: Wanted<'_>) -> Option<Connected> {
        Some(self.over(self.shelf.take()?, deployment, wanted, true))
    }

    fn over(
        self: &Arc<Self>,
        mut line: Box<Line>,
        deployment: &Deployment,
        wanted: Wanted<'_>,
        reused: bool,
    ) -> Connected {
        line.load(wanted.body);
        let line: Stream = line;
        self.begun(HttpSession::H1(Http1::new_with_options(line, &self.peer)), deployment, reused)
    }

    fn begun(self: &Arc<Self>, session: HttpSession, deployment: &Deployment, reused: bool) -> Connected {
        let (way, limit) = (Arc::clone(self), deployment.timeouts.first_token);
        Box::new(Connection { session, way, reused, limit, ahead: None })
    }
}

/// What a proxy is asked for. A name that a client chose may lead elsewhere when the proxy looks: it gets the address that
/// was looked at.
fn target_of(deployment: &Deployment, address: SocketAddr) -> String {
    let wire = &deployment.wire;
    if deployment.public_only { address.to_string() } else { target(&wire.host, wire.port) }
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
