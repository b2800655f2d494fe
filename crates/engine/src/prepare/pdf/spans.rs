//! Runs of pages, and the pages that somebody asks for.

use std::str::FromStr;

use serde::Serialize;

/// Pages from one to another, numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct PageSpan {
    /// The first.
    pub first: u64,
    /// The last, which is not before the first.
    pub last: u64,
}

impl PageSpan {
    /// How many pages.
    pub const fn count(self) -> u64 {
        self.last - self.first + 1
    }
}

/// Pages as a list of spans: in order, each page once.
pub(super) fn count(spans: &[PageSpan]) -> u64 {
    spans.iter().map(|span| span.count()).sum()
}

/// The pages of spans, one by one.
pub(super) fn pages(spans: &[PageSpan]) -> impl Iterator<Item = u64> + '_ {
    spans.iter().flat_map(|span| span.first..=span.last)
}

/// Up to `most` pages from the `first`th on, counted from 0.
pub(super) fn slice(spans: &[PageSpan], first: u64, most: u64) -> Vec<PageSpan> {
    let (mut skip, mut take) = (first, most);
    let mut out = Vec::new();
    for span in spans {
        let passed = skip.min(span.count());
        skip -= passed;
        let taken = take.min(span.count() - passed);
        if taken > 0 {
            let first = span.first + passed;
            out.push(PageSpan { first, last: first + taken - 1 });
            take -= taken;
        }
    }
    out
}

/// The pages that are wanted, as in `1-5,9,12-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSelection(Vec<(u64, Option<u64>)>);

impl PageSelection {
    /// The pages of a document of `pages` pages; the error is the first that it does not have.
    pub(in crate::prepare) fn of(&self, pages: u64) -> Result<Vec<PageSpan>, u64> {
        let mut spans: Vec<PageSpan> = Vec::new();
        for &(first, last) in &self.0 {
            let last = last.unwrap_or(pages.max(first));
            if last > pages {
                return Err(first.max(pages + 1));
            }
            spans.push(PageSpan { first, last });
        }
        Ok(spans)
    }
}

/// Most spans that are listed: more is a list made by a machine, which can name the file's parts.
const MOST_SPANS: usize = 10_000;

impl FromStr for PageSelection {
    type Err = &'static str;

    /// Spans in rising order, separated by commas: `7`, `2-5`, `12-` to the end, `-3` from the
    /// beginning. Neighbouring and overlapping spans are joined.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "pages are numbers and ranges such as 1-5,9,12-";
        let mut spans: Vec<(u64, Option<u64>)> = Vec::new();
        for item in text.split(',').map(str::trim) {
            let number = |text: &str| text.trim().parse::<u64>().map_err(|_| FORM);
            let (first, last) = match item.split_once('-') {
                None => (number(item)?, Some(number(item)?)),
                Some(("", last)) => (1, Some(number(last)?)),
                Some((first, "")) => (number(first)?, None),
                Some((first, last)) => (number(first)?, Some(number(last)?)),
            };
            if first == 0 {
                return Err("pages are numbered from 1");
            }
            if last.is_some_and(|last| last < first) {
                return Err("a range of pages ends before it begins");
            }
            if spans.len() >= MOST_SPANS {
                return Err("too many ranges of pages");
            }
            spans.push((first, last));
        }
        Ok(Self(joined(spans)))
    }
}

fn joined(mut spans: Vec<(u64, Option<u64>)>) -> Vec<(u64, Option<u64>)> {
    spans.sort_by_key(|(first, _)| *first);
    let mut out: Vec<(u64, Option<u64>)> = Vec::new();
    for (first, last) in spans {
        match out.last_mut() {
            Some((_, None)) => break,
            Some((_, Some(end))) if first <= end.saturating_add(1) => match last {
                Some(last) => *end = last.max(*end),
                None => out.last_mut().into_iter().for_each(|span| span.1 = None),
            },
            _ => out.push((first, last)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chosen(text: &str, of: u64) -> Result<Vec<(u64, u64)>, u64> {
        let spans = text.parse::<PageSelection>().unwrap().of(of)?;
        Ok(spans.into_iter().map(|span| (span.first, span.last)).collect())
    }

    #[test]
    fn selections_are_read() {
        assert_eq!(chosen("1-5,9,12-", 14), Ok(vec![(1, 5), (9, 9), (12, 14)]));
        assert_eq!(chosen(" 3 , -2", 9), Ok(vec![(1, 3)]));
        assert_eq!(chosen("5-,7", 9), Ok(vec![(5, 9)]));
        assert_eq!(chosen("2-4,3-6,3", 9), Ok(vec![(2, 6)]));
        assert_eq!(chosen("9-", 9), Ok(vec![(9, 9)]));
        assert_eq!(chosen("10-", 9), Err(10));
        assert_eq!(chosen("2-12", 9), Err(10));
        for bad in ["", "0", "3-2", "a", "1-2-3", "-", "1,,2", "+1x"] {
            assert!(bad.parse::<PageSelection>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn slices_put_together_are_the_whole(
            gaps in proptest::collection::vec((1u64..4, 1u64..9), 1..6),
            most in 1u64..12,
        ) {
            let mut at = 0;
            let spans: Vec<PageSpan> = gaps.iter().map(|(gap, length)| {
                let first = at + gap + 1;
                at = first + length - 1;
                PageSpan { first, last: at }
            }).collect();
            let all: Vec<u64> = pages(&spans).collect();
            prop_assert_eq!(all.len() as u64, count(&spans));
            let mut together = Vec::new();
            for number in 0..count(&spans).div_ceil(most) {
                let part = slice(&spans, number * most, most);
                prop_assert!(count(&part) <= most);
                together.extend(pages(&part));
            }
            prop_assert_eq!(together, all);
        }
    }
}
