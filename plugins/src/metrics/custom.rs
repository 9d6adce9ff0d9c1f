//! Labels that the operator wishes for beside LiteLLM's: customers, members of metadata, tags. Where nobody does, none of
//! it runs.

use super::family::Text;
use super::labels::clipped;
use crate::exchange::Exchange;
use crate::filters::tags;
use crate::models::star_of;
use serde_json::Value;
use weir_core::config::MetricsSettings;
use weir_core::metrics::{NONE, metadata_label, tag_label};

#[derive(Default)]
pub(super) struct Custom {
    end_users: bool,
    /// Names of labels, and what they are made of.
    labels: Vec<(String, Source)>,
}

enum Source {
    /// Where it stands in metadata.
    Metadata(Vec<String>),
    /// A tag, maybe with a `*`.
    Tag(String),
}

/// What an exchange has to say there.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Own {
    pub(super) end_user: Option<Text>,
    /// In the order of the labels.
    pub(super) values: Vec<Text>,
}

impl Custom {
    pub(super) fn new(settings: &MetricsSettings) -> Self {
        let metadata = settings.metadata_labels.iter().map(|written| {
            let path = written.strip_prefix("metadata.").unwrap_or(written).split('.').map(str::to_owned);
            (metadata_label(written), Source::Metadata(path.collect()))
        });
        let tags = settings.tags.iter().map(|tag| (tag_label(tag), Source::Tag(tag.clone())));
        let mut labels: Vec<(String, Source)> = Vec::new();
        for (name, source) in metadata.chain(tags) {
            // The same name twice would be no metric at all.
            if labels.iter().all(|(other, _)| *other != name) {
                labels.push((name, source));
            }
        }
        Self { end_users: settings.end_users, labels }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn of(&self, x: &Exchange) -> Own {
        let end_user = self.end_users.then(|| x.end_user()).flatten();
        let mut own = Own { end_user: end_user.map(|user| Text::from(clipped(&user))), values: Vec::new() };
        if !self.labels.is_empty() {
            let (metadata, tags) = (metadata(x), tags(x));
            own.values = self.labels.iter().map(|(_, source)| source.value(&metadata, &tags)).collect();
        }
        own
    }
}

impl Source {
    fn value(&self, metadata: &[Value; 2], tags: &[String]) -> Text {
        match self {
            Self::Metadata(path) => {
                let found = metadata.iter().find_map(|object| find(object, path));
                found.map_or_else(|| Text::from(NONE), |text| Text::from(clipped(&text)))
            }
            Self::Tag(wanted) => {
                let there = tags.iter().any(|tag| tag == wanted || star_of(wanted, tag).is_some());
                Text::from(if there { "true" } else { "false" })
            }
        }
    }
}

/// The request's own, then its key's.
fn metadata(x: &Exchange) -> [Value; 2] {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let of_request = x.request.body.raw("metadata").map(parsed).unwrap_or_default();
    [of_request, x.caller.key().map(|key| parsed(&key.metadata)).unwrap_or_default()]
}

/// Text, a number or a truth; of anything else there is no label.
fn find(object: &Value, path: &[String]) -> Option<String> {
    match path.iter().try_fold(object, |value, name| value.get(name))? {
        Value::String(text) => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}
