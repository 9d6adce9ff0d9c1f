//! Words of others, for people who look: providers repeat keys in their errors.

/// In place of what may be a secret.
const HIDDEN: &str = "***";
/// So many letters and digits in a row, of both, are no word of any language.
const LONG: usize = 16;

/// One line of at most `most` characters in which nothing is left that looks like a key.
pub fn redacted(text: &str, most: usize) -> String {
    let mut told = String::new();
    for piece in text.split_inclusive(|c| !in_word(c)) {
        let word = piece.trim_end_matches(|c| !in_word(c));
        told.push_str(if is_secret(word) { HIDDEN } else { word });
        told.extend(piece[word.len()..].chars().map(|c| if c.is_control() { ' ' } else { c }));
        if told.len() > most * 4 {
            break;
        }
    }
    match told.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &told[..end]),
        None => told,
    }
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// `sk-…`, and whatever is long and random. Names of models have dashes, and ids of requests as UUIDs have them too.
fn is_secret(word: &str) -> bool {
    let random = |part: &str| {
        part.len() >= LONG
            && part.bytes().any(|b| b.is_ascii_digit())
            && part.bytes().any(|b| b.is_ascii_alphabetic())
    };
    word.len() > 3 && word.starts_with("sk-") || word.split(['-', '_']).any(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p35_what_looks_like_a_key_is_not_told() {
        for (said, told) in [
            ("Incorrect API key provided: sk-proj-1.", "Incorrect API key provided: ***."),
            ("key AKIAIOSFODNN7EXAMPLE, token=AIzaSyD3x0000000000000", "key ***, token=***"),
            (
                "claude-3-5-sonnet-20241022 is overloaded (00000000-1111-4222-8333-abcdefabcdef)",
                "claude-3-5-sonnet-20241022 is overloaded (00000000-1111-4222-8333-abcdefabcdef)",
            ),
            ("two\nlines", "two lines"),
            ("", ""),
        ] {
            assert_eq!(redacted(said, 200), told);
        }
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(redacted("äöü is too long", 2), "äö…");
        assert_eq!(redacted(&"a ".repeat(100_000), 5), "a a a…");
    }
}
