//! What Claude models can do, told by their names, so that models to come are served without a new table. Sources:
//! Anthropic's model overview; the rules by version in LiteLLM's model map.

/// A model, as far as requests to it differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    /// `None`: a deployment's own name, or another maker's model behind this dialect.
    version: Option<(u8, u8)>,
    /// Refuses `thinking.type: disabled`.
    pub always_thinks: bool,
}

impl Model {
    pub(super) fn of(name: &str) -> Self {
        let after = name.find("claude-").map(|at| &name[at + "claude-".len()..]);
        let always_thinks = after.is_some_and(|rest| rest.starts_with("fable") || rest.starts_with("mythos"));
        Self { version: after.and_then(version), always_thinks }
    }

    pub(super) fn can_think(self) -> bool {
        self.version.is_none_or(|v| v >= (3, 7))
    }

    /// Decides by itself how much it thinks, guided by an effort.
    pub(super) fn thinks_adaptively(self) -> bool {
        self.version.is_some_and(|v| v >= (4, 6)) || self.always_thinks
    }

    /// Refuses a budget of thinking tokens.
    pub(super) fn refuses_budgets(self) -> bool {
        self.version.is_some_and(|v| v >= (4, 7)) || self.always_thinks
    }

    /// Takes `output_config.format` and strict tools.
    pub(super) fn has_formats(self) -> bool {
        self.version.is_some_and(|v| v >= (4, 5)) || self.always_thinks
    }

    /// Refuses `temperature` beside `top_p`.
    pub(super) fn wants_one_sampler(self) -> bool {
        self.version.is_some_and(|v| v >= (4, 1)) || self.always_thinks
    }
}

/// The first one or two short numbers: `3-5-sonnet-20241022`, `opus-4-20250514`, `sonnet-4.5@20250929`. Longer ones
/// are dates.
fn version(rest: &str) -> Option<(u8, u8)> {
    let mut pieces = rest.split(['-', '.', '_', '@', ':', '/']).skip_while(|piece| number(piece).is_none());
    let major = pieces.next().and_then(number)?;
    if major >= 10 {
        // `claude-opus-41`, an alias of some clouds.
        return Some((major / 10, major % 10));
    }
    Some((major, pieces.next().and_then(number).unwrap_or(0)))
}

fn number(piece: &str) -> Option<u8> {
    let piece = piece.strip_prefix('v').unwrap_or(piece);
    if piece.is_empty() || piece.len() > 2 || !piece.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    piece.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_every_shape_of_name() {
        for (name, expected) in [
            ("claude-3-opus-20240229", Some((3, 0))),
            ("claude-3-5-sonnet-latest", Some((3, 5))),
            ("claude-3-7-sonnet@20250219", Some((3, 7))),
            ("claude-sonnet-4-20250514", Some((4, 0))),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some((4, 5))),
            ("claude-opus-4.6", Some((4, 6))),
            ("claude-opus-41", Some((4, 1))),
            ("claude-fable-5", Some((5, 0))),
            ("claude-instant-v1", Some((1, 0))),
            ("anthropic.claude-v2:1", Some((2, 1))),
            ("claude-next", None),
            ("kimi-k2-0905", None),
        ] {
            assert_eq!(Model::of(name).version, expected, "{name}");
        }
    }
}
