//! Pictures of the dearest files.

use std::collections::HashMap;
use std::ops::ControlFlow;

use base64_simd::STANDARD;
use mediaprep::media::MediaResolution;
use mediaprep::tokens::{Bound, Tiling};
use mediaprep::{Engine, Error, Input, MediaInfo, Role, Sight, Thumbnail, ThumbnailOptions};

use super::folders::ratio;
use super::gather::{Told, shown};
use super::model::{Card, Page, Picture, Tiles};
use super::{MOST_BOXES, MOST_PICTURE_BYTES};
use crate::item::dollars;
use crate::text::percent;
use crate::write::{cost_text, plural, tokens_text};

/// Pictures for the page.
pub(crate) struct Wanted<'a> {
    /// The files that were counted; none where there are facts alone.
    pub(crate) files: &'a [Input],
    /// The most files that are shown.
    pub(crate) most: usize,
    /// How finely the request has the model look.
    pub(crate) level: Option<MediaResolution>,
}

/// Puts cards for the dearest files on the page, with their pictures as far as those fit.
///
/// # Errors
///
/// When the threads cannot be started.
pub(crate) fn add_pictures(
    page: &mut Page,
    rows: &[Told],
    wanted: &Wanted<'_>,
    engine: &Engine,
) -> Result<(), Error> {
    let charged: Vec<&Told> = rows.iter().filter(|told| told.tokens.is_some()).collect();
    let some: Vec<&Told> = charged.iter().copied().take(wanted.most).collect();
    let all = page.tokens;
    page.cards = some.iter().map(|told| card(told, wanted.level, all)).collect();
    let full = draw(&mut page.cards, &some, wanted, engine)?;
    let left_out = charged.len().saturating_sub(some.len()) as u64;
    page.cards_note = cards_note(left_out, full);
    Ok(())
}

/// What is said about files without a picture that could have one.
fn cards_note(left_out: u64, full: u64) -> Option<String> {
    let mut notes = Vec::new();
    if left_out > 0 {
        notes.push(format!("{} only in the table", plural(left_out, "more file")));
    }
    if full > 0 {
        notes.push(format!("{} left out to keep the page small", plural(full, "picture")));
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Makes the pictures and puts them on their cards; how many were left out because of their size.
fn draw(
    cards: &mut [Card],
    rows: &[&Told],
    wanted: &Wanted<'_>,
    engine: &Engine,
) -> Result<u64, Error> {
    let (mut sights, mut places) = (Vec::new(), Vec::new());
    let named = by_name(rows, wanted.files);
    for (at, told) in rows.iter().enumerate() {
        match sight(told, &named) {
            Ok(sight) => {
                sights.push(sight);
                places.push(at);
            }
            Err(reason) => missing(cards, at, reason.to_owned()),
        }
    }
    let (mut room, mut full) = (MOST_PICTURE_BYTES, 0);
    let mut places = places.into_iter();
    engine.thumbnails_each(&sights, &ThumbnailOptions::default(), &mut |made| {
        let Some(at) = places.next() else { return ControlFlow::Break(()) };
        match made {
            Ok(pictures) => {
                let bytes: usize = pictures.iter().map(|picture| picture.bytes.len()).sum();
                if bytes > room {
                    // Nothing smaller that comes later takes the place of what is dearer.
                    room = 0;
                    full += 1;
                    missing(cards, at, FULL.to_owned());
                } else {
                    room -= bytes;
                    show(cards, at, &pictures);
                }
            }
            Err(error) => missing(cards, at, shown(&error.cause())),
        }
        if room == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    for at in places {
        full += 1;
        missing(cards, at, FULL.to_owned());
    }
    Ok(full)
}

const FULL: &str = "left out to keep the page small";

fn missing(cards: &mut [Card], at: usize, reason: String) {
    if let Some(card) = cards.get_mut(at) {
        card.missing = Some(reason);
        card.tiles = None;
    }
}

fn show(cards: &mut [Card], at: usize, pictures: &[Thumbnail]) {
    let Some(card) = cards.get_mut(at) else { return };
    card.pictures = pictures.iter().map(|thumbnail| picture(&card.name, thumbnail)).collect();
}

/// The inputs of rows by the names that the rows have.
fn by_name<'a>(rows: &[&'a Told], files: &'a [Input]) -> HashMap<&'a str, Vec<&'a Input>> {
    let mut named: HashMap<&str, Vec<&Input>> =
        rows.iter().map(|told| (told.path.as_str(), Vec::new())).collect();
    for input in files {
        if let Some(inputs) = named.get_mut(input.name().as_str()) {
            inputs.push(input);
        }
    }
    named
}

/// What is to be drawn, or why nothing is.
fn sight(told: &Told, named: &HashMap<&str, Vec<&Input>>) -> Result<Sight, &'static str> {
    if matches!(told.probed.info, MediaInfo::Audio(_)) {
        return Err("a sound has no picture");
    }
    let inputs = named.get(told.path.as_str()).map(Vec::as_slice).unwrap_or_default();
    let [input, others @ ..] = inputs else { return Err("only its facts are known") };
    // Names that are no text may look the same and be different files.
    if others.iter().any(|other| other.file() != input.file()) {
        return Err("several files have this name");
    }
    Ok(Sight { input: (*input).clone(), probed: told.probed.clone(), instants: told.instants })
}

fn picture(name: &str, thumbnail: &Thumbnail) -> Picture {
    let (shows, caption) = match (thumbnail.role, &thumbnail.time) {
        (Role::Page { page }, _) => (format!("Page {page} of {name}"), Some(format!("p. {page}"))),
        (_, Some(time)) => (format!("{name} at {time}"), Some(time.clone())),
        _ => (name.to_owned(), None),
    };
    let mut address = "data:image/jpeg;base64,".to_owned();
    STANDARD.encode_append(&thumbnail.bytes, &mut address);
    let (width, height) = (thumbnail.size.width(), thumbnail.size.height());
    Picture { address, width, height, shows, caption }
}

fn card(told: &Told, level: Option<MediaResolution>, all: u64) -> Card {
    let (tokens, bound) = told.tokens.unwrap_or((0, Bound::Exact));
    let (arithmetic, details) = arithmetic(&told.how);
    let tiles = told.tiling.filter(|tiling| tiling.grid.is_cut());
    let count = match (tiles, told.is_image()) {
        (None, true) => format!("Whole picture, {}: {arithmetic}", level_text(level)),
        _ => arithmetic,
    };
    Card {
        name: told.name.clone(),
        kind: told.kind(),
        facts: told.facts(),
        tokens: tokens_text(tokens, bound),
        cost: cost_text(told.cost.map(dollars)),
        percent: percent(ratio(tokens, all)),
        count,
        details,
        tiles: tiles.and_then(|tiling| grid(&tiling)),
        pictures: Vec::new(),
        missing: None,
    }
}

/// Lines of arithmetic that stand on the card itself.
const MOST_LINES: usize = 3;

/// The first lines as one text, and the others. The first line that names the row says how sure the
/// count is, and is no arithmetic.
fn arithmetic(lines: &[String]) -> (String, Vec<String>) {
    let is_sum = |line: &&String| !line.contains(", by row ");
    let sums = lines.iter().take_while(is_sum).take(MOST_LINES).count();
    let (sums, others) = lines.split_at(sums);
    (shown(&sums.join("; ")), others.iter().map(|line| shown(line)).collect())
}

fn level_text(level: Option<MediaResolution>) -> String {
    level.map_or_else(|| "default level".to_owned(), |level| format!("level {}", level.as_str()))
}

/// The grid as it is drawn; `None` where nobody could see it.
fn grid(tiling: &Tiling) -> Option<Tiles> {
    let grid = tiling.grid;
    let boxes = || grid.boxes().map(|tile| [tile.left, tile.top, tile.width, tile.height]);
    (grid.tiles() <= MOST_BOXES).then(|| Tiles {
        width: grid.width,
        height: grid.height,
        boxes: boxes().collect(),
    })
}
