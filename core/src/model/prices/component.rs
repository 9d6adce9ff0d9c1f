//! Everything that has a price. Adding one is adding a row.

use crate::domain::money::{FemtoUsd, NanoUsd, NotMoney};

/// Which part of an exchange a component belongs to. A custom price for the text of one side sets aside every other
/// price of that side; see [`super::ModelPrice::with_overrides`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Input,
    Output,
    /// Time of the whole exchange.
    Time,
    /// Fees beside the tokens: searches, pages, sessions.
    Fee,
}

/// How prices are written in the catalogue. Price pages quote tokens, characters and pixels by the million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Million,
    One,
}

impl Unit {
    /// Reads the catalogue's spelling: dollars for this many.
    pub fn parse(self, text: &str) -> Result<FemtoUsd, NotMoney> {
        match self {
            // 10⁻⁹ dollars for a million are 10⁻¹⁵ dollars for one: the same integer.
            Unit::Million => NanoUsd::parse(text).map(|nano| FemtoUsd(nano.0)),
            Unit::One => FemtoUsd::parse(text),
        }
    }

    /// The reverse of [`Unit::parse`], exact.
    pub fn text(self, price: FemtoUsd) -> String {
        match self {
            Unit::Million => NanoUsd(price.0).to_string(),
            Unit::One => price.to_string(),
        }
    }
}

/// One row per component: everything that is only a name.
#[derive(Debug)]
pub struct ComponentRow {
    pub component: Component,
    /// The catalogue's spelling.
    pub short: &'static str,
    /// LiteLLM's spelling; a dot stands before the name inside a nested object.
    pub litellm: &'static str,
    pub side: Side,
    pub unit: Unit,
}

macro_rules! components {
    ($($name:ident $short:literal $litellm:literal $side:ident $unit:ident;)*) => {
        /// A thing that a provider charges for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Component { $($name),* }

        /// In the order of the enum, which is also the order of prices in a catalogue line.
        pub static COMPONENTS: &[ComponentRow] = &[$(ComponentRow {
            component: Component::$name,
            short: $short,
            litellm: $litellm,
            side: Side::$side,
            unit: Unit::$unit,
        }),*];
    };
}

#[rustfmt::skip]
components! {
    Input            "in"     "input_cost_per_token"                                Input  Million;
    Output           "out"    "output_cost_per_token"                               Output Million;
    Reasoning        "think"  "output_cost_per_reasoning_token"                     Output Million;
    CacheRead        "cr"     "cache_read_input_token_cost"                         Input  Million;
    CacheWrite       "cw"     "cache_creation_input_token_cost"                     Input  Million;
    CacheWrite1h     "cw1h"   "cache_creation_input_token_cost_above_1hr"           Input  Million;
    CacheWrite12h    "cw12h"  "cache_creation_input_token_cost_above_12hr"          Input  Million;
    ExplicitRead     "xcr"    "explicit_cache_read_input_token_cost"                Input  Million;
    AudioInput       "ain"    "input_cost_per_audio_token"                          Input  Million;
    AudioOutput      "aout"   "output_cost_per_audio_token"                         Output Million;
    AudioCacheRead   "acr"    "cache_read_input_audio_token_cost"                   Input  Million;
    AudioCacheWrite  "acw"    "cache_creation_input_audio_token_cost"               Input  Million;
    ImageInput       "iin"    "input_cost_per_image_token"                          Input  Million;
    ImageOutput      "iout"   "output_cost_per_image_token"                         Output Million;
    ImageCacheRead   "icr"    "cache_read_input_image_token_cost"                   Input  Million;
    VideoInput       "vin"    "input_cost_per_video_token"                          Input  Million;
    VideoOutput      "vout"   "output_cost_per_video_token"                         Output Million;
    Citation         "cite"   "citation_cost_per_token"                             Fee    Million;
    InputChar        "inch"   "input_cost_per_character"                            Input  Million;
    OutputChar       "outch"  "output_cost_per_character"                           Output Million;
    InputPixel       "inpx"   "input_cost_per_pixel"                                Input  Million;
    OutputPixel      "outpx"  "output_cost_per_pixel"                               Output Million;
    InputSecond      "ins"    "input_cost_per_second"                               Time   One;
    OutputSecond     "outs"   "output_cost_per_second"                              Time   One;
    Second           "s"      "cost_per_second"                                     Time   One;
    OutputSecond480  "s480"   "output_cost_per_second_480p"                         Time   One;
    OutputSecond720  "s720"   "output_cost_per_second_720p"                         Time   One;
    OutputSecond768  "s768"   "output_cost_per_second_768p"                         Time   One;
    OutputSecond1080 "s1080"  "output_cost_per_second_1080p"                        Time   One;
    OutputSecond2k   "s2k"    "output_cost_per_second_2k"                           Time   One;
    OutputSecond4k   "s4k"    "output_cost_per_second_4k"                           Time   One;
    InputAudioSecond "ains"   "input_cost_per_audio_per_second"                     Input  One;
    InputVideoSecond "vins"   "input_cost_per_video_per_second"                     Input  One;
    InputVideo8s     "vins8"  "input_cost_per_video_per_second_above_8s_interval"   Input  One;
    InputVideo15s    "vins15" "input_cost_per_video_per_second_above_15s_interval"  Input  One;
    VideoSecond      "vouts"  "output_cost_per_video_per_second"                    Output One;
    InputImage       "inimg"  "input_cost_per_image"                                Input  One;
    OutputImage      "img"    "output_cost_per_image"                               Output One;
    OutputImage512   "img512" "output_cost_per_image_512"                           Output One;
    OutputImage1024  "img1024" "output_cost_per_image_1024"                         Output One;
    OutputImage1536  "img1536" "output_cost_per_image_1536"                         Output One;
    OutputImageHalfK "img.5k" "output_cost_per_image_0.5K"                          Output One;
    OutputImage1k    "img1k"  "output_cost_per_image_1K"                            Output One;
    OutputImage2k    "img2k"  "output_cost_per_image_2K"                            Output One;
    OutputImage4k    "img4k"  "output_cost_per_image_4K"                            Output One;
    Query            "query"  "input_cost_per_query"                                Fee    One;
    Request          "req"    "input_cost_per_request"                              Fee    One;
    TextMessage      "msg"    "input_cost_per_text_message"                         Fee    One;
    Page             "page"   "ocr_cost_per_page"                                   Fee    One;
    AnnotationPage   "note"   "annotation_cost_per_page"                            Fee    One;
    Credit           "credit" "ocr_cost_per_credit"                                 Fee    One;
    CodeSession      "code"   "code_interpreter_cost_per_session"                   Fee    One;
    MapsQuery        "maps"   "google_maps_grounding_cost_per_query"                Fee    One;
    SearchLow        "wsl"    "search_context_cost_per_query.search_context_size_low"    Fee One;
    SearchMedium     "wsm"    "search_context_cost_per_query.search_context_size_medium" Fee One;
    SearchHigh       "wsh"    "search_context_cost_per_query.search_context_size_high"   Fee One;
}

impl Component {
    /// The component's row in [`COMPONENTS`].
    pub fn row(self) -> &'static ComponentRow {
        &COMPONENTS[self as usize]
    }

    /// By LiteLLM's name, without band and tier.
    pub(super) fn from_litellm(name: &str) -> Option<Self> {
        // Two spellings of the same price; LiteLLM's map gives them equal values where it gives both.
        let name =
            if name == "input_cost_per_token_cache_hit" { "cache_read_input_token_cost" } else { name };
        COMPONENTS.iter().find(|row| row.litellm == name).map(|row| row.component)
    }

    /// By the catalogue's name.
    pub(super) fn from_short(name: &str) -> Option<Self> {
        COMPONENTS.iter().find(|row| row.short == name).map(|row| row.component)
    }
}
