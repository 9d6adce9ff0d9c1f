//! What a client asks for, as its path says, and the request that is read for it.

use crate::intake;
use crate::limits::Place;
use pingora::protocols::http::ServerSession;
use weir_core::chat::Dialect;
use weir_core::domain::ids::EntryId;
use weir_core::domain::operation::Operation;
use weir_plugins::exchange::Request;
use weir_plugins::pass::{self, Way};
use weir_plugins::snapshot::Snapshot;

/// What a client asks for.
pub enum Asked {
    /// An operation, and the model that the path names.
    Operation(Operation, Option<String>),
    /// To be passed through, and the path below the prefix.
    Raw(Way, String),
    /// A session over a WebSocket.
    Realtime,
}

impl Asked {
    /// How our own errors are told.
    pub fn errors(&self) -> Dialect {
        match self {
            Asked::Operation(operation, _) => operation.row().errors,
            Asked::Raw(way, _) => way.errors(),
            Asked::Realtime => Dialect::OpenAiChat,
        }
    }

    /// Reads the request.
    ///
    /// # Errors
    /// What cannot be served, or a client that is gone.
    pub async fn read(
        self,
        snapshot: &Snapshot,
        down: &mut ServerSession,
        place: &mut Place,
        id: EntryId,
    ) -> Result<Request, intake::Fault> {
        let config = &snapshot.config;
        match self {
            Asked::Realtime => intake::realtime(config, down, id),
            Asked::Raw(way, below) => intake::raw(config, down, place, way, &below, id).await,
            Asked::Operation(operation, model) => {
                let request = intake::read(config, down, place, operation, model, id).await?;
                Ok(unless_ours(snapshot, down, request))
            }
        }
    }
}

/// Below `/openai/v1` a model that the config does not know is OpenAI's own, if there is a key for it.
fn unless_ours(snapshot: &Snapshot, down: &ServerSession, request: Request) -> Request {
    let head = down.req_header();
    let raw = pass::below(head.uri.path()).filter(|(_, below)| below.starts_with("/v1/"));
    let Some((prefix, below)) = raw.filter(|(prefix, _)| snapshot.pass.is_set_up(prefix)) else {
        return request;
    };
    let model = request.body.string("model");
    let ours = |model: &str| snapshot.models.find(model).is_some() || snapshot.models.is_a_teams(model);
    if model.is_none_or(|model| ours(&model)) {
        return request;
    }
    let query = head.uri.query().unwrap_or_default();
    intake::turned_raw(request, &head.method, Way::Provider(prefix), below, query)
}
