//! The bodies of requests, ready to be posted: one file each, or the lines of a batch.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use mediaprep::media::MediaResolution;
use mediaprep::parts::{
    BatchLine, Body, Data, DataSource, GenerateRequest, GenerationConfig, Part,
};
use mediaprep::tokens::{Route, Service};
use mediaprep::{Charge, Preparation, PreparedPart, RequestParts};

use super::folder::{BATCH, OutFolder};
use super::manifest::{Made, Sent};

/// Some parts of an item inside a request.
pub(crate) struct Slice<'a> {
    /// The item's place in the preparation.
    pub(crate) item: usize,
    /// The item.
    pub(crate) made: &'a Made,
    parts: Range<usize>,
    /// The text before it.
    pub(crate) label: Option<&'a str>,
}

impl<'a> Slice<'a> {
    /// All parts of an item; `None` for a copy, which is sent with its first.
    pub(crate) fn whole(made: &'a Made) -> Option<Self> {
        Some(Self { item: made.item?, made, parts: 0..made.parts().len(), label: None })
    }

    /// Each part with its charge and its file.
    pub(crate) fn charged_parts(
        &self,
    ) -> impl Iterator<Item = (&'a PreparedPart, &'a Charge, &'a str)> {
        self.made.charged_parts().skip(self.parts.start).take(self.parts.len())
    }

    /// What each part is charged.
    pub(crate) fn charges(&self) -> impl Iterator<Item = &'a Charge> {
        self.charged_parts().map(|(_, charge, _)| charge)
    }
}

/// The items of each request.
pub(crate) fn slices<'a>(made: &'a [Made], requests: &'a [RequestParts]) -> Vec<Vec<Slice<'a>>> {
    // Copies have no place among the items.
    let items: Vec<&Made> = made.iter().filter(|one| one.item.is_some()).collect();
    let of = |request: &'a RequestParts| {
        let slice = |one: &'a mediaprep::RequestItem| {
            let (item, parts, label) = (one.item, one.parts.clone(), one.label.as_deref());
            items.get(item).map(|made| Slice { item, made, parts, label })
        };
        request.items.iter().filter_map(slice).collect()
    };
    requests.iter().map(of).collect()
}

/// Bytes that are read from a part's file while they are sent.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    length: u64,
}

impl PartFile {
    /// # Errors
    ///
    /// When the file cannot be looked at.
    pub(crate) fn new(path: PathBuf) -> io::Result<Self> {
        let length = path.metadata()?.len();
        Ok(Self { path, length })
    }
}

impl DataSource for PartFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.path)?))
    }
}

/// Where requests are written, and from what.
pub(crate) struct Bodies<'a> {
    pub(crate) folder: &'a OutFolder,
    pub(crate) preparation: &'a Preparation<'a>,
    /// What travels in each.
    pub(crate) requests: &'a [RequestParts],
    /// Whether there may be several, so that their files are numbered.
    pub(crate) numbered: bool,
}

impl Bodies<'_> {
    /// Writes one file for each request and notes with each part which one it is in; the files'
    /// names.
    ///
    /// # Errors
    ///
    /// What reading the parts and writing the bodies give.
    pub(crate) fn write(&self, made: &mut [Made]) -> io::Result<Vec<String>> {
        let name = |number: u64| match self.numbered {
            true => format!("request-{number:04}.json"),
            false => "request.json".to_owned(),
        };
        let names: Vec<String> = (1..).take(self.requests.len()).map(name).collect();
        for (items, name) in slices(made, self.requests).iter().zip(&names) {
            let request = self.request(items)?;
            self.folder.write(name, &mut |writer| {
                request.body().write_to(writer)?;
                writer.write_all(b"\n")
            })?;
        }
        self.note(made, |at| Sent { file: names[at].clone(), ..Sent::default() });
        Ok(names)
    }

    /// Writes all requests as the lines of a batch; the file's name and size.
    ///
    /// # Errors
    ///
    /// What reading the parts and writing the lines give.
    pub(crate) fn write_batch(&self, made: &mut [Made]) -> io::Result<(String, u64)> {
        let service = self.preparation.rules.key.service;
        let keys = self.keys(made);
        let mut bytes = 0;
        let all = slices(made, self.requests);
        self.folder.write(BATCH, &mut |writer| {
            bytes = 0;
            for (items, key) in all.iter().zip(&keys) {
                let line = batch_line(self.request(items)?, key, service);
                bytes += line.length();
                line.write_to(writer)?;
            }
            Ok(())
        })?;
        drop(all);
        self.note(made, |at| Sent {
            file: BATCH.to_owned(),
            line: Some(at as u64 + 1),
            // Vertex AI has no keys: it repeats the request.
            key: (service == Service::DeveloperApi).then(|| keys[at].clone()),
        });
        Ok((BATCH.to_owned(), bytes))
    }

    /// Sends what would make the batch's file larger than `limit` by address instead, in sending
    /// order: the first requests that fit keep their media inside.
    ///
    /// # Errors
    ///
    /// What looking at the parts gives.
    pub(crate) fn fit_batch(&self, made: &mut [Made], limit: u64) -> io::Result<()> {
        let service = self.preparation.rules.key.service;
        let elsewhere = match service {
            Service::DeveloperApi => Route::File,
            Service::Vertex => Route::Uri,
        };
        let keys = self.keys(made);
        let mut bytes = 0u64;
        for (at, request) in self.requests.iter().enumerate() {
            let line = |made: &[Made]| -> io::Result<u64> {
                let all = slices(made, std::slice::from_ref(request));
                let items = all.first().map(Vec::as_slice).unwrap_or_default();
                Ok(batch_line(self.request(items)?, &keys[at], service).length())
            };
            let length = line(made)?;
            if bytes.saturating_add(length) <= limit {
                bytes += length;
                continue;
            }
            for one in &request.items {
                let item = made.iter_mut().find(|made| made.item == Some(one.item));
                let charges = item.and_then(|made| made.charges.get_mut(one.parts.clone()));
                charges.into_iter().flatten().for_each(|charge| charge.route = elsewhere);
            }
            bytes = bytes.saturating_add(line(made)?);
        }
        Ok(())
    }

    /// By what the result of each request is found: the source's path where a request holds one
    /// source, a number otherwise; each once.
    fn keys(&self, made: &[Made]) -> Vec<String> {
        let (mut taken, mut keys) = (HashSet::new(), Vec::with_capacity(self.requests.len()));
        for (number, items) in (1u64..).zip(slices(made, self.requests)) {
            let key = match items.as_slice() {
                [only] => only.made.name().to_owned(),
                _ => format!("request-{number:04}"),
            };
            let key = if taken.contains(&key) { format!("{key}#{number}") } else { key };
            taken.insert(key.clone());
            keys.push(key);
        }
        keys
    }

    /// Notes with each part where it is sent.
    fn note(&self, made: &mut [Made], sent: impl Fn(usize) -> Sent) {
        let mut items: Vec<&mut Made> = made.iter_mut().filter(|one| one.item.is_some()).collect();
        for (at, request) in self.requests.iter().enumerate() {
            let sent = sent(at);
            for one in &request.items {
                let Some(made) = items.get_mut(one.item) else { continue };
                let count = made.parts().len();
                made.sent.resize(count, Sent::default());
                if let Some(places) = made.sent.get_mut(one.parts.clone()) {
                    places.fill(sent.clone());
                }
            }
        }
    }

    /// One request. Media stand before the question: the documents advise it, and caching likes it.
    fn request(&self, items: &[Slice<'_>]) -> io::Result<GenerateRequest> {
        let mut parts = Vec::new();
        for item in items {
            parts.extend(item.label.map(Part::text));
            for (part, charge, file) in item.charged_parts() {
                parts.extend(part.text.as_deref().map(Part::text));
                parts.push(self.part(item.item, (part, charge, file))?);
            }
        }
        parts.extend(self.preparation.request.prompt.as_deref().map(Part::text));
        // An item that is a request of its own may have a level of its own.
        let first = items.first().map(|item| item.item);
        let level = first.and_then(|item| self.preparation.request_level(item));
        let generation_config = level.map(config);
        Ok(GenerateRequest { generation_config, ..GenerateRequest::user(parts) })
    }

    fn part(&self, item: usize, part: (&PreparedPart, &Charge, &str)) -> io::Result<Part> {
        wire_part(self.folder, self.preparation, item, part)
    }
}

fn config(level: MediaResolution) -> GenerationConfig {
    GenerationConfig { media_resolution: Some(level), ..GenerationConfig::default() }
}

fn batch_line(request: GenerateRequest, key: &str, service: Service) -> Body {
    let line = BatchLine { key: key.to_owned(), request };
    match service {
        Service::DeveloperApi => line.body(),
        Service::Vertex => line.vertex_body(),
    }
}

/// One part of an item, given by its place, as it is sent; its bytes are read from its file only
/// when they are.
///
/// # Errors
///
/// When the part's file cannot be looked at.
pub(crate) fn wire_part(
    folder: &OutFolder,
    preparation: &Preparation<'_>,
    item: usize,
    (part, charge, file): (&PreparedPart, &Charge, &str),
) -> io::Result<Part> {
    let mut wire = match charge.route {
        Route::Inline => {
            let source = PartFile::new(folder.root().join(file))?;
            Part::inline(charge.send_as.clone(), Data::source(Arc::new(source)))
        }
        // The address is known only after uploading, so the file stands in its place.
        Route::File | Route::Uri => Part::file(file, Some(charge.send_as.clone())),
    };
    preparation.annotate(item, part, &mut wire);
    Ok(wire)
}
