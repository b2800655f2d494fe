//! What becomes of one image. Pure: header facts and the rule in, a plan out.

use mediaprep_image::{Encoding, ImageInfo, OutputFormat, Region, View, can_turn_losslessly};
use mediaprep_media::{Dimensions, MimeType, Orientation, Warning, WarningCode};
use mediaprep_tokens::{
    ItemFacts, MediaFacts, RequestShape, TILE_SIDE, TileBox, TileGrid, Tiling, WholePicture,
};
use serde::Serialize;

use super::options::{ImageForm, ImageFormat, ImageOptions};
use super::role::{How, Reason, Role};
use crate::error::{Error, ErrorKind, Stage};
use crate::plan::count_error;
use crate::probe::Probed;
use crate::rules::{RuleSet, SentAs};

/// One part to be made of an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PlannedPart {
    /// What it shows.
    #[serde(flatten)]
    pub role: Role,
    /// Where its pixels come from.
    pub view: View,
}

/// What becomes of one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImagePlan {
    /// What is done to its bytes.
    pub how: How,
    /// Why; empty when nothing is done.
    pub why: Vec<Reason>,
    /// The type of what comes out.
    pub mime_type: MimeType,
    /// How the picture is encoded; `None` when its bytes or its coded blocks are kept.
    pub encoding: Option<Encoding>,
    /// The parts, in sending order.
    pub parts: Vec<PlannedPart>,
}

/// The most tiles of one picture: more than any rule gives for a picture that is sent in earnest.
/// The rule of April 2024 would cut a picture of 1 × 65 535 pixels into 65 535.
const MOST_TILES: u64 = 1000;

/// Sides are made smaller by up to this many pixels in search of a size that costs no more.
const NEARBY_SIZES: u32 = 64;

/// Plans one image; the warnings say what is worth knowing about it. `facts` have the size that it is
/// counted at, which is its own or a smaller one that it is to be scaled to.
///
/// # Errors
///
/// When the service takes neither the type nor anything it could be converted to, the rule does
/// not cover images, or the rule cuts the picture into more than 1000 tiles.
pub(crate) fn plan_image(
    probed: &Probed,
    image: &ImageInfo,
    facts: &ItemFacts,
    rules: &RuleSet<'_>,
    options: &ImageOptions,
) -> Result<(ImagePlan, Vec<Warning>), Error> {
    let sent = rules.sent_as(probed)?;
    let planner = ImagePlanner { probed, image, facts, rules, options };
    let (parts, tiled) = planner.parts()?;
    let format = planner.format(&sent);
    let why = planner.reasons(&sent, format, &parts, tiled);
    let how = planner.how(&why);
    let source_type = probed.mime_type.unwrap_or(MimeType::Jpeg);
    let mime_type = if how == How::Reencoded { format.mime() } else { source_type };
    let encoding = Encoding { format, quality: options.quality, chroma: options.chroma };
    let encoding = (how == How::Reencoded).then_some(encoding);
    let plan = ImagePlan { how, why, mime_type, encoding, parts };
    let warnings = planner.warnings(&plan)?;
    Ok((plan, warnings))
}

struct ImagePlanner<'a> {
    probed: &'a Probed,
    image: &'a ImageInfo,
    facts: &'a ItemFacts,
    rules: &'a RuleSet<'a>,
    options: &'a ImageOptions,
}

impl ImagePlanner<'_> {
    fn displayed(&self) -> Dimensions {
        self.image.displayed()
    }

    /// The size that the picture is counted at: that of its facts, where it is to be smaller than it is.
    fn counted(&self) -> Dimensions {
        match &self.facts.media {
            MediaFacts::Image(image) => image.size,
            _ => self.displayed(),
        }
    }

    fn error(&self, error: mediaprep_tokens::CountError) -> Error {
        count_error(&self.probed.name, error)
    }

    /// The parts, and whether the picture is cut.
    fn parts(&self) -> Result<(Vec<PlannedPart>, bool), Error> {
        if self.options.form == ImageForm::Tiles {
            let tiling = self
                .tiling()?
                .unwrap_or(Tiling { grid: TileGrid::of(self.counted()), whole: WholePicture::No });
            if tiling.grid.is_cut() {
                return Ok((self.tiles(tiling)?, true));
            }
        }
        Ok((vec![self.whole()?], false))
    }

    fn tiling(&self) -> Result<Option<Tiling>, Error> {
        let tiling = self.rules.row.image_tiling(self.facts, self.counted());
        tiling.map_err(|error| self.error(error))
    }

    fn whole(&self) -> Result<PlannedPart, Error> {
        let view = View::whole(self.displayed(), self.whole_size()?);
        Ok(PlannedPart { role: Role::Whole, view })
    }

    /// The size of the whole picture: the largest that the service keeps and the options allow,
    /// and that costs no more than the picture as it is.
    fn whole_size(&self) -> Result<Dimensions, Error> {
        let (displayed, counted) = (self.displayed(), self.counted());
        let kept = self.rules.row.image_longest_side(self.facts, counted);
        let kept = kept.map_err(|error| self.error(error))?;
        let Some(side) = self.options.max_side.or(kept) else { return Ok(counted) };
        if counted.long() <= side {
            return Ok(counted);
        }
        let before = self.tokens(counted)?;
        for less in 0..NEARBY_SIZES.min(side) {
            let Some(frame) = Dimensions::new(side - less, side - less) else { break };
            let size = displayed.fit_within(frame);
            if self.tokens(size)? <= before {
                return Ok(size);
            }
        }
        Ok(counted)
    }

    /// What a lone picture of the given size costs.
    fn tokens(&self, size: Dimensions) -> Result<u64, Error> {
        let image = mediaprep_tokens::ImageFacts { size, copies: 1 };
        let facts = ItemFacts { media: MediaFacts::Image(image), ..self.facts.clone() };
        let model = &self.rules.key.model;
        let count = self.rules.row.count_item(&facts, RequestShape::EMPTY, model);
        count.map(|count| count.tokens()).map_err(|error| self.error(error))
    }

    fn tiles(&self, tiling: Tiling) -> Result<Vec<PlannedPart>, Error> {
        let Tiling { grid, whole } = tiling;
        if grid.tiles() > MOST_TILES {
            return Err(self.too_many_tiles(grid.tiles()));
        }
        let displayed = self.displayed();
        let mut parts = Vec::new();
        match whole {
            WholePicture::No => {}
            WholePicture::Overview => {
                let view = View::letterboxed(Region::whole(displayed), tile_size());
                parts.push(PlannedPart { role: Role::Overview, view });
            }
            WholePicture::Original => parts.push(self.whole()?),
        }
        let tiles = (1..).zip(grid.boxes()).map(|(tile, place)| PlannedPart {
            role: Role::Tile { tile },
            view: tile_view(place, &grid, displayed),
        });
        parts.extend(tiles);
        Ok(parts)
    }

    fn too_many_tiles(&self, tiles: u64) -> Error {
        let message = format!("{tiles} tiles of one picture; allowed: at most {MOST_TILES}");
        Error::new(&self.probed.name, Stage::Plan, ErrorKind::LimitExceeded, message)
            .with_hint("send the picture whole, or crop it to a more usual shape")
    }

    /// The format in which the picture would be encoded.
    fn format(&self, sent: &SentAs) -> OutputFormat {
        let png = OutputFormat::Png { small: self.options.small_png };
        match self.options.format {
            ImageFormat::Jpeg => return OutputFormat::Jpeg,
            ImageFormat::Png => return png,
            ImageFormat::Webp => return OutputFormat::Webp,
            ImageFormat::Auto => {}
        }
        let (SentAs::AsIs(mime) | SentAs::Converted(mime)) = sent;
        match MimeType::from_name(mime) {
            Some(MimeType::Jpeg) => OutputFormat::Jpeg,
            Some(MimeType::Png) => png,
            Some(MimeType::Webp) => OutputFormat::Webp,
            _ if self.image.has_alpha == Some(true) => png,
            _ => OutputFormat::Jpeg,
        }
    }

    fn reasons(
        &self,
        sent: &SentAs,
        format: OutputFormat,
        parts: &[PlannedPart],
        tiled: bool,
    ) -> Vec<Reason> {
        let displayed = self.displayed();
        let scaled = parts.iter().any(|part| !tiled && !part.view.is_identity(displayed));
        let asked = self.options.format != ImageFormat::Auto
            && self.probed.mime_type != Some(format.mime());
        [
            (Reason::TypeNotTaken, matches!(sent, SentAs::Converted(_))),
            (Reason::FormatAsked, asked),
            (Reason::NotUpright, self.image.orientation != Orientation::Upright),
            (Reason::TooLarge, scaled),
            (Reason::Tiled, tiled),
        ]
        .into_iter()
        .filter_map(|(reason, holds)| holds.then_some(reason))
        .collect()
    }

    fn how(&self, why: &[Reason]) -> How {
        let is_jpeg = self.probed.mime_type == Some(MimeType::Jpeg);
        match why {
            [] => How::Passed,
            [Reason::NotUpright] if is_jpeg && can_turn_losslessly(self.image) => {
                How::RotatedLosslessly
            }
            _ => How::Reencoded,
        }
    }

    fn warnings(&self, plan: &ImagePlan) -> Result<Vec<Warning>, Error> {
        let mut warnings = Vec::new();
        if plan.why.contains(&Reason::NotUpright) {
            let message = format!("turned upright (Exif {})", self.image.orientation.exif());
            warnings.push(Warning::new(WarningCode::Rotated, message));
        }
        if plan.why.contains(&Reason::Tiled) && self.tiling()?.is_none() {
            let message = format!("the rule of {} cuts no tiles", self.rules.key.model);
            let hint = "cut as the rule of 2024 and 2025 does; each tile is charged as an image";
            warnings.push(Warning::new(WarningCode::NoTileRule, message).with_hint(hint));
        }
        let frames = self.image.frames.unwrap_or(1);
        if plan.how == How::Reencoded && frames > 1 {
            let message = format!("only the first of {frames} frames or pages is sent");
            warnings.push(Warning::new(WarningCode::FirstFrameOnly, message));
        }
        let side = f64::from(TILE_SIDE);
        let enlarged = |part: &PlannedPart| {
            let (across, down) = part.view.scale();
            across.max(down) > 1.0 && f64::from(part.view.size.width()) == side
        };
        if plan.why.contains(&Reason::Tiled) && plan.parts.iter().any(enlarged) {
            let message = "the rule enlarges the picture's tiles to 768 × 768";
            warnings.push(Warning::new(WarningCode::Enlarged, message));
        }
        Ok(warnings)
    }
}

fn tile_size() -> Dimensions {
    Dimensions::new(TILE_SIDE, TILE_SIDE).unwrap_or(Dimensions::ONE)
}

/// A tile of the scaled picture as a view of the unscaled one. The tile's shape is that of its box
/// on the scaled picture, so that a square box fills the tile although scaling has rounded the
/// picture's sides.
fn tile_view(place: TileBox, grid: &TileGrid, source: Dimensions) -> View {
    let boxed = region(place, 1.0, 1.0);
    let across = f64::from(source.width()) / whole(grid.width);
    let down = f64::from(source.height()) / whole(grid.height);
    View { region: region(place, across, down), ..View::letterboxed(boxed, tile_size()) }
}

fn region(place: TileBox, across: f64, down: f64) -> Region {
    Region {
        left: whole(place.left) * across,
        top: whole(place.top) * down,
        width: whole(place.width) * across,
        height: whole(place.height) * down,
    }
}

/// Sides are below 2^32, so the conversion is exact.
fn whole(pixels: u64) -> f64 {
    pixels as f64
}
