//! The page as HTML. Everything that the page says stands in the model; here is markup alone.

mod cards;
mod sums;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::model::{Notice, Page};

/// Nothing is loaded: not from the network, nor from beside the page.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
const STYLE: &str = include_str!("../style.css");
const SCRIPT: &str = include_str!("../script.js");

/// Failures that are seen without unfolding the others.
const AT_ONCE: usize = 5;

/// The page.
pub(crate) fn render(page: &Page) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(concat!("mediaprep ", env!("CARGO_PKG_VERSION")));
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#files" { "Skip to the files" }
                (cards::symbols())
                (body(page))
                // Data, not code: for programs that read the page.
                script type="application/json" id="data" { (PreEscaped(inert(&page.data))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    markup.into_string()
}

fn body(page: &Page) -> Markup {
    html! {
        (sums::header(page))
        main {
            (sums::kinds(page))
            (sums::models(page))
            (failures(page))
            (cards::cards(page))
            (tables::folders(page))
            (tables::files(page))
            (warnings(page))
        }
        footer {
            p { "Made by mediaprep " (env!("CARGO_PKG_VERSION")) ", offline, from the files' headers "
                "and a rule book. Nothing was sent, and this page loads nothing." }
        }
    }
}

fn failures(page: &Page) -> Markup {
    html! {
        @if !page.failures.is_empty() {
            section id="failures" aria-labelledby="failures-title" class="bad" {
                h2 id="failures-title" { "Failed" }
                ul class="notices" {
                    @for failure in page.failures.iter().take(AT_ONCE) { (notice(failure)) }
                }
                @if page.failures.len() > AT_ONCE {
                    details {
                        summary { (page.failures.len() - AT_ONCE) " more" }
                        ul class="notices" {
                            @for failure in page.failures.iter().skip(AT_ONCE) { (notice(failure)) }
                        }
                        @if let Some(note) = &page.failures_note { p class="note" { (note) } }
                    }
                }
            }
        }
    }
}

fn warnings(page: &Page) -> Markup {
    html! {
        @if !page.warnings.is_empty() {
            section id="warnings" aria-labelledby="warnings-title" {
                h2 id="warnings-title" { "Worth knowing" }
                @for group in &page.warnings {
                    details {
                        summary { code { (group.code) } " " span class="count" { (group.count) } }
                        ul class="notices" { @for one in &group.notices { (notice(one)) } }
                        @if let Some(note) = &group.left_out { p class="note" { (note) } }
                    }
                }
            }
        }
    }
}

fn notice(notice: &Notice) -> Markup {
    html! {
        li {
            bdi class="name" { (notice.about) }
            p { (notice.message) }
            @if let Some(hint) = &notice.hint { p class="hint" { (hint) } }
        }
    }
}

/// JSON that cannot end the element it stands in.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
}
