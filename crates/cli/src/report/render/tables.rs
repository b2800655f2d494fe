//! Everything by folder and by file.

use maud::{Markup, html};

use super::super::model::{Folder, Page, Row};
use super::sums::width;

pub(super) fn folders(page: &Page) -> Markup {
    let root = &page.folders;
    html! {
        @if !root.folders.is_empty() || root.left_out.is_some() {
            section id="folders" aria-labelledby="folders-title" {
                h2 id="folders-title" { "By folder" }
                div class="tree" { (folder(root, true)) }
            }
        }
    }
}

fn folder(folder: &Folder, open: bool) -> Markup {
    let is_leaf = folder.folders.is_empty() && folder.left_out.is_none();
    html! {
        @if is_leaf {
            div class="leaf" { (line(folder)) }
        } @else {
            details open[open] {
                summary { (line(folder)) }
                div class="below" {
                    @for one in &folder.folders { (self::folder(one, false)) }
                    @if let Some(note) = &folder.left_out { p class="note" { (note) } }
                }
            }
        }
    }
}

fn line(folder: &Folder) -> Markup {
    html! {
        span class="folder" {
            bdi class="name" { (folder.name) }
            span class="figures" {
                strong { (folder.tokens) } " · " (folder.percent) " · " (folder.files)
            }
            span class="bar" aria-hidden="true" { span style=(width(folder.share)) {} }
        }
    }
}

/// The columns that the table is sorted by, with what each row says of them.
const COLUMNS: [(&str, &str); 4] =
    [("name", "File"), ("kind", "Kind"), ("tokens", "Tokens"), ("cost", "Cost")];

pub(super) fn files(page: &Page) -> Markup {
    html! {
        section id="files" aria-labelledby="files-title" tabindex="-1" {
            h2 id="files-title" { "By file" }
            @if let Some(note) = &page.rows_note { p class="note" { (note) } }
            @if page.rows.is_empty() {
                p { "Nothing was counted." }
            } @else {
                div class="controls" hidden {
                    label for="filter" { "Filter by name, kind or facts" }
                    input type="search" id="filter" autocomplete="off" spellcheck="false";
                    p id="shown" role="status" {}
                }
                (table(page))
            }
        }
    }
}

fn table(page: &Page) -> Markup {
    html! {
        table class="cards" id="list" {
            thead { tr {
                @for (key, title) in COLUMNS { (sortable(key, title)) }
                @for model in &page.columns { th scope="col" class="number" { (model) } }
                th scope="col" { "Sent as" } th scope="col" { "Evidence" }
            } }
            tbody { @for one in &page.rows { (row(one, &page.columns)) } }
        }
    }
}

fn sortable(key: &str, title: &str) -> Markup {
    let sorted = if key == "tokens" { "descending" } else { "none" };
    let class = if matches!(key, "tokens" | "cost") { "number" } else { "" };
    html! {
        th scope="col" class=(class) aria-sort=(sorted) {
            button type="button" data-key=(key) { (title) }
        }
    }
}

fn row(row: &Row, columns: &[String]) -> Markup {
    html! {
        tr data-name=(row.place) data-kind=(row.kind) data-tokens=(row.tokens_exact)
            data-cost=(row.cost_exact) {
            th scope="row" {
                bdi class="name" { (row.name) }
                small { (row.facts) @if let Some(note) = &row.note { " · " em { (note) } } }
            }
            td data-label="Kind" {
                span class={ "dot " (row.kind) } aria-hidden="true" {} (row.kind)
            }
            td data-label="Tokens" class="number" {
                (row.tokens)
                span class="bar" aria-hidden="true" { span style=(width(row.bar)) {} }
            }
            td data-label="Cost" class="number" { (row.cost) }
            @for (model, tokens) in columns.iter().zip(&row.compared) {
                td data-label=(model) class="number" { (tokens) }
            }
            td data-label="Sent as" { (row.sent_as) }
            td data-label="Evidence" { (row.evidence) }
        }
    }
}
