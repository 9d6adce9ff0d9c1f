//! Nesting depth of JSON text, without recursion. serde_json skips values it does not look into at any depth;
//! the provider behind us may not survive that.

use memchr::{memchr2, memchr2_iter};

/// Whether objects and arrays are nested deeper than `limit`. The text need not be valid JSON.
pub(super) fn exceeds(text: &[u8], limit: usize) -> bool {
    // Counting is ten times cheaper than walking, and most bodies have few openers.
    if memchr2_iter(b'{', b'[', text).take(limit + 1).count() <= limit {
        return false;
    }
    walk(text, limit)
}

fn walk(text: &[u8], limit: usize) -> bool {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => at = string_end(text, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// Index after the closing quote of a string whose opening quote is before `at`.
fn string_end(text: &[u8], mut at: usize) -> usize {
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert!(!exceeds(format!(r#"{{"a":"{}"}}"#, "[".repeat(500)).as_bytes(), 10));
        assert!(!exceeds(br#"{"a":"\"[[[[[[[[[[[["}"#, 5));
        assert!(exceeds("[".repeat(11).as_bytes(), 10));
        assert!(!exceeds("[]".repeat(500).as_bytes(), 10));
        assert!(!exceeds(b"\"\\", 0));
    }
}
