//! What the model is told, checked against what it takes.

use mediaprep::parts::{
    Content, GenerateRequest, GenerationConfig, HarmBlockThreshold, HarmCategory, SafetySetting,
    ThinkingConfig, ThinkingLevel,
};
use mediaprep::tokens::{RuleBook, SamplingValues};
use mediaprep::{PlanOptions, RuleSet};

use crate::args::{SamplingArgs, ThinkingLevelArg};
use crate::failure::Failure;

/// A request without contents that carries everything else.
///
/// # Errors
///
/// A value that no model takes, or that this model does not.
pub(crate) fn generation_config(
    args: &SamplingArgs,
    options: &PlanOptions,
    (book, rules): (&RuleBook, &RuleSet<'_>),
) -> Result<GenerateRequest, Failure> {
    let config = GenerationConfig {
        temperature: args.temperature,
        top_p: args.top_p,
        top_k: args.top_k,
        max_output_tokens: args.max_output_tokens,
        stop_sequences: args.stop.clone(),
        seed: args.seed,
        response_mime_type: response_type(args),
        response_json_schema: schema(args)?,
        thinking_config: thinking(args),
        media_resolution: options.request_level(),
        ..GenerationConfig::default()
    };
    config.validate().map_err(|error| refused(&error.to_string()))?;
    let key = &rules.key;
    if let Some(sampling) = book.sampling(&key.model, key.service, key.date) {
        sampling.check(&values(&config)).map_err(|error| refused(&error.to_string()))?;
    }
    let safety: Result<Vec<SafetySetting>, Failure> =
        args.safety.iter().map(|text| safety_setting(text)).collect();
    Ok(GenerateRequest {
        system_instruction: args.system.as_deref().map(Content::instruction),
        generation_config: Some(config),
        safety_settings: safety?,
        ..GenerateRequest::default()
    })
}

fn refused(reason: &str) -> Failure {
    Failure::option(
        format!("options: {reason}"),
        "see 'mediaprep models ID' for the model's ranges",
    )
}

fn values(config: &GenerationConfig) -> SamplingValues {
    SamplingValues {
        temperature: config.temperature,
        top_p: config.top_p,
        top_k: config.top_k.map(i64::from),
        candidate_count: config.candidate_count.map(i64::from),
        max_output_tokens: config.max_output_tokens.map(i64::from),
        stop_sequences: config.stop_sequences.len() as u64,
    }
}

fn response_type(args: &SamplingArgs) -> Option<String> {
    let json = args.response_schema.is_some().then(|| "application/json".to_owned());
    args.response_type.clone().or(json)
}

fn schema(args: &SamplingArgs) -> Result<Option<serde_json::Value>, Failure> {
    let Some(path) = &args.response_schema else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    serde_json::from_str(&text).map(Some).map_err(|error| {
        let message = format!("{}: options: no JSON: {error}", path.display());
        Failure::option(message, "a schema is a JSON object")
    })
}

fn thinking(args: &SamplingArgs) -> Option<ThinkingConfig> {
    let level = args.thinking_level.map(|level| match level {
        ThinkingLevelArg::Minimal => ThinkingLevel::Minimal,
        ThinkingLevelArg::Low => ThinkingLevel::Low,
        ThinkingLevelArg::Medium => ThinkingLevel::Medium,
        ThinkingLevelArg::High => ThinkingLevel::High,
    });
    let asked = level.is_some() || args.thinking_budget.is_some();
    asked.then(|| ThinkingConfig {
        thinking_level: level,
        thinking_budget: args.thinking_budget,
        ..ThinkingConfig::default()
    })
}

/// `harassment=block-only-high`, or the names on the wire.
fn safety_setting(text: &str) -> Result<SafetySetting, Failure> {
    let wire = |text: &str| text.trim().to_ascii_uppercase().replace('-', "_");
    let read = || {
        let (category, threshold) = text.split_once('=')?;
        let category = wire(category);
        let short = category.strip_prefix("HARM_CATEGORY_").unwrap_or(&category);
        let category = HarmCategory::from_wire_name(&format!("HARM_CATEGORY_{short}"))?;
        Some(SafetySetting::new(category, HarmBlockThreshold::from_wire_name(&wire(threshold))?))
    };
    read().ok_or_else(|| {
        let hint = "such as harassment=block-only-high, dangerous-content=off";
        Failure::option(format!("--safety: `{text}` is no category with a threshold"), hint)
    })
}
