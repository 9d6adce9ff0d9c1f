//! Layouts of payloads. Postcard does not describe itself: a payload is read by the struct it was written with. So a
//! record's kind names the layout too; what an earlier program left behind is read by the structs of its time, which
//! stand here. Whoever adds a member to an entry adds a layout; a test holds the bytes of each.

use super::frame::Kind;
use serde::Deserialize;
use weir_core::domain::ids::{EntryId, KeyHash};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{AttemptRecord, Begin, Entry, Explained, SpendScope, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::time::Micros;

/// The entry of an `End` of any layout.
pub(super) fn end(kind: Kind, payload: &[u8]) -> postcard::Result<Entry> {
    match kind {
        Kind::EndV1 => postcard::from_bytes::<EntryV1>(payload).map(Entry::from),
        Kind::EndV2 => postcard::from_bytes(payload),
        Kind::EndV3 => {
            let (entry, accounts) = postcard::from_bytes::<(Entry, Accounts)>(payload)?;
            Ok(Entry { accounts, ..entry })
        }
        _ => {
            let (entry, accounts, explained) = postcard::from_bytes::<(Entry, Accounts, Explained)>(payload)?;
            Ok(Entry { accounts, explained, ..entry })
        }
    }
}

/// The begin of a `Begin` of any layout.
pub(super) fn begin(kind: Kind, payload: &[u8]) -> postcard::Result<Begin> {
    match kind {
        Kind::BeginV1 => postcard::from_bytes::<BeginV1>(payload).map(Begin::from),
        Kind::BeginV2 => postcard::from_bytes(payload),
        // What explains an entry is known at its end.
        _ => {
            let (mut begin, accounts) = postcard::from_bytes::<(Begin, Accounts)>(payload)?;
            begin.entry.accounts = accounts;
            Ok(begin)
        }
    }
}

/// Behind the entry since layout 3.
type Accounts = Vec<(SpendScope, String)>;

/// The payload of an `End`. What explains it is behind the accounts since layout 4.
pub(super) fn of_end(entry: &Entry) -> (&Entry, &Accounts, &Explained) {
    (entry, &entry.accounts, &entry.explained)
}

/// The payload of a `Begin`.
pub(super) fn of_begin(begin: &Begin) -> (&Begin, &Accounts) {
    (begin, &begin.entry.accounts)
}

// --- layout 1: usage without pictures and searches, nobody's organisation and session ---

#[derive(Deserialize)]
struct UsageV1 {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    reasoning: u64,
    audio_input: u64,
    audio_output: u64,
}

#[derive(Deserialize)]
struct EntryV1 {
    id: EntryId,
    started_at: Micros,
    ended_at: Micros,
    first_token_at: Option<Micros>,
    call_id: String,
    provider_id: Option<String>,
    operation: Operation,
    stream: bool,
    status: Status,
    http_status: u16,
    error: String,
    error_message: String,
    key_hash: Option<KeyHash>,
    key_alias: Option<String>,
    user_id: Option<String>,
    team_id: Option<String>,
    end_user: Option<String>,
    model_requested: String,
    model_group: String,
    model: String,
    provider: String,
    deployment_id: String,
    api_base: String,
    usage: UsageV1,
    usage_source: UsageSource,
    cost: NanoUsd,
    price_version: String,
    unpriced: bool,
    attempts: Vec<AttemptRecord>,
    tags: Vec<String>,
    metadata: String,
    client_ip: String,
    user_agent: String,
}

#[derive(Deserialize)]
struct BeginV1 {
    entry_id: EntryId,
    attempt: u16,
    entry: EntryV1,
}

impl From<UsageV1> for Usage {
    fn from(old: UsageV1) -> Self {
        Usage {
            input: old.input,
            output: old.output,
            cache_read: old.cache_read,
            cache_write: old.cache_write,
            cache_write_1h: old.cache_write_1h,
            reasoning: old.reasoning,
            audio_input: old.audio_input,
            audio_output: old.audio_output,
            ..Usage::default()
        }
    }
}

impl From<EntryV1> for Entry {
    fn from(old: EntryV1) -> Self {
        Entry {
            id: old.id,
            started_at: old.started_at,
            ended_at: old.ended_at,
            first_token_at: old.first_token_at,
            call_id: old.call_id,
            provider_id: old.provider_id,
            operation: old.operation,
            stream: old.stream,
            status: old.status,
            http_status: old.http_status,
            error: old.error,
            error_message: old.error_message,
            key_hash: old.key_hash,
            key_alias: old.key_alias,
            user_id: old.user_id,
            team_id: old.team_id,
            end_user: old.end_user,
            model_requested: old.model_requested,
            model_group: old.model_group,
            model: old.model,
            provider: old.provider,
            deployment_id: old.deployment_id,
            api_base: old.api_base,
            usage: old.usage.into(),
            usage_source: old.usage_source,
            cost: old.cost,
            price_version: old.price_version,
            unpriced: old.unpriced,
            attempts: old.attempts,
            tags: old.tags,
            metadata: old.metadata,
            client_ip: old.client_ip,
            user_agent: old.user_agent,
            organization_id: None,
            team_alias: None,
            session_id: None,
            cache_hit: false,
            accounts: Vec::new(),
            explained: Explained::default(),
        }
    }
}

impl From<BeginV1> for Begin {
    fn from(old: BeginV1) -> Self {
        Begin { entry_id: old.entry_id, attempt: old.attempt, entry: old.entry.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame;
    use super::*;
    use weir_core::domain::money::FemtoUsd;
    use weir_core::domain::spend::{BudgetSeen, Charge};

    fn entry() -> Entry {
        Entry {
            id: EntryId::from_u128(7),
            started_at: Micros(1),
            ended_at: Micros(2),
            first_token_at: Some(Micros(3)),
            call_id: "c".into(),
            provider_id: Some("p".into()),
            operation: Operation::Chat,
            stream: true,
            status: Status::Success,
            http_status: 200,
            error: "e".into(),
            error_message: "m".into(),
            key_hash: KeyHash::from_hex(&"ab".repeat(32)),
            key_alias: None,
            user_id: Some("u".into()),
            team_id: None,
            end_user: Some("x".into()),
            model_requested: "r".into(),
            model_group: "g".into(),
            model: "n".into(),
            provider: "o".into(),
            deployment_id: "d".into(),
            api_base: "b".into(),
            usage: Usage {
                input: 301,
                output: 7,
                cache_read: 3,
                cache_write: 4,
                cache_write_1h: 5,
                reasoning: 6,
                audio_input: 8,
                audio_output: 9,
                ..Usage::default()
            },
            usage_source: UsageSource::Reported,
            cost: NanoUsd(1234),
            price_version: "v".into(),
            unpriced: true,
            attempts: vec![AttemptRecord {
                number: 1,
                deployment_id: "d".into(),
                model_group: "g".into(),
                status: 200,
                error: String::new(),
                started_at: Micros(1),
                ended_at: Micros(2),
            }],
            tags: vec!["t".into()],
            metadata: "{}".into(),
            client_ip: "i".into(),
            user_agent: "a".into(),
            organization_id: None,
            team_alias: None,
            session_id: None,
            cache_hit: false,
            accounts: Vec::new(),
            explained: Explained::default(),
        }
    }

    fn started() -> Begin {
        let entry = entry();
        Begin { entry_id: entry.id, attempt: 2, entry: Entry { status: Status::Interrupted, ..entry } }
    }

    fn of_now() -> Entry {
        let usage = Usage { image_input: 10, image_output: 11, searches: 12, ..entry().usage };
        Entry {
            usage,
            organization_id: Some("o".into()),
            session_id: Some("s".into()),
            cache_hit: true,
            accounts: vec![(SpendScope::KeyModel, "k".into())],
            explained: Explained {
                considered: vec!["d".into()],
                charges: vec![Charge { label: "input".into(), quantity: 301, price: FemtoUsd(5), per: 1 }],
                budgets: vec![BudgetSeen {
                    scope: SpendScope::Team,
                    id: "t".into(),
                    cap: NanoUsd(9),
                    before: NanoUsd(2),
                }],
            },
            ..entry()
        }
    }

    /// The same of layout 3.
    fn unexplained() -> Entry {
        Entry { explained: Explained::default(), ..of_now() }
    }

    /// An end and a begin, as the program of that layout wrote them.
    const V1: &str = "\
        8d00000060322ec701000000000000000000000000000000071000000000000000000000000000000007020401060163\
        010170000100c8010165016d01abababababababababababababababababababababababababababababababab000101\
        750001017801720167016e016f01640162ad020703040506080901a413017601010101640167c801000204010174027b\
        7d016901619f0000001e7ef86d0000000000000000000000000000000007100000000000000000000000000000000702\
        1000000000000000000000000000000007020401060163010170000103c8010165016d01abababababababababababab\
        abababababababababababababababababababab000101750001017801720167016e016f01640162ad02070304050608\
        0901a413017601010101640167c801000204010174027b7d01690161";

    /// Without accounts behind the entry.
    const V2: &str = "\
        99000000257591af03000000000000000000000000000000071000000000000000000000000000000007020401060163\
        010170000100c8010165016d01abababababababababababababababababababababababababababababababab000101\
        750001017801720167016e016f01640162ad0207030004050608090a0b0c01a413017601010101640167c80100020401\
        0174027b7d0169016101016f0001017301a7000000388c396f0200000000000000000000000000000007100000000000\
        0000000000000000000007021000000000000000000000000000000007020401060163010170000103c8010165016d01\
        abababababababababababababababababababababababababababababababab000101750001017801720167016e016f\
        01640162ad02070300040506080900000001a413017601010101640167c801000204010174027b7d0169016100000000";

    #[test]
    fn p32_a_journal_of_an_earlier_program_is_read() {
        let bytes = hex(V1);
        let end = frame::read(&bytes).unwrap();
        assert_eq!((end.kind, super::end(end.kind, end.payload)), (Kind::EndV1, Ok(entry())));
        let begin = frame::read(&bytes[end.size..]).unwrap();
        assert_eq!((begin.kind, super::begin(begin.kind, begin.payload)), (Kind::BeginV1, Ok(started())));
    }

    /// Without what explains an entry.
    const V3: &str = "\
        9d0000004ff9a84305000000000000000000000000000000071000000000000000000000000000000007020401060163\
        010170000100c8010165016d01abababababababababababababababababababababababababababababababab000101\
        750001017801720167016e016f01640162ad0207030004050608090a0b0c01a413017601010101640167c80100020401\
        0174027b7d0169016101016f0001017301010b016ba80000008eae3e7304000000000000000000000000000000071000\
        000000000000000000000000000007021000000000000000000000000000000007020401060163010170000103c80101\
        65016d01abababababababababababababababababababababababababababababababab000101750001017801720167\
        016e016f01640162ad02070300040506080900000001a413017601010101640167c801000204010174027b7d01690161\
        0000000000";

    #[test]
    fn p32_a_journal_of_the_second_layout_is_read() {
        let bytes = hex(V2);
        let end = frame::read(&bytes).unwrap();
        let expected = Entry { accounts: Vec::new(), ..unexplained() };
        assert_eq!((end.kind, super::end(end.kind, end.payload)), (Kind::EndV2, Ok(expected)));
        let begin = frame::read(&bytes[end.size..]).unwrap();
        assert_eq!((begin.kind, super::begin(begin.kind, begin.payload)), (Kind::BeginV2, Ok(started())));
    }

    #[test]
    fn p32_a_journal_of_the_third_layout_is_read() {
        let bytes = hex(V3);
        let end = frame::read(&bytes).unwrap();
        assert_eq!((end.kind, super::end(end.kind, end.payload)), (Kind::EndV3, Ok(unexplained())));
        let begin = frame::read(&bytes[end.size..]).unwrap();
        assert_eq!((begin.kind, super::begin(begin.kind, begin.payload)), (Kind::BeginV3, Ok(started())));
    }

    /// The same of today. A change here is a change of layout: add the next kinds, keep the old ones.
    const V4: &str = "\
        b1000000baca7d0407000000000000000000000000000000071000000000000000000000000000000007020401060163\
        010170000100c8010165016d01abababababababababababababababababababababababababababababababab000101\
        750001017801720167016e016f01640162ad0207030004050608090a0b0c01a413017601010101640167c80100020401\
        0174027b7d0169016101016f0001017301010b016b0101640105696e707574ad020a01010101741204a800000081eef1\
        0b0600000000000000000000000000000007100000000000000000000000000000000702100000000000000000000000\
        0000000007020401060163010170000103c8010165016d01abababababababababababababababababababababababab\
        abababababababab000101750001017801720167016e016f01640162ad02070300040506080900000001a41301760101\
        0101640167c801000204010174027b7d016901610000000000";

    #[test]
    fn p32_todays_layout_is_the_one_that_its_kinds_name() {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, Kind::End, entry().id, &of_end(&of_now())).unwrap();
        let size = bytes.len();
        frame::write(&mut bytes, Kind::Begin, entry().id, &of_begin(&started())).unwrap();
        assert_eq!(text(&bytes), V4);
        let end = frame::read(&bytes).unwrap();
        assert_eq!(super::end(end.kind, end.payload), Ok(of_now()));
        let begin = frame::read(&bytes[size..]).unwrap();
        assert_eq!(super::begin(begin.kind, begin.payload), Ok(started()));
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        digits.map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
    }

    fn text(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
