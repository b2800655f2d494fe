//! The bodies of the requests, ready to be posted.

use std::fs::File;
use std::io::{self, Write};

use mediaprep::parts::{BodyWriter, Part};
use mediaprep::tokens::Route;
use mediaprep::{Preparation, Requests};

use super::folder::OutFolder;
use super::manifest::Made;

/// Writes one body for everything, or one for each item, and sets the name of each item's body.
///
/// # Errors
///
/// What reading the parts and writing the bodies give.
pub(crate) fn write_requests(
    folder: &OutFolder,
    preparation: &Preparation<'_>,
    made: &mut [Made],
) -> io::Result<Vec<String>> {
    match preparation.request.requests {
        Requests::One => {
            let name = "request.json".to_owned();
            if made.iter().all(|item| item.parts().is_empty()) {
                return Ok(Vec::new());
            }
            write_body(folder, preparation, made, &name)?;
            made.iter_mut().for_each(|item| item.request = Some(name.clone()));
            Ok(vec![name])
        }
        Requests::Each => {
            let with_parts = made.iter_mut().filter(|item| !item.parts().is_empty());
            let mut names = Vec::new();
            for (number, item) in (1..).zip(with_parts) {
                let name = format!("request-{number:04}.json");
                write_body(folder, preparation, std::slice::from_ref(item), &name)?;
                item.request = Some(name.clone());
                names.push(name);
            }
            Ok(names)
        }
    }
}

fn write_body(
    folder: &OutFolder,
    preparation: &Preparation<'_>,
    items: &[Made],
    name: &str,
) -> io::Result<()> {
    folder.write(name, &mut |writer| {
        let mut body = BodyWriter::new(writer)?;
        for item in items {
            write_item(folder, preparation, item, &mut body)?;
        }
        if let Some(prompt) = &preparation.request.prompt {
            body.part(&Part::text(prompt.as_str()))?;
        }
        let level = items.first().and_then(|item| preparation.request_level(item.item));
        body.finish(level)?.write_all(b"\n")
    })
}

fn write_item(
    folder: &OutFolder,
    preparation: &Preparation<'_>,
    item: &Made,
    body: &mut BodyWriter<&mut dyn Write>,
) -> io::Result<()> {
    if let Some(label) = item.label.as_ref().filter(|_| !item.parts().is_empty()) {
        body.part(&Part::text(label.as_str()))?;
    }
    for (part, charge, file) in item.charged_parts() {
        if let Some(text) = &part.text {
            body.part(&Part::text(text.as_str()))?;
        }
        let mut wire = match charge.route {
            Route::Inline => Part::inline(charge.send_as.clone(), Vec::new()),
            // The address is known only after uploading, so the file stands in its place.
            Route::File | Route::Uri => Part::file(file, Some(charge.send_as.clone())),
        };
        preparation.annotate(item.item, part, &mut wire);
        match charge.route {
            Route::Inline => body.inline(wire, &mut File::open(folder.root().join(file))?)?,
            Route::File | Route::Uri => body.part(&wire)?,
        }
    }
    Ok(())
}
