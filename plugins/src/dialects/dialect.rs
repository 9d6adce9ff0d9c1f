//! What an adapter between a wire format and the canonical model must do. Adapters are pure: no I/O, no clock, no await;
//! readers and writers are push machines that give 0..n results per input.

use super::params::Params;
use super::wire_body::WireBody;
use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Event, Events, ProviderFault, Request};
use weir_core::codec::{Frame, FrameError, Framing};
use weir_core::error::ApiError;

/// The side that clients speak.
pub trait ClientDialect: Send + Sync {
    /// Members that speak to the gateway (`metadata`, `fallbacks`, …) are left out. An error is the client's (400).
    fn read_request(&self, body: &JsonBody, headers: &HeaderMap) -> Result<Request, ApiError>;

    /// A whole answer as the JSON body of a 200.
    fn write_answer(&self, answer: Answer, view: &View<'_>) -> Vec<u8>;

    /// A writer for one stream.
    fn writer(&self, view: &View<'_>) -> Box<dyn EventWriter>;

    /// The body of an error response.
    fn write_error(&self, error: &ApiError) -> Vec<u8>;

    /// An error inside a stream that has begun, whole frames.
    fn error_event(&self, error: &ApiError) -> Vec<u8>;

    /// What keeps an idle stream alive, a whole frame.
    fn keep_alive(&self) -> &'static [u8] {
        b": keep-alive\n\n"
    }
}

/// The side that providers speak.
pub trait UpstreamDialect: Send + Sync {
    fn framing(&self) -> Framing;

    /// The provider's request. Parameters that it cannot take are refused or left out as `asked.params` says.
    fn write_request(&self, request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError>;

    /// A whole answer. A 200 that holds an error comes back as `TranslateError::Fault`.
    fn read_answer(&self, body: &[u8]) -> Result<Answer, TranslateError>;

    /// A reader for one stream.
    fn reader(&self) -> Box<dyn EventReader>;

    /// The body of an error answer.
    fn read_error(&self, status: u16, body: &[u8]) -> ProviderFault;
}

/// Frames of a provider's stream to events, following the grammar of [`Event`]. Bounded: keeps at most what an
/// unfinished block needs.
pub trait EventReader: Send {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError>;

    /// The stream has ended. Gives what is missing, or says that the provider was cut off.
    fn end(&mut self, out: &mut Events) -> Result<(), TranslateError>;
}

/// Events to frames of the client's stream.
pub trait EventWriter: Send {
    fn write(&mut self, event: Event, out: &mut BytesMut);

    /// The stream is whole: writes what closes it (`[DONE]`, `message_stop`, …). Not called after an error.
    fn end(&mut self, out: &mut BytesMut);
}

/// What a writer of requests must know beside the request.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The upstream model, without its provider prefix.
    pub model: &'a str,
    /// The provider's prefix in `litellm_params.model`, for messages and quirks.
    pub provider: &'a str,
    pub params: &'a Params,
    /// The client's headers (`anthropic-beta`).
    pub headers: &'a HeaderMap,
}

/// What goes to the provider, before the config's own fields are put over it.
#[derive(Clone, Debug, Default)]
pub struct WireRequest {
    pub body: WireBody,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// What a writer of answers must know beside the answer.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The upstream model, told where the provider does not name the one that answered.
    pub model: &'a str,
    /// Unique text of letters, digits and dashes, for ids that the dialect wants and the provider did not give:
    /// `chatcmpl-{id}`, `msg_{id}`, `resp_{id}`.
    pub id: &'a str,
    /// Unix seconds.
    pub created: i64,
    /// The client asked for usage in the stream.
    pub include_usage: bool,
    /// The client's request, for dialects that echo it.
    pub body: &'a JsonBody,
}

/// Why a provider's answer cannot be told in another dialect.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranslateError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("not what this dialect says: {0}")]
    Malformed(String),
    /// The stream ended before the model had finished.
    #[error("the stream ended before the model had finished")]
    Unfinished,
    /// A successful status with an error inside.
    #[error("the provider reports: {}", .0.message)]
    Fault(ProviderFault),
}

impl TranslateError {
    pub fn malformed(why: impl std::fmt::Display) -> Self {
        TranslateError::Malformed(why.to_string())
    }
}
