//! What the page says: plain data, its words chosen.

/// The whole page.
pub(crate) struct Page {
    /// What the browser's tab says.
    pub(crate) title: String,
    /// All tokens of the first model.
    pub(crate) tokens: u64,
    /// The same as `budget --format json` prints, without the items.
    pub(crate) data: String,
    /// The models, the first one first.
    pub(crate) models: Vec<Model>,
    /// What was counted, failed and skipped.
    pub(crate) outcome: Vec<Fact>,
    /// Tokens by kind.
    pub(crate) kinds: Vec<Kind>,
    /// Tokens by folder; the outermost is all of them.
    pub(crate) folders: Folder,
    /// The dearest files, in pictures.
    pub(crate) cards: Vec<Card>,
    /// What there is to say about the cards that are not there.
    pub(crate) cards_note: Option<String>,
    /// The dearest files, as a table.
    pub(crate) rows: Vec<Row>,
    /// The models of the columns beside the first one.
    pub(crate) columns: Vec<String>,
    /// What there is to say about the rows that are not there.
    pub(crate) rows_note: Option<String>,
    /// What failed.
    pub(crate) failures: Vec<Notice>,
    /// What there is to say about failures that are not listed.
    pub(crate) failures_note: Option<String>,
    /// What is worth knowing, by code.
    pub(crate) warnings: Vec<Notices>,
}

/// One model with its sums.
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) service: &'static str,
    pub(crate) meter: &'static str,
    pub(crate) on: String,
    pub(crate) row: String,
    pub(crate) batch: bool,
    pub(crate) tokens: String,
    pub(crate) cost: String,
    /// The largest request's share of the window; `None` where the window is unknown.
    pub(crate) window: Option<Window>,
    pub(crate) evidence: &'static str,
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    /// Tokens by kind, in the order of [`Page::kinds`].
    pub(crate) kinds: Vec<String>,
}

/// A share of a model's input window.
pub(crate) struct Window {
    pub(crate) share: String,
    /// Thousandths, at most 1000.
    pub(crate) filled: u64,
    pub(crate) size: String,
    pub(crate) fits: bool,
}

/// Something with a number.
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// Whether it is something to look into.
    pub(crate) bad: bool,
}

/// What one kind of media adds up to.
pub(crate) struct Kind {
    pub(crate) kind: &'static str,
    pub(crate) files: String,
    pub(crate) units: String,
    pub(crate) tokens: String,
    pub(crate) cost: String,
    pub(crate) sent_as: String,
    pub(crate) evidence: &'static str,
    /// Of all tokens, in thousandths.
    pub(crate) share: u64,
    pub(crate) percent: String,
}

/// A folder with what lies below it.
pub(crate) struct Folder {
    pub(crate) name: String,
    pub(crate) files: String,
    pub(crate) tokens: String,
    /// Of all tokens, in thousandths.
    pub(crate) share: u64,
    pub(crate) percent: String,
    pub(crate) folders: Vec<Self>,
    /// Folders that are not listed, and what they come to.
    pub(crate) left_out: Option<String>,
}

/// One file of the table.
pub(crate) struct Row {
    /// Its place in the order of paths.
    pub(crate) place: u64,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) facts: String,
    pub(crate) tokens: String,
    /// What it is sorted by.
    pub(crate) tokens_exact: u64,
    pub(crate) cost: String,
    /// Billionths of a dollar, which it is sorted by; 0 where it is unknown.
    pub(crate) cost_exact: u128,
    pub(crate) sent_as: &'static str,
    pub(crate) evidence: &'static str,
    /// Of the dearest file, in thousandths.
    pub(crate) bar: u64,
    pub(crate) compared: Vec<String>,
    pub(crate) note: Option<String>,
}

/// One file in pictures.
pub(crate) struct Card {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) facts: String,
    pub(crate) tokens: String,
    pub(crate) cost: String,
    pub(crate) percent: String,
    /// The count in words.
    pub(crate) count: String,
    /// More about it.
    pub(crate) details: Vec<String>,
    pub(crate) tiles: Option<Tiles>,
    pub(crate) pictures: Vec<Picture>,
    /// Why there is no picture.
    pub(crate) missing: Option<String>,
}

/// A grid over a picture.
pub(crate) struct Tiles {
    pub(crate) width: u64,
    pub(crate) height: u64,
    /// Left, top, width and height of each.
    pub(crate) boxes: Vec<[u64; 4]>,
}

/// A small picture.
pub(crate) struct Picture {
    /// A JPEG as `data:` address.
    pub(crate) address: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) shows: String,
    /// What stands below it.
    pub(crate) caption: Option<String>,
}

/// Something worth knowing about a file or the request.
pub(crate) struct Notice {
    pub(crate) about: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// Notices of one code.
pub(crate) struct Notices {
    pub(crate) code: &'static str,
    pub(crate) count: String,
    pub(crate) notices: Vec<Notice>,
    pub(crate) left_out: Option<String>,
}
