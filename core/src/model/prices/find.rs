//! By which line of the catalogue a deployment is priced.

use super::catalogue::{Catalogue, ModelFacts};

/// A provider prefix, the other prefix its models are listed under, and the providers whose plain names are its own.
/// A provider that is not here has its own prefix only, and plain names of exactly its name or `name-…` (as in
/// `vertex_ai-language-models`).
struct Family {
    prefix: &'static str,
    listed_as: &'static str,
    providers: &'static [&'static str],
}

const fn family(prefix: &'static str, listed_as: &'static str, providers: &'static [&'static str]) -> Family {
    Family { prefix, listed_as, providers }
}

static FAMILIES: &[Family] = &[
    family("openai", "openai", &["openai", "text-completion-openai"]),
    family("text-completion-openai", "openai", &["openai", "text-completion-openai"]),
    family("azure_text", "azure", &[]),
    family("bedrock", "bedrock", &["bedrock", "bedrock_converse"]),
    family("bedrock_converse", "bedrock", &["bedrock", "bedrock_converse"]),
    family("cohere", "cohere", &["cohere", "cohere_chat"]),
    family("cohere_chat", "cohere", &["cohere", "cohere_chat"]),
    family("anthropic_text", "anthropic", &["anthropic"]),
    family("ai21_chat", "ai21", &["ai21"]),
    family("ollama_chat", "ollama", &["ollama"]),
    family("amazon_nova", "amazon-nova", &["amazon_nova"]),
];

/// Ways to call Bedrock that stand before the model and do not change its price.
const BEDROCK_ROUTES: &[&str] = &["converse/", "converse_like/", "invoke/"];

/// Bedrock's inference profiles. A profile that the catalogue does not list costs what its model does.
const PROFILES: &[&str] = &["us.", "us-gov.", "eu.", "apac.", "au.", "jp.", "ca.", "sa.", "global."];

impl Catalogue {
    /// What is known of the model that a deployment serves.
    ///
    /// `base_model` is asked first. Then the full name, provider and region prefix included, because a region has its
    /// own price; then with less of both. A name without prefix counts only if it is a model of that very provider:
    /// an Azure deployment that happens to be called like another provider's model is not priced by it.
    pub fn find(&self, provider: &str, model: &str, base_model: Option<&str>) -> Option<ModelFacts<'_>> {
        let based = base_model.and_then(|base| self.based(provider, base));
        based.or_else(|| self.of(provider, model)).and_then(|name| self.get(name))
    }

    /// Names of all models of a provider, with the prefix or without it, as the catalogue has them.
    pub fn models_of(&self, provider: &str) -> impl Iterator<Item = &str> {
        self.names().filter(move |(_, listed)| serves(provider, listed)).map(|(name, _)| name)
    }

    /// The operator says what the model is: within this provider, else any listed name, else `provider/model`.
    fn based(&self, provider: &str, base: &str) -> Option<&str> {
        let own = self.of(provider, base).or_else(|| self.line_of(base));
        own.or_else(|| base.split_once('/').and_then(|(provider, model)| self.of(provider, model)))
    }

    /// The listed name of a provider's model.
    fn of(&self, provider: &str, model: &str) -> Option<&str> {
        let exact = |model: &str| self.exact(provider, model);
        if serves(provider, "bedrock") {
            return self.of_bedrock(provider, model);
        }
        exact(model).or_else(|| exact(tuned_from(model)?))
    }

    fn of_bedrock(&self, provider: &str, model: &str) -> Option<&str> {
        let route = BEDROCK_ROUTES.iter().find_map(|route| model.strip_prefix(route));
        let model = route.unwrap_or(model);
        let below_region = model.split_once('/').map_or(model, |(_, below)| below);
        let below_profile =
            PROFILES.iter().find_map(|p| below_region.strip_prefix(p)).unwrap_or(below_region);
        [model, below_region, below_profile].into_iter().find_map(|model| self.exact(provider, model))
    }

    /// `provider/model`, else the plain name if it is this provider's.
    fn exact(&self, provider: &str, model: &str) -> Option<&str> {
        let prefixed = self.line_of(&format!("{}/{model}", listed_as(provider)));
        prefixed.or_else(|| self.line_of(model).filter(|_| self.provider_of(model, provider)))
    }

    fn provider_of(&self, model: &str, provider: &str) -> bool {
        let listed = self.line(model).and_then(|line| line.split('\t').nth(1));
        listed.is_some_and(|listed| serves(provider, listed))
    }

    /// The listed name itself, borrowed from the catalogue.
    fn line_of(&self, name: &str) -> Option<&str> {
        self.line(name).and_then(|line| line.split('\t').next())
    }
}

fn row(provider: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.prefix == provider)
}

fn listed_as(provider: &str) -> &str {
    row(provider).map_or(provider, |family| family.listed_as)
}

/// Whether a model that the catalogue lists under provider `listed` is one of `provider`'s.
fn serves(provider: &str, listed: &str) -> bool {
    match row(provider) {
        Some(family) => family.providers.contains(&listed),
        None => listed.strip_prefix(provider).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
    }
}

/// `ft:gpt-4o-2024-08-06` of `ft:gpt-4o-2024-08-06:org::id`. Tuned models have prices of their own; the untuned
/// model's would be too low.
fn tuned_from(model: &str) -> Option<&str> {
    let base = model.strip_prefix("ft:")?.split(':').next()?;
    model.get(.."ft:".len() + base.len())
}
