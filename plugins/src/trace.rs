//! W3C trace context: the trace that a request belongs to, and how a provider is told of it.
//! <https://www.w3.org/TR/trace-context/>

use crate::exchange::Exchange;
use http::{HeaderMap, HeaderName, HeaderValue};
use weir_core::domain::ids::EntryId;

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// Bit of the flags: somebody records the trace.
const SAMPLED: u8 = 1;

/// A request's place in a trace: the client's, or one that begins here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// 32 digits.
    pub id: String,
    /// The client's own span, 16 digits; `None`: the trace begins here.
    pub parent: Option<String>,
    pub flags: u8,
}

impl Trace {
    pub fn of(x: &Exchange) -> Self {
        let begun = || Self { id: x.id.simple().to_string(), parent: None, flags: SAMPLED };
        Self::parse(x.header(PARENT.as_str())).unwrap_or_else(begun)
    }

    /// `00-<trace>-<parent>-<flags>`; of later versions what is the same in them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, id) = (parts.next()?, parts.next()?);
        let (parent, flags) = (parts.next()?, parts.next()?);
        let whole = digits(version, 2) && digits(id, 32) && digits(parent, 16) && digits(flags, 2);
        let more = version == "00" && parts.next().is_some();
        let zero = |text: &str| text.bytes().all(|digit| digit == b'0');
        if !whole || more || version == "ff" || zero(id) || zero(parent) {
            return None;
        }
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self { id: id.to_owned(), parent: Some(parent.to_owned()), flags })
    }

    /// Tells a provider: its own spans stand below that of the exchange, which callbacks are told of. What the client's
    /// tracer says beside it goes along.
    pub fn tell(x: &Exchange, headers: &mut HeaderMap) {
        let trace = Self::of(x);
        let told = format!("00-{}-{:016x}-{:02x}", trace.id, span(&x.id), trace.flags & SAMPLED);
        let Ok(told) = HeaderValue::from_str(&told) else { return };
        headers.insert(PARENT, told);
        let state = x.request.headers.get(&STATE).filter(|_| trace.parent.is_some());
        headers.extend(state.map(|state| (STATE, state.clone())));
    }
}

/// The span of an exchange: the random half of its id. Never zero.
pub fn span(id: &EntryId) -> u64 {
    let (_, random) = id.as_u64_pair();
    random.max(1)
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_specification_allows_is_a_trace() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let trace = Trace::parse(good).unwrap();
        assert_eq!((trace.id.len(), trace.parent.as_deref(), trace.flags), (32, Some("b7ad6b7169203331"), 1));
        assert!(Trace::parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later").is_some());
        for bad in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-é-b7ad6b7169203331-01",
        ] {
            assert_eq!(Trace::parse(bad), None, "{bad}");
        }
    }
}
