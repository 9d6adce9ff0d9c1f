//! What was masked in a request and is put back into its answer (`output_parse_pii`): the model never sees it, the caller
//! does not see that.

use super::texts::Leaves;
use crate::watch::{Piece, TextKind, Watch, Watcher};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use weir_core::error::{ApiError, Kind};

/// What stands in the place of what, in one exchange. `Debug` shows nothing of it.
#[derive(Default)]
pub struct Masked(Mutex<Pairs>);

/// All pairs, and what finds one among thousands.
#[derive(Default)]
struct Pairs {
    all: Vec<Pair>,
    /// All that stands for something.
    names: HashSet<String>,
    kinds: HashMap<String, OfKind>,
}

#[derive(Default)]
struct OfKind {
    /// What stands for a text.
    stands: HashMap<String, String>,
    /// Numbers up to here are given, or were said.
    last: u64,
}

#[derive(Clone)]
struct Pair {
    /// `<PERSON>`
    stands: String,
    said: String,
}

/// Texts that one request may have masked. More are a flood, and stay masked.
const MOST: usize = 10_000;

/// All that stands for something begins like this.
const BEGINS: char = '<';

/// Bytes of a tool call's arguments that are kept back until they are whole.
const LARGEST: usize = 4 << 20;

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masked")
    }
}

impl Masked {
    /// What stands for a text of this kind: the same for the same text, and nothing that anybody said.
    pub fn stand_in(&self, kind: &str, said: &str, texts: &[String]) -> String {
        self.lock().stand_in(kind, said, texts)
    }

    pub fn is_empty(&self) -> bool {
        self.lock().all.is_empty()
    }

    /// Texts of an answer into which it was put back, as they may be kept: what was masked is masked again, wherever it stands.
    pub fn hidden(&self, texts: &[String]) -> Vec<String> {
        let mut pairs = self.pairs().to_vec();
        // One may begin like another.
        pairs.sort_by_key(|pair| Reverse(pair.said.len()));
        let mut by_first: HashMap<char, Vec<&Pair>> = HashMap::new();
        for pair in &pairs {
            if let Some(first) = pair.said.chars().next() {
                by_first.entry(first).or_default().push(pair);
            }
        }
        texts.iter().map(|text| hidden(&by_first, text)).collect()
    }

    fn pairs(&self) -> Arc<[Pair]> {
        self.lock().all.as_slice().into()
    }

    fn lock(&self) -> MutexGuard<'_, Pairs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pairs {
    fn stand_in(&mut self, kind: &str, said: &str, texts: &[String]) -> String {
        let of_kind = self.kinds.entry(kind.to_owned()).or_default();
        if let Some(stands) = of_kind.stands.get(said) {
            return stands.clone();
        }
        if self.all.len() >= MOST {
            // Nothing that is put back: it would be another one's text.
            return format!("{BEGINS}{kind}_>");
        }
        let name = |number: u64| {
            if number == 1 { format!("{BEGINS}{kind}>") } else { format!("{BEGINS}{kind}_{number}>") }
        };
        let taken = |name: &String| {
            self.names.contains(name) || texts.iter().any(|text| text.contains(name.as_str()))
        };
        let mut numbered = (of_kind.last + 1..).map(|number| (number, name(number)));
        // Ends: what is taken is finite.
        let (number, stands) = numbered.find(|(_, name)| !taken(name)).unwrap_or_default();
        of_kind.last = number;
        of_kind.stands.insert(said.to_owned(), stands.clone());
        self.names.insert(stands.clone());
        self.all.push(Pair { stands: stands.clone(), said: said.to_owned() });
        stands
    }
}

/// Puts back what was masked, wherever the answer is cut.
pub struct Restoring {
    pairs: Arc<[Pair]>,
    /// Of open blocks, what may become something that stands for a text; of a tool call, all.
    held: HashMap<usize, String>,
}

impl Restoring {
    /// `None`: nothing was masked.
    pub fn of(masked: &Masked) -> Option<Self> {
        let pairs = masked.pairs();
        (!pairs.is_empty()).then(|| Self { pairs, held: HashMap::new() })
    }
}

impl Watcher for Restoring {
    fn text(&mut self, piece: &Piece) -> Watch {
        let held = self.held.entry(piece.block).or_default();
        held.push_str(&piece.text);
        if piece.kind != TextKind::Arguments {
            return Watch::Edit(restored(&self.pairs, held));
        }
        if held.len() > LARGEST {
            let message = "The arguments of a tool are too long to put back what was masked in them.";
            return Watch::Refuse(ApiError::new(Kind::GuardrailUnavailable, message));
        }
        Watch::Edit(String::new())
    }

    fn stop(&mut self, block: usize, kind: TextKind) -> Watch {
        let Some(mut held) = self.held.remove(&block) else { return Watch::Pass };
        if kind == TextKind::Arguments {
            return Watch::Edit(in_arguments(&self.pairs, held));
        }
        let mut out = restored(&self.pairs, &mut held);
        out.push_str(&held);
        Watch::Edit(out)
    }
}

/// What of a text may go on, with everything put back; what may become something that stands for a text stays in it.
fn restored(pairs: &[Pair], held: &mut String) -> String {
    let mut out = String::with_capacity(held.len());
    let mut rest = held.as_str();
    while let Some(at) = rest.find(BEGINS) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(pair) = pairs.iter().find(|pair| rest.starts_with(&pair.stands)) {
            out.push_str(&pair.said);
            rest = &rest[pair.stands.len()..];
        } else if pairs.iter().any(|pair| pair.stands.starts_with(rest)) {
            break;
        } else {
            out.push(BEGINS);
            rest = &rest[BEGINS.len_utf8()..];
        }
    }
    if !rest.starts_with(BEGINS) {
        out.push_str(rest);
        rest = "";
    }
    *held = rest.to_owned();
    out
}

/// `by_first`: what was masked, by how it begins, the longest first.
fn hidden(by_first: &HashMap<char, Vec<&Pair>>, text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let mut pairs = by_first.get(&first).into_iter().flatten();
        let (told, length) = match pairs.find(|pair| rest.starts_with(pair.said.as_str())) {
            Some(pair) => (pair.stands.as_str(), pair.said.len()),
            None => (&rest[..first.len_utf8()], first.len_utf8()),
        };
        out.push_str(told);
        rest = &rest[length..];
    }
    out
}

/// In JSON, which must be JSON afterwards.
fn in_arguments(pairs: &[Pair], arguments: String) -> String {
    let leaves = Leaves::of(json!({ "arguments": arguments }));
    let whole = |text: &String| {
        let mut held = text.clone();
        let out = restored(pairs, &mut held);
        out + &held
    };
    let texts: Vec<String> = leaves.texts.iter().map(whole).collect();
    if texts == leaves.texts {
        return arguments;
    }
    let written = leaves.write(texts);
    written.get("arguments").and_then(Value::as_str).map_or(arguments, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked() -> Masked {
        let masked = Masked::default();
        let texts = ["I am Jörg, and <PERSON_2> is no name.".to_owned()];
        for (kind, said, stands) in [
            ("PERSON", "Jörg", "<PERSON>"),
            ("PERSON", "Ann", "<PERSON_3>"),
            ("PERSON", "Jörg", "<PERSON>"),
            ("PER", "\"Jörg\"", "<PER>"),
        ] {
            assert_eq!(masked.stand_in(kind, said, &texts), stands);
        }
        masked
    }

    fn led(pieces: &[&str], kind: TextKind) -> String {
        let mut restoring = Restoring::of(&masked()).unwrap();
        let mut out = String::new();
        let mut take = |watch: Watch| match watch {
            Watch::Edit(text) => out.push_str(&text),
            other => panic!("{other:?}"),
        };
        for text in pieces {
            take(restoring.text(&Piece { block: 0, kind, text: (*text).to_owned() }));
        }
        take(restoring.stop(0, kind));
        out
    }

    #[test]
    fn what_was_masked_is_put_back_wherever_the_answer_is_cut() {
        let text = "Hi <PERSON>, <<PERSON_3> and <PERSON_2>: 1 < 2, <PER>! <PERS";
        let whole = "Hi Jörg, <Ann and <PERSON_2>: 1 < 2, \"Jörg\"! <PERS";
        for cut in 0..=text.len() {
            let (one, other) = text.split_at(cut);
            assert_eq!(led(&[one, other], TextKind::Text), whole, "cut at {cut}");
        }
        let each: Vec<String> = text.chars().map(String::from).collect();
        let each: Vec<&str> = each.iter().map(String::as_str).collect();
        assert_eq!(led(&each, TextKind::Text), whole);
    }

    #[test]
    fn arguments_of_tools_are_json_afterwards() {
        let out = led(&[r#"{"to":"<P"#, r#"ER>","n":1}"#], TextKind::Arguments);
        assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), json!({"to": "\"Jörg\"", "n": 1}));
        assert_eq!(led(&[r#"{"a" : "b"}"#], TextKind::Arguments), r#"{"a" : "b"}"#, "untouched");
    }

    #[test]
    fn what_is_kept_of_an_answer_is_masked_again() {
        let masked = masked();
        let names = ["Annabel", "Ann"].map(|said| masked.stand_in("PERSON", said, &[]));
        assert_eq!(names, ["<PERSON_4>", "<PERSON_3>"]);
        let texts = ["Jörg, Ann and Annabel: \"Jörg\"s 1 < 2".to_owned(), "nobody".to_owned()];
        let kept = ["<PERSON>, <PERSON_3> and <PERSON_4>: <PER>s 1 < 2", "nobody"];
        assert_eq!(masked.hidden(&texts), kept);
    }

    /// Each of them is found at once: a request of ten thousand names takes no worker's time.
    #[test]
    fn a_flood_stays_masked_and_is_mistaken_for_nobody() {
        let masked = Masked::default();
        for number in 0..MOST {
            masked.stand_in("PERSON", &format!("name {number}"), &[]);
        }
        assert_eq!(masked.stand_in("PERSON", "name 9", &[]), "<PERSON_10>");
        let mut told = masked.stand_in("PERSON", "one more", &[]);
        let pairs = masked.pairs();
        assert!(told.starts_with("<PERSON") && pairs.len() == MOST, "{told}");
        let as_it_is = told.clone();
        assert_eq!(restored(&pairs, &mut told), as_it_is, "nobody else's text stands there");
    }

    #[test]
    fn no_more_is_kept_back_than_may_stand_for_something() {
        let mut restoring = Restoring::of(&masked()).unwrap();
        let piece = |text: &str| Piece { block: 0, kind: TextKind::Text, text: text.to_owned() };
        for (text, goes_on) in [("plain", "plain"), ("a <b", "a <b"), ("c <PERSO", "c "), ("X", "<PERSOX")] {
            match restoring.text(&piece(text)) {
                Watch::Edit(out) => assert_eq!(out, goes_on),
                other => panic!("{other:?}"),
            }
        }
        assert!(Restoring::of(&Masked::default()).is_none(), "nothing was masked");
    }
}
