//! The sizes at which a picture becomes cheaper, where the rule charges by size.
//!
//! Which sizes are worth trying follows from how tiles are laid: a whole number of the largest or the
//! smallest tile along a side, and the size up to which nothing is cut. What each costs is asked of
//! the rule itself, so a wrong guess is never wrong, only useless.

use mediaprep_media::Dimensions;

use crate::item_options::scaled_size;

/// Sides of the largest and the smallest tile, in pixels.
const TILES: [u32; 2] = [768, 256];
/// Tiles along a side that are tried; the rule never lays more over a picture of at most 3072 pixels.
const MOST_TILES: u32 = 12;
/// The side up to which no rule cuts a picture.
const SMALL: u32 = 384;
/// One pixel less than the long side from which the oldest rule cuts a picture.
const SHORT_OF_TILES: u32 = 767;

/// Longest sides below the picture's own at which it costs less, largest first, each costing less
/// than the one before: side and tokens. `count` says what a size costs, or that it cannot be said.
pub(super) fn cheaper_sides(
    size: Dimensions,
    count: impl Fn(Dimensions) -> Option<u64>,
) -> Vec<(u32, u64)> {
    let tokens = |side: u32| count(scaled_size(size, side));
    let Some(mut before) = count(size) else { return Vec::new() };
    // What is not cut is the cheapest.
    if tokens(SMALL).is_none_or(|least| least >= before) {
        return Vec::new();
    }
    let mut cheaper = Vec::new();
    let mut above = size.long();
    for side in candidates(size) {
        let Some(found) = tokens(side).filter(|&tokens| tokens < before) else {
            above = side;
            continue;
        };
        let side = largest(side, above, |side| tokens(side).is_some_and(|got| got <= found));
        cheaper.push((side, found));
        (before, above) = (found, side);
    }
    cheaper
}

/// Longest sides that are worth trying, largest first.
fn candidates(size: Dimensions) -> Vec<u32> {
    let (long, short) = (u64::from(size.long()), u64::from(size.short()));
    let by_short = |side: u32| u32::try_from(u64::from(side) * long / short).unwrap_or(u32::MAX);
    let multiples = || TILES.into_iter().flat_map(|tile| (1..=MOST_TILES).map(move |n| n * tile));
    let mut sides: Vec<u32> = multiples()
        .chain(multiples().map(by_short))
        .chain([SMALL, by_short(SMALL), SHORT_OF_TILES])
        .filter(|&side| side < size.long())
        .collect();
    sides.sort_unstable_by(|a, b| b.cmp(a));
    sides.dedup();
    sides
}

/// A side from `low` to below `high` for which `holds`, as it does for `low`: the largest, where it
/// holds for all sides below one.
fn largest(low: u32, high: u32, holds: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (low, high);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use mediaprep_tokens::{RequestShape, RuleBook, parse_request};
    use proptest::prelude::*;

    use super::*;

    fn tokens(book: &RuleBook, size: Dimensions) -> u64 {
        let row = book.row("2.0/any/billed/2026-01").unwrap();
        let text = format!("image {}x{}", size.width(), size.height());
        let item = parse_request(&text).unwrap().remove(0);
        row.count_item(&item, RequestShape::EMPTY, "gemini-2.0-flash").unwrap().tokens()
    }

    fn sides(width: u32, height: u32) -> Vec<(u32, u64)> {
        let book = RuleBook::builtin();
        let size = Dimensions::new(width, height).unwrap();
        cheaper_sides(size, |size| Some(tokens(&book, size)))
    }

    #[test]
    fn tiles_fall_away_at_whole_numbers_of_tiles() {
        // 4 × 3 tiles and the overview, then 4 × 2, 3 × 2, and so on down to one.
        assert_eq!(tokens(&RuleBook::builtin(), Dimensions::new(3008, 2000).unwrap()), 13 * 258);
        let found = sides(3008, 2000);
        assert_eq!(found[..2], [(2311, 9 * 258), (2304, 7 * 258)]);
        assert_eq!(found.last(), Some(&(384, 258)));
        assert_eq!(sides(384, 384), []);
        assert_eq!(sides(540, 360).last(), Some(&(384, 258)));
    }

    #[test]
    fn flat_and_grid_rules_have_no_cheaper_size() {
        let size = Dimensions::new(3008, 2000).unwrap();
        assert_eq!(cheaper_sides(size, |_| Some(258)), []);
        assert_eq!(cheaper_sides(size, |_| None), []);
    }

    proptest! {
        #[test]
        fn each_side_is_smaller_and_cheaper_than_the_one_before(w in 1u32..9000, h in 1u32..9000) {
            let book = RuleBook::builtin();
            let size = Dimensions::new(w, h).unwrap();
            let found = cheaper_sides(size, |size| Some(tokens(&book, size)));
            let whole = tokens(&book, size);
            let mut before = (size.long(), whole);
            for &(side, count) in &found {
                prop_assert!(side < before.0 && count < before.1);
                prop_assert!(tokens(&book, scaled_size(size, side)) <= count);
                before = (side, count);
            }
            prop_assert_eq!(found.is_empty(), whole == 258);
            prop_assert_eq!(before.1, 258);
        }
    }
}
