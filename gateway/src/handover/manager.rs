//! Tells the service manager who serves: systemd's protocol, a datagram to the socket that `NOTIFY_SOCKET` names.
//! <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>

use std::os::unix::net::UnixDatagram;
use weir_core::config::Env;

/// This process is ready, and the one to watch. Without a service manager nothing is done.
pub(super) fn tell_ready(env: &Env) {
    let Some(path) = env.filled("NOTIFY_SOCKET") else { return };
    let text = format!("MAINPID={}\nREADY=1", std::process::id());
    let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to(text.as_bytes(), path));
    if let Err(error) = sent {
        tracing::warn!("the service manager was not told that this process is ready: {error}");
    }
}
