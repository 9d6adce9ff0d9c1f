//! Head and body of a request in one packet. Pingora flushes after the head; a corked socket holds that back until the
//! body follows, which spares a packet, its interrupt and a wake-up of the provider.

use pingora::protocols::http::client::HttpSession;
use socket2::SockRef;
use std::os::fd::BorrowedFd;

/// Holds small writes back. HTTP/2 has frames of its own, and other requests on the same connection.
pub fn on(session: &HttpSession) {
    set(session, true);
}

/// Lets them go.
pub fn off(session: &HttpSession) {
    set(session, false);
}

#[expect(unsafe_code, reason = "Pingora gives the number of the socket, not the socket")]
fn set(session: &HttpSession, corked: bool) {
    let HttpSession::H1(_) = session else { return };
    let Some(stream) = session.stream() else { return };
    // SAFETY: the stream owns the descriptor and is borrowed for as long as this call lasts.
    let socket = unsafe { BorrowedFd::borrow_raw(stream.id()) };
    // Without it the request goes out in two packets, and that is all.
    let _ = SockRef::from(&socket).set_tcp_cork(corked);
}
