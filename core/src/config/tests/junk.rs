//! Whatever the text is, loading answers.

use super::{SERVED, load};
use crate::config::env::Env;
use crate::config::load::Config;

const SAMPLE: &str = "\
include: []
model_list:
  - model_name: &name gpt-4o
    litellm_params: &params
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
      input_cost_per_token: 0.0000025
      extra_headers: {x-a: \"b\", x-c: 'd'}
      temperature: 0.5
  - model_name: *name
    litellm_params: {<<: *params, rpm: 10, tags: [a, b]}
    model_info: {id: i, access_groups: [g], note: |
      text
      }
litellm_settings:
  callbacks: [prometheus]
  drop_params: true
router_settings:
  fallbacks: [{gpt-4o: [gpt-4o]}]
  model_group_alias: {a: gpt-4o, b: {model: gpt-4o, hidden: true}}
general_settings:
  master_key: sk-1
  max_request_size_mb: 10
weir_settings: {trusted_proxies: [10.0.0.0/8], drain_delay: 5s}
";

/// Pieces that mean something to YAML or to us.
const PIECES: &[&str] = &[
    ": ",
    "- ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!!int ",
    "!x ",
    "|",
    ">",
    "\"",
    "'",
    "#",
    "? ",
    "~",
    "1e999",
    "-1",
    "0x10",
    ".inf",
    "<<: ",
    "---\n",
    "...\n",
    "%",
    "@",
    "`",
    "\t",
    "\u{0}",
    "\u{feff}",
    "é",
    "\u{1F600}",
    "os.environ/",
    "os.environ/X",
    "null",
    "true",
    "99999999999999999999",
    "*",
    "/",
    "proxy_config:\n ",
    "\r",
];

/// xorshift: the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

fn mutated(dice: &mut Dice) -> String {
    let mut text: Vec<char> = SAMPLE.chars().collect();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(text.len());
        let end = (at + dice.roll(12)).min(text.len());
        let piece = PIECES[dice.roll(PIECES.len())].chars();
        match dice.roll(3) {
            0 => drop(text.splice(at..at, piece)),
            1 => drop(text.splice(at..end, piece)),
            _ => {
                let copy: Vec<char> = text[at..end].to_vec();
                let to = dice.roll(text.len());
                text.splice(to..to, copy);
            }
        }
    }
    text.into_iter().collect()
}

#[test]
fn damaged_configurations_load_or_say_why() {
    let mut dice = Dice(0x5EED);
    let (mut loaded, mut refused) = (0, 0);
    for _ in 0..3000 {
        let text = mutated(&mut dice);
        let (config, problems) = load(&text, &[("X", "x")]);
        assert_eq!(config.is_none(), problems.has_errors(), "{text}");
        if config.is_some() { loaded += 1 } else { refused += 1 }
    }
    assert!(loaded > 100 && refused > 100, "{loaded} loaded, {refused} refused");
}

#[test]
fn every_beginning_of_a_configuration_loads_or_says_why() {
    for end in (0..SAMPLE.len()).filter(|end| SAMPLE.is_char_boundary(*end)) {
        let (config, problems) = load(&SAMPLE[..end], &[]);
        assert_eq!(config.is_none(), problems.has_errors());
    }
}

#[test]
fn bytes_that_are_no_text_are_the_readers_error() {
    let read = |_: &str| String::from_utf8(vec![0xFF, 0xFE, 0x00]).map_err(|e| e.to_string());
    let (config, problems) = Config::load("config.yaml", &read, &Env::default(), SERVED);
    assert!(config.is_none());
    assert!(problems.to_string().contains("invalid utf-8"), "{problems}");
}

/// As deep as the checks before parsing let through: blocks by column, then flow by the parser's own limit. Run on
/// a small stack, as a thread of a server has it.
#[test]
fn the_deepest_text_that_is_parsed_does_not_end_the_stack() {
    let blocks: String = (0..250).map(|depth| format!("{0}a:\n{0}-\n", " ".repeat(depth))).collect();
    let flow = format!("{}{}a{}", " ".repeat(250), "[".repeat(250), "]".repeat(250));
    for text in [format!("{blocks}{flow}"), "- ".repeat(120) + &"[".repeat(250) + &"]".repeat(250)] {
        let thread =
            std::thread::Builder::new().stack_size(2 << 20).spawn(move || load(&text, &[]).1.has_errors());
        assert!(thread.unwrap().join().unwrap());
    }
}
