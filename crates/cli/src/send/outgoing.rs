//! One request with the files that it needs.

use std::io;
use std::path::Path;
use std::sync::Arc;

use mediaprep::parts::{Content, Data, GenerateRequest, Part, PartData};
use mediaprep::tokens::Route;
use mediaprep::{Charge, Preparation, PreparedPart};
use mediaprep_client::{FileSource, Pending, UploadOptions, Uploaded};

use crate::failure::Failure;
use crate::prepare::{OutFolder, PartFile, Slice};

/// One request: its parts, and the files among them that are uploaded first.
pub(crate) struct Outgoing {
    slots: Vec<Slot>,
    /// What is to be uploaded, in the order of the parts.
    pub(crate) uploads: Vec<Pending>,
    /// Where those lie, for a request that is not sent.
    places: Vec<String>,
    /// Everything but the contents.
    frame: GenerateRequest,
}

enum Slot {
    Ready(Part),
    /// A part whose address is known after uploading; it says everything else.
    Upload(usize, Part),
}

impl Outgoing {
    /// The request that some items make together.
    ///
    /// # Errors
    ///
    /// Parts that cannot be read again, or that this service takes by an address alone.
    pub(crate) fn new(
        folder: &OutFolder,
        preparation: &Preparation<'_>,
        items: &[Slice<'_>],
        frame: &GenerateRequest,
    ) -> Result<Self, Failure> {
        let mut outgoing = Self {
            slots: Vec::new(),
            uploads: Vec::new(),
            places: Vec::new(),
            frame: frame.clone(),
        };
        if let Some(level) = items.first().and_then(|item| preparation.request_level(item.item)) {
            let config = outgoing.frame.generation_config.get_or_insert_default();
            config.media_resolution = Some(level);
        }
        for item in items {
            if let Some(label) = item.label {
                outgoing.text(label);
            }
            for (part, charge, file) in item.charged_parts() {
                if let Some(text) = &part.text {
                    outgoing.text(text);
                }
                let mut wire = Part::text("");
                preparation.annotate(item.item, part, &mut wire);
                outgoing.add(wire, (part, charge), &folder.root().join(file))?;
            }
        }
        // Media stand before the question: the documents advise it, and caching likes it.
        if let Some(prompt) = &preparation.request.prompt {
            outgoing.text(prompt);
        }
        Ok(outgoing)
    }

    fn text(&mut self, text: &str) {
        self.slots.push(Slot::Ready(Part::text(text)));
    }

    fn add(
        &mut self,
        mut wire: Part,
        (part, charge): (&PreparedPart, &Charge),
        path: &Path,
    ) -> Result<(), Failure> {
        let unread = |error: io::Error| {
            let message = format!("{}: send: {error}", path.display());
            Failure::option(message, "was the part removed meanwhile? run it again")
        };
        match charge.route {
            Route::Inline => {
                let source = PartFile::new(path.to_owned()).map_err(unread)?;
                let data = Data::source(Arc::new(source));
                wire.data = Part::inline(charge.send_as.clone(), data).data;
                self.slots.push(Slot::Ready(wire));
            }
            Route::File => {
                let source = Arc::new(FileSource::new(path).map_err(unread)?);
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                let options = UploadOptions {
                    mime_type: charge.send_as.to_string(),
                    display_name: name,
                    sha256: Some(part.sha256),
                    ..UploadOptions::default()
                };
                self.slots.push(Slot::Upload(self.uploads.len(), wire));
                self.places.push(path.display().to_string());
                self.uploads.push(Pending { source, options });
            }
            Route::Uri => {
                let message = format!(
                    "{}: send: too large to go inside the request, and Google Cloud takes no uploads",
                    path.display()
                );
                let hint = "put it into Cloud Storage and name its gs:// address in request.json of \
                            'mediaprep prepare', or ask for --route inline";
                return Err(Failure::option(message, hint));
            }
        }
        Ok(())
    }

    /// The request, once the files are there.
    pub(crate) fn request(&self, uploaded: &[Uploaded]) -> GenerateRequest {
        let addresses: Vec<&str> = uploaded.iter().map(|file| file.uri.as_str()).collect();
        self.with_addresses(&addresses)
    }

    /// The request with the files' places where their addresses will be.
    pub(crate) fn unsent(&self) -> GenerateRequest {
        self.with_addresses(&self.places.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn with_addresses(&self, addresses: &[&str]) -> GenerateRequest {
        let part = |slot: &Slot| match slot {
            Slot::Ready(part) => part.clone(),
            Slot::Upload(at, part) => {
                let address = addresses.get(*at).copied().unwrap_or_default();
                let mime_type = self.uploads.get(*at).map(|one| one.options.mime_type.clone());
                let data = Part::file(address, mime_type.map(Into::into)).data;
                Part { data, ..part.clone() }
            }
        };
        let parts = self.slots.iter().map(part).collect();
        GenerateRequest { contents: vec![Content::user(parts)], ..self.frame.clone() }
    }

    /// Characters of all text parts and of the system instruction.
    pub(crate) fn characters(&self) -> u64 {
        let instruction = self.frame.system_instruction.iter().flat_map(|content| &content.parts);
        let ready = self.slots.iter().filter_map(|slot| match slot {
            Slot::Ready(part) => Some(part),
            Slot::Upload(..) => None,
        });
        let characters = |part: &Part| match &part.data {
            PartData::Text(text) => text.chars().count() as u64,
            _ => 0,
        };
        instruction.chain(ready).map(characters).sum()
    }
}
