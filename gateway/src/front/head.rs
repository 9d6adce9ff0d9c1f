//! What makes the head of an HTTP/1 request unacceptable, beyond syntax. RFC 9112, sections 5.1, 5.2, 6.1 to 6.3.

/// What is asked instead of a refused request. A client that asks for it by itself is told the same.
pub const REFUSED_PATH: &str = "/.weir/refused/";

/// Larger heads are refused.
pub const MAX_HEAD: usize = 64 * 1024;

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    TooLarge,
    Folded,
    NoColon,
    SpaceInName,
    TwoLengths,
    BadLength,
    BadCoding,
    LengthAndCoding,
    TwoHosts,
}

/// One row per fault: its name in the path, its message.
static FAULTS: &[(Fault, &str, &str)] = &[
    (Fault::TooLarge, "large", "the header section is larger than 64 KiB"),
    (Fault::Folded, "folded", "a header is folded over two lines (obs-fold)"),
    (Fault::NoColon, "colon", "a header line has no colon"),
    (Fault::SpaceInName, "space", "a header name holds white space"),
    (Fault::TwoLengths, "lengths", "content-length is given twice"),
    (Fault::BadLength, "length", "content-length is not a number"),
    (Fault::BadCoding, "coding", "transfer-encoding is not exactly `chunked`"),
    (Fault::LengthAndCoding, "both", "both content-length and transfer-encoding are given"),
    (Fault::TwoHosts, "hosts", "host is given twice"),
];

impl Fault {
    /// A request that our own handler answers with this fault.
    pub fn substitute(self) -> String {
        let name = FAULTS.iter().find(|(f, ..)| *f == self).map_or("", |(_, name, _)| name);
        format!("GET {REFUSED_PATH}{name} HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n")
    }
}

/// The message for a substituted path.
pub fn refusal(path: &str) -> Option<&'static str> {
    let name = path.strip_prefix(REFUSED_PATH)?;
    FAULTS.iter().find(|(_, n, _)| *n == name).map(|(.., message)| *message)
}

/// Index after the blank line that ends a head.
pub fn end(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// Checks a whole head, request line included. Syntax that is merely wrong is left to the parser behind us.
pub fn check(head: &[u8]) -> Result<(), Fault> {
    let mut seen = Seen::default();
    for line in head.split(|b| *b == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            seen.line(line)?;
        }
    }
    if seen.length && seen.coding { Err(Fault::LengthAndCoding) } else { Ok(()) }
}

#[derive(Default)]
struct Seen {
    length: bool,
    coding: bool,
    host: bool,
}

impl Seen {
    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        if matches!(line[0], b' ' | b'\t') {
            return Err(Fault::Folded);
        }
        let colon = memchr::memchr(b':', line).ok_or(Fault::NoColon)?;
        let name = &line[..colon];
        if name.last().is_none_or(u8::is_ascii_whitespace) {
            return Err(Fault::SpaceInName);
        }
        // Only these three decide where a request ends and whom it is for.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => once(&mut self.host, Fault::TwoHosts),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.length(&line[colon + 1..]),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.coding(&line[colon + 1..]),
            _ => Ok(()),
        }
    }

    fn length(&mut self, value: &[u8]) -> Result<(), Fault> {
        once(&mut self.length, Fault::TwoLengths)?;
        let value = value.trim_ascii();
        let number = !value.is_empty() && value.len() <= 19 && value.iter().all(u8::is_ascii_digit);
        if number { Ok(()) } else { Err(Fault::BadLength) }
    }

    fn coding(&mut self, value: &[u8]) -> Result<(), Fault> {
        once(&mut self.coding, Fault::BadCoding)?;
        if value.trim_ascii().eq_ignore_ascii_case(b"chunked") { Ok(()) } else { Err(Fault::BadCoding) }
    }
}

fn once(seen: &mut bool, fault: Fault) -> Result<(), Fault> {
    if std::mem::replace(seen, true) { Err(fault) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_meaning_passes_two_do_not() {
        let head = |lines: &str| check(format!("POST / HTTP/1.1\r\n{lines}\r\n").as_bytes());
        assert_eq!(head("Host: a\r\nContent-Length: 5\r\nX: y z\r\n"), Ok(()));
        assert_eq!(head("Transfer-Encoding: Chunked\r\n"), Ok(()));
        for (lines, fault) in [
            ("content-length: 5\r\ntransfer-encoding: chunked\r\n", Fault::LengthAndCoding),
            ("content-length: 5\r\ncontent-length: 5\r\n", Fault::TwoLengths),
            ("content-length: +5\r\n", Fault::BadLength),
            ("content-length: 5, 5\r\n", Fault::BadLength),
            ("content-length : 5\r\n", Fault::SpaceInName),
            ("transfer-encoding: chunked, identity\r\n", Fault::BadCoding),
            ("transfer-encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Fault::BadCoding),
            ("a: b\r\n c: d\r\n", Fault::Folded),
            ("ab\r\n", Fault::NoColon),
            ("host: a\r\nHost: b\r\n", Fault::TwoHosts),
        ] {
            assert_eq!(head(lines), Err(fault), "{lines:?}");
        }
    }

    #[test]
    fn every_fault_is_told() {
        for (fault, _, message) in FAULTS {
            let request = fault.substitute();
            let path = request.split(' ').nth(1).unwrap();
            assert_eq!(refusal(path), Some(*message));
        }
    }
}
