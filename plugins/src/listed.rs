//! Lists of `litellm_settings` that may stand in files of their own: words that are banned, customers whom nobody serves.

use weir_core::config::Listed;
use weir_core::config::problems::{Place, Problems};

pub(crate) fn place(setting: &str) -> Place {
    Place { path: format!("litellm_settings.{setting}"), ..Place::default() }
}

/// All words but empty ones. A file that cannot be read is an error: nobody shall believe that it counts.
pub(crate) fn words(listed: &Listed, at: &Place, problems: &mut Problems) -> Vec<String> {
    let words: Vec<String> = match listed {
        Listed::None => Vec::new(),
        Listed::Words(words) => words.clone(),
        Listed::File(path) => match std::fs::read_to_string(path) {
            Ok(text) => text.lines().map(|line| line.trim().to_owned()).collect(),
            Err(why) => {
                problems.error(at, format!("cannot be read: {why}"), "");
                Vec::new()
            }
        },
    };
    words.into_iter().filter(|word| !word.is_empty()).collect()
}
