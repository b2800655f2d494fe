//! The dearest files in pictures.

use maud::{Markup, html};

use super::super::model::{Card, Page, Picture, Tiles};

/// The signs of the kinds, drawn once and used again.
pub(super) fn symbols() -> Markup {
    html! {
        svg class="symbols" aria-hidden="true" {
            symbol id="image" viewBox="0 0 24 24" {
                rect x="3" y="4" width="18" height="16" rx="2" {}
                circle cx="8.5" cy="9.5" r="1.5" {}
                path d="M3 17l5-5 4 4 4-5 5 6" {}
            }
            symbol id="video" viewBox="0 0 24 24" {
                rect x="3" y="5" width="18" height="14" rx="2" {}
                path d="M10 9l5 3-5 3z" {}
            }
            symbol id="audio" viewBox="0 0 24 24" {
                path d="M3 12h2M7 8v8M11 4v16M15 7v10M19 10v4" {}
            }
            symbol id="document" viewBox="0 0 24 24" {
                path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6" {}
            }
        }
    }
}

pub(super) fn cards(page: &Page) -> Markup {
    let has_tiles = page.cards.iter().any(|card| card.tiles.is_some());
    html! {
        @if !page.cards.is_empty() {
            section id="pictures" aria-labelledby="pictures-title" {
                h2 id="pictures-title" { "The dearest files" }
                @if has_tiles {
                    label class="switch" {
                        input type="checkbox" id="tiles" checked; " Show the tiles"
                    }
                }
                ol class="gallery" { @for one in &page.cards { (card(one)) } }
                @if let Some(note) = &page.cards_note { p class="note" { (note) } }
            }
        }
    }
}

fn card(card: &Card) -> Markup {
    html! {
        li class="card" {
            div class="stage" {
                @for one in &card.pictures { (picture(one, card.tiles.as_ref())) }
                @if let Some(reason) = &card.missing { (placeholder(card.kind, reason)) }
            }
            h3 { bdi class="name" { (card.name) } }
            p class="charge" {
                strong { (card.tokens) " tokens" } " · " span { (card.cost) } " · "
                span { (card.percent) }
            }
            p class="facts" {
                span class={ "dot " (card.kind) } aria-hidden="true" {}
                (card.kind) ", " (card.facts)
            }
            p class="count-text" { (card.count) }
            @if !card.details.is_empty() {
                details {
                    summary { "How it is counted" }
                    ul { @for line in &card.details { li { (line) } } }
                }
            }
        }
    }
}

fn picture(picture: &Picture, tiles: Option<&Tiles>) -> Markup {
    let (width, height) = (picture.width, picture.height);
    html! {
        figure {
            div class="picture" {
                img src=(picture.address) width=(width) height=(height) alt=(picture.shows)
                    loading="lazy" decoding="async";
                @if let Some(tiles) = tiles { (grid(tiles, (width, height))) }
            }
            @if let Some(caption) = &picture.caption { figcaption { (caption) } }
        }
    }
}

/// The boxes of the tiles; where they overlap, the shade is darker.
fn grid(tiles: &Tiles, (width, height): (u32, u32)) -> Markup {
    html! {
        svg class="tiles" width=(width) height=(height) preserveAspectRatio="none" aria-hidden="true"
            viewBox={ "0 0 " (tiles.width) " " (tiles.height) } {
            @for [left, top, width, height] in &tiles.boxes {
                rect x=(left) y=(top) width=(width) height=(height) {}
            }
        }
    }
}

fn placeholder(kind: &str, reason: &str) -> Markup {
    html! {
        div class={ "placeholder " (kind) } {
            svg width="40" height="40" aria-hidden="true" { use href={ "#" (kind) } {} }
            span { (reason) }
        }
    }
}
