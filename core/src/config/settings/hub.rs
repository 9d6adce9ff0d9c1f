//! The public model hub: which models anybody may read of, without a key.

use super::super::json::JsonMap;
use super::super::problems::Problems;
use super::super::section::Section;
use super::super::tree::Node;

#[derive(Clone, Debug, Default)]
pub struct HubSettings {
    /// `enable_public_model_hub`; where nothing is said, whoever names models means it.
    pub open: bool,
    /// Groups that are shown (`litellm_settings.public_model_groups`), and no others.
    pub groups: Vec<String>,
    /// Addresses by their titles (`litellm_settings.public_model_groups_links`).
    pub links: JsonMap,
}

impl HubSettings {
    pub(in super::super) fn read(general: &Section, litellm: &Section, problems: &mut Problems) -> Self {
        const SWITCH: &str = "enable_public_model_hub";
        let groups = litellm.texts("public_model_groups").unwrap_or_default();
        let links = litellm.node("public_model_groups_links").map(Node::entries).unwrap_or_default();
        let switch = general.bool(SWITCH);
        if switch == Some(true) && groups.is_empty() {
            let cure = "name them in litellm_settings.public_model_groups";
            problems.warn(&general.place(SWITCH), "no models are shown", cure);
        }
        Self { open: switch.unwrap_or(!groups.is_empty()), groups, links: links.iter().collect() }
    }

    /// Whether anybody may read of this group.
    pub fn shows(&self, group: &str) -> bool {
        self.open && self.groups.iter().any(|name| name == group)
    }
}
