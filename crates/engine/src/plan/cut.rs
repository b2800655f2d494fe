//! How a planned picture is cut.

use mediaprep_tokens::{RequestShape, Tiling};

use super::{Charge, Planner};
use crate::info::MediaInfo;
use crate::probe::Probed;

impl Planner<'_> {
    /// How the rule cuts an image that is charged so; `None` for other media, for rules that cut
    /// nothing, and for a charge that goes by what else is in the request instead of by tiles.
    pub fn tiling(&self, probed: &Probed, charge: &Charge) -> Option<Tiling> {
        let MediaInfo::Image(image) = &probed.info else { return None };
        let facts = self.facts(probed, charge.route);
        let row = &self.rules.row;
        // The tiles are those of a picture that is alone; they say something about this charge
        // only where it is the same.
        let alone = row.count_item(&facts, RequestShape::EMPTY, &self.rules.key.model).ok()?;
        let is_same = alone.media.tokens == charge.count.media.tokens;
        let tiling = row.image_tiling(&facts, image.displayed()).ok()??;
        Some(tiling).filter(|_| is_same)
    }
}
