//! What a PDF costs in each of the forms that `prepare` can give it, for `budget --explain`.

use mediaprep::{
    Engine, Input, KnownFacts, MediaInfo, PdfForm, PdfOptions, PlanOptions, PrepareOptions, Probed,
    Requests, RuleSet,
};

use crate::text::thousands;

/// One line for each form that is not the one that is budgeted; none for other media and for
/// models without a rule for it.
pub(super) fn ways(
    engine: &Engine,
    probed: &Probed,
    (rules, request): (&RuleSet<'_>, &PlanOptions),
) -> Vec<String> {
    let MediaInfo::Document(_) = &probed.info else { return Vec::new() };
    let forms = [("its pages as images", PdfForm::Pages), ("smaller PDFs", PdfForm::Split)];
    let line = |(what, form): (&str, PdfForm)| {
        let facts = KnownFacts {
            name: probed.name.clone(),
            mime_type: probed.mime_type,
            bytes: probed.bytes,
            info: probed.info.clone(),
        };
        let pdf = PdfOptions { form, ..PdfOptions::default() };
        let options = PrepareOptions { pdf, ..PrepareOptions::default() };
        let request = PlanOptions { requests: Requests::Each, prompt: None, ..request.clone() };
        let plan = engine.plan(&[Input::facts(facts)], rules, &request, &options).ok()?;
        let parts = plan.items.first()?.planned.as_ref().ok()?.part_count();
        let counted = plan.count().items.into_iter().next()??.ok()?;
        let tokens = thousands(counted.charge.tokens.total);
        let noun = if parts == 1 { "part" } else { "parts" };
        Some(format!("{what}, {} {noun}: {tokens} tokens", thousands(parts)))
    };
    forms.into_iter().filter_map(line).collect()
}
