//! The boxes inside a box, read one header at a time so that large ones are never loaded.

use mediaprep_media::Error;
use mediaprep_media::bmff::BoxHeader;

use crate::window::Window;

/// Most boxes that one level may hold; real files have a few, or one pair for each fragment.
const MAX_BOXES: u32 = 1_000_000;

/// A position among the children of a box.
pub(super) struct Walk {
    at: u64,
    end: u64,
    seen: u32,
}

impl Walk {
    pub(super) const fn inside(parent: &BoxHeader) -> Self {
        Self { at: parent.body, end: parent.end, seen: 0 }
    }

    pub(super) const fn between(at: u64, end: u64) -> Self {
        Self { at, end, seen: 0 }
    }

    /// Whether the walk ended at something that is no box.
    pub(super) const fn stands_before_the_end(&self) -> bool {
        self.at < self.end
    }

    /// The next child, cut to its parent. A broken header ends the walk.
    pub(super) fn next(&mut self, window: &mut Window<'_>) -> Result<Option<BoxHeader>, Error> {
        Ok(self.next_uncut(window)?.map(|(child, end)| BoxHeader { end, ..child }))
    }

    /// The next child as it claims to be, with the end to which its parent cuts it.
    pub(super) fn next_uncut(
        &mut self,
        window: &mut Window<'_>,
    ) -> Result<Option<(BoxHeader, u64)>, Error> {
        self.seen += 1;
        if self.seen > MAX_BOXES || self.end.saturating_sub(self.at) < 8 {
            return Ok(None);
        }
        let bytes = window.at(self.at, 16)?;
        let Ok(Some(child)) = BoxHeader::parse(bytes, self.at, self.end) else { return Ok(None) };
        if child.body > self.end {
            return Ok(None);
        }
        let end = child.end.min(self.end);
        self.at = end;
        Ok(Some((child, end)))
    }
}
