use serde_json::Value;

use crate::{
    files::{FileState, forbidden},
    messages::PART_DATA,
    mime,
    refusal::Refusal,
    route::Platform,
    schema::nanoseconds,
    store::State,
    usage::Modality,
};

/// Who sends a request, where and for which model.
pub(crate) struct Judge<'a> {
    pub(crate) platform: Platform,
    pub(crate) owner: &'a str,
    pub(crate) model: &'a str,
    pub(crate) base_url: &'a str,
    pub(crate) file_forbidden: bool,
}

/// Where a file URI leads.
enum Place {
    /// A file of the Files API.
    File(String),
    YouTube,
    Bucket,
    Web,
}

impl Judge<'_> {
    /// Judges a request whose fields are right already. A file's MIME type is filled in where
    /// the request leaves it to the Files API.
    pub(crate) fn request(&self, request: &mut Value, state: &mut State) -> Result<(), Refusal> {
        self.cached(request, state)?;
        self.system(&request["systemInstruction"])?;
        config(&request["generationConfig"])?;
        safety(&request["safetySettings"], request.get("modelArmorConfig").is_some())?;
        self.contents(&mut request["contents"], state)
    }

    fn cached(&self, request: &Value, state: &State) -> Result<(), Refusal> {
        let Some(name) = request["cachedContent"].as_str() else { return Ok(()) };
        if ["systemInstruction", "tools", "toolConfig"].iter().any(|name| !request[name].is_null())
        {
            let message = "CachedContent can not be used with GenerateContent request setting \
                system_instruction, tools or tool_config.\n\nProposed fix: move those values to \
                CachedContent from GenerateContent request.";
            return Err(Refusal::invalid(message));
        }
        match state.caches.iter().any(|cached| cached.is(name, self.owner)) {
            true => Ok(()),
            false => Err(crate::cache::not_found()),
        }
    }

    fn system(&self, instruction: &Value) -> Result<(), Refusal> {
        let parts = instruction["parts"].as_array().into_iter().flatten();
        match parts.into_iter().all(|part| part["text"].is_string()) {
            true => Ok(()),
            false => Err(Refusal::invalid(
                "* GenerateContentRequest.system_instruction.parts: only text is allowed",
            )),
        }
    }

    /// Judges contents, of which there must be some.
    pub(crate) fn contents(&self, contents: &mut Value, state: &mut State) -> Result<(), Refusal> {
        let Some(contents) = contents.as_array_mut().filter(|contents| !contents.is_empty()) else {
            let message = "* GenerateContentRequest.contents: contents is not specified\n";
            return Err(Refusal::invalid(message));
        };
        for (at, content) in contents.iter_mut().enumerate() {
            self.role(content)?;
            let path = format!("GenerateContentRequest.contents[{at}].parts");
            let parts = content["parts"].as_array_mut().filter(|parts| !parts.is_empty());
            let Some(parts) = parts else {
                let message = format!("* {path}: contents.parts must not be empty.\n");
                return Err(Refusal::invalid(message));
            };
            for (at, part) in parts.iter_mut().enumerate() {
                self.part(part, &format!("{path}[{at}]"), state)?;
            }
        }
        Ok(())
    }

    fn role(&self, content: &Value) -> Result<(), Refusal> {
        match content["role"].as_str() {
            Some("user" | "model") => Ok(()),
            None if self.platform == Platform::Developer => Ok(()),
            _ => Err(Refusal::invalid("Please use a valid role: user, model.")),
        }
    }

    fn part(&self, part: &mut Value, path: &str, state: &mut State) -> Result<(), Refusal> {
        let set: Vec<&str> =
            PART_DATA.iter().copied().filter(|name| part.get(name).is_some()).collect();
        match set.as_slice() {
            [] => {
                let problem = "required oneof field 'data' must have one initialized field";
                return Err(Refusal::invalid(format!("* {path}.data: {problem}\n")));
            }
            [_, second, ..] => {
                let problem = format!("oneof field 'data' is already set. Cannot set '{second}'");
                return Err(Refusal::invalid(format!(
                    "Invalid value at '{path}' (oneof), {problem}"
                )));
            }
            [_] => {}
        }
        let modality = if part["inlineData"].is_object() {
            Some(self.blob(&part["inlineData"], path)?)
        } else if part["fileData"].is_object() {
            Some(self.file(&mut part["fileData"], path, state)?)
        } else {
            None
        };
        video(&part["videoMetadata"], modality, path)?;
        self.resolution(&part["mediaResolution"], modality, path)
    }

    fn blob(&self, blob: &Value, path: &str) -> Result<Modality, Refusal> {
        let mime_type = blob["mimeType"].as_str().filter(|mime_type| !mime_type.is_empty());
        let Some(mime_type) = mime_type else {
            let message = format!("* {path}.inline_data.mime_type: mime_type must be set");
            return Err(Refusal::invalid(message));
        };
        if blob["data"].as_str().is_none_or(str::is_empty) {
            return Err(Refusal::invalid(format!("* {path}.inline_data.data: data must be set")));
        }
        mime::modality(mime_type, self.platform)
    }

    fn file(&self, file: &mut Value, path: &str, state: &mut State) -> Result<Modality, Refusal> {
        let uri = file["fileUri"].as_str().unwrap_or_default().to_owned();
        let place = self.place(&uri);
        let given = file["mimeType"].as_str().map(str::to_owned);
        let mime_type = match (place, given) {
            (Some(Place::File(id)), given) if self.platform == Platform::Developer => {
                let stored = self.stored(&id, state)?;
                given.unwrap_or(stored)
            }
            (Some(Place::YouTube), given) => given.unwrap_or_else(|| "video/mp4".into()),
            (Some(Place::Bucket), _) if !self.reads_bucket(&uri, state) => {
                return Err(unsupported(&uri));
            }
            (Some(Place::Web), _)
                if self.is_of("gemini-2.0") && self.platform == Platform::Developer =>
            {
                return Err(Refusal::invalid(format!(
                    "Fetching the URL {uri} is not supported for this model."
                )));
            }
            (Some(Place::Bucket | Place::Web), Some(given)) => given,
            (Some(Place::Bucket | Place::Web), None) => {
                let message = format!("* {path}.file_data.mime_type: mime_type must be set");
                return Err(Refusal::invalid(message));
            }
            (Some(Place::File(_)) | None, _) => return Err(unsupported(&uri)),
        };
        file["mimeType"] = mime_type.as_str().into();
        mime::modality(&mime_type, self.platform)
    }

    fn place(&self, uri: &str) -> Option<Place> {
        if let Some(path) = uri.strip_prefix("gs://") {
            let object = path
                .split_once('/')
                .filter(|(bucket, object)| !bucket.is_empty() && !object.is_empty());
            return object.map(|_| Place::Bucket);
        }
        let own = [self.base_url, "https://generativelanguage.googleapis.com"];
        if let Some(path) = own.iter().find_map(|base| uri.strip_prefix(base)) {
            let id = path.strip_prefix("/v1")?.split_once("/files/")?.1;
            return Some(Place::File(id.to_owned()));
        }
        let rest = uri.strip_prefix("https://")?;
        let host = rest.split('/').next().unwrap_or_default();
        match host {
            "www.youtube.com" | "youtube.com" | "youtu.be" => Some(Place::YouTube),
            "" => None,
            _ => Some(Place::Web),
        }
    }

    /// The Developer API reads only objects that were registered.
    fn reads_bucket(&self, uri: &str, state: &State) -> bool {
        self.platform != Platform::Developer || state.registered.iter().any(|known| known == uri)
    }

    fn stored(&self, id: &str, state: &mut State) -> Result<String, Refusal> {
        if self.file_forbidden {
            return Err(forbidden(id));
        }
        let entry = state.file(self.owner, id)?;
        match entry.file.state {
            FileState::Active => Ok(entry.file.mime_type.clone()),
            FileState::Processing | FileState::Failed => {
                let message =
                    format!("The File {id} is not in an ACTIVE state and usage is not allowed.");
                Err(Refusal::new(400, "FAILED_PRECONDITION", message))
            }
        }
    }

    fn is_of(&self, family: &str) -> bool {
        self.model.starts_with(family)
    }

    fn resolution(
        &self,
        resolution: &Value,
        modality: Option<Modality>,
        path: &str,
    ) -> Result<(), Refusal> {
        if resolution.is_null() {
            return Ok(());
        }
        if modality.is_none() {
            return Err(Refusal::invalid(format!(
                "* {path}.media_resolution: the part has no media"
            )));
        }
        if ["gemini-1", "gemini-2"].iter().any(|family| self.is_of(family)) {
            let message = "Media resolution of a part is not supported for this model.";
            return Err(Refusal::invalid(message));
        }
        Ok(())
    }
}

fn unsupported(uri: &str) -> Refusal {
    Refusal::invalid(format!("Unsupported file URI: {uri}"))
}

fn video(metadata: &Value, modality: Option<Modality>, path: &str) -> Result<(), Refusal> {
    if metadata.is_null() {
        return Ok(());
    }
    let refuse = |problem: &str| {
        Err(Refusal::invalid(format!("* GenerateContentRequest.video_metadata: {path}: {problem}")))
    };
    if modality != Some(Modality::Video) {
        return refuse("video metadata is only allowed on a video");
    }
    if metadata["fps"].as_f64().is_some_and(|fps| !(fps > 0.0 && fps <= 24.0)) {
        return refuse("fps must be in the range (0.0, 24.0]");
    }
    let offset = |name: &str| metadata[name].as_str().and_then(nanoseconds);
    let (start, end) = (offset("startOffset"), offset("endOffset"));
    if start.is_some_and(|start| start < 0) || end.is_some_and(|end| end < 0) {
        return refuse("offsets must not be negative");
    }
    if end.is_some_and(|end| end <= start.unwrap_or(0)) {
        return refuse("end_offset must be after start_offset");
    }
    Ok(())
}

fn config(config: &Value) -> Result<(), Refusal> {
    let outside = |name: &str, low: f64, high: f64| {
        config[name].as_f64().is_some_and(|value| !(low..=high).contains(&value))
    };
    for (name, field, low, high) in [
        ("temperature", "temperature", 0.0, 2.0),
        ("topP", "top_p", 0.0, 1.0),
        ("candidateCount", "candidate_count", 1.0, 8.0),
        ("maxOutputTokens", "max_output_tokens", 1.0, 65_536.0),
    ] {
        if outside(name, low, high) {
            let message = format!(
                "* GenerateContentRequest.generation_config.{field}: must be in the range [{low}, {high}]"
            );
            return Err(Refusal::invalid(message));
        }
    }
    match config["stopSequences"].as_array().is_some_and(|sequences| sequences.len() > 5) {
        true => Err(Refusal::invalid(
            "* GenerateContentRequest.generation_config.stop_sequences: at most 5 are allowed",
        )),
        false => Ok(()),
    }
}

fn safety(settings: &Value, armored: bool) -> Result<(), Refusal> {
    let categories = settings.as_array().into_iter().flatten();
    let mut categories: Vec<&str> = categories.filter_map(|one| one["category"].as_str()).collect();
    let count = categories.len();
    if count > 0 && armored {
        return Err(Refusal::invalid("modelArmorConfig and safetySettings exclude each other."));
    }
    categories.sort_unstable();
    categories.dedup();
    match categories.len() == count {
        true => Ok(()),
        false => Err(Refusal::invalid(
            "* GenerateContentRequest.safety_settings: element predicate failed: only one setting \
             for each category is allowed",
        )),
    }
}
