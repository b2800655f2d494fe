//! The budget as one page of HTML that stands alone.
//!
//! ```text
//! rows ─ Gather (the dearest rows, folders, notices) ─ pictures ─▶ Page ─ render ─▶ HTML
//! ```
//!
//! [`Page`] is everything that the page says, as plain data with its words already chosen;
//! `render` turns it into HTML and adds nothing. The markup is written with `maud`: its macro
//! checks the nesting while compiling and escapes whatever comes from outside, so that no name of a
//! file can become markup.
//!
//! What grows with the number of inputs is cut, the dearest first, and the page says how much was
//! left out. The sums are always those of everything.

mod folders;
mod gather;
mod model;
mod pictures;
mod render;

pub(crate) use self::gather::Gather;
pub(crate) use self::pictures::{Wanted, add_pictures};
pub(crate) use self::render::render;

/// The most files that the page lists.
const MOST_ROWS: usize = 2000;
/// The most folders that it lists.
const MOST_FOLDERS: usize = 400;
/// The deepest level of folders that it lists; what lies deeper counts there.
const DEEPEST: usize = 8;
/// The most files that failed, and the most notes of one code, that it lists.
const MOST_NOTICES: usize = 100;
/// The longest name and the longest message that it shows, in characters.
const LONGEST_TEXT: usize = 400;
/// The most bytes of all its pictures: a third more in the page, where they are base64.
const MOST_PICTURE_BYTES: usize = 2 << 20;
/// The most boxes that are drawn over one picture.
const MOST_BOXES: u64 = 150;
