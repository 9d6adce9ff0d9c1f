//! `/metrics`, for Prometheus. The page of ten thousand keys is long, so it is written and sent a piece at a time: no more
//! than a piece is in memory, and no worker, and no request on it, waits while one is written.

use super::{Reply, models};
use crate::response::{fail, head};
use crate::state::App;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use pingora::protocols::http::ServerSession;
use pingora::{ErrorType, OrErr, Result};
use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use weir_core::error::{ApiError, Kind};
use weir_plugins::metrics::{Metrics, Page};

/// A page on its way.
struct Scrape {
    page: Page,
    /// Where the scraper takes it packed, until it has ended.
    packed: Option<GzEncoder<Vec<u8>>>,
}

/// One piece is written at a time, whoever scrapes: it takes no more than one processor from requests.
static TURN: Semaphore = Semaphore::const_new(1);

pub(super) async fn serve(app: &App, down: &mut ServerSession) -> Result<()> {
    match may_scrape(app, down).await {
        Ok(None) => {}
        Ok(Some(refusal)) => return super::send(down, refusal).await,
        Err(error) => return fail::respond(down, &error, None).await,
    }
    match begin(app, down).await {
        Ok(scrape) => send(down, scrape).await,
        Err(error) => fail::respond(down, &error, None).await,
    }
}

/// 404 while the callback is off, as with LiteLLM. Whoever may not scrape is answered in its words.
async fn may_scrape(app: &App, down: &ServerSession) -> std::result::Result<Option<Reply>, ApiError> {
    if !app.metrics.recording() {
        return Err(ApiError::new(Kind::NotFound, "Not Found"));
    }
    let snapshot = app.snapshot.load_full();
    if !snapshot.config.litellm.require_auth_for_metrics_endpoint {
        return Ok(None);
    }
    match models::caller(app, &snapshot, down).await {
        Ok(_) => Ok(None),
        Err(error) => refused(error).map(Some),
    }
}

/// A JSON text. A ledger that is away is no refusal.
fn refused(error: ApiError) -> std::result::Result<Reply, ApiError> {
    if !matches!(error.status(), 400 | 401 | 403) {
        return Err(error);
    }
    let text = format!("Unauthorized access to metrics endpoint: {}", error.message());
    Ok(Reply { status: StatusCode::UNAUTHORIZED, ..Reply::json(&text.into()) })
}

async fn begin(app: &App, down: &ServerSession) -> std::result::Result<Scrape, ApiError> {
    app.read_gauges();
    let (metrics, packs) = (Arc::clone(&app.metrics), packs(down));
    let failed = |why: String| ApiError::new(Kind::Internal, "metrics").because(why);
    let _turn = TURN.acquire().await.map_err(|e| failed(e.to_string()))?;
    let begun = spawn_blocking(move || Scrape::begin(&metrics, packs)).await;
    begun.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))
}

async fn send(down: &mut ServerSession, mut scrape: Scrape) -> Result<()> {
    let head = head::of(StatusCode::OK, headers(down, scrape.packed.is_some()));
    down.write_response_header(Box::new(head)).await?;
    loop {
        let (rest, piece) = next(scrape).await?;
        let Some(piece) = piece else { break };
        down.write_response_body(piece, false).await?;
        scrape = rest;
    }
    down.write_response_body(Bytes::new(), true).await
}

/// Nobody holds a thread while a scraper is slow to read.
async fn next(mut scrape: Scrape) -> Result<(Scrape, Option<Bytes>)> {
    const FAILED: (ErrorType, &str) = (ErrorType::InternalError, "a page of metrics");
    let _turn = TURN.acquire().await.or_err(FAILED.0, FAILED.1)?;
    let written = spawn_blocking(move || scrape.piece().map(|piece| (scrape, piece))).await;
    written.or_err(FAILED.0, FAILED.1)?.or_err(FAILED.0, FAILED.1)
}

fn headers(down: &mut ServerSession, packed: bool) -> HeaderMap {
    let mut head = HeaderMap::with_capacity(5);
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    head.insert(header::CONTENT_TYPE, content_type);
    if packed {
        head.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if down.get_header(header::ORIGIN).is_some() {
        head.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    if down.req_header().version == Version::HTTP_10 {
        // It knows no pieces: the page ends with the connection.
        down.set_keepalive(None);
    } else {
        head.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    head
}

fn packs(down: &ServerSession) -> bool {
    let codings = down.get_header(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    takes_gzip(codings.unwrap_or_default())
}

/// Whether `Accept-Encoding` names gzip, and does not say that it is unwanted (`q=0`).
fn takes_gzip(codings: &str) -> bool {
    codings.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        is_gzip && weight.is_none_or(|weight| weight > 0.0)
    })
}

// --- Scrape ---

impl Scrape {
    fn begin(metrics: &Arc<Metrics>, packs: bool) -> anyhow::Result<Self> {
        // Lines are much alike: more work would make little of it smaller.
        let packed = packs.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        Ok(Self { page: metrics.page()?, packed })
    }

    /// What is sent next; `None`: that was all.
    fn piece(&mut self) -> io::Result<Option<Bytes>> {
        let Some(packed) = &mut self.packed else {
            return Ok(self.page.next().map(Bytes::from));
        };
        for text in self.page.by_ref() {
            packed.write_all(text.as_bytes())?;
            let ready = mem::take(packed.get_mut());
            if !ready.is_empty() {
                return Ok(Some(Bytes::from(ready)));
            }
        }
        let end = self.packed.take().map(GzEncoder::finish).transpose()?;
        Ok(end.map(Bytes::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_wants_it_packed_gets_it_packed() {
        for wants in ["gzip", "GZIP", "deflate, gzip;q=0.5", "br;q=1.0, gzip", "gzip; q=1"] {
            assert!(takes_gzip(wants), "{wants}");
        }
        for wants_not in ["", "identity", "gzip;q=0", "gzip; q=0.0, br", "x-gzipped", "deflate"] {
            assert!(!takes_gzip(wants_not), "{wants_not}");
        }
    }
}
