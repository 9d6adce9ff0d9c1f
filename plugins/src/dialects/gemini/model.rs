//! What follows from a model's name.

/// A model as far as requests depend on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Model<'a> {
    name: &'a str,
    /// Major and minor version; `None` for aliases (`gemini-flash-latest`), tuned and other models.
    version: Option<(u32, u32)>,
}

impl<'a> Model<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        Self { name, version: version(name) }
    }

    /// Gemini 3 and later think in levels, sign every function call and have no penalties.
    pub(super) fn is_3(self) -> bool {
        self.version.is_some_and(|v| v >= (3, 0))
    }

    /// Models before 2.5 do not think.
    pub(super) fn thinks(self) -> bool {
        self.version.is_none_or(|v| v >= (2, 5))
    }

    /// Whether an answer's format may be given in JSON schema proper.
    pub(super) fn takes_json_schema(self) -> bool {
        self.version.is_some_and(|v| v >= (2, 0))
    }

    pub(super) fn has_penalties(self) -> bool {
        !self.is_3() && !self.says("gemini-2.5-pro-preview-06-05")
    }

    pub(super) fn says(self, word: &str) -> bool {
        self.name.contains(word)
    }
}

fn version(name: &str) -> Option<(u32, u32)> {
    let (_, rest) = name.split_once("gemini-")?;
    let number = rest.split('-').next()?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_names() {
        assert_eq!(version("gemini-2.5-flash-lite"), Some((2, 5)));
        assert_eq!(version("models/gemini-3-pro-preview"), Some((3, 0)));
        assert_eq!(version("gemini-10.1"), Some((10, 1)));
        for none in ["gemini-flash-latest", "gemma-3", "1234567890", "gemini-", ""] {
            assert_eq!(version(none), None, "{none}");
        }
    }
}
