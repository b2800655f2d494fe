//! What everything comes to: the head of the page, the kinds, the models side by side.

use maud::{Markup, html};

use super::super::model::{Fact, Kind, Model, Page, Window};

pub(super) fn header(page: &Page) -> Markup {
    html! {
        header {
            p class="brand" { "mediaprep · budget" }
            @if let Some(model) = page.models.first() {
                h1 { span class="big" { (model.tokens) } " tokens" }
                p class="rule" { (rule(model)) }
                dl class="stats" {
                    div { dt { "cost" } dd { (model.cost) } }
                    @if let Some(share) = &model.window { (window(share, model.requests)) }
                    div { dt { "evidence" } dd { (model.evidence) } }
                    @for fact in &page.outcome { (outcome(fact)) }
                }
            }
        }
    }
}

fn rule(model: &Model) -> Markup {
    html! {
        strong { (model.name) } " · " (model.service) " · " (model.meter)
        @if model.batch { " · batch" }
        " · on " time datetime=(model.on) { (model.on) } " · row " code { (model.row) }
    }
}

fn window(window: &Window, requests: u64) -> Markup {
    let name = if requests > 1 { "window, largest request" } else { "window" };
    html! {
        div class=(if window.fits { "" } else { "bad" }) {
            dt { (name) }
            dd {
                (window.share) " "
                small { "of " (window.size) @if !window.fits { ", does not fit" } }
                span class="bar" aria-hidden="true" { span style=(width(window.filled)) {} }
            }
        }
    }
}

fn outcome(fact: &Fact) -> Markup {
    html! {
        @if fact.bad {
            div class="bad" { dt { (fact.name) } dd { a href="#failures" { (fact.value) } } }
        } @else {
            div { dt { (fact.name) } dd { (fact.value) } }
        }
    }
}

/// Thousandths as a width.
pub(super) fn width(thousandths: u64) -> String {
    format!("width:{}.{}%", thousandths / 10, thousandths % 10)
}

pub(super) fn kinds(page: &Page) -> Markup {
    html! {
        section id="kinds" aria-labelledby="kinds-title" {
            h2 id="kinds-title" { "By kind" }
            div class="stack" aria-hidden="true" {
                @for kind in &page.kinds {
                    @if kind.share > 0 { span class=(kind.kind) style=(width(kind.share)) {} }
                }
            }
            table class="cards" {
                thead { tr {
                    th scope="col" { "Kind" } th scope="col" class="number" { "Tokens" }
                    th scope="col" class="number" { "Share" } th scope="col" class="number" { "Files" }
                    th scope="col" class="number" { "Units" } th scope="col" class="number" { "Cost" }
                    th scope="col" { "Sent as" } th scope="col" { "Evidence" }
                } }
                tbody { @for entry in &page.kinds { (kind(entry)) } }
            }
        }
    }
}

fn kind(kind: &Kind) -> Markup {
    html! {
        tr {
            th scope="row" { span class={ "dot " (kind.kind) } aria-hidden="true" {} (kind.kind) }
            td data-label="Tokens" class="number" { (kind.tokens) }
            td data-label="Share" class="number" { (kind.percent) }
            td data-label="Files" class="number" { (kind.files) }
            td data-label="Units" class="number" { (kind.units) }
            td data-label="Cost" class="number" { (kind.cost) }
            td data-label="Sent as" { (kind.sent_as) }
            td data-label="Evidence" { (kind.evidence) }
        }
    }
}

/// Several models side by side.
pub(super) fn models(page: &Page) -> Markup {
    html! {
        @if page.models.len() > 1 {
            section id="models" aria-labelledby="models-title" {
                h2 id="models-title" { "Models compared" }
                table class="cards" {
                    thead { tr {
                        th scope="col" { "Model" } th scope="col" class="number" { "Tokens" }
                        th scope="col" class="number" { "Cost" } th scope="col" class="number" { "Window" }
                        @for kind in &page.kinds {
                            th scope="col" class="number" { (kind.kind) }
                        }
                        th scope="col" class="number" { "Failed" } th scope="col" { "Evidence" }
                    } }
                    tbody { @for entry in &page.models { (model(entry, page)) } }
                }
            }
        }
    }
}

fn model(model: &Model, page: &Page) -> Markup {
    html! {
        tr {
            th scope="row" { (model.name) small { code { (model.row) } } }
            td data-label="Tokens" class="number strong" { (model.tokens) }
            td data-label="Cost" class="number" { (model.cost) }
            td data-label="Window" class="number" {
                @match &model.window {
                    Some(window) => { (window.share) @if !window.fits { " (does not fit)" } }
                    None => "unknown",
                }
            }
            @for (kind, tokens) in page.kinds.iter().zip(&model.kinds) {
                td data-label=(kind.kind) class="number" { (tokens) }
            }
            td data-label="Failed" class="number" { (model.failed) }
            td data-label="Evidence" { (model.evidence) }
        }
    }
}
