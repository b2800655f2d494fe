//! What is known of a document from its page tree.

use serde::Serialize;

/// The header facts of a PDF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentInfo {
    /// The pages in reading order; equal neighbours are folded into one run. Never empty.
    pub runs: Vec<PageRun>,
    /// Whether the document is encrypted, also when it opens without a password.
    pub encrypted: bool,
    /// Whether it opens only with a password, the one that it was opened with.
    pub locked: bool,
}

impl DocumentInfo {
    /// An unencrypted document of the given pages.
    pub fn of_pages(sizes: impl IntoIterator<Item = PageSize>) -> Self {
        let mut runs: Vec<PageRun> = Vec::new();
        for size in sizes {
            match runs.last_mut() {
                Some(run) if run.size == size => run.pages += 1,
                _ => runs.push(PageRun { size, pages: 1 }),
            }
        }
        Self { runs, encrypted: false, locked: false }
    }

    /// The number of pages, at least 1.
    pub fn pages(&self) -> u64 {
        self.runs.iter().map(|run| run.pages).sum()
    }

    /// The size of the first page.
    pub fn first_page(&self) -> Option<PageSize> {
        self.runs.first().map(|run| run.size)
    }

    /// The size of every page, one by one.
    pub fn page_sizes(&self) -> impl Iterator<Item = PageSize> + '_ {
        self.runs.iter().flat_map(|run| (0..run.pages).map(|_| run.size))
    }
}

/// Neighbouring pages of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PageRun {
    /// The size that they share.
    pub size: PageSize,
    /// How many there are, at least 1.
    pub pages: u64,
}

/// The page box in thousandths of a point (1/72 inch), as stored: before rotation and `UserUnit`.
///
/// The box is the CropBox where there is one and else the MediaBox, cut to the MediaBox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct PageSize {
    /// Thousandths of a point from left to right, at least 1.
    pub width: u32,
    /// Thousandths of a point from bottom to top, at least 1.
    pub height: u32,
    /// How the page is turned when shown.
    pub rotation: Rotation,
    /// Thousandths of a point that one unit of the page's own space stands for; 1000 when the page
    /// has no `UserUnit`. No model charges by it.
    pub user_unit: u32,
}

impl PageSize {
    /// Width and height in thousandths of a point as a viewer shows the page, after rotation.
    pub const fn displayed(self) -> (u32, u32) {
        if self.rotation.swaps_axes() {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        }
    }
}

/// How far a page is turned clockwise when shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Rotation {
    /// As stored.
    #[default]
    #[serde(rename = "0")]
    None,
    /// By 90 degrees.
    #[serde(rename = "90")]
    Clockwise90,
    /// By 180 degrees.
    #[serde(rename = "180")]
    Clockwise180,
    /// By 270 degrees.
    #[serde(rename = "270")]
    Clockwise270,
}

impl Rotation {
    /// The rotation for a `/Rotate` value: multiples of 90 in either direction, taken modulo 360;
    /// other angles are rounded towards zero to a multiple of 90, as PDFium does.
    pub const fn from_degrees(degrees: i64) -> Self {
        match (degrees / 90).rem_euclid(4) {
            1 => Self::Clockwise90,
            2 => Self::Clockwise180,
            3 => Self::Clockwise270,
            _ => Self::None,
        }
    }

    /// The angle in degrees: 0, 90, 180 or 270.
    pub const fn degrees(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Clockwise90 => 90,
            Self::Clockwise180 => 180,
            Self::Clockwise270 => 270,
        }
    }

    /// Whether width and height change places.
    pub const fn swaps_axes(self) -> bool {
        matches!(self, Self::Clockwise90 | Self::Clockwise270)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_is_taken_modulo_a_full_turn() {
        let angle = |degrees| Rotation::from_degrees(degrees).degrees();
        assert_eq!([0, 90, 180, 270, 360, 450].map(angle), [0, 90, 180, 270, 0, 90]);
        assert_eq!([-90, -180, -270, -360, -450].map(angle), [270, 180, 90, 0, 270]);
        assert_eq!([45, -45, 91, i64::MAX, i64::MIN].map(|d| angle(d) % 90), [0; 5]);
    }

    #[test]
    fn a_quarter_turn_exchanges_the_sides() {
        let page = |degrees| PageSize {
            width: 1,
            height: 2,
            rotation: Rotation::from_degrees(degrees),
            user_unit: 1000,
        };
        assert_eq!(page(90).displayed(), (2, 1));
        assert_eq!(page(180).displayed(), (1, 2));
    }
}
