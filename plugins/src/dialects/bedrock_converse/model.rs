//! What a model id tells about a model: `us.anthropic.claude-sonnet-4-5-20250929-v1:0`.

/// Prefixes of inference profiles that spread over regions.
const PROFILES: &[&str] = &["global", "us-gov", "us", "eu", "apac", "jp", "au", "ca"];

/// Words before the model that choose a route, not a model.
const ROUTES: &[&str] = &["bedrock/", "converse_like/", "converse/", "invoke/"];

/// A model by its id, whatever route, region or profile stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model<'a> {
    /// The id without all of that: `anthropic.claude-sonnet-4-5-20250929-v1:0`.
    pub base: &'a str,
    /// Major and minor version of a Claude, `None` for all other models.
    pub claude: Option<(u8, u8)>,
}

impl<'a> Model<'a> {
    pub fn of(id: &'a str) -> Self {
        let base = base(id);
        let claude = base.contains("claude").then(|| claude_version(base));
        Self { base, claude }
    }

    pub fn starts(&self, prefixes: &[&str]) -> bool {
        prefixes.iter().any(|p| self.base.starts_with(p))
    }

    /// An id that tells nothing: an application's inference profile, an imported model.
    pub fn is_opaque(&self) -> bool {
        !self.base.contains('.')
    }

    pub fn is_nova(&self) -> bool {
        self.base.starts_with("amazon.nova")
    }

    pub fn is_nova_2(&self) -> bool {
        self.base.starts_with("amazon.nova-2")
    }

    pub fn is_gpt_oss(&self) -> bool {
        self.base.contains("gpt-oss")
    }

    /// A Claude of this version or later.
    pub fn claude_since(&self, major: u8, minor: u8) -> bool {
        self.claude.is_some_and(|version| version >= (major, minor))
    }

    /// `opus`, `sonnet` or `haiku`.
    pub fn claude_family(&self) -> Option<&'static str> {
        ["opus", "sonnet", "haiku"].into_iter().find(|family| self.base.contains(family))
    }
}

/// Without route, region, ARN, profile, and what LiteLLM lets stand behind it (`:51k`, `[1m]`).
fn base(id: &str) -> &str {
    let mut id = id;
    while let Some(rest) = ROUTES.iter().find_map(|route| id.strip_prefix(route)) {
        id = rest;
    }
    let id = id.rsplit('/').next().unwrap_or(id);
    let id = id.split('[').next().unwrap_or(id);
    let id = match id.rsplit_once(':') {
        Some((front, size)) if front.contains(':') && size.ends_with('k') => front,
        _ => id,
    };
    match id.split_once('.') {
        Some((profile, rest)) if PROFILES.contains(&profile) => rest,
        _ => id,
    }
}

/// `claude-3-5-sonnet-20240620` and `claude-sonnet-4-5-20250929` alike. A number of many digits is a date.
fn claude_version(base: &str) -> (u8, u8) {
    let after = base.split("claude").nth(1).unwrap_or_default();
    let after = after.split(':').next().unwrap_or_default();
    let Some(major) = after.split('-').find_map(|word| word.parse::<u8>().ok()) else {
        return (2, 0); // claude-v2, claude-instant
    };
    // The next number counts only right behind the first: `claude-sonnet-4-20250514-v1:0` is 4.0.
    let minor = after
        .split_once(&format!("-{major}-"))
        .and_then(|(_, rest)| rest.split('-').next()?.parse::<u8>().ok())
        .unwrap_or(0);
    (major, minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read() {
        let cases = [
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some((4, 5))),
            ("anthropic.claude-3-5-sonnet-20240620-v1:0:51k", Some((3, 5))),
            ("global.anthropic.claude-opus-4-6-v1", Some((4, 6))),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", Some((4, 0))),
            ("us-gov.anthropic.claude-3-haiku-20240307-v1:0", Some((3, 0))),
            ("anthropic.claude-opus-5", Some((5, 0))),
            ("anthropic.claude-v2:1", Some((2, 0))),
            ("anthropic.claude-instant-v1", Some((2, 0))),
            ("amazon.nova-micro-v1:0", None),
        ];
        for (id, claude) in cases {
            assert_eq!(Model::of(id).claude, claude, "{id}");
        }
        let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-2-lite-v1:0";
        assert!(Model::of(arn).is_nova_2());
        assert!(Model::of("arn:aws:bedrock:us-east-1:1:application-inference-profile/1arbu5").is_opaque());
        assert_eq!(
            Model::of("bedrock/converse/eu-west-1/anthropic.claude-v2:1").base,
            "anthropic.claude-v2:1"
        );
    }
}
