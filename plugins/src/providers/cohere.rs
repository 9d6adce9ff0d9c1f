//! Cohere's own API, and those of Jina and Voyage, which serve embeddings and rerankings only.

use super::native::{Call, Native};

pub static COHERE: Native = Native {
    prefixes: &["cohere", "cohere_chat"],
    base: "https://api.cohere.com",
    base_env: &["COHERE_API_BASE"],
    key_env: &["COHERE_API_KEY", "CO_API_KEY"],
    key_optional: false,
    paths: &[
        (Call::Chat, "/v2/chat"),
        (Call::Embed, "/v2/embed"),
        (Call::Rerank, "/v2/rerank"),
        (Call::Models, "/v1/models"),
    ],
};

pub static JINA: Native = Native {
    prefixes: &["jina_ai"],
    base: "https://api.jina.ai",
    base_env: &["JINA_AI_API_BASE"],
    key_env: &["JINA_AI_API_KEY", "JINA_AI_TOKEN", "JINA_API_KEY"],
    key_optional: false,
    paths: &[(Call::Embed, "/v1/embeddings"), (Call::Rerank, "/v1/rerank")],
};

pub static VOYAGE: Native = Native {
    prefixes: &["voyage"],
    base: "https://api.voyageai.com",
    base_env: &["VOYAGE_API_BASE"],
    key_env: &["VOYAGE_API_KEY", "VOYAGE_AI_API_KEY", "VOYAGE_AI_TOKEN"],
    key_optional: false,
    paths: &[(Call::Embed, "/v1/embeddings"), (Call::Rerank, "/v1/rerank")],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cohere_chats() {
        let chats = [&COHERE, &JINA, &VOYAGE].map(|native| native.path(Call::Chat));
        assert_eq!(chats, [Some("/v2/chat"), None, None]);
    }
}
