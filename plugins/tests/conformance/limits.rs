//! What a client's dialect cannot say, and what becomes of it. A limit changes what is expected, so one that no longer
//! holds fails the test as well. None knows a single recording.

use crate::facts::{Aspect, Facts};
use crate::recordings::Recorded;
use crate::table::{Lost, What};
use crate::talk::{Side, Talk};
use weir_core::chat::{Dialect, Finish};

use Dialect::{AnthropicMessages as Messages, Gemini, OpenAiChat as Chat, OpenAiResponses as Responses};

struct Limit {
    clients: &'static [Dialect],
    aspect: Aspect,
    /// `None`: the same in other words.
    lost: Option<&'static str>,
    apply: fn(&mut Facts, &Recorded, Dialect),
}

/// In order: a later one sees what an earlier one left.
static LIMITS: &[Limit] = &[
    Limit {
        clients: &[Messages, Gemini],
        aspect: Aspect::Refusal,
        lost: None, // its text is told as text
        apply: |facts, _, _| {
            let refusal = std::mem::take(&mut facts.refusal);
            facts.text.push_str(&refusal);
        },
    },
    Limit {
        clients: &[Messages, Gemini],
        aspect: Aspect::Calls,
        lost: Some(
            "arguments that were cut off at the token limit are no JSON; this API wants an object, so they are wrapped",
        ),
        apply: |facts, _, _| {
            let broken = facts.calls.iter_mut().filter(|call| call.arguments.is_string());
            broken.for_each(|call| call.arguments = serde_json::Value::Null);
        },
    },
    Limit {
        clients: &[Chat],
        aspect: Aspect::Citations,
        lost: Some(
            "`url_citation` needs an address; citations of documents are told in `provider_specific_fields.citations`, \
             as LiteLLM does",
        ),
        apply: |facts, _, _| facts.citations.retain(|(url, _)| !url.is_empty()),
    },
    Limit {
        clients: &[Gemini],
        aspect: Aspect::Proofs,
        lost: Some("Gemini has no place for redacted thoughts"),
        apply: |facts, _, _| facts.redacted.clear(),
    },
    Limit {
        clients: &[Chat, Messages, Responses, Gemini],
        aspect: Aspect::Own,
        lost: Some(
            "blocks of server tools mean nothing outside of their own dialect; text and citations are kept",
        ),
        apply: |facts, recorded, to| {
            if recorded.dialect != to {
                facts.own = 0;
            }
        },
    },
    Limit {
        clients: &[Messages, Responses],
        aspect: Aspect::Choices,
        lost: Some("this API has one answer to a request"),
        apply: |facts, _, _| facts.others.clear(),
    },
    // --- finish ---
    Limit {
        clients: &[Chat, Responses, Gemini],
        aspect: Aspect::Finish,
        lost: Some("this API does not tell a stop sequence from an ordinary end"),
        apply: |facts, _, _| replace(facts, |f| matches!(f, Finish::StopSequence(_)), Finish::Stop),
    },
    Limit {
        clients: &[Chat, Responses, Gemini],
        aspect: Aspect::Finish,
        lost: Some("only Anthropic pauses a turn; elsewhere it has ended"),
        apply: |facts, _, _| replace(facts, |f| *f == Finish::Pause, Finish::Stop),
    },
    Limit {
        clients: &[Messages],
        aspect: Aspect::Finish,
        lost: None, // its word for both
        apply: |facts, _, _| replace(facts, |f| *f == Finish::ContentFilter, Finish::Refusal),
    },
    Limit {
        clients: &[Chat, Gemini],
        aspect: Aspect::Finish,
        lost: None, // its word for both
        apply: |facts, _, _| replace(facts, |f| *f == Finish::Refusal, Finish::ContentFilter),
    },
    // --- usage ---
    Limit {
        clients: &[Gemini],
        aspect: Aspect::CacheWrite,
        lost: Some("Gemini's usage has no count of tokens written to a cache"),
        apply: |facts, _, _| (facts.usage.cache_write, facts.usage.cache_write_1h) = (0, 0),
    },
    Limit {
        clients: &[Responses],
        aspect: Aspect::CacheWrite,
        lost: Some("Responses counts cache writes without telling how long they live"),
        apply: |facts, _, _| {
            facts.usage.cache_write += facts.usage.cache_write_1h;
            facts.usage.cache_write_1h = 0;
        },
    },
    Limit {
        clients: &[Messages],
        aspect: Aspect::AudioTokens,
        lost: Some("Anthropic's usage does not count audio apart"),
        apply: |facts, _, _| (facts.usage.audio_input, facts.usage.audio_output) = (0, 0),
    },
];

fn replace(facts: &mut Facts, which: impl Fn(&Finish) -> bool, by: Finish) {
    // After a call every end is one for calls.
    let by = if by == Finish::Stop && !facts.calls.is_empty() { Finish::ToolCalls } else { by };
    if facts.finish.as_ref().is_some_and(which) {
        facts.finish = Some(by);
    }
}

/// Applies all limits of a client's dialect; notes those that took something away.
pub fn apply(to: Dialect, recorded: &Recorded, facts: &mut Facts, lost: &mut Vec<Lost>) {
    for limit in LIMITS.iter().filter(|limit| limit.clients.contains(&to)) {
        let before = facts.clone();
        (limit.apply)(facts, recorded, to);
        if *facts != before {
            lost.extend(limit.lost.map(|why| (What::Answer(limit.aspect), why)));
        }
    }
}

/// What stands beside the canonical answer. The relay keeps it, which is how the same API on both sides is served.
static BESIDE: &[(&str, Aspect, &str)] = &[
    ("logprobs", Aspect::Probabilities, "probabilities of tokens are only relayed"),
    ("azure_prompt_filter", Aspect::FilterNotes, "notes of Azure's filters are only relayed"),
    ("azure_content_filter_annot", Aspect::FilterNotes, "notes of Azure's filters are only relayed"),
];

/// What the canonical answer does not hold. An error is no answer.
pub fn beside(to: Dialect, recorded: &Recorded) -> Vec<Lost> {
    if recorded.dialect == to || recorded.status >= 400 {
        return Vec::new();
    }
    BESIDE
        .iter()
        .filter(|row| recorded.has(row.0))
        .map(|(_, aspect, why)| (What::Answer(*aspect), *why))
        .collect()
}

// --- requests ---

struct TalkLimit {
    upstreams: &'static [Dialect],
    side: Side,
    /// `None`: the same in other words.
    lost: Option<&'static str>,
    apply: fn(&mut Talk),
}

static TALK_LIMITS: &[TalkLimit] = &[
    TalkLimit {
        upstreams: &[
            Chat,
            Responses,
            Gemini,
            Dialect::OllamaChat,
            Dialect::OllamaGenerate,
            Dialect::CohereChat,
        ],
        side: Side::Marks,
        lost: Some("this provider caches by itself, or not at all: it has no marks for what to cache"),
        apply: |talk| talk.marks = 0,
    },
    TalkLimit {
        upstreams: &[Dialect::BedrockConverse],
        side: Side::Tools,
        lost: None, // Bedrock wants a description, and gets the name
        apply: |talk| {
            for (name, description, _) in talk.tools.iter_mut().filter(|tool| tool.1.is_empty()) {
                description.clone_from(name);
            }
        },
    },
    TalkLimit {
        upstreams: &[Dialect::OllamaChat, Dialect::OllamaGenerate],
        side: Side::Tools,
        lost: None, // whoever may call none is told of none
        apply: |talk| {
            if talk.forbidden {
                talk.tools.clear();
            }
        },
    },
    TalkLimit {
        upstreams: &[Dialect::BedrockConverse],
        side: Side::Tools,
        lost: None, // likewise, but not where tools were called before: then Bedrock wants to see them
        apply: |talk| {
            if talk.forbidden && talk.calls.is_empty() && talk.results.is_empty() {
                talk.tools.clear();
            }
        },
    },
    TalkLimit {
        upstreams: &[Chat],
        side: Side::Media,
        lost: None, // an uploaded file is a file, whatever is in it
        apply: |talk| {
            let images = talk.media.iter_mut().filter(|kind| **kind == "uploaded image");
            images.for_each(|kind| *kind = "uploaded document");
        },
    },
    TalkLimit {
        upstreams: &[Gemini],
        side: Side::Media,
        lost: None, // Google names uploaded files by their address
        apply: |talk| {
            for kind in &mut talk.media {
                *kind = match *kind {
                    "uploaded image" => "image by address",
                    "uploaded document" => "document by address",
                    other => other,
                };
            }
        },
    },
    TalkLimit {
        upstreams: &[Dialect::BedrockConverse],
        side: Side::Media,
        lost: None, // plain text is a document of the format "txt"
        apply: |talk| {
            let texts = talk.media.iter_mut().filter(|kind| **kind == "text document");
            texts.for_each(|kind| *kind = "document");
        },
    },
];

/// Like [`apply`], for requests.
pub fn apply_talk(to: Dialect, talk: &mut Talk, lost: &mut Vec<Lost>) {
    for limit in TALK_LIMITS.iter().filter(|limit| limit.upstreams.contains(&to)) {
        let before = talk.clone();
        (limit.apply)(talk);
        if *talk != before {
            lost.extend(limit.lost.map(|why| (What::Request(limit.side), why)));
        }
    }
}

/// Server tools that another dialect has as well are translated; with `drop_params` the others are left out.
pub fn server_tools(expected: &mut Talk, found: &Talk, lost: &mut Vec<Lost>) {
    if found.server_tools < expected.server_tools {
        expected.server_tools = found.server_tools;
        let why = "a tool that only the client's own provider runs is left out, as `drop_params` asks";
        lost.push((What::Request(Side::ServerTools), why));
    }
}

/// Whether a request leans on what only OpenAI stores.
pub fn stored(request: &serde_json::Value, lost: &mut Vec<Lost>) -> bool {
    let leans = request["prompt"].is_object();
    if leans {
        let why =
            "a prompt template is kept by OpenAI; it is relayed there, and elsewhere refused with a 400";
        lost.push((What::Request(Side::Words), why));
    }
    leans
}

/// What a provider cannot be asked at all: the client gets a 400 that says so.
struct Refusal {
    upstreams: &'static [Dialect],
    side: Side,
    when: fn(&Talk) -> bool,
    why: &'static str,
}

fn shows(talk: &Talk, kinds: &[&str]) -> bool {
    talk.media.iter().any(|kind| kinds.contains(kind))
}

const OLLAMA: &[Dialect] = &[Dialect::OllamaChat, Dialect::OllamaGenerate];

static REFUSALS: &[Refusal] = &[
    Refusal {
        upstreams: OLLAMA,
        side: Side::Media,
        when: |talk| shows(talk, &["audio", "document", "document by address", "uploaded document"]),
        why: "Ollama takes no audio, and no documents but plain text",
    },
    Refusal {
        upstreams: OLLAMA,
        side: Side::Media,
        when: |talk| shows(talk, &["image by address", "uploaded image"]),
        why: "Ollama fetches no images: they must come as base64",
    },
    Refusal {
        upstreams: &[Dialect::CohereChat],
        side: Side::Media,
        when: |talk| shows(talk, &["audio", "document", "document by address", "uploaded document"]),
        why: "Cohere takes no audio, and no documents but plain text",
    },
    Refusal {
        upstreams: &[Dialect::CohereChat, Dialect::BedrockConverse],
        side: Side::Media,
        when: |talk| shows(talk, &["uploaded image", "uploaded document"]),
        why: "a file that was uploaded to one provider does not exist at another",
    },
    Refusal {
        upstreams: &[Messages],
        side: Side::Media,
        when: |talk| shows(talk, &["audio"]),
        why: "Anthropic's models take no audio",
    },
    Refusal {
        upstreams: &[Dialect::BedrockConverse],
        side: Side::Media,
        when: |talk| shows(talk, &["image by address", "document by address"]),
        why: "Bedrock fetches no addresses but s3://: media must come as base64",
    },
    Refusal {
        upstreams: &[Messages, Dialect::BedrockConverse],
        side: Side::Results,
        when: |talk| talk.tools.is_empty() && !(talk.calls.is_empty() && talk.results.is_empty()),
        why: "calls in the history of a request without tools are refused here, unless `modify_params` is on",
    },
];

pub fn refused(to: Dialect, talk: &Talk) -> Option<Lost> {
    let refusal = REFUSALS.iter().find(|row| row.upstreams.contains(&to) && (row.when)(talk))?;
    Some((What::Request(refusal.side), refusal.why))
}
