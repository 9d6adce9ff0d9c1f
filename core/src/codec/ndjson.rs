//! Newline-delimited JSON: one value to a line. Lines end with LF or CR LF; empty ones say nothing.

/// The lines of a block that ends at a line end, without their ends.
pub fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}
