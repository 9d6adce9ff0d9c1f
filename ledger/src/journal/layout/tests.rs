use super::super::frame;
use super::*;
use weir_core::domain::money::FemtoUsd;

fn attempt() -> AttemptRecord {
    AttemptRecord {
        number: 1,
        deployment_id: "d".into(),
        model_group: "g".into(),
        status: 200,
        error: String::new(),
        started_at: Micros(1),
        ended_at: Micros(2),
    }
}

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
        attempts: vec![attempt()],
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
        outrun: Vec::new(),
        cache_key: None,
    }
}

fn started() -> Begin {
    let entry = entry();
    Begin { entry_id: entry.id, attempt: 2, entry: Entry { status: Status::Interrupted, ..entry } }
}

/// The same of today.
fn begun() -> Begin {
    let mut begin = started();
    begin.entry.usage = begin.entry.usage.served_at(Some("flex"));
    begin
}

fn of_now() -> Entry {
    let usage = Usage { image_input: 10, image_output: 11, searches: 12, ..entry().usage };
    let usage = usage.served_at(Some("priority"));
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
                resets_at: Some(Micros(7)),
                refused: true,
            }],
        },
        outrun: vec![Outrun {
            provider: "p".into(),
            deployment_id: "e".into(),
            cost: NanoUsd(3),
            accounts: vec![(SpendScope::ProviderPeriod, "k".into())],
            model: "w".into(),
        }],
        cache_key: Some("q".into()),
        ..entry()
    }
}

/// The same of layout 6.
fn of_v6() -> Entry {
    let mut entry = of_now();
    entry.usage.tier = None;
    entry
}

/// The same of layout 5.
fn of_v5_entry() -> Entry {
    let mut entry = Entry { cache_key: None, ..of_v6() };
    entry.outrun.iter_mut().for_each(|outrun| outrun.model.clear());
    entry
}

/// The same of layout 3.
fn unexplained() -> Entry {
    Entry { explained: Explained::default(), outrun: Vec::new(), ..of_v5_entry() }
}

/// The same of layout 4.
fn of_v4() -> Entry {
    let mut entry = Entry { outrun: Vec::new(), ..of_v5_entry() };
    entry.explained.budgets.iter_mut().for_each(|seen| (seen.resets_at, seen.refused) = (None, false));
    entry
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

/// Without what was outrun.
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
fn p32_a_journal_of_the_fourth_layout_is_read() {
    let bytes = hex(V4);
    let end = frame::read(&bytes).unwrap();
    assert_eq!((end.kind, super::end(end.kind, end.payload)), (Kind::EndV4, Ok(of_v4())));
    let begin = frame::read(&bytes[end.size..]).unwrap();
    assert_eq!((begin.kind, super::begin(begin.kind, begin.payload)), (Kind::BeginV4, Ok(started())));
}

/// Without the model of what was outrun.
const V5: &str = "\
    be0000008128d90e09000000000000000000000000000000071000000000000000000000000000000007020401060163\
    010170000100c8010165016d01abababababababababababababababababababababababababababababababab000101\
    750001017801720167016e016f01640162ad0207030004050608090a0b0c01a413017601010101640167c80100020401\
    0174027b7d0169016101016f0001017301010b016b0101640105696e707574ad020a01010101741204010e0101017001\
    6506010d016ba9000000609d030c08000000000000000000000000000000071000000000000000000000000000000007\
    021000000000000000000000000000000007020401060163010170000103c8010165016d01ababababababababababab\
    ababababababababababababababababababababab000101750001017801720167016e016f01640162ad020703000405\
    06080900000001a413017601010101640167c801000204010174027b7d01690161000000000000";

#[test]
fn p32_a_journal_of_the_fifth_layout_is_read() {
    let bytes = hex(V5);
    let end = frame::read(&bytes).unwrap();
    assert_eq!((end.kind, super::end(end.kind, end.payload)), (Kind::EndV5, Ok(of_v5_entry())));
    let begin = frame::read(&bytes[end.size..]).unwrap();
    assert_eq!((begin.kind, super::begin(begin.kind, begin.payload)), (Kind::BeginV5, Ok(started())));
}

/// Without the tier of what was used.
const V6: &str = "\
    c3000000a01417920b000000000000000000000000000000071000000000000000000000000000000007020401060163\
    010170000100c8010165016d01abababababababababababababababababababababababababababababababab000101\
    750001017801720167016e016f01640162ad0207030004050608090a0b0c01a413017601010101640167c80100020401\
    0174027b7d0169016101016f0001017301010b016b0101640105696e707574ad020a01010101741204010e0101017001\
    6506010d016b0177010171a9000000b14fc49c0a00000000000000000000000000000007100000000000000000000000\
    0000000007021000000000000000000000000000000007020401060163010170000103c8010165016d01abababababab\
    abababababababababababababababababababababababababab000101750001017801720167016e016f01640162ad02\
    070300040506080900000001a413017601010101640167c801000204010174027b7d01690161000000000000";

#[test]
fn p32_a_journal_of_the_sixth_layout_is_read() {
    let bytes = hex(V6);
    let end = frame::read(&bytes).unwrap();
    assert_eq!((end.kind, super::end(end.kind, end.payload)), (Kind::EndV6, Ok(of_v6())));
    let begin = frame::read(&bytes[end.size..]).unwrap();
    assert_eq!((begin.kind, super::begin(begin.kind, begin.payload)), (Kind::BeginV6, Ok(started())));
}

/// The same of today. A change here is a change of layout: add the next kinds, keep the old ones.
const V7: &str = "\
    cd000000b04b2a850c000000000000000000000000000000071000000000000000000000000000000007020401060163\
    010170000100c8010165016d01abababababababababababababababababababababababababababababababab000101\
    750001017801720167016e016f01640162ad0207030004050608090a0b0c01a413017601010101640167c80100020401\
    0174027b7d0169016101016f0001017301010b016b0101640105696e707574ad020a01010101741204010e0101017001\
    6506010d016b017701017101087072696f72697479af000000c6cfd5cb0d000000000000000000000000000000071000\
    000000000000000000000000000007021000000000000000000000000000000007020401060163010170000103c80101\
    65016d01abababababababababababababababababababababababababababababababab000101750001017801720167\
    016e016f01640162ad02070300040506080900000001a413017601010101640167c801000204010174027b7d01690161\
    0000000000000104666c6578";

#[test]
fn p32_todays_layout_is_the_one_that_its_kinds_name() {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, Kind::End, entry().id, &of_end(&of_now())).unwrap();
    let size = bytes.len();
    frame::write(&mut bytes, Kind::Begin, entry().id, &of_begin(2, &begun().entry)).unwrap();
    assert_eq!(text(&bytes), V7);
    let end = frame::read(&bytes).unwrap();
    assert_eq!(super::end(end.kind, end.payload), Ok(of_now()));
    let begin = frame::read(&bytes[size..]).unwrap();
    assert_eq!(super::begin(begin.kind, begin.payload), Ok(begun()));
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
