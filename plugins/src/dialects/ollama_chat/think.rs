//! Thoughts in tags: models that Ollama does not know as thinking ones write `<think>…</think>` before their answer.

/// Splits a text that grows. Holds back no more than what may become a tag.
#[derive(Debug, Default)]
pub(super) struct Tags {
    state: State,
    held: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Thought(String),
    Text(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing was said yet: a tag may come.
    #[default]
    Begin,
    Inside,
    Outside,
}

/// Only at the very beginning, as in LiteLLM: later it may be an answer about tags.
static OPENING: &[&str] = &["<think>", "<thinking>"];
static CLOSING: &[&str] = &["</think>", "</thinking>"];
const LONGEST: usize = "</thinking>".len();

// --- Tags ---

impl Tags {
    pub(super) fn push(&mut self, text: &str) -> Vec<Piece> {
        if self.state == State::Outside {
            return spoken(vec![Piece::Text(text.to_owned())]);
        }
        self.held.push_str(text);
        let mut out = Vec::new();
        if self.state == State::Begin {
            self.begin(&mut out);
        }
        if self.state == State::Inside {
            self.inside(&mut out);
        }
        spoken(out)
    }

    /// No tags are to be expected: thoughts come by themselves, or nothing comes any more. Gives what was held back.
    pub(super) fn close(&mut self) -> Vec<Piece> {
        let held = std::mem::take(&mut self.held);
        let inside = std::mem::replace(&mut self.state, State::Outside) == State::Inside;
        spoken(vec![if inside { Piece::Thought(held) } else { Piece::Text(held) }])
    }

    fn begin(&mut self, out: &mut Vec<Piece>) {
        if let Some(tag) = OPENING.iter().find(|tag| self.held.starts_with(**tag)) {
            self.held.drain(..tag.len());
            self.state = State::Inside;
        } else if !OPENING.iter().any(|tag| tag.starts_with(&self.held)) {
            self.state = State::Outside;
            out.push(Piece::Text(std::mem::take(&mut self.held)));
        }
    }

    fn inside(&mut self, out: &mut Vec<Piece>) {
        let found = CLOSING.iter().filter_map(|tag| Some((self.held.find(tag)?, tag.len()))).min();
        if let Some((at, length)) = found {
            let text = self.held.split_off(at + length);
            self.held.truncate(at);
            out.push(Piece::Thought(std::mem::take(&mut self.held)));
            out.push(Piece::Text(text));
            self.state = State::Outside;
            return;
        }
        let rest = self.held.split_off(self.held.len() - half_tag(&self.held));
        out.push(Piece::Thought(std::mem::replace(&mut self.held, rest)));
    }
}

/// Length of the end of a text that may be the beginning of a closing tag.
fn half_tag(text: &str) -> usize {
    let from = text.len().saturating_sub(LONGEST - 1);
    let starts = (from..text.len()).filter(|at| text.is_char_boundary(*at));
    let half = |at: &usize| CLOSING.iter().any(|tag| tag.starts_with(&text[*at..]));
    starts.into_iter().find(half).map_or(0, |at| text.len() - at)
}

fn spoken(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.retain(|piece| matches!(piece, Piece::Thought(text) | Piece::Text(text) if !text.is_empty()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&str]) -> (String, String) {
        let mut tags = Tags::default();
        let mut all: Vec<Piece> = pieces.iter().flat_map(|p| tags.push(p)).collect();
        all.extend(tags.close());
        let (mut thought, mut text) = (String::new(), String::new());
        for piece in all {
            match piece {
                Piece::Thought(more) => thought.push_str(&more),
                Piece::Text(more) => text.push_str(&more),
            }
        }
        (thought, text)
    }

    #[test]
    fn thoughts_are_found_however_the_text_is_cut() {
        for (whole, thought, text) in [
            ("<think>\nhm ü</think>\n\nHi", "\nhm ü", "\n\nHi"),
            ("<thinking>a</b </thinking>x<think>", "a</b ", "x<think>"),
            ("<think>cut off </thi", "cut off </thi", ""),
            ("<thin", "", "<thin"),
            ("<thing> is no tag", "", "<thing> is no tag"),
            ("say <think> for it", "", "say <think> for it"),
            ("<think></think>", "", ""),
            ("", "", ""),
        ] {
            let wanted = (thought.to_owned(), text.to_owned());
            for cut in (0..=whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
                assert_eq!(split(&[&whole[..cut], &whole[cut..]]), wanted, "{whole:?} cut at {cut}");
            }
            let letters: Vec<String> = whole.chars().map(String::from).collect();
            assert_eq!(split(&letters.iter().map(String::as_str).collect::<Vec<_>>()), wanted, "{whole:?}");
        }
    }
}
