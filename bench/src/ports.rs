//! Ports for servers that do not tell which one they were given.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below those that the kernel hands out to whoever asks for any: one of these could be somebody's by the time it is bound.
const FIRST: u16 = 20_000;
const PORTS: u16 = 12_000;

/// An address of the loopback interface that nobody listens on. Each process begins its search elsewhere, and takes none
/// twice.
///
/// # Errors
/// All ports are taken.
pub fn free_addr() -> io::Result<SocketAddr> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    for _ in 0..PORTS {
        let number = std::process::id().wrapping_mul(37).wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        let offset = u16::try_from(number % u32::from(PORTS)).unwrap_or_default();
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, FIRST + offset)) {
            return listener.local_addr();
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_is_none_that_the_kernel_gives() {
        let (one, two) = (free_addr().unwrap(), free_addr().unwrap());
        assert_ne!(one, two);
        assert!((FIRST..FIRST + PORTS).contains(&one.port()), "{one}");
    }
}
