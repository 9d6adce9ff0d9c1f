//! Tags that LiteLLM makes of what it knows of an exchange, as `name:value` (`langfuse_default_tags`). What has no value is
//! no tag.

use crate::callbacks::kinds::Build;
use crate::callbacks::record::Exchanged;
use std::borrow::Cow;
use weir_core::config::problems::{Problems, did_you_mean};
use weir_core::domain::key::Caller;

/// A name, and the value of one exchange.
type Row = (&'static str, for<'a> fn(&Exchanged<'a>) -> Option<Cow<'a, str>>);

static ROWS: &[Row] = &[
    ("cache_hit", |x| Some(Cow::Borrowed(if x.entry().cache_hit { "True" } else { "False" }))),
    ("cache_key", |x| x.entry().cache_key.as_deref().map(Cow::Borrowed)),
    ("user_api_key_alias", |x| of_key(x, x.entry().key_alias.as_deref())),
    ("user_api_key_user_id", |x| of_key(x, x.entry().user_id.as_deref())),
    ("user_api_key_user_email", |x| email(x).map(Cow::Borrowed)),
    ("user_api_key_team_id", |x| of_key(x, x.entry().team_id.as_deref())),
    ("user_api_key_team_alias", |x| of_key(x, x.entry().team_alias.as_deref())),
    ("user_api_key_org_id", |x| of_key(x, x.entry().organization_id.as_deref())),
    ("user_api_key_end_user_id", |x| of_key(x, x.entry().end_user.as_deref())),
];

/// The same for every exchange.
const BASE: &str = "proxy_base_url";

/// Those that the operator wants.
#[derive(Default)]
pub(super) struct DefaultTags {
    rows: Vec<&'static Row>,
    fixed: Vec<String>,
}

impl DefaultTags {
    pub(super) fn read(build: &Build<'_>, problems: &mut Problems) -> Self {
        let mut tags = Self::default();
        for name in build.params.texts("langfuse_default_tags").unwrap_or_default() {
            if name == BASE {
                tags.fixed.extend(build.env.filled("PROXY_BASE_URL").map(|url| format!("{BASE}:{url}")));
                continue;
            }
            match ROWS.iter().find(|(known, _)| *known == name) {
                Some(row) => tags.rows.push(row),
                None => {
                    let near = did_you_mean(&name, ROWS.iter().map(|(known, _)| *known));
                    problems.warn(
                        &build.at,
                        format!("langfuse_default_tags: {name:?} is not a tag known here"),
                        near,
                    );
                }
            }
        }
        tags
    }

    /// With those of the exchange itself.
    pub(super) fn of<'a>(&self, x: &Exchanged<'a>) -> Cow<'a, [String]> {
        let own = x.entry().tags.as_slice();
        if self.rows.is_empty() && self.fixed.is_empty() {
            return Cow::Borrowed(own);
        }
        let made = self.rows.iter().filter_map(|(name, of)| Some(format!("{name}:{}", of(x)?)));
        Cow::Owned(own.iter().cloned().chain(made).chain(self.fixed.iter().cloned()).collect())
    }
}

fn of_key<'a>(x: &Exchanged<'a>, text: Option<&'a str>) -> Option<Cow<'a, str>> {
    text.filter(|_| x.finished.known_caller().is_some()).map(Cow::Borrowed)
}

fn email<'a>(x: &Exchanged<'a>) -> Option<&'a str> {
    let known = x.finished.known_caller().and_then(Caller::principal)?;
    known.user.as_ref()?.email.as_deref()
}
