//! What the pages of PDFs hold, for `probe --contents`.

use std::time::Duration as WallTime;

use mediaprep::{Contents, Engine, Error, Input, MediaInfo, Probed};

use crate::item::PageContents;

/// The longest that one page may be read.
const PAGE_TIME: WallTime = WallTime::from_secs(60);

/// What the pages of a PDF hold; `None` for other media.
///
/// # Errors
///
/// When the document cannot be opened.
pub(super) fn page_contents(
    engine: &Engine,
    input: &Input,
    probed: &Probed,
) -> Result<Option<PageContents>, Error> {
    let MediaInfo::Document(_) = &probed.info else { return Ok(None) };
    let pages = engine.page_contents(input, probed, PAGE_TIME)?;
    let listed = |holds: &dyn Fn(Option<&Contents>) -> bool| {
        let numbered = (1u64..).zip(&pages);
        let wanted = numbered.filter(|(_, page)| holds(page.as_ref().ok()));
        spans(wanted.map(|(number, _)| number))
    };
    Ok(Some(PageContents {
        text: listed(&|page| page.is_some_and(Contents::has_text)),
        scans: listed(&|page| page.is_some_and(Contents::is_scan)),
        other: listed(&|page| page.is_some_and(|page| !page.has_text() && !page.is_scan())),
        unread: listed(&|page| page.is_none()),
    }))
}

/// Rising numbers as `--pages` takes them: `1-5,9`.
fn spans(numbers: impl Iterator<Item = u64>) -> String {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => spans.push((number, number)),
        }
    }
    let span = |&(first, last): &(u64, u64)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    spans.iter().map(span).collect::<Vec<_>>().join(",")
}

impl PageContents {
    /// The same as lines of a table.
    pub(crate) fn lines(&self) -> Vec<String> {
        let all = [
            ("with text", &self.text),
            ("scans", &self.scans),
            ("neither", &self.other),
            ("unreadable", &self.unread),
        ];
        let some = all.into_iter().filter(|(_, pages)| !pages.is_empty());
        some.map(|(what, pages)| format!("{what}: {pages}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined() {
        assert_eq!(spans([1, 2, 3, 5, 7, 8].into_iter()), "1-3,5,7-8");
        assert_eq!(spans(std::iter::empty()), "");
    }
}
