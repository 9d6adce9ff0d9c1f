//! What a picture comes to. Its size is read from the first bytes of the file, without decoding it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How a family counts pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Images {
    /// OpenAI: a base and tiles of 512 pixels, or patches of 32; `detail: low` is the base alone.
    Tiles,
    /// Anthropic: one token for 750 pixels.
    Area,
    /// Gemini: squares of 768 pixels.
    Squares,
}

/// Base and tile by how models are named; first fit. Source: OpenAI's guide to images and vision.
static TILES: &[(&str, u64, u64)] = &[
    ("gpt-4o-mini", 2_833, 5_667),
    ("gpt-5", 70, 140),
    ("o1", 75, 150),
    ("o3", 75, 150),
    ("computer-use", 65, 129),
    ("", 85, 170),
];

/// Models that count patches of 32 pixels instead, and by how much a patch is multiplied, in hundredths.
static PATCHES: &[(&str, u64)] = &[
    ("gpt-5-mini", 162),
    ("gpt-5-nano", 246),
    ("gpt-4.1-mini", 162),
    ("gpt-4.1-nano", 246),
    ("o4-mini", 172),
];

const MAX_PATCHES: u64 = 1_536;

/// What a picture that nobody has seen is taken for.
const UNSEEN: (u64, u64) = (1_024, 1_024);

/// Beyond this a header is no picture's.
const MAX_SIDE: u64 = 65_535;

impl Images {
    pub(super) fn tokens(self, model: &str, size: Option<(u64, u64)>, detail: Option<&str>) -> u64 {
        let (width, height) = size.unwrap_or(UNSEEN);
        match self {
            Images::Tiles => tiles(model, width, height, detail == Some("low")),
            Images::Area => {
                let (width, height) = fit(width, height, 1_568);
                (width * height / 750).clamp(1, 1_600)
            }
            Images::Squares if width <= 384 && height <= 384 => 258,
            Images::Squares => width.div_ceil(768) * height.div_ceil(768) * 258,
        }
    }
}

fn tiles(model: &str, width: u64, height: u64, low: bool) -> u64 {
    if let Some((_, factor)) = PATCHES.iter().find(|(name, _)| model.contains(name)) {
        let patches = (width.div_ceil(32) * height.div_ceil(32)).min(MAX_PATCHES);
        return (patches * factor).div_ceil(100);
    }
    let (base, tile) = TILES
        .iter()
        .find(|(name, ..)| model.contains(name))
        .map_or((85, 170), |(_, base, tile)| (*base, *tile));
    if low {
        return base;
    }
    let (width, height) = fit(width, height, 2_048);
    let (width, height) = shrink(width, height, width.min(height), 768);
    base + width.div_ceil(512) * height.div_ceil(512) * tile
}

/// Scaled down so that neither side is longer than this.
fn fit(width: u64, height: u64, longest: u64) -> (u64, u64) {
    shrink(width, height, width.max(height), longest)
}

/// Scaled down so that a side of `from` is `to` long.
fn shrink(width: u64, height: u64, from: u64, to: u64) -> (u64, u64) {
    if from <= to {
        return (width, height);
    }
    ((width * to / from).max(1), (height * to / from).max(1))
}

// --- size ---

/// JPEG files may carry much before their size.
const HEAD: usize = 64 << 10;

/// Width and height of a base64 PNG, GIF, WebP or JPEG; `None` for anything else.
pub(super) fn size(base64: &str) -> Option<(u64, u64)> {
    let head = base64.as_bytes().get(..base64.len().min(HEAD) / 4 * 4)?;
    let size = imagesize::blob_size(&STANDARD.decode(head).ok()?).ok()?;
    let (width, height) = (u64::try_from(size.width).ok()?, u64::try_from(size.height).ok()?);
    let fits = |side: u64| (1..=MAX_SIDE).contains(&side);
    (fits(width) && fits(height)).then_some((width, height))
}
