//! A provider's plain answer, and the same bytes as an error answer.

use crate::{crossed, grammar};
use weir_core::chat::replay;
use weir_plugins::dialects::UpstreamDialect;

pub fn check(dialect: &dyn UpstreamDialect, bytes: &[u8]) {
    let fault = dialect.read_error(418, bytes);
    // Broken UTF-8 is told with three bytes for one.
    assert!(fault.message.len() <= 3 * bytes.len() + 256, "a message of {} bytes", fault.message.len());
    let Ok(answer) = dialect.read_answer(bytes) else { return };
    let told = replay(answer.clone());
    let whole = answer.finish.is_some() && answer.fault.is_none();
    if whole {
        grammar::check(&told, true);
        crossed::answer(&answer);
        crossed::stream(&told, true);
    }
}
